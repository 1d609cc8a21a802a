"""The expectation: level, hour, week; what is held out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from alerts.baseline import DAILY, FIFTEEN_MINUTES, PRIOR, Baseline
from tingfeng.clock import SHANGHAI, parse_iso

START = parse_iso("2026-10-05T00:00")  # a Monday
STEP = timedelta(minutes=15)


def fed(days: int, per_interval: float = 5) -> Baseline:
    """Counts that follow the prior curve."""
    baseline = Baseline(FIFTEEN_MINUTES)
    for i in range(days * 96):
        at = START + i * STEP
        baseline.learn(at, per_interval * PRIOR[at.astimezone(SHANGHAI).hour], 1.0, False)
    return baseline


def at_hour(day: int, hour: float) -> datetime:
    return START + timedelta(days=day, hours=hour)


def test_the_prior_has_mean_one_its_trough_at_night_and_its_peak_in_the_evening() -> None:
    assert sum(PRIOR) / 24 == pytest.approx(1)
    assert PRIOR.index(min(PRIOR)) in (3, 4, 5)
    assert PRIOR.index(max(PRIOR)) in (20, 21, 22)


def test_the_level_is_learnt() -> None:
    assert fed(14).level == pytest.approx(5, rel=0.05)


def test_nights_are_expected_to_be_quiet_from_the_first_day() -> None:
    baseline = fed(1)
    assert baseline.expect(at_hour(1, 4), 1) < 0.3 * baseline.expect(at_hour(1, 21), 1)


def test_a_habit_of_its_own_replaces_the_prior() -> None:
    baseline = Baseline(FIFTEEN_MINUTES)
    for i in range(28 * 96):
        baseline.learn(START + i * STEP, 20.0 if i % 96 // 4 == 4 else 2.0, 1.0, False)
    assert baseline.expect(at_hour(28, 4.5), 1) > 3 * baseline.expect(at_hour(28, 12.5), 1)


def test_a_weekday_of_its_own_is_learnt_by_days() -> None:
    baseline = Baseline(DAILY)
    for day in range(120):
        baseline.learn(START + timedelta(days=day), 30.0 if day % 7 == 0 else 10.0, 1.0, False)
    assert baseline.expect(at_hour(126, 0), 1) > 1.8 * baseline.expect(at_hour(127, 0), 1)


def test_a_crisis_teaches_little_while_it_is_held_out() -> None:
    held, open_ = fed(14), fed(14)
    for i in range(24):
        held.learn(at_hour(14, 12) + i * STEP, 200, 1.0, True)
        open_.learn(at_hour(14, 12) + i * STEP, 200, 1.0, False)
    assert held.level < open_.level < 1.3 * held.level


def test_half_seen_counts_teach_the_full_level() -> None:
    baseline = Baseline(FIFTEEN_MINUTES)
    for i in range(14 * 96):
        at = START + i * STEP
        baseline.learn(at, 2.5 * PRIOR[at.astimezone(SHANGHAI).hour], 0.5, False)
    assert baseline.level == pytest.approx(5, rel=0.05)


def test_an_erratic_series_gets_a_wide_dispersion_and_a_smooth_one_a_narrow() -> None:
    erratic, smooth = fed(5), fed(5)
    for i in range(2000):
        erratic.learn_dispersion(0, 60 if i % 2 else 2, 20)
        smooth.learn_dispersion(0, 20, 20)
    assert smooth.dispersion[0] < 0.15 < erratic.dispersion[0]
