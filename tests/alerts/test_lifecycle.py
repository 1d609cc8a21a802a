"""The state machine of an alert, and who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.lifecycle import Step, advance, group_incident
from alerts.message import Quote, compose
from alerts.notify import ChannelRule, find_repeats, plan_notifications
from tingfeng.clock import parse_iso
from tingfeng.labels import AlertState, Level
from tingfeng.records import Alert, AlertChange, Finding, Notification, Silence

START = parse_iso("2026-11-14T12:00")
SCORES = {None: 0.1, Level.BLUE: 0.8, Level.YELLOW: 1.2, Level.ORANGE: 1.8, Level.RED: 3.0}


def finding(minutes: int, level: Level | None, **changes: object) -> Finding:
    fields: dict[str, object] = {
        "score": SCORES[level],
        "share_up": True,
        "reasons": ("近 3 小时负面 42 条,预期 9.6 条",),
    }
    return Finding("spike", "暖芽", START + timedelta(minutes=minutes), level, **fields | changes)  # type: ignore[arg-type]


def play(*steps: tuple[int, Level | None]) -> tuple[Alert | None, list[str]]:
    """Passes findings at minutes; returns the last alert and all edges."""
    alert: Alert | None = None
    edges: list[str] = []
    for minutes, level in steps:
        result = advance(alert, finding(minutes, level))
        alert = result.alert
        edges += [change.edge for change in result.changes]
    return alert, edges


def every(minutes: range, level: Level | None) -> list[tuple[int, Level | None]]:
    return [(minute, level) for minute in minutes]


def test_yellow_waits_one_evaluation() -> None:
    alert, edges = play((0, Level.YELLOW))
    assert alert
    assert (alert.state, edges) == (AlertState.PENDING, [])
    assert play((0, Level.YELLOW), (15, Level.YELLOW))[1] == ["open"]


def test_pending_that_comes_to_nothing_leaves_nothing() -> None:
    first = advance(None, finding(0, Level.YELLOW))
    assert first.alert
    assert advance(first.alert, finding(15, None)) == Step(None, (), first.alert.id)


@pytest.mark.parametrize("level", [Level.ORANGE, Level.RED])
def test_orange_and_red_fire_at_once(level: Level) -> None:
    assert play((0, level))[1] == ["open"]


def test_upgrade_at_once_downgrade_after_two_hours() -> None:
    assert play((0, Level.ORANGE), (15, Level.RED))[1] == ["open", "upgrade"]
    steps = [(0, Level.RED), *every(range(15, 150, 15), Level.YELLOW)]
    assert play(*steps)[1] == ["open", "downgrade"]


def test_two_calm_hours_resolve_and_a_flicker_starts_them_anew() -> None:
    alert, edges = play((0, Level.RED), *every(range(15, 136, 15), None))
    assert alert
    assert (alert.state, edges) == (AlertState.RESOLVED, ["open", "resolve"])
    flicker = play(
        (0, Level.RED), *every(range(15, 120, 15), None), (120, Level.RED), *every(range(135, 240, 15), None)
    )
    assert flicker[1] == ["open"]


def test_reopening_within_six_hours_is_the_same_episode() -> None:
    calm, _ = play((0, Level.RED), *every(range(15, 136, 15), None))
    assert calm
    again = advance(calm, finding(300, Level.RED))
    assert again.alert
    assert (again.alert.id, [change.edge for change in again.changes]) == (calm.id, ["reopen"])
    later = advance(calm, finding(800, Level.RED))
    assert later.alert
    assert later.alert.id != calm.id


def test_masked_findings_freeze_everything() -> None:
    alert, _ = play((0, Level.RED), (15, None))
    assert advance(alert, finding(600, None, masked=True)) == Step(alert)


def test_a_week_is_the_longest_episode() -> None:
    alert, _ = play((0, Level.RED))
    result = advance(alert, finding(7 * 1440, Level.RED))
    assert [change.edge for change in result.changes] == ["resolve"]
    assert "新常态" in result.changes[0].summary


@given(st.lists(st.sampled_from([None, *Level, "masked"]), max_size=60))
def test_edges_always_make_sense(levels: list[Level | str | None]) -> None:
    alert: Alert | None = None
    told = False
    for step, level in enumerate(levels):
        masked = level == "masked"
        result = advance(alert, finding(15 * step, None if masked or level is None else Level(level), masked=masked))
        for change in result.changes:
            assert not masked
            assert (change.edge in ("open", "reopen")) is not told
            told = change.edge != "resolve"
        alert = result.alert
        if alert is not None and alert.state in (AlertState.FIRING, AlertState.RECOVERING):
            assert alert.peak_level.rank >= alert.level.rank


def test_alerts_of_one_subject_share_an_incident() -> None:
    alert, _ = play((0, Level.ORANGE))
    assert alert
    first = group_incident(alert, [], [])
    other = replace(alert, id="b", rule="volume", level=Level.RED, peak_level=Level.RED)
    joined = group_incident(other, [first], [replace(alert, incident_id=first.id)])
    assert (joined.id, joined.level, len(joined.alert_ids)) == (first.id, Level.RED, 2)


CHANGE = AlertChange("a1", "open", START, Level.ORANGE, AlertState.FIRING, "暖芽:负面突增")
ALERT = Alert(
    "a1",
    "spike",
    "暖芽",
    AlertState.FIRING,
    Level.ORANGE,
    Level.ORANGE,
    START,
    START,
    last_finding=finding(0, Level.ORANGE),
)
CHANNEL = ChannelRule("pr", Level.YELLOW, daily_cap=2)


def plan(
    change: AlertChange = CHANGE,
    sent: list[Notification] | None = None,
    silences: list[Silence] | None = None,
    at: datetime = START,
) -> tuple[str, str]:
    row = plan_notifications(replace(change, at=at), ALERT, [CHANNEL], silences or [], sent or [], ("题", "文"))[0]
    return row.reason, row.outcome


def told(hours: float, alert: str = "a1", outcome: str = "delivered") -> Notification:
    at = START - timedelta(hours=hours)
    return Notification(f"n{hours}{alert}", alert, "open", "pr", "first", at, at, outcome)


def test_reasons_for_telling_and_for_not() -> None:
    silence = Silence("s", "暖芽", "", START + timedelta(hours=1), "li", "", START)
    assert plan() == ("first", "queued")
    assert plan(replace(CHANGE, level=Level.BLUE)) == ("below_min_level", "withheld")
    assert plan(silences=[silence]) == ("silenced", "withheld")
    assert plan(silences=[silence], at=START + timedelta(hours=2)) == ("first", "queued")
    assert plan(sent=[told(1), told(2)]) == ("daily_cap", "withheld")
    assert plan(sent=[told(25), told(26)]) == ("first", "queued")
    assert plan(replace(CHANGE, level=Level.RED), sent=[told(1), told(2)]) == ("first", "queued")
    assert plan(replace(CHANGE, edge="downgrade")) == ("downgrade", "withheld")


def test_the_end_is_told_to_those_who_heard_the_beginning() -> None:
    end = replace(CHANGE, edge="resolve")
    assert plan(end) == ("never_told", "withheld")
    assert plan(end, sent=[told(1)]) == ("resolved", "queued")
    assert plan(end, sent=[told(1, outcome="withheld")]) == ("never_told", "withheld")


def test_repeats_until_acknowledged() -> None:
    assert [change.edge for change in find_repeats([ALERT], [told(4)], START)] == ["repeat"]
    assert find_repeats([ALERT], [told(3)], START) == []
    assert find_repeats([replace(ALERT, acknowledged_by="li")], [told(4)], START) == []
    assert find_repeats([ALERT], [], START) == []


def test_message_says_level_figures_and_quotes() -> None:
    title, body = compose(CHANGE, ALERT, [Quote("水壶\n起火了" + "!" * 200, "heimao", "http://x/posts/1")])
    assert "橙" in title
    assert "预期 9.6 条" in body
    assert "水壶 起火了" in body
    assert len(body.splitlines()[-1]) < 120
