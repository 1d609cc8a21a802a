"""SQLitePostStore: posts and mentions in one file. WAL, full-text search over characters, hourly roll-up in the same transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from store.posts import AddResult, CountRow, Dim, Hit, NearPost, SearchPage, StoreHealth
from store.sqlite_counts import count_mentions, read_bins, read_terms, read_volumes
from store.sqlite_query import translate
from store.sqlite_rows import (
    POST_COLUMNS,
    dump,
    index_text,
    join_marked,
    pack_details,
    post_row,
    read_mention,
    read_post,
    to_ms,
)
from store.sqlite_schema import connect, explain_sqlite, prepare
from store.sqlite_search import search_mentions
from tingfeng.errors import StoreError
from tingfeng.labels import Sentiment
from tingfeng.query import Query
from tingfeng.records import Bin, JudgedPost, Mention, Post

CHUNK = 500
HOUR_MS = 3_600_000
INSERT = f"INSERT INTO posts ({','.join(POST_COLUMNS)}) VALUES ({','.join('?' * len(POST_COLUMNS))})"
# what a later sight of a post may change; first_seen_ms, counted_ms of an undated post and the judgement stay
CHANGING = tuple(
    name for name in POST_COLUMNS if name not in ("id", "source", "native_id", "first_seen_ms", "counted_ms")
)
ROLL_UP = (
    "INSERT INTO hourly (hour_ms, subject, source, sentiment, is_copy, n) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET n = n + excluded.n"
)
Roll = tuple[int, str, str, str, int]


class SQLitePostStore:
    """See store/posts.py for what each verb promises. Safe to share between threads: each has its own connection."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path, self._read_only = path, read_only
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        with explain_sqlite(path):
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            prepare(self._connection, path, read_only)

    @property
    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = connect(self._path, self._read_only)
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
        latest = {post.id: post for post in posts}
        new: list[str] = []
        changed: list[str] = []
        seen: list[str] = []
        with self._write() as db:
            known = {
                row["id"]: row
                for row in select_in(
                    db, "SELECT row, id, text_hash, state_hash, title, text FROM posts WHERE id IN", list(latest)
                )
            }
            fresh = [post for post in latest.values() if post.id not in known]
            db.executemany(INSERT, [post_row(post) for post in fresh])
            rows = {
                row["id"]: row["row"]
                for row in select_in(db, "SELECT row, id FROM posts WHERE id IN", [post.id for post in fresh])
            }
            db.executemany(
                "INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)",
                [(rows[post.id], index_text(post.title), index_text(post.text)) for post in fresh],
            )
            new += [post.id for post in fresh]
            for post in latest.values():
                if post.id in known:
                    (changed if update_post(db, known[post.id], post) else seen).append(post.id)
        return AddResult(tuple(new), tuple(changed), tuple(seen))

    def known_ids(self, ids: Sequence[str]) -> frozenset[str]:
        with self._read() as db:
            return frozenset(row["id"] for row in select_in(db, "SELECT id FROM posts WHERE id IN", list(ids)))

    def claim_posts(self, worker: str, limit: int, now: datetime, lease_seconds: int = 600) -> list[Post]:
        with self._write() as db:
            rows = db.execute(
                "UPDATE posts SET lease_owner = ?, lease_ms = ? WHERE row IN (SELECT row FROM posts WHERE judged_ms IS NULL "
                "AND lease_ms <= ? ORDER BY counted_ms, id LIMIT ?) RETURNING *",
                (worker, to_ms(now) + lease_seconds * 1000, to_ms(now), limit),
            ).fetchall()
        return sorted((read_post(row) for row in rows), key=lambda post: (post.counted_at, post.id))

    def save_judged(self, judged: Sequence[JudgedPost], now: datetime) -> None:
        by_id = {one.post_id: one for one in judged}
        with self._write() as db:
            posts = {
                row["id"]: row
                for row in select_in(
                    db, "SELECT row, id, counted_ms, source, author_key FROM posts WHERE id IN", list(by_id)
                )
            }
            numbers = [row["row"] for row in posts.values()]
            old = select_in(db, "SELECT * FROM mentions WHERE post_row IN", numbers)
            rolls: Counter[Roll] = Counter()
            for row in old:
                rolls[roll_of(row)] -= 1
            kept = {row["id"]: row for row in old if row["corrected_by"]}
            run_in(db, "DELETE FROM mentions WHERE post_row IN", numbers)
            run_in(db, "DELETE FROM bands WHERE post_row IN", numbers)
            mentions = [
                mention_row(posts[id], one, mention, kept)
                for id, one in by_id.items()
                if id in posts
                for mention in one.mentions
            ]
            db.executemany(f"INSERT INTO mentions VALUES ({','.join('?' * 18)})", mentions)
            for values in mentions:
                rolls[
                    (
                        int(str(values[3])) // HOUR_MS * HOUR_MS,
                        str(values[2]),
                        str(values[4]),
                        str(values[6]),
                        int(str(values[11])),
                    )
                ] += 1
            db.executemany(
                "INSERT OR IGNORE INTO bands VALUES (?, ?)",
                [(key, posts[id]["row"]) for id, one in by_id.items() if id in posts for key in one.band_keys],
            )
            db.executemany(
                "UPDATE posts SET judged_ms = ?, content = ?, grp = ?, is_copy = ?, signature = ?, words = ?, "
                "lease_owner = '', lease_ms = 0 WHERE row = ?",
                [
                    (
                        to_ms(now),
                        str(one.content),
                        one.duplicate_group or id,
                        int(one.is_copy),
                        to_signed(one.signature),
                        " ".join(one.words),
                        posts[id]["row"],
                    )
                    for id, one in by_id.items()
                    if id in posts
                ],
            )
            roll_up(db, rolls)

    def mark_unjudged(self, query: Query | None = None) -> int:
        if query is None:
            with self._write() as db:
                return db.execute(
                    "UPDATE posts SET judged_ms = NULL, lease_ms = 0 WHERE judged_ms IS NOT NULL"
                ).rowcount
        ids = [hit.post.id for hit in self._walk(query)]
        with self._write() as db:
            return run_in(
                db,
                "UPDATE posts SET judged_ms = NULL, lease_ms = 0 WHERE judged_ms IS NOT NULL AND id IN",
                sorted(set(ids)),
            )

    def _walk(self, query: Query) -> Iterator[Hit]:
        page = self.search(query, limit=CHUNK, with_unmatched=True)
        yield from page.hits
        while page.next_cursor:
            page = self.search(query, limit=CHUNK, cursor=page.next_cursor, with_unmatched=True)
            yield from page.hits

    def near_posts(self, band_keys: Sequence[int], since: datetime) -> list[NearPost]:
        with self._read() as db:
            rows = select_in(
                db,
                f"SELECT DISTINCT p.id, p.signature, p.grp, p.counted_ms FROM bands b JOIN posts p ON p.row = b.post_row "
                f"WHERE p.counted_ms >= {to_ms(since)} AND b.key IN",
                list(band_keys),
            )
        found = {row["id"]: row for row in rows}
        ordered = sorted(found.values(), key=lambda row: (row["counted_ms"], row["id"]))
        return [NearPost(row["id"], from_signed(row["signature"]), row["grp"]) for row in ordered]

    def get_post(self, post_id: str) -> Post | None:
        with self._read() as db:
            row = db.execute("SELECT * FROM posts WHERE id = ?", (post_id,)).fetchone()
        return read_post(row) if row else None

    def search(
        self,
        query: Query | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str = "",
        with_unmatched: bool = False,
    ) -> SearchPage:
        condition = translate(query)
        with self._read() as db:
            return search_mentions(db, query, condition, since, until, limit, cursor, with_unmatched)

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
        with self._read() as db:
            return count_mentions(db, dims, query, condition, since, until, copies)

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
        with self._read() as db:
            return read_volumes(db, since, until)

    def significant_terms(
        self, query: Query, *, since: datetime, until: datetime, limit: int = 20
    ) -> list[tuple[str, float, int]]:
        condition = translate(query)
        with self._read() as db:
            return read_terms(db, query, condition, since, until, limit)

    def correct_mention(self, mention_id: str, *, sentiment: str, user: str, now: datetime) -> Mention:
        label = Sentiment(sentiment)
        with self._write() as db:
            row = db.execute(
                "SELECT m.*, p.id AS post_id FROM mentions m JOIN posts p ON p.row = m.post_row WHERE m.id = ?",
                (mention_id,),
            ).fetchone()
            if row is None:
                raise StoreError("没有这条提及", where=mention_id, hint="可能已经删除或重新判断")
            db.execute(
                "UPDATE mentions SET sentiment = ?, corrected_by = ? WHERE id = ?", (str(label), user, mention_id)
            )
            key = roll_of(row)
            moved: Counter[Roll] = Counter({key: -1})
            moved[(*key[:3], str(label), key[4])] += 1
            roll_up(db, moved)
        return replace(read_mention(row, row["post_id"]), sentiment=label, corrected_by=user)

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
        with self._write() as db:
            rows = db.execute(f"SELECT row, title, text FROM posts WHERE {' AND '.join(wheres)}", parameters).fetchall()
            numbers = [row["row"] for row in rows]
            rolls: Counter[Roll] = Counter()
            for row in select_in(db, "SELECT * FROM mentions WHERE post_row IN", numbers):
                rolls[roll_of(row)] -= 1
            for table in ("mentions", "bands"):
                run_in(db, f"DELETE FROM {table} WHERE post_row IN", numbers)
            db.executemany(
                "INSERT INTO search (search, rowid, title, body) VALUES ('delete', ?, ?, ?)",
                [(row["row"], index_text(row["title"]), index_text(row["text"])) for row in rows],
            )
            run_in(db, "DELETE FROM posts WHERE row IN", numbers)
            roll_up(db, rolls)
        return len(rows)

    def health(self) -> StoreHealth:
        with self._read() as db:
            check = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            posts, mentions = (
                db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("posts", "mentions")
            )
            unjudged = db.execute("SELECT count(*) FROM posts WHERE judged_ms IS NULL").fetchone()[0]
        problems = () if check == "ok" else (f"数据库自检没有通过:{check}",)
        detail = {"sqlite": sqlite3.sqlite_version, "checked_at": datetime.now(UTC).isoformat(timespec="seconds")}
        return StoreHealth(
            "sqlite", str(self._path), posts, mentions, unjudged, self._path.stat().st_size, problems, detail
        )

    def backup(self, target: Path) -> None:
        """A consistent copy while others read and write. Raises StoreError."""
        with explain_sqlite(target):
            copy = sqlite3.connect(target)
            try:
                self._connection.backup(copy)
            finally:
                copy.close()

    def close(self) -> None:
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()


