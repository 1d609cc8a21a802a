"""Desk records to rows and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping

from tingfeng.labels import AlertState, Level, Outcome
from tingfeng.records import Alert, AlertChange, CaptureRun, Finding, Incident, Notification

Row = Mapping[str, Any] | RowMapping


def to_ms(at: datetime | None) -> int | None:
    """Milliseconds since 1970, None for None."""
    return None if at is None else round(at.timestamp() * 1000)


def from_ms(value: int | None) -> datetime | None:
    """The opposite of to_ms."""
    return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


def pack(record: object, skip: frozenset[str] = frozenset()) -> dict[str, object]:
    """Fields of a record as column values."""
    values: dict[str, object] = {}
    for one in fields(record):  # type: ignore[arg-type]
        if one.name not in skip:
            value = getattr(record, one.name)
            values[one.name] = (
                to_ms(value) if isinstance(value, datetime) else str(value) if isinstance(value, str) else value
            )
    return values


def times(row: Row, *names: str) -> dict[str, Any]:
    """The row with instants read."""
    return dict(row) | {name: from_ms(row[name]) for name in names}


def pack_finding(finding: Finding | None) -> str:
    """A finding as JSON; '' for None."""
    if finding is None:
        return ""
    return json.dumps(
        finding.__dict__ | {"at": to_ms(finding.at), "evidence": dict(finding.evidence)}, ensure_ascii=False
    )


def read_finding(text: str) -> Finding | None:
    """The opposite of pack_finding."""
    if not text:
        return None
    values = json.loads(text)
    at = from_ms(values["at"])
    assert at is not None
    level = Level(values["level"]) if values["level"] else None
    return Finding(**values | {"at": at, "level": level, "reasons": tuple(values["reasons"])})


def pack_alert(alert: Alert) -> dict[str, object]:
    """An alert as column values."""
    return pack(alert, frozenset({"last_finding"})) | {"finding": pack_finding(alert.last_finding)}


def read_alert(row: Row) -> Alert:
    """An Alert from a row."""
    values = times(row, "started_at", "changed_at", "fired_at", "resolved_at", "calm_since")
    finding = read_finding(values.pop("finding"))
    labels = {"state": AlertState(row["state"]), "level": Level(row["level"]), "peak_level": Level(row["peak_level"])}
    return Alert(**values | labels, last_finding=finding)


def read_change(row: Row) -> AlertChange:
    """An AlertChange from a row."""
    values = times(row, "at")
    values.pop("id")
    return AlertChange(**values | {"level": Level(row["level"]), "state": AlertState(row["state"])})


def read_incident(row: Row, alert_ids: tuple[str, ...]) -> Incident:
    """An Incident from a row and the ids of its alerts."""
    labels = {"state": AlertState(row["state"]), "level": Level(row["level"]), "peak_level": Level(row["peak_level"])}
    return Incident(**times(row, "started_at", "changed_at", "resolved_at") | labels, alert_ids=alert_ids)


def read_notification(row: Row) -> Notification:
    """A Notification from a row."""
    values = times(row, "created_at", "due_at", "delivered_at")
    return Notification(
        **{name: value for name, value in values.items() if name not in ("lease_owner", "lease_until", "begun_at")}
        | {"level": Level(row["level"])}
    )


def read_run(row: Row) -> CaptureRun:
    """A CaptureRun from a row."""
    values = times(row, "started_at", "finished_at", "covers_from", "covers_until")
    return CaptureRun(**values | {"outcome": Outcome(row["outcome"])})
