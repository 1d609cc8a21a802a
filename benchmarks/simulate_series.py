"""Made series of brands with known crises, to rank detectors; what holds here is no promise for the field.

A brand has ten weeks of 15-minute intervals; the first two are for learning. Each of the eight others holds at most one happening
that matters: three crises, two festivals (everything louder, the negative share as usual), two hypes (praise only). Small cascades of
copies and outages fall anywhere. Shapes and noise are assumptions; crises are those that raise the negative share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tingfeng.clock import SHANGHAI
from tingfeng.records import Bin

START = datetime(2026, 1, 5, tzinfo=SHANGHAI)  # a Monday
STEP = timedelta(minutes=15)
HOUR, DAY, WEEK = 4, 96, 672  # intervals
LEARNING, WEEKS = 2 * WEEK, 10
PER_HOUR = {"sparse": (0.1, 1.0), "medium": (2.0, 15.0), "large": (30.0, 200.0)}
CRISES = {"S": (3.0, 5.0), "M": (7.0, 12.0), "L": (20.0, 40.0)}  # times the usual; at least so many posts an hour at the peak
DISPERSION = 0.15
SURVIVING_COPIES = 0.3  # copies that were reworded so far that folding misses them; the rest never reaches the detector
# relative posts an hour at 0, 2, … 22 o'clock and on Monday … Sunday; on purpose not the detector's own prior
HOURS = (0.45, 0.2, 0.12, 0.2, 0.7, 1.0, 1.35, 1.05, 1.0, 1.15, 1.6, 1.55)
WEEKDAYS = (1.05, 1.0, 1.0, 1.0, 1.05, 0.95, 0.95)
Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Happening:
    """What was put in: `kind` is S, M or L for a crisis, else festival or hype. Intervals [start, end), its echo until `tail`."""

    kind: str
    start: int
    end: int
    tail: int

    @property
    def is_crisis(self) -> bool:
        """Something that should be told."""
        return self.kind in CRISES


@dataclass(frozen=True)
class Brand:
    """A series with its truth. `size`: sparse, medium or large."""

    size: str
    bins: Sequence[Bin]
    happenings: Sequence[Happening]


def simulate_brands(count: int, seed: int) -> list[Brand]:
    """Sizes in turn; the same seed gives the same brands."""
    sizes = list(PER_HOUR)
    return [simulate_brand(sizes[i % 3], np.random.default_rng((seed, i))) for i in range(count)]


def simulate_brand(size: str, rng: np.random.Generator) -> Brand:
    """One brand of `size`."""
    length = WEEKS * WEEK
    base = float(np.exp(rng.uniform(*np.log(PER_HOUR[size])))) / HOUR
    season = draw_season(length)
    usual = base * season * np.exp(draw_trend(length, 0.35, rng) + draw_noise(length, rng))
    share = 1 / (1 + np.exp(2.0 + draw_trend(length, 0.2, rng)))  # 12 %, drifting
    negative, other = usual.copy(), usual * (1 - share) / share
    happenings = draw_happenings(rng)
    for one in happenings:
        add_happening(one, base, season, negative, other, rng)
    counts, others = draw_counts(negative, rng), draw_counts(other, rng)
    add_cascades(counts, rng)
    seen = draw_coverage(length, rng)
    bins = [
        Bin(START + i * STEP, int(counts[i]), int(counts[i] + others[i])) if seen[i] else Bin(START + i * STEP, 0, 0, 0.0)
        for i in range(length)
    ]
    return Brand(size, bins, happenings)


def draw_season(length: int) -> Curve:
    """Hour of day × day of week, mean near 1."""
    at = np.arange(length)
    hours = np.interp(at % DAY / HOUR, np.arange(0, 25, 2), [*HOURS, HOURS[0]])
    days = np.asarray(WEEKDAYS)[at // DAY % 7]
    return np.asarray(hours / np.mean(HOURS) * days, dtype=np.float64)


def draw_trend(length: int, deviation: float, rng: np.random.Generator) -> Curve:
    """A slow walk: one value a fortnight, straight lines between."""
    knots = rng.normal(0, deviation, length // (2 * WEEK) + 2)
    return np.interp(np.arange(length) / (2 * WEEK), np.arange(len(knots)), knots)


def draw_noise(length: int, rng: np.random.Generator) -> Curve:
    """Autoregressive noise in the logarithm with a memory of six hours, as strong as the brand's temper."""
    keep = float(np.exp(-1 / (6 * HOUR)))
    deviation = rng.uniform(0.15, 0.35)
    shocks = rng.normal(0, deviation * np.sqrt(1 - keep * keep), length)
    noise, value = np.empty(length), 0.0
    for i, shock in enumerate(shocks):
        value = keep * value + shock
        noise[i] = value
    return noise


