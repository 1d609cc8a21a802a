"""The tally counts what it says, and the detector keeps its floors on a few made brands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from benchmarks.detector import (
    DETECTORS,
    Span,
    Tally,
    add_brand,
    find_spans,
    measure_levels,
    rolling_sums,
    score_gaussian,
)
from benchmarks.simulate_series import HOUR, LEARNING, START, STEP, WEEK, Brand, Happening, simulate_brands
from tingfeng.records import Bin

CRISIS = Happening("M", LEARNING + 100, LEARNING + 200, LEARNING + 300)
FESTIVAL = Happening("festival", LEARNING + 800, LEARNING + 900, LEARNING + 948)
HYPE = Happening("hype", LEARNING + 1400, LEARNING + 1450, LEARNING + 1498)
QUIET = Brand("medium", [Bin(START + i * STEP, 0, 0) for i in range(LEARNING + 3 * WEEK)], [CRISIS, FESTIVAL, HYPE])


def tally(*spans: Span) -> Tally:
    result = Tally()
    add_brand(result, QUIET, spans)
    return result


def scores(*up: tuple[int, float]) -> Sequence[float]:
    values = [0.0] * (LEARNING + WEEK)
    for at, score in up:
        values[LEARNING + at] = score
    return values


def test_a_span_ends_two_hours_below_half_of_the_threshold() -> None:
    begun = LEARNING + 10
    assert find_spans(scores((10, 1.2)), 1.0) == [(begun, begun + 8)]
    assert find_spans(scores((10, 1.2), (16, 0.6)), 1.0) == [(begun, begun + 14)]
    assert find_spans(scores((10, 0.9)), 1.0) == []


def test_a_span_that_never_ends_is_counted() -> None:
    assert find_spans([*scores()[:-1], 2.0], 1.0) == [(LEARNING + WEEK - 1, LEARNING + WEEK)]


def test_a_crisis_is_found_once_with_its_delay() -> None:
    result = tally((CRISIS.start + 6, CRISIS.start + 50), (CRISIS.start + 60, CRISIS.start + 70))
    assert (result.found, result.opened_inside, result.delays, result.false) == (1, 1, [1.5], 0)


def test_an_alarm_that_was_up_before_is_found_but_not_opened_inside() -> None:
    result = tally((CRISIS.start - 20, CRISIS.start + 5))
    assert (result.found, result.opened_inside, result.false) == (1, 0, 1)


def test_festivals_are_counted_apart_and_hypes_as_false() -> None:
    result = tally((FESTIVAL.start + 1, FESTIVAL.end), (HYPE.start + 1, HYPE.end))
    assert (result.festival_alarms, result.false) == (1, 1)
    assert result.false_per_week == pytest.approx(1 / 3)


def test_quiet_time_in_alarm_is_in_hours_a_week() -> None:
    result = tally((LEARNING, LEARNING + 4 * HOUR))
    quiet_weeks = (3 * WEEK - 200 - 148) / WEEK
    assert result.to_dict()["quiet_hours_in_alarm_per_week"] == pytest.approx(4 / quiet_weeks, abs=0.01)


def test_the_gaussian_baseline_sees_a_jump() -> None:
    bins = [Bin(START + i * timedelta(minutes=15), 20 if i > 900 else i % 2, 30) for i in range(910)]
    found = score_gaussian(Brand("medium", bins, []))
    assert max(found[100:900]) < 3 < found[903]


def test_rolling_sums_hold_the_interval_itself() -> None:
    brand = Brand("medium", [Bin(START + i * STEP, i, i) for i in range(5)], [])
    assert list(rolling_sums(brand, 2)) == [0, 1, 3, 5, 7]


def test_each_detector_gives_a_score_per_interval() -> None:
    brand = simulate_brands(1, seed=2)[0]
    assert {len(detector(brand)) for detector in DETECTORS.values()} == {len(brand.bins)}


def test_levels_keep_their_floors_on_a_few_brands() -> None:
    result = measure_levels(simulate_brands(6, seed=7))
    assert sum(result.by_size["M"] + result.by_size["L"]) == 12
    assert result.found >= 15  # of 18
    assert result.false_per_week <= 0.3
