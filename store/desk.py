"""Desk: people's state and the capture ledger, relational and transactional, on SQLite or PostgreSQL (same schema, same answers).

Every verb raises StoreError in words when the database refuses; every writing verb is one transaction, and may be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import func, select

from store import desk_tables as t
from store.desk_alerts import AlertVerbs, WatchCommit
from store.desk_copy import CopyVerbs
from store.desk_core import PATIENCE_SECONDS, open_engine, patient, read_url
from store.desk_errors import explain_database
from store.desk_ledger import LedgerVerbs
from store.desk_migrate import Migrating
from store.desk_outbox import OutboxVerbs
from tingfeng.errors import StoreError

__all__ = ["Desk", "WatchCommit", "open_desk"]


class Desk(AlertVerbs, OutboxVerbs, LedgerVerbs, CopyVerbs, Migrating):
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


def open_desk(url: str, *, patience_seconds: float = PATIENCE_SECONDS, must_exist: bool = False) -> Desk:
    """Opens the database, bringing its tables up to date; `must_exist`: an SQLite file is not made anew. Raises StoreError."""
    found = read_url(url)
    if must_exist and found.get_backend_name() == "sqlite" and not Path(str(found.database)).is_file():
        raise StoreError("没有这个文件", where=str(found.database), hint="请检查路径,例如 sqlite:///var/desk.db")
    with explain_database(found):
        desk = Desk(open_engine(found), patience_seconds)
    try:
        desk.check_server()
        desk.migrate()
    except BaseException:
        desk.close()
        raise
    return desk
