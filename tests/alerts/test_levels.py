"""Levels and the sentences beside them."""

from __future__ import annotations

import pytest

from alerts.baseline import DAILY, FIFTEEN_MINUTES
from alerts.levels import choose_level, explain, show_window
from tingfeng.labels import Level


def evidence(count: float, expected: float, days: float = 30, harm: float = 0) -> dict[str, float]:
    return {"y_3h": count, "mu_3h": expected, "days": days, "harm": harm, "share": 0.61, "share_base": 0.18}


@pytest.mark.parametrize(
    ("score", "share_up", "count", "level"),
    [
        (0.70, True, 30, None),
        (0.71, True, 30, Level.BLUE),
        (0.99, True, 30, Level.BLUE),
        (1.0, True, 30, Level.YELLOW),
        (1.0, True, 17, Level.BLUE),  # seven more than expected are too few
        (1.0, False, 30, Level.BLUE),
        (2.2, False, 30, Level.YELLOW),  # so much that it is told whatever the share
        (1.6, True, 40, Level.ORANGE),
        (1.6, True, 31, Level.YELLOW),  # not three times the expectation
        (2.5, True, 90, Level.RED),
        (2.5, True, 69, Level.ORANGE),
    ],
)
def test_levels_by_score_share_and_size(score: float, share_up: bool, count: float, level: Level | None) -> None:
    assert choose_level(score, share_up, evidence(count, 10)) is level


def test_harm_raises_by_one_and_not_above_red() -> None:
    assert choose_level(1.0, True, evidence(30, 10, harm=1)) is Level.ORANGE
    assert choose_level(2.5, True, evidence(90, 10, harm=1)) is Level.RED
    assert choose_level(0.5, True, evidence(30, 10, harm=9)) is None


@pytest.mark.parametrize(("days", "level"), [(0.5, Level.BLUE), (2, Level.BLUE), (5, Level.YELLOW)])
def test_a_cold_start_stays_low(days: float, level: Level) -> None:
    assert choose_level(1.2, True, evidence(60, 10, days)) is level


def test_volume_needs_no_share_and_fewer_posts() -> None:
    assert choose_level(1.0, False, evidence(3, 0.3), volume=True) is Level.YELLOW
    assert choose_level(1.6, False, evidence(7, 0.3), volume=True) is Level.ORANGE
    assert choose_level(2.5, False, evidence(16, 0.3), volume=True) is Level.RED


def test_the_reasons_carry_the_numbers() -> None:
    reasons = explain(FIFTEEN_MINUTES, evidence(42, 9.6), True, False)
    assert reasons == ("近 3 小时负面 42 条,预期 9.6 条(4.4 倍)", "负面占比 61%,平时 18%,明显上升")


def test_harm_and_a_short_history_are_said() -> None:
    reasons = explain(FIFTEEN_MINUTES, evidence(42, 9.6, days=2, harm=3), True, False)
    assert "3 条涉及人身安全" in reasons[2]
    assert "2.0 天" in reasons[3]


def test_windows_are_shown_in_hours_or_days() -> None:
    assert (show_window(FIFTEEN_MINUTES), show_window(DAILY)) == ("3 小时", "3 天")
