"""Brings a file of an older version up to this one, in one transaction, after an online backup beside it. Refuses newer files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from store.sqlite_backup import back_up
from store.sqlite_bands import pack_band
from store.sqlite_rolls import rebuild_rolls
from store.sqlite_rows import MENTION_COLUMNS
from store.sqlite_schema import BANDS, LOUD_INDEXES, MENTION_INDEXES, MENTIONS, ROLL_UPS, SCHEMA, VERSION, run_script
from tingfeng.errors import StoreError


def add_judgement_columns(db: sqlite3.Connection) -> None:
    """1 → 2: topics, severity, stage and further details of mentions."""
    for name in ("topics", "severity", "stage"):
        db.execute(f"ALTER TABLE mentions ADD COLUMN {name} TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE mentions ADD COLUMN details TEXT NOT NULL DEFAULT '{}'")


def number_mentions(db: sqlite3.Connection) -> None:
    """2 → 3: mentions by number, zones, roll-ups by day and label; indexes go that the zones replace."""
    names = ",".join(MENTION_COLUMNS)
    db.execute("ALTER TABLE mentions RENAME TO mentions_before")
    run_script(db, MENTIONS)
    db.execute(f"INSERT INTO mentions ({names}) SELECT {names} FROM mentions_before ORDER BY post_row, id")
    db.execute("DROP TABLE mentions_before")
    run_script(db, MENTION_INDEXES)
    db.execute("ALTER TABLE posts ADD COLUMN bands TEXT NOT NULL DEFAULT ''")
    db.execute(
        "UPDATE posts SET bands = (SELECT group_concat(key, ' ') FROM bands WHERE post_row = row) "
        "WHERE row IN (SELECT post_row FROM bands)"
    )
    db.execute("ALTER TABLE bands RENAME TO bands_before")
    run_script(db, BANDS)
    bands = ((pack_band(key, row),) for key, row in db.execute("SELECT key, post_row FROM bands_before"))
    db.executemany("INSERT OR IGNORE INTO bands VALUES (?)", bands)
    db.execute("DROP TABLE bands_before")
    for index in ("posts_by_time", "posts_by_author"):
        db.execute(f"DROP INDEX IF EXISTS {index}")
    db.execute("DROP TABLE hourly")
    run_script(db, ROLL_UPS)
    rebuild_rolls(db)


def add_loud_indexes(db: sqlite3.Connection) -> None:
    """3 → 4: indexes of posts with much engagement."""
    run_script(db, LOUD_INDEXES)


# what brings a file of the version before up to this one
STEPS: Mapping[int, Callable[[sqlite3.Connection], None]] = {2: add_judgement_columns, 3: number_mentions, 4: add_loud_indexes}


def prepare(connection: sqlite3.Connection, path: Path, read_only: bool) -> None:
    """Creates the tables in an empty file or migrates an older one. Several processes may do this at once; a killed one leaves no trace."""
    version = read_version(connection)
    if version > VERSION:
        raise StoreError(
            f"数据库是更新的版本写的(第 {version} 版)", where=str(path), hint="请升级 tingfeng,或换一个数据库文件"
        )
    if version == VERSION:
        return
    if read_only:
        raise StoreError(f"数据库还是第 {version} 版", where=str(path), hint="请先正常运行一次 tingfeng,它会备份并升级")
    if not connection.execute(
        "SELECT 1 FROM pragma_compile_options WHERE compile_options LIKE 'ENABLE_FTS5%'"
    ).fetchone():
        raise StoreError(
            "这个 Python 的 SQLite 没有 FTS5", where=str(path), hint="请用 python.org 或发行版自带的 Python 3.11 以上"
        )
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = read_version(connection)
        if 0 < found < VERSION:
            back_up(path, backup_name(path, found))
        if found:
            for number in range(found + 1, VERSION + 1):
                STEPS[number](connection)
        else:
            for script in SCHEMA:
                run_script(connection, script)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def read_version(connection: sqlite3.Connection) -> int:
    """PRAGMA user_version; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def backup_name(path: Path, version: int) -> Path:
    """`posts.db` of version 2 → `posts.db.v2-backup`; an older one of the same version is replaced."""
    return path.with_name(f"{path.name}.v{version}-backup")
