"""Coverage: what was not seen is not counted as quiet."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.coverage import measure_coverage
from tingfeng.clock import parse_iso
from tingfeng.labels import Outcome
from tingfeng.records import Bin, CaptureRun

START = parse_iso("2026-11-14T00:00")
BINS = [Bin(START + timedelta(minutes=15 * i), 0, 0) for i in range(8)]


def run(source: str, start: float, end: float) -> CaptureRun:
    """A run that vouches for a span in hours after START."""
    a, b = (START + timedelta(hours=hours) for hours in (start, end))
    return CaptureRun(f"{source}{start}", source, "", b, b, Outcome.OK, covers_from=a, covers_until=b)


def coverage(*runs: CaptureRun, weights: dict[str, float] | None = None) -> list[float]:
    return [one.coverage for one in measure_coverage(BINS, runs, weights or {})]


def test_without_a_vouching_run_everything_counts() -> None:
    refused = CaptureRun("r", "heimao", "", datetime.now(START.tzinfo), START, Outcome.BLOCKED)
    assert coverage(refused) == [1.0] * 8


def test_a_span_covers_its_intervals() -> None:
    assert coverage(run("a", -1, 1)) == [1.0] * 4 + [0.0] * 4


def test_runs_join() -> None:
    assert coverage(run("a", -1, 0.6), run("a", 0.5, 2)) == [1.0] * 8


def test_part_of_an_interval() -> None:
    assert coverage(run("a", 0, 0.375))[:2] == [1.0, 0.5]


def test_sources_weigh_by_their_volume() -> None:
    assert coverage(run("big", -1, 2), run("small", -1, 1), weights={"big": 90, "small": 10}) == [1.0] * 4 + [0.9] * 4


def test_a_source_that_is_long_gone_weighs_nothing() -> None:
    assert coverage(run("a", -1, 2), run("old", -60, -50)) == [1.0] * 8
