"""Verbs of the Desk: the outbox. queued → claimed under a lease → begun → delivered, queued again, or failed.

A claim that nobody began comes back when its lease runs out. One that was begun and not finished may have been sent: it never
comes back by claim_notifications(), only by claim_interrupted(), so that nothing is told twice by accident.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, true

from store import desk_tables as t
from store.desk_core import DeskCore, patient
from store.desk_rows import read_notification, to_ms
from tingfeng.records import Notification

N = t.notifications.c


class OutboxVerbs(DeskCore):
    """Notifications and the pace of channels."""

    @patient
    def claim_notifications(
        self, worker: str, now: datetime, limit: int = 20, lease_seconds: int = 120
    ) -> list[Notification]:
        """Queued notifications that are due, leased; disjoint between workers; a lease that ran out is free again."""
        return self._claim((N.due_at <= to_ms(now)) & N.begun_at.is_(None), worker, now, limit, lease_seconds)

    @patient
    def claim_interrupted(
        self, worker: str, now: datetime, limit: int = 20, lease_seconds: int = 120
    ) -> list[Notification]:
        """Attempts that a worker began and never finished, leased: whether they were sent is not known."""
        return self._claim(N.begun_at.is_not(None), worker, now, limit, lease_seconds)

    def _claim(
        self, condition: Any, worker: str, now: datetime, limit: int, lease_seconds: int
    ) -> list[Notification]:
        free = (N.outcome == "queued") & (N.lease_until <= to_ms(now)) & condition
        query = select(t.notifications).where(free).order_by(N.due_at, N.id).limit(limit)
        until = to_ms(now + timedelta(seconds=lease_seconds))
        with self._write() as connection:
            rows = connection.execute(query.with_for_update(skip_locked=True)).mappings().all()
            ids = [row["id"] for row in rows]
            connection.execute(
                t.notifications.update().where(N.id.in_(ids)).values(lease_owner=worker, lease_until=until)
            )
        return [read_notification(row) for row in rows]

    @patient
    def begin_attempt(self, id: str, worker: str, now: datetime) -> bool:
        """To be asked right before sending; False when the lease ran out or went to another worker: do not send then."""
        begun = N.begun_at.is_(None) | (N.begun_at == to_ms(now))  # the same again: the first answer was lost
        mine = (N.id == id) & (N.outcome == "queued") & (N.lease_owner == worker) & (N.lease_until > to_ms(now)) & begun
        with self._write() as connection:
            statement = t.notifications.update().where(mine).values(begun_at=to_ms(now))
            return connection.execute(statement).rowcount == 1

    @patient
    def finish_notification(
        self,
        id: str,
        outcome: str,
        now: datetime,
        *,
        worker: str | None = None,
        provider_code: str = "",
        detail: str = "",
        due_at: datetime | None = None,
        attempted: bool = True,
    ) -> bool:
        """Writes an attempt: `delivered`, `failed`, or `queued` again until due_at; `attempted` False when it only had to wait.

        With `worker`, only while that worker holds the lease – but `delivered` is a fact whoever holds it. Whether it stands now.
        """
        values = {
            "outcome": outcome, "provider_code": provider_code, "detail": detail, "lease_owner": "", "lease_until": 0,
            "begun_at": None, "attempts": N.attempts + int(attempted), "delivered_at": to_ms(now) if outcome == "delivered" else None,
        }  # fmt: skip
        if due_at is not None:
            values["due_at"] = to_ms(due_at)
        where = N.id == id
        if outcome == "delivered":
            where &= N.outcome.in_(["queued", "failed"])
        else:
            where &= N.outcome == "queued"
            where &= (N.lease_owner == worker) if worker is not None else true()
        with self._write() as connection:
            connection.execute(t.notifications.update().where(where).values(**values))
            row = connection.execute(select(N.outcome, N.lease_owner).where(N.id == id)).first()
        return row is not None and (row.outcome, row.lease_owner) == (outcome, "")

    @patient
    def notifications(self, since: datetime, alert_id: str = "") -> list[Notification]:
        """All since (withheld ones too), oldest first."""
        query = select(t.notifications).where(N.created_at >= to_ms(since)).order_by(N.created_at, N.id)
        if alert_id:
            query = query.where(N.alert_id == alert_id)
        with self._read() as connection:
            return [read_notification(row) for row in connection.execute(query).mappings()]

    @patient
    def take_token(self, channel: str, now: datetime, per_minute: int = 18) -> float:
        """0 when one more message may go to the channel in this minute, else seconds to wait. Shared by all workers."""
        minute = int(now.timestamp()) // 60
        tokens = t.tokens.c
        with self._write() as connection:
            self._queue_up(connection, f"token.{channel}")
            here = (tokens.channel == channel) & (tokens.minute == minute)
            used = connection.execute(select(tokens.n).where(here)).scalar() or 0
            if used >= per_minute:
                return 60 - now.timestamp() % 60
            self._upsert(connection, t.tokens, [{"channel": channel, "minute": minute, "n": used + 1}])
            connection.execute(t.tokens.delete().where(tokens.channel == channel, tokens.minute < minute - 10))
        return 0.0
