"""Search with a cursor, any depth. Newest first walks the zones of the file from the newest on and stops when the page is full."""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from store.posts import Hit, Order, SearchPage
from store.sqlite_counts import count_all
from store.sqlite_query import Condition
from store.sqlite_rows import read_mention, read_post, to_ms
from store.sqlite_zones import LAST_ROW, Span, find_rows, find_zones, merge_zones, zone_starts
from tingfeng.errors import UsageError

GROWTH = 3
MOST_WALKED = 1000  # hits of which the places are collected; more are only counted
MOST_CONFIRMED = 200  # the same where the matcher is asked about each: to confirm a thousand takes a tenth of a second
MOST_RANKED = 20_000
MOST_RANGES = 6  # of one round; when arrival was so far from the order of time, one pass over everything is cheaper
CHUNK = 500
COPIES = "CASE WHEN p.is_copy = 0 AND p.grp <> '' THEN (SELECT count(*) FROM posts c WHERE c.grp = p.grp AND c.is_copy = 1) ELSE 0 END AS copies"


class Key(NamedTuple):
    """A place in the order with the rows that stand there; `mention` 0 for a post without one."""

    counted_ms: int
    id: str
    mention: int
    post: int


@dataclass(frozen=True)
class Asked:
    """What one search wants."""

    condition: Condition
    span: Span
    limit: int
    cursor: str = ""
    with_unmatched: bool = False
    order: Order = Order.NEWEST
    count_up_to: int | None = None


def narrow(condition: Condition, since: datetime | None, until: datetime | None) -> Span:
    """The span of the caller within that of the query."""
    starts = [value for value in (since and to_ms(since), condition.since_ms) if value]
    ends = [value for value in (until and to_ms(until), condition.until_ms) if value]
    return Span(max(starts, default=None), min(ends, default=None))


