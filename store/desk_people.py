"""Verbs of the Desk: silences, acknowledgements, and the audit of what people do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from store import desk_tables as t
from store.desk_core import DeskCore, patient
from store.desk_rows import pack, times, to_ms
from tingfeng.records import AuditEntry, Silence


class PeopleVerbs(DeskCore):
    """What people do, and the record of it."""

    @patient
    def acknowledge(self, alert_id: str, user: str, now: datetime) -> bool:
        """Stops repeats of an alert; False when it does not exist. Audited; the same person again changes nothing."""
        with self._write() as connection:
            alerts = t.alerts.c
            changed = connection.execute(
                t.alerts.update()
                .where(alerts.id == alert_id, alerts.acknowledged_by != user)
                .values(acknowledged_by=user)
            ).rowcount
            if changed:
                self._note(connection, AuditEntry(now, user, "alert.acknowledge", alert_id))
            return bool(changed) or connection.execute(select(alerts.id).where(alerts.id == alert_id)).first() is not None

    @patient
    def add_silence(self, silence: Silence) -> None:
        """Mutes a subject or rule until an instant. Audited; the same silence again changes nothing."""
        row = pack(silence)
        row["user_name"] = row.pop("user")
        target = silence.subject or silence.rule
        entry = AuditEntry(silence.created_at, silence.user, "silence.add", target, silence.reason)
        with self._write() as connection:
            if self._upsert(connection, t.silences, [row], replace=False):
                self._note(connection, entry)

    @patient
    def end_silence(self, id: str, user: str, now: datetime) -> bool:
        """Ends a silence before its time; False when none of that id is in force. Audited."""
        with self._write() as connection:
            where = (t.silences.c.id == id) & (t.silences.c.until > to_ms(now))
            done = connection.execute(t.silences.update().where(where).values(until=to_ms(now))).rowcount
            if done:
                self._note(connection, AuditEntry(now, user, "silence.end", id))
        return bool(done)

    @patient
    def silences(self, now: datetime) -> list[Silence]:
        """Silences in force."""
        query = select(t.silences).where(t.silences.c.until > to_ms(now)).order_by(t.silences.c.until, t.silences.c.id)
        with self._read() as connection:
            return [Silence(**read_times(row)) for row in connection.execute(query).mappings()]

    @patient
    def note(self, entry: AuditEntry) -> None:
        """Writes down what a person did elsewhere (a correction, a deletion). The very same entry again changes nothing."""
        with self._write() as connection:
            self._queue_up(connection, "audit")
            columns = t.audit.c
            same = select(columns.id).where(
                columns.at == to_ms(entry.at), columns.user_name == entry.user, columns.action == entry.action,
                columns.target == entry.target, columns.detail == entry.detail,
            )  # fmt: skip
            if connection.execute(same).first() is None:
                self._note(connection, entry)

    def _note(self, connection: Connection, *entries: AuditEntry) -> None:
        rows = [
            {"at": to_ms(one.at), "user_name": one.user, "action": one.action, "target": one.target, "detail": one.detail}
            for one in entries
        ]
        if rows:
            connection.execute(t.audit.insert(), rows)

    @patient
    def audit(self, limit: int = 100, *, target: str = "", action: str = "") -> list[AuditEntry]:
        """Newest first."""
        query = select(t.audit).order_by(t.audit.c.id.desc()).limit(limit)
        if target:
            query = query.where(t.audit.c.target == target)
        if action:
            query = query.where(t.audit.c.action == action)
        with self._read() as connection:
            rows = connection.execute(query).mappings().all()
        return [AuditEntry(**{name: value for name, value in read_times(row).items() if name != "id"}) for row in rows]


def read_times(row: RowMapping) -> dict[str, Any]:
    """A row of silences or audit as fields of its record."""
    values = times(row, *(name for name in ("at", "until", "created_at") if name in row))
    values["user"] = values.pop("user_name")
    return values
