"""The local file beside the cluster: posts that wait for it (in order, bounded), and dead letters (what it will never take, with why)."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from store.elasticsearch_rows import pack_post, unpack_post
from store.sqlite_rows import dump
from store.sqlite_schema import connect, explain_sqlite
from tingfeng.errors import StoreError
from tingfeng.records import Post

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS spooled (number INTEGER PRIMARY KEY AUTOINCREMENT, post_id TEXT NOT NULL, post TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS dead (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT NULL, "
    "post_id TEXT NOT NULL, reason TEXT NOT NULL, source TEXT NOT NULL, UNIQUE (kind, post_id))",
)


@dataclass(frozen=True)
class DeadLetter:
    """What the cluster refuses for what it is; `post` None when only a part of a stored post was refused."""

    number: int
    at: str
    kind: str
    post_id: str
    reason: str
    post: Post | None


class Spool:
    """One file; several processes may use it at once. What `put` has returned for survives any kill."""

    def __init__(self, file: Path, limit: int) -> None:
        self._file, self._limit = file, limit

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with explain_sqlite(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with closing(connect(self._file, read_only=False)) as db:
                db.execute("PRAGMA synchronous=FULL")
                for statement in SCHEMA:
                    db.execute(statement)
                yield db

    def put(self, posts: Sequence[Post], trouble: StoreError) -> tuple[str, ...]:
        """Keeps posts for later; all or none. Raises StoreError, with why the cluster is away, when there is no room."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                room = self._limit - db.execute("SELECT count(*) FROM spooled").fetchone()[0]
                if room < len(posts):
                    hint = f"暂存也满了(上限 {self._limit} 条),这一批没有收下;请先恢复集群。{trouble.hint}"
                    raise StoreError(trouble.what, where=trouble.where, hint=hint) from trouble
                db.executemany("INSERT INTO spooled (post_id, post) VALUES (?, ?)", [(post.id, dump(pack_post(post))) for post in posts])
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        return tuple(dict.fromkeys(post.id for post in posts))

    def waiting(self) -> int:
        """How many posts wait."""
        return self._count("spooled")

    def dead(self) -> int:
        """How many dead letters there are."""
        return self._count("dead")

    def _count(self, table: str) -> int:
        if not self._file.exists():
            return 0
        with self._open() as db:
            return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    @contextmanager
    def draining(self) -> Iterator[bool]:
        """True for the only process that may drain now; the lock dies with its process."""
        with self._file.with_suffix(".lock").open("a+") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def peek(self, limit: int) -> list[tuple[int, Post]]:
        """The oldest that wait, with their numbers."""
        with self._open() as db:
            rows = db.execute("SELECT number, post FROM spooled ORDER BY number LIMIT ?", (limit,)).fetchall()
        return [(row["number"], unpack_post(json.loads(row["post"]))) for row in rows]

    def drop_spooled(self, until: int) -> None:
        """Forgets those up to a number: they are in the cluster now."""
        with self._open() as db:
            db.execute("DELETE FROM spooled WHERE number <= ?", (until,))

    def bury(self, kind: str, post_id: str, source: Mapping[str, Any], reason: str) -> None:
        """A dead letter; the same one again replaces the older."""
        with self._open() as db:
            db.execute(
                "INSERT OR REPLACE INTO dead (at, kind, post_id, reason, source) VALUES (?, ?, ?, ?, ?)",
                (datetime.now(UTC).isoformat(timespec="seconds"), kind, post_id, reason, dump(dict(source))),
            )

    def letters(self) -> list[DeadLetter]:
        """All dead letters, oldest first."""
        if not self._file.exists():
            return []
        with self._open() as db:
            rows = db.execute("SELECT * FROM dead ORDER BY number").fetchall()
        return [DeadLetter(row["number"], row["at"], row["kind"], row["post_id"], row["reason"], read_post(row["source"])) for row in rows]

    def drop_letters(self, numbers: Sequence[int]) -> int:
        """Forgets dead letters; returns how many there were."""
        with self._open() as db:
            return sum(db.execute("DELETE FROM dead WHERE number = ?", (number,)).rowcount for number in numbers)


    def forget(self, unwanted: Callable[[Post], bool]) -> int:
        """Deletes what waits or was refused and is not to be kept any longer (right to erasure); returns how many."""
        if not self._file.exists():
            return 0
        done = 0
        with self._open() as db:
            for table, column in (("spooled", "post"), ("dead", "source")):
                rows = db.execute(f"SELECT number, {column} FROM {table}").fetchall()
                posts = [(row["number"], read_post(row[column])) for row in rows]
                doomed = [number for number, post in posts if post is not None and unwanted(post)]
                db.executemany(f"DELETE FROM {table} WHERE number = ?", [(number,) for number in doomed])
                done += len(doomed)
        return done


def read_post(source: str) -> Post | None:
    """The post of what waits, or of a dead letter."""
    found = json.loads(source)
    packed = found if "first_seen_ms" in found else found.get("post") or found.get("shown", {}).get("post")
    return unpack_post(packed) if packed else None
