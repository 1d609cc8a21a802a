"""Tail probability of the negative binomial distribution, in plain Python (the regularised incomplete beta function)."""

from __future__ import annotations

import math

TINY = 1e-300
STEPS = 200
PRECISION = 1e-12


def log_beta_tail(x: float, a: float, b: float) -> float:
    """ln I_x(a, b) by the continued fraction of Lentz (Numerical Recipes §6.4); a, b > 0, x in (0, 1)."""
    if x >= (a + 1) / (a + b + 2):
        rest = math.exp(log_beta_tail(1 - x, b, a))
        return math.log1p(-rest) if rest < 1 else -math.inf
    front = a * math.log(x) + b * math.log1p(-x) - (math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)) - math.log(a)
    c, d = 1.0, 1.0 / max(1 - (a + b) * x / (a + 1), TINY)
    value = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d or TINY)
            c = 1 + term / c or TINY
            value *= c * d
        if abs(c * d - 1) < PRECISION:
            break
    return front + math.log(value)


def surprise(count: float, mean: float, dispersion: float) -> float:
    """-log10 P[N >= count] for a negative binomial with this mean and variance mean + dispersion · mean²; 0 for count <= 0."""
    if count <= 0:
        return 0.0
    mean = max(mean, 1e-9)
    x = mean * dispersion / (1 + mean * dispersion)
    return max(0.0, -log_beta_tail(x, count, 1 / dispersion) / math.log(10))
