"""The schema is what the migrations make, fresh or step by step, and however many processes begin at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from store.desk import Desk, open_desk
from store.desk_core import open_engine, read_url
from store.desk_migrate import read_config
from store.desk_tables import metadata
from tingfeng.clock import parse_iso
from tingfeng.errors import StoreError

ROOT = Path(__file__).resolve().parents[2]
NOW = parse_iso("2026-11-14T18:00")
REVISIONS = [one.revision for one in ScriptDirectory.from_config(read_config()).walk_revisions()][::-1]
START = "import sys; from store.desk import open_desk; desk = open_desk(sys.argv[1]); print(desk.revision()); desk.close()"
OLD_NOTE = (
    "INSERT INTO notifications (id, alert_id, edge, channel, reason, created_at, due_at, outcome, attempts, provider_code, "
    "detail, title, body, level, lease_owner, lease_until) "
    "VALUES ('n1', 'a1', 'open', 'pr', 'first', :at, :at, 'queued', 0, '', '', '标题', '', 'red', '', 0)"
)


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    engine = open_engine(read_url(url))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@contextmanager
def desk_at(url: str, revision: str) -> Iterator[Desk]:
    """Tables as an older program left them."""
    desk = Desk(open_engine(read_url(url)))
    desk.migrate(revision)
    yield desk
    desk.close()


def differences(url: str) -> list[object]:
    with connect(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        return list(compare_metadata(context, metadata))


def test_migrations_make_what_the_tables_say(desk_url: str) -> None:
    open_desk(desk_url).close()
    assert differences(desk_url) == []


def test_a_table_that_the_migrations_forgot_would_show(desk_url: str) -> None:
    open_desk(desk_url).close()
    with connect(desk_url) as connection:
        connection.execute(text("DROP TABLE silences"))
    assert differences(desk_url) != []


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_from_every_older_revision_to_the_newest(desk_url: str, revision: str) -> None:
    with desk_at(desk_url, revision) as old:
        assert old.revision() == revision
    open_desk(desk_url).close()
    assert differences(desk_url) == []


def test_rows_of_the_first_revision_are_served_by_the_newest(desk_url: str) -> None:
    with desk_at(desk_url, "0001"), connect(desk_url) as connection:
        connection.execute(text(OLD_NOTE), {"at": round(NOW.timestamp() * 1000)})
    desk = open_desk(desk_url)
    assert [one.title for one in desk.claim_notifications("a", NOW)] == ["标题"]
    assert desk.begin_attempt("n1", "a", NOW + timedelta(seconds=1))
    desk.close()


def test_down_and_up_again(desk_url: str) -> None:
    open_desk(desk_url).close()
    config = read_config()
    for go, target in ((command.downgrade, REVISIONS[0]), (command.upgrade, "head")):
        with connect(desk_url) as connection:
            config.attributes["connection"] = connection
            go(config, target)
    assert differences(desk_url) == []


def test_opening_again_changes_nothing(desk_url: str) -> None:
    for _ in range(2):
        desk = open_desk(desk_url)
        assert desk.revision() == REVISIONS[-1]
        desk.close()


def test_first_starts_at_once_all_succeed(desk_url: str) -> None:
    command_line = [sys.executable, "-c", START, desk_url]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    children = [
        subprocess.Popen(command_line, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = [child.communicate(timeout=120) for child in children]
    assert [(out.strip(), child.returncode) for (out, _), child in zip(answers, children, strict=True)] == [
        (REVISIONS[-1], 0)
    ] * 4, answers
    assert differences(desk_url) == []


def test_tables_of_a_newer_program_are_refused_in_words(desk_url: str) -> None:
    open_desk(desk_url).close()
    with connect(desk_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"更新的版本写的.*升级"):
        open_desk(desk_url)
