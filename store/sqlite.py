"""SQLitePostStore: posts and mentions in one file. WAL, full-text search over characters, roll-ups in the same transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from store.correcting import read_correction
from store.posts import (
    PATIENCE_SECONDS,
    AddResult,
    CountRow,
    Dim,
    Hit,
    NearPost,
    Order,
    SearchPage,
    StoredPost,
    StoreHealth,
)
from store.sqlite_backup import back_up
from store.sqlite_bands import find_near
from store.sqlite_check import Say, find_damage, repair
from store.sqlite_counts import count_mentions, read_bins
from store.sqlite_migrate import prepare
from store.sqlite_query import Condition, translate
from store.sqlite_rows import read_post, to_ms
from store.sqlite_schema import connect, explain_sqlite
from store.sqlite_search import Asked, narrow, search_mentions
from store.sqlite_stored import get_group, get_posts, read_stored
from store.sqlite_terms import read_terms
from store.sqlite_write import add_posts, correct_mention, delete_rows, run_in, save_judged, select_in
from store.sqlite_zones import Span, find_rows
from tingfeng.clock import floor_time
from tingfeng.errors import StoreError
from tingfeng.query import Query
from tingfeng.records import Bin, JudgedPost, Mention, Post

CHUNK = 500
DELETE_CHUNK = 2000  # posts of one transaction: others write in between
GIVE_BACK_PAGES = 4000  # of one transaction
SPARE_SHARE = 0.05  # of the file that may stay free for new posts after deleting


class SQLitePostStore:
    """See store/posts.py for what each verb promises. Safe to share between threads: each has its own connection.

    `durable`: what was acknowledged survives a power cut, too; else only a killed process (docs/benchmarks.md has both).
    """

    def __init__(self, path: Path, *, read_only: bool = False, durable: bool = True) -> None:
        self._path, self._read_only, self._durable = path, read_only, durable
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        with explain_sqlite(path):
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            try:
                prepare(self._connection, path, read_only)
            except BaseException:
                self.close()
                raise

    @property
    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = connect(self._path, self._read_only, self._durable)
            self._local.connection = found
            with self._lock:
                self._opened.append(found)
        return found

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """Several statements over one state of the file."""
        with explain_sqlite(self._path):
            connection = self._connection
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        with explain_sqlite(self._path):
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has rolled back already
                    connection.execute("ROLLBACK")
                raise

    def add_posts(self, posts: Iterable[Post]) -> AddResult:
        with self._write() as db:
            return add_posts(db, posts)

    def known_ids(self, ids: Sequence[str]) -> frozenset[str]:
        with self._read() as db:
            return frozenset(row["id"] for row in select_in(db, "SELECT id FROM posts WHERE id IN", list(ids)))

    def claim_posts(self, worker: str, limit: int, now: datetime, lease_seconds: int = 600) -> list[Post]:
        until = to_ms(now) + lease_seconds * 1000
        with self._write() as db:
            rows = db.execute(
                "UPDATE posts SET lease_owner = ?, lease_ms = ? WHERE row IN (SELECT row FROM posts WHERE judged_ms IS NULL "
                # a lease that ends much later than one taken now was taken before the clock was put back
                "AND (lease_ms <= ? OR lease_ms > ?) ORDER BY counted_ms, id LIMIT ?) RETURNING *",
                (worker, until, to_ms(now), until + PATIENCE_SECONDS * 1000, limit),
            ).fetchall()
        return sorted((read_post(row) for row in rows), key=lambda post: (post.counted_at, post.id))

    def save_judged(self, judged: Sequence[JudgedPost], now: datetime) -> None:
        with self._write() as db:
            save_judged(db, judged, now)

    def mark_unjudged(self, query: Query | None = None) -> int:
        unjudge = "UPDATE posts SET judged_ms = NULL, lease_ms = 0 WHERE judged_ms IS NOT NULL"
        if query is None:
            with self._write() as db:
                return db.execute(unjudge).rowcount
        ids = [hit.post.id for hit in self._walk(query)]
        with self._write() as db:
            return run_in(db, f"{unjudge} AND id IN", sorted(set(ids)))

    def _walk(self, query: Query) -> Iterator[Hit]:
        page = self.search(query, limit=CHUNK, with_unmatched=True, count_up_to=0)
        yield from page.hits
        while page.next_cursor:
            page = self.search(query, limit=CHUNK, cursor=page.next_cursor, with_unmatched=True, count_up_to=0)
            yield from page.hits

    def near_posts(self, band_keys: Sequence[int], since: datetime) -> list[NearPost]:
        with self._read() as db:
            first, last = find_rows(db, Span(to_ms(since), None))
            return find_near(db, band_keys, to_ms(since), first, last)

    def get_group(self, groups: Sequence[str], since: datetime) -> list[StoredPost]:
        with self._read() as db:
            return get_group(db, groups, to_ms(since))

    def get_post(self, post_id: str) -> Post | None:
        with self._read() as db:
            row = db.execute("SELECT * FROM posts WHERE id = ?", (post_id,)).fetchone()
        return read_post(row) if row else None

    def get_posts(self, ids: Sequence[str]) -> list[StoredPost]:
        with self._read() as db:
            return get_posts(db, ids)

    def search(
        self,
        query: Query | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str = "",
        with_unmatched: bool = False,
        order: Order = Order.NEWEST,
        count_up_to: int | None = None,
    ) -> SearchPage:
        condition = translate(query, with_unmatched)
        asked = Asked(condition, narrow(condition, since, until), limit, cursor, with_unmatched, order, count_up_to)
        with self._read() as db:
            return search_mentions(db, asked)

    def count(
        self,
        dims: Sequence[Dim],
        query: Query | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        copies: bool = True,
    ) -> list[CountRow]:
        condition = translate(query)
        span = narrow(condition, since, until)
        with self._read() as db:
            return count_mentions(db, dims, condition, span.since, span.until, copies)

    def bins(
        self,
        subject: str,
        since: datetime,
        until: datetime,
        seconds: int,
        *,
        sources: Sequence[str] = (),
        copies: bool = False,
    ) -> list[Bin]:
        with self._read() as db:
            return read_bins(db, subject, since, until, seconds, sources, copies)

    def volumes(self, since: datetime, until: datetime) -> Mapping[str, int]:
        span = Span(to_ms(floor_time(since, 3600)), to_ms(until))
        with self._read() as db:
            rows = count_mentions(db, [Dim.SOURCE], Condition(rolled=()), span.since, span.until, True)
        return {row.key[0]: row.mentions for row in rows}

    def significant_terms(
        self, query: Query, *, since: datetime, until: datetime, limit: int = 20
    ) -> list[tuple[str, float, int]]:
        condition = translate(query)
        with self._read() as db:
            return read_terms(db, condition, since, until, limit)

    def correct_mention(
        self, mention_id: str, *, user: str, now: datetime, sentiment: str = "", acts: Sequence[str] = (), severity: str = ""
    ) -> Mention:
        with self._write() as db:
            return correct_mention(db, mention_id, read_correction(sentiment, acts, severity), user)

    def delete_posts(self, *, author_key: str = "", source: str = "", before: datetime | None = None) -> int:
        wheres, parameters = [], []
        for sql, value in (
            ("author_key = ?", author_key),
            ("source = ?", source),
            ("counted_ms < ?", before and to_ms(before)),
        ):
            if value:
                wheres.append(sql)
                parameters.append(value)
        if not wheres:
            raise StoreError("删除条件是空的", where="delete_posts", hint="请给出作者、来源或时间")
        where, deleted = " AND ".join(wheres), 0
        with self._read() as db:
            low, high = find_rows(db, Span(None, to_ms(before) if before else None))
            found = db.execute(f"SELECT row FROM posts WHERE row BETWEEN {low} AND {high} AND {where}", parameters)
            numbers = [row["row"] for row in found]
        for start in range(0, len(numbers), DELETE_CHUNK):
            with self._write() as db:
                deleted += delete_rows(db, where, parameters, numbers[start : start + DELETE_CHUNK])
        self._give_back()
        return deleted

    def _give_back(self) -> None:
        """Free pages beyond a reserve go back to the disk, a few thousand in each transaction."""
        with explain_sqlite(self._path):
            db = self._connection
            free, pages, mode = (
                db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count", "auto_vacuum")
            )
            spare = int(free - pages * SPARE_SHARE) if mode == 2 else 0
            for _ in range(0, spare, GIVE_BACK_PAGES):
                # not execute(): that would stop after the first page
                db.executescript(f"PRAGMA incremental_vacuum({GIVE_BACK_PAGES})")

    def read_stored(self, after: str, limit: int) -> list[StoredPost]:
        """See store/moving.py."""
        with self._read() as db:
            return read_stored(db, after, limit)

    def unjudge_posts(self, ids: Sequence[str]) -> int:
        with self._write() as db:
            return run_in(db, "UPDATE posts SET judged_ms = NULL, lease_ms = 0 WHERE judged_ms IS NOT NULL AND id IN", list(ids))

    def health(self) -> StoreHealth:
        with self._read() as db:
            posts = db.execute("SELECT COALESCE(sum(n), 0) FROM zones").fetchone()[0]
            mentions = db.execute("SELECT COALESCE(sum(n), 0) FROM days_by_source").fetchone()[0]
            unjudged = db.execute("SELECT count(*) FROM posts WHERE judged_ms IS NULL").fetchone()[0]
        detail = {"sqlite": sqlite3.sqlite_version, "checked_at": datetime.now(UTC).isoformat(timespec="seconds")}
        size = self._path.stat().st_size
        return StoreHealth("sqlite", str(self._path), posts, mentions, unjudged, size, (), detail)

    def backup(self, target: Path) -> None:
        """A consistent copy while others read and write; complete or not there. Raises StoreError."""
        back_up(self._path, target)

    def find_damage(self) -> list[str]:
        """Sentences about what is wrong, [] when all is well; reads the whole file."""
        with explain_sqlite(self._path):
            return find_damage(self._connection)

    def repair(self, say: Say = lambda what: None) -> None:
        """Builds index and roll-ups anew and gives free space back; posts and mentions stay as they are. Others cannot write meanwhile."""
        with self._write() as db:
            repair(db, say)
        with explain_sqlite(self._path):
            if self._connection.execute("PRAGMA auto_vacuum").fetchone()[0] != 2:  # a file of before version 3
                say("整理文件")
                self._connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
                self._connection.execute("VACUUM")
        self._give_back()

    def checkpoint(self) -> None:
        """Copies the write-ahead log into the file, as far as no reader holds it."""
        with explain_sqlite(self._path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()
