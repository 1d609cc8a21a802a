"""A bare series through detector and life cycle: what `tingfeng detect` and the benchmarks run."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from alerts.detector import DetectorState, replay
from alerts.lifecycle import advance
from alerts.series import state_for_step
from tingfeng.clock import parse_iso
from tingfeng.errors import UsageError
from tingfeng.records import Alert, AlertChange, Bin, Finding

Series = Sequence[tuple[datetime, float, float | None]]


def read_series(file: Path) -> list[tuple[datetime, float, float | None]]:
    """Rows of `timestamp,value[,total]`. Raises UsageError with the line number."""
    rows = []
    with file.open(encoding="utf-8-sig", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), 2):
            try:
                total = float(row["total"]) if row.get("total") else None
                rows.append((parse_iso(row["timestamp"]), float(row["value"]), total))
            except (KeyError, ValueError, TypeError) as error:
                raise UsageError(
                    f"第 {number} 行读不懂",
                    where=str(file),
                    hint="需要 timestamp,value[,total],如 2026-11-14 13:00:00,5,20",
                ) from error
    if len(rows) < 2:
        raise UsageError("至少要两行", where=str(file), hint="需要 timestamp,value[,total]")
    return rows


def detect_series(rows: Series) -> tuple[list[Finding], list[AlertChange]]:
    """(finding per row, changes of the alert in order). Raises UsageError when the steps are not equal."""
    seconds = int((rows[1][0] - rows[0][0]).total_seconds())
    if seconds <= 0 or any((b[0] - a[0]).total_seconds() != seconds for a, b in pairwise(rows)):
        raise UsageError("间隔不相等", where="timestamp", hint="请补齐缺的行,没有数据写 0")
    volume = all(total is None for _, _, total in rows)
    state: DetectorState = state_for_step(seconds)
    bins = [Bin(at, int(value), int(total if total is not None else value)) for at, value, total in rows]
    _, findings = replay(state, bins, "series", volume=volume)
    alert: Alert | None = None
    changes: list[AlertChange] = []
    for finding in findings:
        result = advance(alert, finding)
        alert = result.alert
        changes += result.changes
    return findings, changes
