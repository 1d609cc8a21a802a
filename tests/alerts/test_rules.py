"""A source that goes quiet is said, and not read as no complaints."""

from __future__ import annotations

from datetime import timedelta

from alerts.rules import find_silent_sources
from tingfeng.clock import parse_iso
from tingfeng.labels import Level, Outcome
from tingfeng.records import CaptureRun

NOW = parse_iso("2026-11-14T12:00")


def runs(*outcomes: tuple[float, Outcome]) -> list[CaptureRun]:
    return [
        CaptureRun(str(h), "heimao", "", NOW - timedelta(hours=h), NOW - timedelta(hours=h), outcome, detail="503")
        for h, outcome in outcomes
    ]


def level(*outcomes: tuple[float, Outcome]) -> Level | None:
    return find_silent_sources(runs(*outcomes), NOW)[0].level


def test_a_healthy_source_is_well() -> None:
    assert level((2, Outcome.OK), (1, Outcome.EMPTY), (0.1, Outcome.SATURATED)) is None


def test_one_failure_is_forgiven_a_long_one_is_not() -> None:
    assert level((1, Outcome.OK), (0.5, Outcome.UNREACHABLE)) is None
    assert (
        level((9, Outcome.OK), (8, Outcome.UNREACHABLE), (1, Outcome.UNREACHABLE), (0.1, Outcome.UNREACHABLE))
        is Level.YELLOW
    )


def test_a_wall_is_told_at_once() -> None:
    assert level((0.2, Outcome.OK), (0.1, Outcome.BLOCKED)) is Level.YELLOW


def test_runs_that_stop_are_told() -> None:
    finding = find_silent_sources(runs((20, Outcome.OK), (19, Outcome.OK)), NOW)[0]
    assert finding.level is Level.YELLOW
    assert "不等于没有投诉" in finding.reasons[1]


def test_a_source_that_never_worked() -> None:
    finding = find_silent_sources(runs((0.1, Outcome.SCHEMA_CHANGED)), NOW)[0]
    assert "从来没有" in finding.reasons[1]
