"""The made series hold what they say."""

from __future__ import annotations

import numpy as np

from benchmarks.simulate_series import (
    DAY,
    HOUR,
    LEARNING,
    START,
    WEEK,
    WEEKS,
    Brand,
    Happening,
    draw_season,
    simulate_brand,
    simulate_brands,
)

BRANDS = simulate_brands(6, seed=3)


def rate(brand: Brand, start: int, end: int) -> tuple[float, float]:
    """(negative posts an hour, negative share)."""
    part = [one for one in brand.bins[start:end] if one.coverage]
    negative, total = sum(one.negative for one in part), sum(one.total for one in part)
    return negative / len(part) * HOUR, negative / max(1, total)


def change(kind: str, size: str) -> tuple[float, float]:
    """How many times negative volume and share are those of the week before, over several brands."""
    times: list[tuple[float, float]] = []
    for seed in range(6):
        brand = simulate_brand(size, np.random.default_rng((9, seed)))
        for one in (one for one in brand.happenings if one.kind == kind):
            during, before = rate(brand, one.start, one.end), rate(brand, one.start - WEEK, one.start)
            times.append((during[0] / before[0], during[1] / before[1]))
    return float(np.median([a for a, _ in times])), float(np.median([b for _, b in times]))


def test_the_same_seed_gives_the_same_brands() -> None:
    assert simulate_brands(2, seed=3) == BRANDS[:2]
    assert simulate_brands(2, seed=4) != BRANDS[:2]


def test_ten_weeks_of_quarter_hours_from_a_monday() -> None:
    assert {len(brand.bins) for brand in BRANDS} == {WEEKS * WEEK}
    assert START.weekday() == 0


def test_each_brand_has_three_crises_two_festivals_two_hypes_after_learning() -> None:
    for brand in BRANDS:
        assert sorted(one.kind for one in brand.happenings) == ["L", "M", "S", "festival", "festival", "hype", "hype"]
        assert all(one.start >= LEARNING for one in brand.happenings)


def test_a_large_crisis_raises_volume_and_share() -> None:
    volume, share = change("L", "large")
    assert volume > 3
    assert share > 1.5


def test_a_festival_raises_volume_alone() -> None:
    volume, share = change("festival", "large")
    assert volume > 2
    assert 0.8 < share < 1.25


def test_a_hype_lowers_the_share() -> None:
    assert change("hype", "large")[1] < 0.7


def test_nights_are_quiet() -> None:
    season = draw_season(WEEK)
    assert season[4 * HOUR] < 0.3 * season[21 * HOUR]
    assert 0.95 < season.mean() < 1.05


def test_outages_are_unseen_and_empty() -> None:
    unseen = [one for one in BRANDS[0].bins if one.coverage == 0]
    assert HOUR <= len(unseen) <= 3 * 10 * HOUR
    assert {(one.negative, one.total) for one in unseen} == {(0, 0)}


def test_only_crises_should_be_told() -> None:
    told = [Happening(kind, 0, DAY, DAY).is_crisis for kind in ("S", "M", "L", "festival", "hype")]
    assert told == [True, True, True, False, False]