def draw_counts(rate: Curve, rng: np.random.Generator) -> NDArray[np.int64]:
    """Negative binomial counts: variance rate + DISPERSION · rate²."""
    return rng.poisson(rate * rng.gamma(1 / DISPERSION, DISPERSION, len(rate)))


def draw_happenings(rng: np.random.Generator) -> list[Happening]:
    """Seven happenings in seven of the eight scored weeks, each begun between 8 and 22 o'clock of its first three days."""
    kinds = [*CRISES, "festival", "festival", "hype", "hype"]
    weeks = rng.permutation(WEEKS - 2)[: len(kinds)]
    found = []
    for kind, week in zip(kinds, weeks, strict=True):
        start = LEARNING + int(week) * WEEK + int(rng.integers(0, 3)) * DAY + int(rng.integers(8 * HOUR, 22 * HOUR))
        if kind in CRISES:
            half_life = int(rng.choice((4, 12, 24))) * HOUR
            end = start + int(rng.choice((0, 1, 6))) * HOUR + 2 * half_life
            found.append(Happening(kind, start, end, end + 2 * half_life))
        else:
            end = start + int(rng.integers(36, 61) if kind == "festival" else rng.integers(12, 37)) * HOUR
            found.append(Happening(kind, start, end, end + 12 * HOUR))
    return sorted(found, key=lambda one: one.start)


def add_happening(
    one: Happening, base: float, season: Curve, negative: Curve, other: Curve, rng: np.random.Generator
) -> None:
    """Changes the rates in place."""
    if one.kind == "festival":
        factor = rng.uniform(3, 6)
        negative[one.start : one.end] *= factor
        other[one.start : one.end] *= factor
        return
    if one.kind == "hype":
        other[one.start : one.end] *= rng.uniform(3, 8)
        return
    half_life = (one.tail - one.end) / 2
    peak = one.end - 2 * half_life  # the ramp lies between start and peak
    at = np.arange(one.start, len(season))
    ramp = np.clip((at - one.start + 1) / (peak - one.start + 1), 0, 1)
    shape = np.where(at < peak, ramp, 0.5 ** ((at - peak) / half_life))
    times, floor = CRISES[one.kind]
    height = max((times - 1) * base, floor / HOUR / season[int(peak)])
    more = height * shape * season[one.start :]
    negative[one.start :] += more
    other[one.start :] += more * rng.uniform(0.3, 1.0)


def add_cascades(counts: NDArray[np.int64], rng: np.random.Generator) -> None:
    """About one and a half times a week 3 to 30 copies in half an hour, most of them folded."""
    for place in rng.integers(0, len(counts) - 2, rng.poisson(1.5 * WEEKS)):
        copies = 1 + rng.binomial(int(np.exp(rng.uniform(np.log(3), np.log(30)))), SURVIVING_COPIES)
        first = rng.binomial(copies, 0.5)
        counts[place] += first
        counts[place + 1] += copies - first


def draw_coverage(length: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Three outages of one to ten hours."""
    seen = np.ones(length, dtype=np.bool_)
    for place in rng.integers(LEARNING, length - 10 * HOUR, 3):
        seen[place : place + int(rng.integers(HOUR, 10 * HOUR + 1))] = False
    return seen