def encode_cursor(place: int, id: str) -> str:
    """An opaque place in the order."""
    return base64.urlsafe_b64encode(f"{place}:{id}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[int, str]:
    """Raises UsageError for what was not made by encode_cursor."""
    try:
        at, _, id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
        return int(at), id
    except (binascii.Error, ValueError, UnicodeDecodeError) as error:
        raise UsageError(
            "翻页标记读不懂", where=f"cursor {cursor[:40]}", hint="请用上一页给出的 next_cursor"
        ) from error


def search_mentions(db: sqlite3.Connection, asked: Asked) -> SearchPage:
    """See PostStore.search."""
    place = decode_cursor(asked.cursor) if asked.cursor else None
    if asked.order is Order.RELEVANCE and asked.condition.match:
        total, least = count_hits(db, asked)
        done = place[0] if place and place[1] == Order.RELEVANCE else 0
        ranked = find_relevant(db, asked, done)
        hits = read_hits(db, ranked[: asked.limit])
        following = encode_cursor(done + asked.limit, Order.RELEVANCE) if len(ranked) > asked.limit else ""
        return SearchPage(hits, total, following, least)
    keys, complete = find_newest(db, asked, place)
    shown = keys[: asked.limit]
    more = len(keys) > asked.limit and shown
    total, least = (len(keys), False) if complete and not place else count_hits(db, asked)
    following = encode_cursor(shown[-1].counted_ms, shown[-1].id) if more else ""
    return SearchPage(read_hits(db, shown), total, following, least)


def tables(condition: Condition, with_unmatched: bool) -> str:
    """FROM …, in the order in which they are to be read: the index first when it knows the text."""
    if with_unmatched:
        posts = "search CROSS JOIN posts p ON p.row = search.rowid" if condition.match else "posts p"
        return f"{posts} LEFT JOIN mentions m ON m.post_row = p.row"
    posts = " CROSS JOIN posts p ON p.row = m.post_row" if condition.reads_posts else ""
    if condition.match:
        return f"search CROSS JOIN mentions m ON m.post_row = search.rowid{posts}"
    return f"mentions m INDEXED BY mentions_by_post{posts}"


def indexed_tables(condition: Condition) -> str:
    """FROM … of a query without words."""
    posts = " CROSS JOIN posts p ON p.row = m.post_row" if condition.reads_posts else ""
    if condition.few:
        return f"({condition.few}) few CROSS JOIN mentions m INDEXED BY mentions_by_post ON m.post_row = few.row{posts}"
    return f"mentions m{posts}"


def row_of(asked: Asked) -> str:
    """The column that names the row of the post in tables()."""
    return "search.rowid" if asked.condition.match else "p.row" if asked.with_unmatched else "m.post_row"


def wheres(asked: Asked) -> str:
    """WHERE …, bound to the rows :lo … :hi."""
    condition, row = asked.condition, row_of(asked)
    at = "p.counted_ms" if asked.with_unmatched else "m.counted_ms"
    text = "search MATCH :match AND " if condition.match else ""
    few = f"{row} IN ({condition.few}) AND " if condition.few else ""
    return f"{text}{row} BETWEEN :lo AND :hi AND {few}{condition.sql}{asked.span.sql(at)}"


def bind(asked: Asked, **more: object) -> dict[str, object]:
    """Parameters of a statement about the whole file; `more` may name a part of it."""
    span = {"since": asked.span.since, "until": asked.span.until, "match": asked.condition.match}
    return {"lo": -LAST_ROW, "hi": LAST_ROW, **asked.condition.parameters, **span, **more}


def count_hits(db: sqlite3.Connection, asked: Asked) -> tuple[int, bool]:
    """How many hits; (n, True) when it stopped at count_up_to."""
    if asked.count_up_to == 0:
        return 0, True
    if asked.condition.rolled is not None and not asked.with_unmatched:
        return count_all(db, asked.condition, asked.span.since, asked.span.until), False
    if asked.condition.reads_index or asked.with_unmatched:
        return count_walking(db, asked)
    sql = f"SELECT 1 FROM {indexed_tables(asked.condition)} WHERE {asked.condition.sql}{asked.span.sql('m.counted_ms')}"
    return stop_at(asked.count_up_to, db.execute(limited(sql, asked.count_up_to), bind(asked)).fetchone()[0])


def count_walking(db: sqlite3.Connection, asked: Asked) -> tuple[int, bool]:
    """Through the whole index, or zone by zone until enough are counted."""
    cap, found = asked.count_up_to, 0
    if cap is not None and "near_holds" in asked.condition.sql:
        cap = min(cap, MOST_CONFIRMED)
    sql = f"SELECT 1 FROM {tables(asked.condition, asked.with_unmatched)} WHERE {wheres(asked)}"
    if cap is None:
        low, high = find_rows(db, asked.span)
        return int(db.execute(limited(sql, None), bind(asked, lo=low, hi=high)).fetchone()[0]), False
    zones = [zone for _, zone in find_zones(db, asked.span)]
    start, size = 0, 1
    while start < len(zones) and found <= cap:
        for low, high in merge_zones(zones[start : start + size]):
            if found <= cap:
                found += db.execute(limited(sql, cap - found), bind(asked, lo=low, hi=high)).fetchone()[0]
        start, size = start + size, size * GROWTH
    return stop_at(cap, found)


def limited(sql: str, cap: int | None) -> str:
    """Counts the rows of a statement, one more than `cap` at most."""
    return f"SELECT count(*) FROM ({sql}{'' if cap is None else f' LIMIT {cap + 1}'})"


def stop_at(cap: int | None, found: int) -> tuple[int, bool]:
    """What to say of a count that stopped one behind the cap."""
    return (found, False) if cap is None or found <= cap else (cap, True)


def find_newest(db: sqlite3.Connection, asked: Asked, after: tuple[int, str] | None) -> tuple[list[Key], bool]:
    """At least one more than the limit, newest first, from behind `after`; and whether these are all.

    Hits that are so few that the walk goes on beyond one zone are collected further, so that they need not be counted again.
    """
    wanted = asked.limit + 1
    if not asked.condition.reads_index and not asked.with_unmatched:
        found = find_by_index(db, asked, after)
        return found, len(found) < wanted
    sql = newest_sql(asked, after is not None)
    zones = find_zones(db, asked.span, after[0] if after else None)
    further = max(wanted, MOST_WALKED if asked.count_up_to is None else min(asked.count_up_to, MOST_WALKED))
    found, complete = [], True
    start, size, most = 0, 1, wanted
    while start < len(zones):
        if len(found) >= wanted and found[wanted - 1].counted_ms > zones[start][0]:
            return found, False
        ranges = merge_zones(zone for _, zone in zones[start : start + size])
        if len(ranges) > MOST_RANGES:
            found, ranges, size, complete = [], [(-LAST_ROW, LAST_ROW)], len(zones), True
        for low, high in ranges:
            bound = bind(asked, lo=low, hi=high, most=most, at=after and after[0], after=after and after[1])
            rows = db.execute(sql, bound).fetchall()
            complete = complete and len(rows) < most
            found += map(Key._make, rows)
        found.sort(reverse=True)
        start, size, most = start + size, size * GROWTH, further
    return found, complete


def newest_sql(asked: Asked, behind: bool) -> str:
    """The newest :most hits in the rows :lo … :hi."""
    at, key = ("p.counted_ms", "COALESCE(m.id, p.id)") if asked.with_unmatched else ("m.counted_ms", "m.id")
    after = f" AND ({at}, {key}) < (:at, :after)" if behind else ""
    return (
        f"SELECT {at}, {key}, COALESCE(m.row, 0), {row_of(asked)} FROM {tables(asked.condition, asked.with_unmatched)} "
        f"WHERE {wheres(asked)}{after} ORDER BY 1 DESC, 2 DESC LIMIT :most"
    )


def find_by_index(db: sqlite3.Connection, asked: Asked, after: tuple[int, str] | None) -> list[Key]:
    """The same for a query without words: along the index of time, of subject and time, or of rare values."""
    behind = " AND (m.counted_ms, m.id) < (:at, :after)" if after else ""
    rows = db.execute(
        f"SELECT m.counted_ms, m.id, m.row, m.post_row FROM {indexed_tables(asked.condition)} "
        f"WHERE {asked.condition.sql}{asked.span.sql('m.counted_ms')}{behind} ORDER BY m.counted_ms DESC, m.id DESC LIMIT :wanted",
        bind(asked, wanted=asked.limit + 1, at=after and after[0], after=after and after[1]),
    )
    return [Key(*row) for row in rows]


def find_relevant(db: sqlite3.Connection, asked: Asked, done: int) -> list[Key]:
    """One more than the limit behind the first `done`, by bm25; posts are ranked by the index, the rest is asked of the best ones.

    Ranked are all posts that hold the words, or if there are many some 20,000 that came last: to rank half a million takes seconds.
    """
    low, high = find_latest(db, asked)
    ranked = db.execute(
        "SELECT rowid FROM search WHERE search MATCH :match AND rowid BETWEEN :lo AND :hi ORDER BY rank",
        bind(asked, lo=low, hi=high),
    )
    join = "LEFT JOIN" if asked.with_unmatched else "CROSS JOIN"
    at = "p.counted_ms" if asked.with_unmatched else "m.counted_ms"
    found: list[Key] = []
    while len(found) <= done + asked.limit and (chunk := ranked.fetchmany(CHUNK)):
        places = {row[0]: place for place, row in enumerate(chunk)}
        rows = db.execute(
            f"SELECT p.counted_ms, COALESCE(m.id, p.id), COALESCE(m.row, 0), p.row FROM posts p {join} mentions m ON m.post_row = p.row "
            f"WHERE p.row IN ({','.join(map(str, places))}) AND {asked.condition.sql}{asked.span.sql(at)}",
            bind(asked),
        )
        found += sorted((Key(*row) for row in rows), key=lambda key: (places[key.post], key.id))
    ranked.close()
    return found[done : done + asked.limit + 1]


def find_latest(db: sqlite3.Connection, asked: Asked) -> tuple[int, int]:
    """Rows of the span in which the words stand in at least MOST_RANKED posts, if there are so many; the rows that came last."""
    low, high = find_rows(db, asked.span)
    starts = zone_starts(db, low, high)
    sql = "SELECT count(*) FROM search WHERE search MATCH :match AND rowid BETWEEN :lo AND :hi"
    found, start, size, top = 0, 0, 4, high
    while start < len(starts) and found < MOST_RANKED:
        bottom = starts[min(start + size, len(starts)) - 1]
        found += db.execute(sql, bind(asked, lo=bottom, hi=top)).fetchone()[0]
        top, start, size = bottom - 1, start + size, size * 2
    return max(low, top + 1), high


def read_hits(db: sqlite3.Connection, keys: Sequence[Key]) -> tuple[Hit, ...]:
    """The records of the places, in their order."""
    posts: dict[int, sqlite3.Row] = {}
    mentions: dict[int, sqlite3.Row] = {}
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        numbers = ",".join(str(key.post) for key in chunk)
        posts |= {row["row"]: row for row in db.execute(f"SELECT p.*, {COPIES} FROM posts p WHERE row IN ({numbers})")}
        numbers = ",".join(str(key.mention) for key in chunk)
        mentions |= {row["row"]: row for row in db.execute(f"SELECT * FROM mentions WHERE row IN ({numbers})")}
    hits = []
    for key in keys:
        post, mention = posts[key.post], mentions.get(key.mention)
        told = read_mention(mention, post["id"]) if mention is not None else None
        hits.append(Hit(read_post(post), told, bool(post["is_copy"]), post["copies"]))
    return tuple(hits)
