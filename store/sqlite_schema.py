"""The tables of the embedded PostStore, opening a file, and errors in words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tingfeng.errors import StoreError

VERSION = 2
BUSY_SECONDS = 30
WAL_TRIES = 600

SCHEMA = """
CREATE TABLE posts (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, native_id TEXT NOT NULL, kind TEXT NOT NULL,
  title TEXT NOT NULL, text TEXT NOT NULL, url TEXT NOT NULL, author_key TEXT NOT NULL, author_type TEXT NOT NULL,
  follower_band TEXT NOT NULL, region TEXT NOT NULL, published_ms INTEGER, precision TEXT NOT NULL, published_words TEXT NOT NULL,
  counted_ms INTEGER NOT NULL, first_seen_ms INTEGER NOT NULL, likes INTEGER, comments INTEGER, reposts INTEGER, views INTEGER,
  approx INTEGER NOT NULL, engagement_ms INTEGER, parent_id TEXT NOT NULL, root_id TEXT NOT NULL, owned TEXT NOT NULL,
  rating INTEGER, complaint TEXT NOT NULL, status TEXT NOT NULL, problems TEXT NOT NULL, extras TEXT NOT NULL,
  text_hash TEXT NOT NULL, state_hash TEXT NOT NULL,
  judged_ms INTEGER, content TEXT NOT NULL DEFAULT '', grp TEXT NOT NULL DEFAULT '', is_copy INTEGER NOT NULL DEFAULT 0,
  signature INTEGER NOT NULL DEFAULT 0, words TEXT NOT NULL DEFAULT '', lease_owner TEXT NOT NULL DEFAULT '', lease_ms INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX posts_by_time ON posts (counted_ms, id);
CREATE INDEX posts_unjudged ON posts (counted_ms, id) WHERE judged_ms IS NULL;
CREATE INDEX posts_by_group ON posts (grp) WHERE is_copy = 1;
CREATE INDEX posts_by_author ON posts (author_key) WHERE author_key <> '';
CREATE TABLE mentions (
  id TEXT PRIMARY KEY, post_row INTEGER NOT NULL REFERENCES posts (row), subject TEXT NOT NULL, counted_ms INTEGER NOT NULL,
  source TEXT NOT NULL, author_key TEXT NOT NULL, sentiment TEXT NOT NULL, acts TEXT NOT NULL, probabilities TEXT NOT NULL,
  harm_words TEXT NOT NULL, harm INTEGER NOT NULL, is_copy INTEGER NOT NULL, model TEXT NOT NULL, corrected_by TEXT NOT NULL,
  topics TEXT NOT NULL DEFAULT '', severity TEXT NOT NULL DEFAULT '', stage TEXT NOT NULL DEFAULT '', details TEXT NOT NULL DEFAULT '{}'
) WITHOUT ROWID;
CREATE INDEX mentions_by_time ON mentions (counted_ms, id);
CREATE INDEX mentions_by_subject ON mentions (subject, counted_ms, id);
CREATE INDEX mentions_for_bins ON mentions (subject, counted_ms, is_copy, sentiment, harm, source, author_key);
CREATE INDEX mentions_by_post ON mentions (post_row);
CREATE TABLE bands (key INTEGER NOT NULL, post_row INTEGER NOT NULL, PRIMARY KEY (key, post_row)) WITHOUT ROWID;
CREATE INDEX bands_by_post ON bands (post_row);
CREATE TABLE hourly (
  hour_ms INTEGER NOT NULL, subject TEXT NOT NULL, source TEXT NOT NULL, sentiment TEXT NOT NULL, is_copy INTEGER NOT NULL,
  n INTEGER NOT NULL, PRIMARY KEY (hour_ms, subject, source, sentiment, is_copy)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5(title, body, content='', tokenize="unicode61 remove_diacritics 0");
"""
# what brings a file of the version before up to this one
STEPS: Mapping[int, tuple[str, ...]] = {
    2: (
        *(f"ALTER TABLE mentions ADD COLUMN {name} TEXT NOT NULL DEFAULT ''" for name in ("topics", "severity", "stage")),
        "ALTER TABLE mentions ADD COLUMN details TEXT NOT NULL DEFAULT '{}'",
    ),
}

HINTS = (
    ("disk", "磁盘满了", "请腾出空间后重试;已经存下的都在"),
    ("readonly", "数据库只读", "请检查文件与文件夹的写权限"),
    ("unable to open", "打不开数据库", "请检查文件夹是否存在、可写"),
    ("locked", "数据库被别的进程占用太久", "请看是否有另一个 tingfeng 卡住,稍后重试"),
    ("malformed", "数据库文件损坏", "请从备份恢复:tingfeng restore"),
    ("not a database", "这不是数据库文件", "请检查 posts_url 写的路径"),
)


@contextmanager
def explain_sqlite(path: Path) -> Iterator[None]:
    """Turns sqlite3 errors into StoreError: what, where, what to do."""
    try:
        yield
    except sqlite3.Error as error:
        words = str(error).lower()
        for key, what, hint in HINTS:
            if key in words:
                raise StoreError(what, where=str(path), hint=hint) from error
        raise StoreError(f"数据库出错({error})", where=str(path), hint="请运行 tingfeng doctor") from error


def connect(path: Path, read_only: bool) -> sqlite3.Connection:
    """A connection in autocommit mode with rows by name. Transactions are written out by the caller."""
    if read_only:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
    else:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        switch_to_wal(connection)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA cache_size=-32000")
    return connection


def switch_to_wal(connection: sqlite3.Connection) -> None:
    """Write-ahead log. The switch of a new file does not honour the busy timeout, so two first starts at once would trip over it."""
    for _ in range(WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(BUSY_SECONDS / WAL_TRIES)
    connection.execute("PRAGMA journal_mode=WAL")


def prepare(connection: sqlite3.Connection, path: Path, read_only: bool) -> None:
    """Creates the tables in an empty file, brings an older file up to date; refuses a newer one. Several processes may do this at once."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise StoreError(
            f"数据库是更新的版本写的(第 {version} 版)", where=str(path), hint="请升级 tingfeng,或换一个数据库文件"
        )
    if version == VERSION or read_only:
        return
    if not connection.execute(
        "SELECT 1 FROM pragma_compile_options WHERE compile_options LIKE 'ENABLE_FTS5%'"
    ).fetchone():
        raise StoreError(
            "这个 Python 的 SQLite 没有 FTS5", where=str(path), hint="请用 python.org 或发行版自带的 Python 3.11 以上"
        )
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        fresh = (statement for statement in SCHEMA.split(";\n") if statement.strip())
        later = (statement for number in range(found + 1, VERSION + 1) for statement in STEPS[number]) if found else fresh
        for statement in later:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
