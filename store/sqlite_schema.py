"""The tables of the embedded PostStore, opening a file, and errors in words. Migrations: sqlite_migrate.py."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.sqlite_near import near_holds
from tingfeng.errors import StoreError

VERSION = 4
BUSY_SECONDS = 30
WAL_TRIES = 600
CACHE_KB = 32_000
# 32 MB of log between checkpoints: a page that many batches touch is copied back once; measured in docs/benchmarks.md
CHECKPOINT_PAGES = 8000

POSTS = """
CREATE TABLE posts (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, native_id TEXT NOT NULL, kind TEXT NOT NULL,
  title TEXT NOT NULL, text TEXT NOT NULL, url TEXT NOT NULL, author_key TEXT NOT NULL, author_type TEXT NOT NULL,
  follower_band TEXT NOT NULL, region TEXT NOT NULL, published_ms INTEGER, precision TEXT NOT NULL, published_words TEXT NOT NULL,
  counted_ms INTEGER NOT NULL, first_seen_ms INTEGER NOT NULL, likes INTEGER, comments INTEGER, reposts INTEGER, views INTEGER,
  approx INTEGER NOT NULL, engagement_ms INTEGER, parent_id TEXT NOT NULL, root_id TEXT NOT NULL, owned TEXT NOT NULL,
  rating INTEGER, complaint TEXT NOT NULL, status TEXT NOT NULL, problems TEXT NOT NULL, extras TEXT NOT NULL,
  text_hash TEXT NOT NULL, state_hash TEXT NOT NULL,
  judged_ms INTEGER, content TEXT NOT NULL DEFAULT '', grp TEXT NOT NULL DEFAULT '', is_copy INTEGER NOT NULL DEFAULT 0,
  signature INTEGER NOT NULL DEFAULT 0, words TEXT NOT NULL DEFAULT '', lease_owner TEXT NOT NULL DEFAULT '', lease_ms INTEGER NOT NULL DEFAULT 0,
  bands TEXT NOT NULL DEFAULT ''
);
CREATE INDEX posts_unjudged ON posts (counted_ms, id) WHERE judged_ms IS NULL;
CREATE INDEX posts_by_group ON posts (grp) WHERE is_copy = 1;
CREATE VIRTUAL TABLE search USING fts5(title, body, content='', tokenize="unicode61 remove_diacritics 0")
"""
# a row number of its own, not the id as key: rows are then written one after the other, not all over the file
MENTIONS = """
CREATE TABLE mentions (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, post_row INTEGER NOT NULL REFERENCES posts (row), subject TEXT NOT NULL,
  counted_ms INTEGER NOT NULL, source TEXT NOT NULL, author_key TEXT NOT NULL, sentiment TEXT NOT NULL, acts TEXT NOT NULL,
  probabilities TEXT NOT NULL, harm_words TEXT NOT NULL, harm INTEGER NOT NULL, is_copy INTEGER NOT NULL, model TEXT NOT NULL,
  corrected_by TEXT NOT NULL, topics TEXT NOT NULL, severity TEXT NOT NULL, stage TEXT NOT NULL, details TEXT NOT NULL
)
"""
# band keys of posts, each with its post packed into one number: see sqlite_bands.py
BANDS = "CREATE TABLE bands (place INTEGER PRIMARY KEY)"
MENTION_INDEXES = """
CREATE INDEX mentions_by_time ON mentions (counted_ms, id);
CREATE INDEX mentions_by_subject ON mentions (subject, counted_ms, id, is_copy, sentiment, harm, source, author_key);
CREATE INDEX mentions_by_post ON mentions (post_row)
"""
# engagement that few posts reach, so that the indexes stay small and most posts do not touch them
LOUD, LOUD_FROM = ("likes", "comments", "reposts"), 100
LOUD_INDEXES = ";\n".join(f"CREATE INDEX posts_by_{name} ON posts ({name}, source) WHERE {name} >= {LOUD_FROM}" for name in LOUD)
# zones: for each 4096 rows of posts, how many there are and between which times; the others: see sqlite_rolls.py
ROLL_UPS = """
CREATE TABLE zones (zone INTEGER PRIMARY KEY, oldest_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL, n INTEGER NOT NULL);
CREATE TABLE hours (
  hour INTEGER NOT NULL, subject TEXT NOT NULL, sentiment TEXT NOT NULL, is_copy INTEGER NOT NULL,
  n INTEGER NOT NULL, PRIMARY KEY (hour, subject, sentiment, is_copy)
) WITHOUT ROWID;
CREATE TABLE hours_by_source (
  hour INTEGER NOT NULL, subject TEXT NOT NULL, sentiment TEXT NOT NULL, is_copy INTEGER NOT NULL, source TEXT NOT NULL,
  n INTEGER NOT NULL, PRIMARY KEY (hour, subject, sentiment, is_copy, source)
) WITHOUT ROWID;
CREATE TABLE days_by_source (
  day INTEGER NOT NULL, subject TEXT NOT NULL, sentiment TEXT NOT NULL, is_copy INTEGER NOT NULL, source TEXT NOT NULL,
  n INTEGER NOT NULL, PRIMARY KEY (day, subject, sentiment, is_copy, source)
) WITHOUT ROWID;
CREATE TABLE quarters_by_label (
  dim TEXT NOT NULL, quarter INTEGER NOT NULL, subject TEXT NOT NULL, sentiment TEXT NOT NULL, is_copy INTEGER NOT NULL,
  value TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (dim, quarter, subject, sentiment, is_copy, value)
) WITHOUT ROWID
"""
SCHEMA = (POSTS, LOUD_INDEXES, BANDS, MENTIONS, MENTION_INDEXES, ROLL_UPS)

HINTS = (
    ("malformed", "数据库文件损坏", "请从备份恢复:tingfeng restore"),
    ("is full", "磁盘满了", "请腾出空间后重试;已经存下的都在"),
    ("disk i/o", "磁盘读写出错", "请检查磁盘与剩余空间;已经存下的都在"),
    ("readonly", "数据库只读", "请检查文件与文件夹的写权限"),
    ("unable to open", "打不开数据库", "请检查文件夹是否存在、可写"),
    ("locked", "数据库被别的进程占用太久", "请看是否有另一个 tingfeng 卡住,稍后重试"),
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


def connect(path: Path, read_only: bool, durable: bool = True) -> sqlite3.Connection:
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
    try:
        if not read_only:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of effect on a new file only, before anything is written
            switch_to_wal(connection)
        set_up(connection, durable)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def set_up(connection: sqlite3.Connection, durable: bool) -> None:
    """What holds for every connection."""
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.create_function("near_holds", 3, near_holds, deterministic=True)


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


def run_script(db: sqlite3.Connection, script: str) -> None:
    """Statements one by one inside the running transaction; executescript() would commit it."""
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute(statement)
