"""The tail probability against exact sums."""

from __future__ import annotations

import math

import pytest

from alerts.special import surprise


def exact(count: int, mean: float, phi: float) -> float:
    size = 1 / phi
    p = size / (size + mean)
    below = sum(
        math.exp(
            math.lgamma(k + size) - math.lgamma(size) - math.lgamma(k + 1) + size * math.log(p) + k * math.log1p(-p)
        )
        for k in range(count)
    )
    return -math.log10(1 - below)


@pytest.mark.parametrize(
    ("count", "mean", "phi"),
    [(3, 0.4, 0.15), (10, 9.6, 0.15), (42, 9.6, 0.15), (5, 0.01, 0.01), (30, 20.0, 2.0), (1, 5.0, 0.5)],
)
def test_tail_agrees_with_the_exact_sum(count: int, mean: float, phi: float) -> None:
    assert surprise(count, mean, phi) == pytest.approx(exact(count, mean, phi), rel=1e-4, abs=1e-6)


def test_nothing_is_no_surprise() -> None:
    assert surprise(0, 3.0, 0.2) == 0.0


def test_the_far_tail_stays_finite_and_grows() -> None:
    values = [surprise(count, 2.0, 0.15) for count in (100, 1000, 5000)]
    assert values == sorted(values)
    assert all(map(math.isfinite, values))