def select_in(db: sqlite3.Connection, sql: str, values: Sequence[object]) -> list[sqlite3.Row]:
    """`sql (?, ?, …)` in chunks."""
    found: list[sqlite3.Row] = []
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        found += db.execute(f"{sql} ({','.join('?' * len(chunk))})", tuple(chunk)).fetchall()
    return found


def run_in(db: sqlite3.Connection, sql: str, values: Sequence[object]) -> int:
    """The same for a change; returns how many rows."""
    total = 0
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        total += db.execute(f"{sql} ({','.join('?' * len(chunk))})", tuple(chunk)).rowcount
    return total


def update_post(db: sqlite3.Connection, old: sqlite3.Row, post: Post) -> bool:
    """Writes what changed; the index and the judgement are touched only when the text did."""
    row = dict(zip(POST_COLUMNS, post_row(post), strict=True))
    text_changed = row["text_hash"] != old["text_hash"]
    if not text_changed and row["state_hash"] == old["state_hash"]:
        return False
    names = [name for name in CHANGING if row[name] is not None]
    unjudge = ", judged_ms = NULL, lease_ms = 0" if text_changed else ""
    db.execute(
        f"UPDATE posts SET {', '.join(f'{name} = ?' for name in names)}{unjudge} WHERE row = ?",
        (*(row[name] for name in names), old["row"]),
    )
    if text_changed:
        db.execute(
            "INSERT INTO search (search, rowid, title, body) VALUES ('delete', ?, ?, ?)",
            (old["row"], index_text(old["title"]), index_text(old["text"])),
        )
        db.execute(
            "INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)",
            (old["row"], index_text(post.title), index_text(post.text)),
        )
    return True


