"""Verbs of the Desk: alerts and incidents. One watch is committed as a whole, and only when no other came in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from store import desk_tables as t
from store.desk_core import patient
from store.desk_errors import place_of
from store.desk_people import PeopleVerbs
from store.desk_rows import pack, pack_alert, read_alert, read_change, read_incident, to_ms
from tingfeng.errors import StoreError
from tingfeng.fingerprints import row_id
from tingfeng.labels import AlertState
from tingfeng.records import Alert, AlertChange, AuditEntry, Incident, Notification

FENCE = ("watch", "commit")  # the kept value that names the last committed watch


@dataclass(frozen=True)
class WatchCommit:
    """What one watch changes; all of it is written, or none. `dropped`: pending alerts that came to nothing.

    `kept`: (kind, name) → value, the detectors' states among them. `token` names this commit, `after` the one it was computed
    from (last_watch()); with a token it is refused when another was committed in between.
    """

    alerts: Sequence[Alert] = ()
    changes: Sequence[AlertChange] = ()
    incidents: Sequence[Incident] = ()
    notifications: Sequence[Notification] = ()
    dropped: Sequence[str] = ()
    kept: Mapping[tuple[str, str], str] = field(default_factory=dict)
    token: str = ""
    after: str = ""


class AlertVerbs(PeopleVerbs):
    """Alerts, their changes, incidents."""

    @patient
    def last_watch(self) -> str:
        """The token of the last committed watch; '' before the first."""
        with self._read() as connection:
            return read_fence(connection)

    @patient
    def commit_watch(self, commit: WatchCommit, now: datetime) -> None:
        """Alerts, their changes, notifications, audit and detector states in one transaction. The same commit twice changes nothing more.

        Raises StoreError when another watch was committed since `after` was read: what this one computed is out of date.
        """
        with self._write() as connection:
            if commit.token:
                self._queue_up(connection, "watch.commit")
                last = read_fence(connection)
                if last == commit.token:
                    return  # the first try went through, only its answer was lost
                if last != commit.after:
                    raise StoreError(
                        "另一个预警进程已经先写入",
                        where=place_of(self._engine.url),
                        hint="这一遍作废,没有写入任何东西;下一遍会接着来",
                    )
            self._write_watch(connection, commit, now)

    def _write_watch(self, connection: Connection, commit: WatchCommit, now: datetime) -> None:
        # who acknowledged and who owns is for people: what a watch read of it may be old, and only a new outbreak clears it
        reopened = {one.alert_id for one in commit.changes if one.edge == "reopen"}
        alerts = [pack_alert(alert) for alert in commit.alerts]
        self._upsert(connection, t.alerts, [row for row in alerts if row["id"] in reopened])
        self._upsert(connection, t.alerts, [row for row in alerts if row["id"] not in reopened], but=["acknowledged_by"])
        changes = {row_id("change", one.alert_id, one.edge, str(to_ms(one.at))): one for one in commit.changes}
        rows = [pack(one) | {"id": id} for id, one in changes.items()]
        fresh = self._upsert(connection, t.alert_changes, rows, replace=False)
        self._note(
            connection,
            *(
                AuditEntry(now, "watch", f"alert.{one.edge}", one.alert_id, one.summary)
                for id, one in changes.items()
                if id in fresh
            ),
        )
        incidents = [pack(one, frozenset({"alert_ids"})) for one in commit.incidents]
        self._upsert(connection, t.incidents, incidents, but=["owner"])
        queued = [pack(one) | {"lease_owner": "", "lease_until": 0} for one in commit.notifications]
        self._upsert(connection, t.notifications, queued, replace=False)
        if commit.dropped:
            connection.execute(t.alerts.delete().where(t.alerts.c.id.in_(list(commit.dropped))))
        kept = dict(commit.kept) | ({FENCE: commit.token} if commit.token else {})
        values = [{"kind": kind, "name": name, "value": text, "at": to_ms(now)} for (kind, name), text in kept.items()]
        self._upsert(connection, t.kept, values)

    def open_alerts(self) -> list[Alert]:
        """Alerts that are not resolved, oldest first."""
        return self._alerts(t.alerts.c.state != AlertState.RESOLVED.value)

    def recent_alerts(self, since: datetime) -> list[Alert]:
        """Alerts that changed since."""
        return self._alerts(t.alerts.c.changed_at >= to_ms(since))

    @patient
    def _alerts(self, condition: Any) -> list[Alert]:
        query = select(t.alerts).where(condition).order_by(t.alerts.c.started_at, t.alerts.c.id)
        with self._read() as connection:
            return [read_alert(row) for row in connection.execute(query).mappings()]

    def alert(self, id: str) -> Alert | None:
        """One alert."""
        found = self._alerts(t.alerts.c.id == id)
        return found[0] if found else None

    @patient
    def changes(self, alert_id: str) -> list[AlertChange]:
        """The history of an alert, oldest first."""
        query = (
            select(t.alert_changes)
            .where(t.alert_changes.c.alert_id == alert_id)
            .order_by(t.alert_changes.c.at, t.alert_changes.c.id)
        )
        with self._read() as connection:
            return [read_change(row) for row in connection.execute(query).mappings()]

    @patient
    def incidents(self, since: datetime | None = None, *, open_only: bool = False, limit: int = 200) -> list[Incident]:
        """Incidents that are open or changed since, newest first."""
        query = select(t.incidents).order_by(t.incidents.c.started_at.desc(), t.incidents.c.id).limit(limit)
        if open_only:
            query = query.where(t.incidents.c.state != AlertState.RESOLVED.value)
        if since is not None:
            query = query.where(
                (t.incidents.c.state != AlertState.RESOLVED.value) | (t.incidents.c.changed_at >= to_ms(since))
            )
        with self._read() as connection:
            rows = connection.execute(query).mappings().all()
            members: dict[str, list[str]] = {row["id"]: [] for row in rows}
            listed = (
                select(t.alerts.c.id, t.alerts.c.incident_id)
                .where(t.alerts.c.incident_id.in_(list(members)))
                .order_by(t.alerts.c.started_at, t.alerts.c.id)
            )
            for row in connection.execute(listed):
                members[row.incident_id].append(row.id)
        return [read_incident(row, tuple(members[row["id"]])) for row in rows]


def read_fence(connection: Connection) -> str:
    """The token of the last committed watch."""
    where = (t.kept.c.kind == FENCE[0]) & (t.kept.c.name == FENCE[1])
    return connection.execute(select(t.kept.c.value).where(where)).scalar() or ""
