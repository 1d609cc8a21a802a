"""Desk: people's state and the capture ledger, relational and transactional, on SQLite or PostgreSQL (same schema, same answers).

Every verb raises StoreError in words when the database refuses; every writing verb is one transaction, and may be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from store import desk_tables as t
from store.desk_alerts import AlertVerbs, WatchCommit
from store.desk_core import PATIENCE_SECONDS, open_engine, patient, read_url
from store.desk_errors import explain_database
from store.desk_ledger import LedgerVerbs
from store.desk_migrate import Migrating
from store.desk_outbox import OutboxVerbs

__all__ = ["Desk", "WatchCommit", "open_desk"]


class Desk(AlertVerbs, OutboxVerbs, LedgerVerbs, Migrating):
    """Built by open_desk()."""

    @patient
    def health(self) -> Mapping[str, str]:
        """Counts for `doctor`. Raises StoreError when the database is out of reach."""
        with self._read() as connection:
            counts = {
                table.name: str(connection.execute(select(func.count()).select_from(table)).scalar())
                for table in (t.alerts, t.incidents, t.notifications, t.capture_runs)
            }
        return {"engine": self._engine.dialect.name, "server": self.check_server(), **counts}


def open_desk(url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> Desk:
    """Opens the database, bringing its tables up to date. Raises StoreError."""
    found = read_url(url)
    with explain_database(found):
        desk = Desk(open_engine(found), patience_seconds)
    try:
        desk.check_server()
        desk.migrate()
    except BaseException:
        desk.close()
        raise
    return desk
