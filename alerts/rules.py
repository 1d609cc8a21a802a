"""Rules that look at something else than counts of mentions. Each is a pure function that gives a finding per thing watched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from tingfeng.clock import SHANGHAI
from tingfeng.labels import Level, Outcome
from tingfeng.records import CaptureRun, Finding

HARD = (Outcome.BLOCKED, Outcome.LOGIN_REQUIRED, Outcome.SCHEMA_CHANGED, Outcome.GONE)
FINE = (Outcome.OK, Outcome.EMPTY, Outcome.SATURATED)


def find_silent_sources(runs: Sequence[CaptureRun], now: datetime, hours: float = 2.0) -> list[Finding]:
    """One finding per source and query: down when its last good run is older than three usual gaps and `hours`, or it was refused.

    A source that never had a good run is down as well; the reason names the last outcome.
    """
    by_source: dict[str, list[CaptureRun]] = {}
    for run in sorted(runs, key=lambda run: run.started_at):
        by_source.setdefault(run.source, []).append(run)
    return [judge_source(source, own, now, hours) for source, own in sorted(by_source.items())]


def judge_source(source: str, runs: Sequence[CaptureRun], now: datetime, hours: float) -> Finding:
    """The finding of one source, level None when it is well."""
    last = runs[-1]
    good = [run for run in runs if run.outcome in FINE]
    starts = [run.started_at for run in runs]
    gaps = [(b - a).total_seconds() for a, b in pairwise(starts)]
    patience = max(timedelta(hours=hours), timedelta(seconds=3 * median(gaps)) if gaps else timedelta())
    since = now - good[-1].finished_at if good else None
    down = last.outcome not in FINE and (last.outcome in HARD or since is None or since >= patience)
    overdue = last.outcome in FINE and since is not None and since >= patience
    reasons: tuple[str, ...] = ()
    if down or overdue:
        reasons = (f"最近一次结果:{last.outcome.title_zh}{f'({last.detail})' if last.detail else ''}",)
        when = f"{good[-1].finished_at.astimezone(SHANGHAI):%m-%d %H:%M}" if good else "从来没有"
        reasons += (f"上一次正常采集:{when};这段时间没有数据,不等于没有投诉",)
    level = Level.YELLOW if down or overdue else None
    return Finding("source_down", f"source:{source}", now, level, 1.0 if level else 0.0, reasons=reasons)
