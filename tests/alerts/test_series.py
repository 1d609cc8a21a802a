"""A series of any step gets windows that fit, and its state can be kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.baseline import FIFTEEN_MINUTES
from alerts.detector import DetectorState, replay
from alerts.series import profile_for_step, state_for_step
from tingfeng.clock import parse_iso
from tingfeng.records import Bin


@pytest.mark.parametrize(
    ("seconds", "windows", "hourly"),
    [(300, (12, 36), True), (3600, (1, 3), True), (7200, (1, 3), True), (86400, (1, 3), False)],
)
def test_windows_of_one_and_three_hours_or_steps(seconds: int, windows: tuple[int, int], hourly: bool) -> None:
    profile = profile_for_step(seconds)
    assert (profile.windows, profile.hourly) == (windows, hourly)


def test_the_product_step_has_the_product_profile() -> None:
    assert profile_for_step(900) is FIFTEEN_MINUTES


def test_a_state_of_any_step_is_restored_whole() -> None:
    start = parse_iso("2026-10-01T00:00")
    bins = [Bin(start + timedelta(minutes=5 * i), i % 3, i % 3 + 4) for i in range(400)]
    state, _ = replay(state_for_step(300), bins)
    restored = DetectorState.from_json(state.to_json())
    assert restored == state
