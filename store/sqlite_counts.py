"""Counts and intervals. Whole days and hours come from the roll-ups, the edges and all else from the mentions; both say the same."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from store.posts import CountRow, Dim
from store.sqlite_query import Condition
from store.sqlite_rolls import DAY_SHIFT, HOUR_MS, LABELS, QUARTER_HOURS
from store.sqlite_rows import from_ms, split_marked, to_ms
from tingfeng.clock import SHANGHAI, floor_time
from tingfeng.records import Bin

SHIFT_MS = DAY_SHIFT * HOUR_MS
# of a roll-up: column, milliseconds, shift, day in SQL
UNITS = {
    "hours": ("hour", HOUR_MS, 0, f"(hour + {DAY_SHIFT}) / 24"),
    "days": ("day", 24 * HOUR_MS, SHIFT_MS, "day"),
    "quarters": ("quarter", QUARTER_HOURS * HOUR_MS, SHIFT_MS, f"quarter / {24 // QUARTER_HOURS}"),
}
ROLLED = frozenset({Dim.HOUR, Dim.DAY, Dim.SOURCE, Dim.SUBJECT, Dim.SENTIMENT})
COLUMNS = {
    Dim.SOURCE: "m.source", Dim.SUBJECT: "m.subject", Dim.SENTIMENT: "m.sentiment", Dim.ACT: "m.acts", Dim.TOPIC: "m.topics",
    Dim.SEVERITY: "m.severity", Dim.STAGE: "m.stage", Dim.REGION: "p.region", Dim.PROBLEM: "p.problems", Dim.STATUS: "p.status",
    Dim.HOUR: f"m.counted_ms / {HOUR_MS}", Dim.DAY: f"(m.counted_ms / {HOUR_MS} + {DAY_SHIFT}) / 24",
}  # fmt: skip
MARKED = (Dim.ACT, Dim.TOPIC, Dim.PROBLEM)
Edge = int | None
Found = Counter[tuple[object, ...]]


def count_mentions(
    db: sqlite3.Connection, dims: Sequence[Dim], condition: Condition, since: Edge, until: Edge, copies: bool
) -> list[CountRow]:
    """See PostStore.count."""
    labels = [dim for dim in dims if dim in LABELS]
    rest = set(dims) - set(labels)
    named = [*labels, *(one.name for one in condition.rolled or () if one.name in LABELS)]
    kept = ROLLED - {Dim.HOUR, Dim.SOURCE} if named else ROLLED
    if condition.rolled is not None and rest <= kept and len(named) <= 1 and not (named and names_source(condition)):
        found = count_rolled(db, dims, condition, *widen(db, since, until), copies)
    else:
        found = spread(dims, count_raw(db, dims, condition, since, until, copies))
    return [CountRow(key, n) for key, n in sorted(found.items()) if n]


def count_all(db: sqlite3.Connection, condition: Condition, since: Edge, until: Edge) -> int:
    """How many mentions meet a condition of rolled fields."""
    return sum(count_rolled(db, (), condition, *widen(db, since, until), True).values())


def names_source(condition: Condition) -> bool:
    """Whether the condition is about sources."""
    return any(one.name == "source" for one in condition.rolled or ())


def widen(db: sqlite3.Connection, since: Edge, until: Edge) -> tuple[Edge, Edge]:
    """Edges beyond all posts are no edges, so that "until now" needs no look at single mentions."""
    oldest, newest = db.execute("SELECT min(oldest_ms), max(newest_ms) FROM zones").fetchone()
    if oldest is None:
        return since, until
    return None if since is not None and since <= oldest else since, None if until is not None and until > newest else until


def split_span(since: Edge, until: Edge, size: int, shift: int = 0) -> tuple[tuple[Edge, Edge] | None, list[tuple[Edge, Edge]]]:
    """(whole units inside, what is left at the edges)."""
    first = None if since is None else -(-(since + shift) // size) * size - shift
    last = None if until is None else (until + shift) // size * size - shift
    if first is not None and last is not None and first >= last:
        return None, [(since, until)]
    left = [(since, first)] if since != first else []
    return (first, last), left + ([(last, until)] if until != last else [])


def count_rolled(
    db: sqlite3.Connection, dims: Sequence[Dim], condition: Condition, since: Edge, until: Edge, copies: bool
) -> Counter[tuple[str, ...]]:
    """Whole days, then whole hours, then single mentions; with a label whole quarters of a day, then single mentions."""
    label = next((str(dim) for dim in dims if dim in LABELS), None)
    label = label or next((one.name for one in condition.rolled or () if one.name in LABELS), None)
    found: Counter[tuple[str, ...]] = Counter()
    left: list[tuple[Edge, Edge]] = [(since, until)]
    if Dim.HOUR not in dims:
        table = "quarters_by_label" if label else "days_by_source"
        whole, left = split_span(since, until, UNITS[table.split("_")[0]][1], SHIFT_MS)
        if whole:
            found += read_cells(db, dims, condition, table, whole, copies, label)
    for start, end in left:
        rest = [(start, end)]
        if not label:
            whole, rest = split_span(start, end, HOUR_MS)
            table = "hours_by_source" if Dim.SOURCE in dims or names_source(condition) else "hours"
            if whole:
                found += read_cells(db, dims, condition, table, whole, copies, label)
        for low, high in rest:
            found += spread(dims, count_raw(db, dims, condition, low, high, copies))
    return found


def read_cells(
    db: sqlite3.Connection,
    dims: Sequence[Dim],
    condition: Condition,
    table: str,
    span: tuple[Edge, Edge],
    copies: bool,
    label: str | None,
) -> Counter[tuple[str, ...]]:
    """From one roll-up."""
    unit, size, shift, day = UNITS[table.split("_")[0]]
    columns = {Dim.HOUR: "hour", Dim.DAY: day}
    names = [columns.get(dim, "value" if dim == label else str(dim)) for dim in dims]
    wheres = ["dim = ?" if label else "1"]
    parameters: list[object] = [label] if label else []
    for edge, op in zip(span, (">=", "<"), strict=True):
        if edge is not None:
            wheres.append(f"{unit} {op} ?")
            parameters.append((edge + shift) // size)
    for field in condition.rolled or ():
        name = "value" if field.name == label else field.name
        wheres.append(f"{name} IN ({','.join('?' * len(field.values))})")
        parameters += field.values
    if not copies:
        wheres.append("is_copy = 0")
    chosen = "".join(f"{name}, " for name in names)
    group = f" GROUP BY {', '.join(names)}" if names else ""
    rows = db.execute(f"SELECT {chosen}sum(n) FROM {table} WHERE {' AND '.join(wheres)}{group}", parameters)
    found: Counter[tuple[str, ...]] = Counter()
    for *key, n in rows:
        found[tuple(word_of(dim, value) for dim, value in zip(dims, key, strict=True))] += n or 0
    return found


def count_raw(
    db: sqlite3.Connection, dims: Sequence[Dim], condition: Condition, since: Edge, until: Edge, copies: bool
) -> Found:
    """From the mentions."""
    names = [COLUMNS[dim] for dim in dims]
    needs_posts = condition.reads_posts or any(name.startswith("p.") for name in names)
    if condition.match:
        posts = "CROSS JOIN posts p ON p.row = search.rowid " if needs_posts else ""
        source = f"search {posts}CROSS JOIN mentions m ON m.post_row = search.rowid"
    else:
        source = "mentions m" + (" CROSS JOIN posts p ON p.row = m.post_row" if needs_posts else "")
    where = ("search MATCH :match AND " if condition.match else "") + condition.sql
    where += " AND m.counted_ms >= :since" if since is not None else ""
    where += " AND m.counted_ms < :until" if until is not None else ""
    where += "" if copies else " AND m.is_copy = 0"
    chosen = "".join(f"{name}, " for name in names)
    group = f" GROUP BY {', '.join(names)}" if names else ""
    bounds = {"lo": -(1 << 62), "hi": 1 << 62, "match": condition.match, "since": since, "until": until}
    rows = db.execute(f"SELECT {chosen}count(*) FROM {source} WHERE {where}{group}", {**condition.parameters, **bounds})
    return Counter({tuple(key): n for *key, n in rows})


def spread(dims: Sequence[Dim], found: Found) -> Counter[tuple[str, ...]]:
    """Keys in words; several acts, topics or problems count once each, none counts as ''."""
    told: Counter[tuple[str, ...]] = Counter()
    for key, n in found.items():
        keys: list[tuple[str, ...]] = [()]
        for dim, value in zip(dims, key, strict=True):
            words = (split_marked(str(value)) or [""]) if dim in MARKED else [word_of(dim, value)]
            keys = [(*head, word) for head in keys for word in words]
        for words_of_key in keys:
            told[words_of_key] += n
    return told


@lru_cache(maxsize=1 << 14)
def word_of(dim: Dim, value: object) -> str:
    """One value as it is shown."""
    if dim is Dim.HOUR:
        return datetime.fromtimestamp(int(str(value)) * 3600, SHANGHAI).strftime("%Y-%m-%dT%H:00+08:00")
    if dim is Dim.DAY:
        return datetime.fromtimestamp(int(str(value)) * 86400, UTC).strftime("%Y-%m-%d")
    return str(value)


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
        f"FROM mentions INDEXED BY mentions_by_subject WHERE subject = ? AND counted_ms >= ? AND counted_ms < ?{folded}{chosen} GROUP BY place",
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
