"""Counts, intervals and telling words. Whole hours come from the roll-up, the rest from the mentions; both say the same."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from store.posts import CountRow, Dim
from store.sqlite_query import Condition
from store.sqlite_rows import from_ms, split_marked, to_ms
from store.sqlite_search import walk_matching, window
from tingfeng.clock import SHANGHAI, floor_time
from tingfeng.query import Query
from tingfeng.records import Bin

HOUR_MS = 3_600_000
FROM_ROLL_UP = frozenset({Dim.HOUR, Dim.DAY, Dim.SOURCE, Dim.SUBJECT, Dim.SENTIMENT})
MOST_POSTS = 20_000
COLUMNS = {
    Dim.SOURCE: "m.source", Dim.SUBJECT: "m.subject", Dim.SENTIMENT: "m.sentiment", Dim.ACT: "m.acts", Dim.TOPIC: "m.topics",
    Dim.SEVERITY: "m.severity", Dim.STAGE: "m.stage", Dim.REGION: "p.region",
    Dim.PROBLEM: "p.problems", Dim.STATUS: "p.status", Dim.HOUR: f"m.counted_ms / {HOUR_MS}", Dim.DAY: f"(m.counted_ms / {HOUR_MS} + 8) / 24",
}  # fmt: skip
ROLL_COLUMNS = {
    Dim.SOURCE: "source", Dim.SUBJECT: "subject", Dim.SENTIMENT: "sentiment", Dim.HOUR: f"hour_ms / {HOUR_MS}",
    Dim.DAY: f"(hour_ms / {HOUR_MS} + 8) / 24",
}  # fmt: skip


def count_mentions(
    db: sqlite3.Connection,
    dims: Sequence[Dim],
    query: Query | None,
    condition: Condition,
    since: datetime | None,
    until: datetime | None,
    copies: bool,
) -> list[CountRow]:
    """See PostStore.count."""
    found: Counter[tuple[object, ...]] = Counter()
    if query is None and set(dims) <= FROM_ROLL_UP:
        for low, high, whole in split_span(since, until):
            found.update(
                count_rolled(db, dims, low, high, copies)
                if whole
                else count_raw(db, dims, condition, low, high, copies)
            )
    elif condition.exact:
        found = count_raw(db, dims, condition, since, until, copies)
    else:
        span, parameters = window(since, until, "m.counted_ms")
        for row in walk_matching(db, query, condition, span, parameters):
            if copies or not row["is_copy"]:
                found[tuple(value_of(dim, row) for dim in dims)] += 1
    spread: Counter[tuple[str, ...]] = Counter()
    for key, n in found.items():
        for words in spread_key(dims, key):
            spread[words] += n
    return [CountRow(key, n) for key, n in sorted(spread.items()) if n]


def split_span(since: datetime | None, until: datetime | None) -> list[tuple[datetime | None, datetime | None, bool]]:
    """Parts of a span: (from, until, whole hours?)."""
    first = since and floor_time(since, 3600) + (timedelta(hours=1) if floor_time(since, 3600) < since else timedelta())
    last = until and floor_time(until, 3600)
    if first and last and first >= last:
        return [(since, until, False)]
    parts: list[tuple[datetime | None, datetime | None, bool]] = [(first, last, True)]
    if since and first and since < first:
        parts.append((since, first, False))
    if until and last and last < until:
        parts.append((last, until, False))
    return parts


def count_rolled(
    db: sqlite3.Connection, dims: Sequence[Dim], since: datetime | None, until: datetime | None, copies: bool
) -> Counter[tuple[object, ...]]:
    """From the hourly roll-up."""
    span, parameters = window(since, until, "hour_ms")
    names = ", ".join(ROLL_COLUMNS[dim] for dim in dims)
    sql = f"SELECT {names}{', ' if names else ''}sum(n) FROM hourly WHERE 1{span}{'' if copies else ' AND is_copy = 0'}"
    rows = db.execute(sql + (f" GROUP BY {names}" if names else ""), parameters)
    return Counter({tuple(row)[:-1]: row[-1] or 0 for row in rows})


def count_raw(
    db: sqlite3.Connection,
    dims: Sequence[Dim],
    condition: Condition,
    since: datetime | None,
    until: datetime | None,
    copies: bool,
) -> Counter[tuple[object, ...]]:
    """From the mentions."""
    span, parameters = window(since, until, "m.counted_ms")
    names = ", ".join(COLUMNS[dim] for dim in dims)
    sql = (
        f"SELECT {names}{', ' if names else ''}count(*) FROM mentions m JOIN posts p ON p.row = m.post_row "
        f"WHERE {condition.sql}{span}{'' if copies else ' AND m.is_copy = 0'}"
    )
    rows = db.execute(sql + (f" GROUP BY {names}" if names else ""), [*condition.parameters, *parameters])
    return Counter({tuple(row)[:-1]: row[-1] for row in rows})


def value_of(dim: Dim, row: sqlite3.Row) -> object:
    """The value that COLUMNS would give for a row read whole."""
    if dim is Dim.HOUR:
        return row["counted_ms"] // HOUR_MS
    if dim is Dim.DAY:
        return (row["counted_ms"] // HOUR_MS + 8) // 24
    return row[{Dim.ACT: "acts", Dim.TOPIC: "topics", Dim.PROBLEM: "problems"}.get(dim, str(dim))]


def spread_key(dims: Sequence[Dim], key: tuple[object, ...]) -> list[tuple[str, ...]]:
    """Keys in words; several acts, topics or problems count once each, none counts as ''."""
    keys: list[tuple[str, ...]] = [()]
    for dim, value in zip(dims, key, strict=True):
        if dim in (Dim.ACT, Dim.TOPIC, Dim.PROBLEM):
            words = split_marked(str(value)) or [""]
        elif dim is Dim.HOUR:
            words = [datetime.fromtimestamp(int(str(value)) * 3600, SHANGHAI).strftime("%Y-%m-%dT%H:00+08:00")]
        elif dim is Dim.DAY:
            words = [datetime.fromtimestamp(int(str(value)) * 86400, UTC).strftime("%Y-%m-%d")]
        else:
            words = [str(value)]
        keys = [(*head, word) for head in keys for word in words]
    return keys


def read_bins(
    db: sqlite3.Connection,
    subject: str,
    since: datetime,
    until: datetime,
    seconds: int,
    sources: Sequence[str],
    copies: bool,
) -> list[Bin]:
    """See PostStore.bins."""
    start, step = to_ms(floor_time(since, seconds)), seconds * 1000
    chosen = f" AND source IN ({','.join('?' * len(sources))})" if sources else ""
    folded = "" if copies else " AND is_copy = 0"
    rows = db.execute(
        f"SELECT (counted_ms - ?) / ? AS place, sum(sentiment = 'negative'), count(*), sum(harm), "
        f"count(DISTINCT CASE WHEN sentiment = 'negative' AND author_key <> '' THEN author_key END) "
        f"FROM mentions INDEXED BY mentions_for_bins WHERE subject = ? AND counted_ms >= ? AND counted_ms < ?{folded}{chosen} GROUP BY place",
        (start, step, subject, start, to_ms(until), *sources),
    )
    told = {row[0]: row for row in rows}
    bins = []
    for place in range(max(0, -(-(to_ms(until) - start) // step))):
        at = from_ms(start + place * step)
        assert at is not None
        row = told.get(place)
        bins.append(Bin(at, row[1], row[2], 1.0, row[4], row[3]) if row else Bin(at, 0, 0))
    return bins


def read_volumes(db: sqlite3.Connection, since: datetime, until: datetime) -> Mapping[str, int]:
    """Mentions per source in whole hours."""
    span, parameters = window(floor_time(since, 3600), until, "hour_ms")
    return {
        row[0]: row[1]
        for row in db.execute(f"SELECT source, sum(n) FROM hourly WHERE 1{span} GROUP BY source", parameters)
    }


def read_terms(
    db: sqlite3.Connection, query: Query, condition: Condition, since: datetime, until: datetime, limit: int
) -> list[tuple[str, float, int]]:
    """Words by log-odds with a prior, as z-score (Monroe et al., 2008, "Fightin' Words"); each author counts a word once."""
    span, parameters = window(since, until, "m.counted_ms")
    front = count_words(list(walk_matching(db, query, condition, span, parameters))[:MOST_POSTS])
    every = db.execute(
        f"SELECT p.author_key, p.words, p.id FROM mentions m JOIN posts p ON p.row = m.post_row WHERE 1{span} LIMIT {MOST_POSTS}",
        parameters,
    )
    back = count_words(every.fetchall())
    total_front, total_back = sum(front.values()), sum(back.values())
    scored = []
    for word, n in front.items():
        prior, rest = 0.01 * (back[word] or 1), max(0, back[word] - n)
        a = math.log((n + prior) / (total_front + 0.01 * total_back - n - prior + 1))
        b = math.log((rest + prior) / (max(1, total_back - total_front) + 0.01 * total_back - rest - prior + 1))
        z = (a - b) / math.sqrt(1 / (n + prior) + 1 / (rest + prior))
        if n >= 2 and z > 0:
            scored.append((word, round(z, 3), n))
    return sorted(scored, key=lambda item: (-item[1], item[0]))[:limit]


def count_words(rows: Sequence[sqlite3.Row]) -> Counter[str]:
    """Each author (each post without one) counts a word once."""
    seen = {(row["author_key"] or row["id"], word) for row in rows for word in row["words"].split()}
    return Counter(word for _, word in seen)
