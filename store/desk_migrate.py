"""Brings the Desk's tables up to date. Several processes may do it at once; the first does it, the others wait."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from store.desk_core import DeskCore, patient
from store.desk_errors import place_of
from tingfeng.errors import StoreError

MIGRATION_SECONDS = 3600.0
MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def read_config() -> Config:
    """Alembic's configuration: only where the revisions are."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


class Migrating(DeskCore):
    """The verb migrate()."""

    @patient
    def migrate(self, revision: str = "head") -> None:
        """Runs the revisions that are missing; quick when there are none. Raises StoreError for tables of a newer program."""
        config = read_config()
        script = ScriptDirectory.from_config(config)
        newest = script.get_current_head() if revision == "head" else revision
        current = self.revision()
        if current == newest:
            return
        self._refuse_newer(script, current)
        with self._write(MIGRATION_SECONDS) as connection:
            if self.is_shared:
                connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # however long the first of several takes
            self._queue_up(connection, "migrate")
            if MigrationContext.configure(connection).get_current_revision() != newest:
                config.attributes["connection"] = connection
                command.upgrade(config, revision)

    def revision(self) -> str | None:
        """The revision of the tables; None before the first."""
        with self._read() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def _refuse_newer(self, script: ScriptDirectory, current: str | None) -> None:
        known = current is None or current in {one.revision for one in script.walk_revisions()}
        if not known:
            raise StoreError(
                f"工作台数据库是更新的版本写的(修订 {current})",
                where=place_of(self._engine.url),
                hint="请升级这台机器上的 tingfeng,或换一个数据库",
            )
