"""Desk: people's state and the capture ledger, relational and transactional, on SQLite (PostgreSQL: same schema).

Every verb raises StoreError in words when the database refuses; every writing verb is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, RowMapping, Table, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from store import desk_tables as t
from store.desk_rows import (
    pack,
    pack_alert,
    read_alert,
    read_change,
    read_incident,
    read_notification,
    read_run,
    to_ms,
)
from store.sqlite_schema import switch_to_wal
from tingfeng.errors import StoreError
from tingfeng.fingerprints import row_id
from tingfeng.labels import AlertState
from tingfeng.records import Alert, AlertChange, AuditEntry, CaptureRun, Incident, Notification, Silence

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


@dataclass(frozen=True)
class WatchCommit:
    """What one watch changes; all of it is written, or none. `dropped`: pending alerts that came to nothing.

    `kept`: (kind, name) → value, the detectors' states among them.
    """

    alerts: Sequence[Alert] = ()
    changes: Sequence[AlertChange] = ()
    incidents: Sequence[Incident] = ()
    notifications: Sequence[Notification] = ()
    dropped: Sequence[str] = ()
    kept: Mapping[tuple[str, str], str] = field(default_factory=dict)


def open_desk(url: str) -> Desk:
    """Opens the database, bringing its tables up to date. Raises StoreError."""
    try:
        engine = (
            create_engine(url, poolclass=NullPool)
            if url.startswith("sqlite")
            else create_engine(url, pool_pre_ping=True)
        )
    except (SQLAlchemyError, ModuleNotFoundError, ValueError) as error:
        raise StoreError(
            f"工作台数据库地址有误({type(error).__name__})", where="desk_url", hint="例如 sqlite:///var/desk.db"
        ) from error
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine)
    desk = Desk(engine)
    desk.migrate()
    return desk


def prepare_sqlite(engine: Engine) -> None:
    """WAL, waiting for other processes, and transactions that take the write lock at once."""
    if engine.url.database:
        Path(engine.url.database).absolute().parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=30000")
        switch_to_wal(connection)
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


class Desk:
    """Built by open_desk()."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._explain(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._explain(), self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def _explain(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", error)).splitlines()[0][:200]
            place = self._engine.url.render_as_string(hide_password=True)
            raise StoreError(
                f"工作台数据库出错({reason})", where=place, hint="请检查磁盘空间与权限,或运行 tingfeng doctor"
            ) from error

    def migrate(self) -> None:
        """Runs the revisions that are missing; quick when there are none. Several processes may do it at once."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        newest = ScriptDirectory.from_config(config).get_current_head()
        with self._read() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current == newest:
            return
        with self._write() as connection:
            if MigrationContext.configure(connection).get_current_revision() != newest:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")

    def _upsert(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, object]], *, replace: bool = True
    ) -> None:
        if not rows:
            return
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table).values(list(rows))
        keys = [column.name for column in table.primary_key]
        if replace:
            changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
            connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))
        else:
            connection.execute(statement.on_conflict_do_nothing(index_elements=keys))

    # capture ledger and small kept values

    def add_run(self, run: CaptureRun) -> None:
        """Adds a run, or replaces it by its id."""
        with self._write() as connection:
            self._upsert(connection, t.capture_runs, [pack(run)])

    def runs(self, since: datetime, source: str = "") -> list[CaptureRun]:
        """Runs that started since, oldest first."""
        query = (
            select(t.capture_runs)
            .where(t.capture_runs.c.started_at >= to_ms(since))
            .order_by(t.capture_runs.c.started_at)
        )
        if source:
            query = query.where(t.capture_runs.c.source == source)
        with self._read() as connection:
            return [read_run(row) for row in connection.execute(query).mappings()]

    def last_runs(self) -> list[CaptureRun]:
        """The latest run of each source and query."""
        runs = t.capture_runs
        newest = (
            select(runs.c.source, runs.c.query, func.max(runs.c.started_at).label("at"))
            .group_by(runs.c.source, runs.c.query)
            .subquery()
        )
        query = select(runs).join(
            newest,
            (runs.c.source == newest.c.source) & (runs.c.query == newest.c.query) & (runs.c.started_at == newest.c.at),
        )
        with self._read() as connection:
            return [read_run(row) for row in connection.execute(query.order_by(runs.c.source, runs.c.query)).mappings()]

    def last_covered(self, source: str, query: str) -> list[CaptureRun]:
        """The latest run of a source and query that vouches for a span; [] when there is none."""
        runs = t.capture_runs.c
        found = select(t.capture_runs).where(runs.source == source, runs.query == query, runs.covers_until.is_not(None))
        with self._read() as connection:
            return [
                read_run(row)
                for row in connection.execute(found.order_by(runs.covers_until.desc()).limit(1)).mappings()
            ]

    def get_value(self, kind: str, name: str) -> str | None:
        """A kept value (cursor, validator, robots.txt, detector state, baseline …), None when there is none."""
        with self._read() as connection:
            return connection.execute(
                select(t.kept.c.value).where(t.kept.c.kind == kind, t.kept.c.name == name)
            ).scalar()

    def set_value(self, kind: str, name: str, value: str, now: datetime) -> None:
        """Keeps a value."""
        with self._write() as connection:
            self._upsert(connection, t.kept, [{"kind": kind, "name": name, "value": value, "at": to_ms(now)}])

    # alerts and incidents

    def commit_watch(self, commit: WatchCommit, now: datetime) -> None:
        """Alerts, their changes, notifications, audit and detector states in one transaction. The same commit twice changes nothing more."""
        with self._write() as connection:
            self._upsert(connection, t.alerts, [pack_alert(alert) for alert in commit.alerts])
            changes = [
                pack(change) | {"id": row_id("change", change.alert_id, change.edge, str(to_ms(change.at)))}
                for change in commit.changes
            ]
            self._upsert(connection, t.alert_changes, changes, replace=False)
            self._upsert(connection, t.incidents, [pack(one, frozenset({"alert_ids"})) for one in commit.incidents])
            rows = [pack(one) | {"lease_owner": "", "lease_until": 0} for one in commit.notifications]
            self._upsert(connection, t.notifications, rows, replace=False)
            if commit.dropped:
                connection.execute(t.alerts.delete().where(t.alerts.c.id.in_(list(commit.dropped))))
            kept = [
                {"kind": kind, "name": name, "value": value, "at": to_ms(now)}
                for (kind, name), value in commit.kept.items()
            ]
            self._upsert(connection, t.kept, kept)
            entries = [
                {
                    "at": to_ms(now),
                    "user_name": "watch",
                    "action": f"alert.{change.edge}",
                    "target": change.alert_id,
                    "detail": change.summary,
                }
                for change in commit.changes
            ]
            if entries:
                connection.execute(t.audit.insert(), entries)

    def open_alerts(self) -> list[Alert]:
        """Alerts that are not resolved, oldest first."""
        return self._alerts(t.alerts.c.state != AlertState.RESOLVED.value)

    def recent_alerts(self, since: datetime) -> list[Alert]:
        """Alerts that changed since."""
        return self._alerts(t.alerts.c.changed_at >= to_ms(since))

    def _alerts(self, condition: Any) -> list[Alert]:
        with self._read() as connection:
            return [
                read_alert(row)
                for row in connection.execute(
                    select(t.alerts).where(condition).order_by(t.alerts.c.started_at)
                ).mappings()
            ]

    def alert(self, id: str) -> Alert | None:
        """One alert."""
        found = self._alerts(t.alerts.c.id == id)
        return found[0] if found else None

    def changes(self, alert_id: str) -> list[AlertChange]:
        """The history of an alert, oldest first."""
        query = (
            select(t.alert_changes)
            .where(t.alert_changes.c.alert_id == alert_id)
            .order_by(t.alert_changes.c.at, t.alert_changes.c.id)
        )
        with self._read() as connection:
            return [read_change(row) for row in connection.execute(query).mappings()]

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
                .order_by(t.alerts.c.started_at)
            )
            for row in connection.execute(listed):
                members[row.incident_id].append(row.id)
        return [read_incident(row, tuple(members[row["id"]])) for row in rows]

    def acknowledge(self, alert_id: str, user: str, now: datetime) -> bool:
        """Stops repeats of an alert; False when it does not exist. Audited."""
        with self._write() as connection:
            done = connection.execute(
                t.alerts.update().where(t.alerts.c.id == alert_id).values(acknowledged_by=user)
            ).rowcount
            if done:
                self._note(connection, AuditEntry(now, user, "alert.acknowledge", alert_id))
        return bool(done)

    # outbox

    def claim_notifications(
        self, worker: str, now: datetime, limit: int = 20, lease_seconds: int = 120
    ) -> list[Notification]:
        """Queued notifications that are due, leased; disjoint between workers; a lease that ran out is free again."""
        n = t.notifications.c
        free = (n.outcome == "queued") & (n.due_at <= to_ms(now)) & (n.lease_until <= to_ms(now))
        with self._write() as connection:
            query = (
                select(t.notifications)
                .where(free)
                .order_by(n.due_at, n.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            rows = connection.execute(query).mappings().all()
            until = to_ms(now + timedelta(seconds=lease_seconds))
            ids = [row["id"] for row in rows]
            connection.execute(
                t.notifications.update().where(n.id.in_(ids)).values(lease_owner=worker, lease_until=until)
            )
        return [read_notification(row) for row in rows]

    def finish_notification(
        self,
        id: str,
        outcome: str,
        now: datetime,
        *,
        provider_code: str = "",
        detail: str = "",
        due_at: datetime | None = None,
        attempted: bool = True,
    ) -> None:
        """Writes an attempt: `delivered`, `failed`, or `queued` again until due_at; `attempted` False when it only had to wait."""
        n = t.notifications.c
        values = {
            "outcome": outcome, "provider_code": provider_code, "detail": detail, "lease_owner": "", "lease_until": 0,
            "attempts": n.attempts + int(attempted), "delivered_at": to_ms(now) if outcome == "delivered" else None,
        }  # fmt: skip
        if due_at is not None:
            values["due_at"] = to_ms(due_at)
        with self._write() as connection:
            connection.execute(t.notifications.update().where(n.id == id).values(**values))

    def notifications(self, since: datetime, alert_id: str = "") -> list[Notification]:
        """All since (withheld ones too), oldest first."""
        n = t.notifications.c
        query = select(t.notifications).where(n.created_at >= to_ms(since)).order_by(n.created_at, n.id)
        if alert_id:
            query = query.where(n.alert_id == alert_id)
        with self._read() as connection:
            return [read_notification(row) for row in connection.execute(query).mappings()]

    def take_token(self, channel: str, now: datetime, per_minute: int = 18) -> float:
        """0 when one more message may go to the channel in this minute, else seconds to wait. Shared by all workers."""
        minute = int(now.timestamp()) // 60
        with self._write() as connection:
            where = (t.tokens.c.channel == channel) & (t.tokens.c.minute == minute)
            used = connection.execute(select(t.tokens.c.n).where(where)).scalar() or 0
            if used >= per_minute:
                return 60 - now.timestamp() % 60
            self._upsert(connection, t.tokens, [{"channel": channel, "minute": minute, "n": used + 1}])
            connection.execute(t.tokens.delete().where(t.tokens.c.minute < minute - 10))
        return 0.0

    # silences and audit

    def add_silence(self, silence: Silence) -> None:
        """Mutes a subject or rule until an instant. Audited."""
        with self._write() as connection:
            row = pack(silence)
            row["user_name"] = row.pop("user")
            self._upsert(connection, t.silences, [row])
            self._note(
                connection,
                AuditEntry(
                    silence.created_at, silence.user, "silence.add", silence.subject or silence.rule, silence.reason
                ),
            )

    def silences(self, now: datetime) -> list[Silence]:
        """Silences in force."""
        with self._read() as connection:
            rows = connection.execute(select(t.silences).where(t.silences.c.until > to_ms(now))).mappings().all()
        return [Silence(**read_times(row)) for row in rows]

    def _note(self, connection: Connection, entry: AuditEntry) -> None:
        values = {
            "at": to_ms(entry.at),
            "user_name": entry.user,
            "action": entry.action,
            "target": entry.target,
            "detail": entry.detail,
        }
        connection.execute(t.audit.insert(), [values])

    def audit(self, limit: int = 100) -> list[AuditEntry]:
        """Newest first."""
        with self._read() as connection:
            rows = connection.execute(select(t.audit).order_by(t.audit.c.id.desc()).limit(limit)).mappings().all()
        return [AuditEntry(**{name: value for name, value in read_times(row).items() if name != "id"}) for row in rows]

    def health(self) -> Mapping[str, str]:
        """Counts for `doctor`. Raises StoreError when the database is out of reach."""
        with self._read() as connection:
            counts = {
                table.name: str(connection.execute(select(func.count()).select_from(table)).scalar())
                for table in (t.alerts, t.incidents, t.notifications, t.capture_runs)
            }
        return {"engine": self._engine.dialect.name, **counts}

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()


def read_times(row: RowMapping) -> dict[str, Any]:
    """A row of silences or audit as fields of its record."""
    from store.desk_rows import times

    values = times(row, *(name for name in ("at", "until", "created_at") if name in row))
    values["user"] = values.pop("user_name")
    return values