def mention_row(
    post: sqlite3.Row, one: JudgedPost, mention: Mention, kept: Mapping[str, sqlite3.Row]
) -> tuple[object, ...]:
    """Values of a row of `mentions`; a person's label stands."""
    corrected = kept.get(mention.id)
    return (
        mention.id, post["row"], mention.subject, post["counted_ms"], post["source"], post["author_key"],
        corrected["sentiment"] if corrected else str(mention.sentiment), join_marked(mention.acts), dump(dict(mention.probabilities)),
        join_marked(mention.harm_words), int(bool(mention.harm_words)), int(one.is_copy), mention.model,
        corrected["corrected_by"] if corrected else mention.corrected_by,
        join_marked(sorted({str(opinion.topic) for opinion in mention.opinions})), str(mention.severity or ""), str(mention.stage or ""),
        pack_details(mention),
    )  # fmt: skip


def roll_of(row: sqlite3.Row) -> Roll:
    """The cell of the roll-up that a mention counts in."""
    return (row["counted_ms"] // HOUR_MS * HOUR_MS, row["subject"], row["source"], row["sentiment"], row["is_copy"])


def roll_up(db: sqlite3.Connection, rolls: Counter[Roll]) -> None:
    """Adds the differences; cells that fall to nothing go."""
    moved = [(*key, n) for key, n in rolls.items() if n]
    db.executemany(ROLL_UP, moved)
    db.executemany(
        "DELETE FROM hourly WHERE hour_ms = ? AND subject = ? AND source = ? AND sentiment = ? AND is_copy = ? AND n <= 0",
        [values[:5] for values in moved if values[5] < 0],
    )


def to_signed(value: int) -> int:
    """An unsigned 64-bit number as SQLite keeps it."""
    return value - (1 << 64) if value >> 63 else value


def from_signed(value: int) -> int:
    """The opposite of to_signed."""
    return value & ((1 << 64) - 1)
