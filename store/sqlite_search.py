"""Newest-first search with a cursor, exact totals, any depth."""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Iterator
from datetime import datetime

from store.posts import Hit, SearchPage
from store.sqlite_query import Condition
from store.sqlite_rows import read_mention, read_post, to_ms
from tingfeng.errors import UsageError
from tingfeng.query import Query
from tingfeng.query_match import matches

MENTION = (
    "m.subject, m.sentiment, m.acts, m.probabilities, m.harm_words, m.model, m.corrected_by, m.topics, m.severity, m.stage, m.details"
)
COPIES = "CASE WHEN p.is_copy = 0 AND p.grp <> '' THEN (SELECT count(*) FROM posts c WHERE c.grp = p.grp AND c.is_copy = 1) ELSE 0 END AS copies"


def encode_cursor(counted_ms: int, id: str) -> str:
    """An opaque place in the order."""
    return base64.urlsafe_b64encode(f"{counted_ms}:{id}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[int, str]:
    """Raises UsageError for what was not made by encode_cursor."""
    try:
        at, _, id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
        return int(at), id
    except (binascii.Error, ValueError, UnicodeDecodeError) as error:
        raise UsageError(
            "翻页标记读不懂", where=f"cursor {cursor[:40]}", hint="请用上一页给出的 next_cursor"
        ) from error


def window(since: datetime | None, until: datetime | None, column: str) -> tuple[str, list[object]]:
    """` AND …` for the time span."""
    sql, parameters = "", []
    for at, op in ((since, ">="), (until, "<")):
        if at is not None:
            sql += f" AND {column} {op} ?"
            parameters.append(to_ms(at))
    return sql, list(parameters)


def search_mentions(
    db: sqlite3.Connection,
    query: Query | None,
    condition: Condition,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    cursor: str,
    with_unmatched: bool,
) -> SearchPage:
    """See PostStore.search."""
    tables = (
        "posts p LEFT JOIN mentions m ON m.post_row = p.row"
        if with_unmatched
        else "mentions m JOIN posts p ON p.row = m.post_row"
    )
    at, key = ("p.counted_ms", "COALESCE(m.id, p.id)") if with_unmatched else ("m.counted_ms", "m.id")
    span, span_parameters = window(since, until, at)
    where = f"{condition.sql}{span}"
    parameters = [*condition.parameters, *span_parameters]
    after = decode_cursor(cursor) if cursor else None
    sql = f"SELECT p.*, {MENTION}, {key} AS place, {COPIES} FROM {tables} WHERE {where}"
    if condition.exact:
        total = db.execute(f"SELECT count(*) FROM {tables} WHERE {where}", parameters).fetchone()[0]
        if after:
            sql += f" AND ({at}, {key}) < (?, ?)"
            parameters += after
        rows = db.execute(f"{sql} ORDER BY {at} DESC, {key} DESC LIMIT ?", [*parameters, limit + 1]).fetchall()
    else:
        every = [row for row in db.execute(f"{sql} ORDER BY {at} DESC, {key} DESC", parameters) if confirm(query, row)]
        total = len(every)
        rows = [row for row in every if after is None or (row["counted_ms"], row["place"]) < after][: limit + 1]
    shown = rows[:limit]
    following = encode_cursor(shown[-1]["counted_ms"], shown[-1]["place"]) if len(rows) > limit and shown else ""
    return SearchPage(tuple(read_hit(row) for row in shown), total, following)


def confirm(query: Query | None, row: sqlite3.Row) -> bool:
    """The matcher's word on a row that SQL could only guess."""
    hit = read_hit(row)
    return query is None or matches(query, hit.post, hit.mention)


def read_hit(row: sqlite3.Row) -> Hit:
    """A post with its mention, if it has one."""
    mention = read_mention(row, row["id"]) if row["subject"] is not None else None
    return Hit(read_post(row), mention, bool(row["is_copy"]), row["copies"])


def walk_matching(
    db: sqlite3.Connection, query: Query | None, condition: Condition, span: str, parameters: list[object]
) -> Iterator[sqlite3.Row]:
    """Mentions with their posts that meet the query, in no particular order."""
    sql = f"SELECT p.*, {MENTION}, m.id AS place, 0 AS copies FROM mentions m JOIN posts p ON p.row = m.post_row WHERE {condition.sql}{span}"
    for row in db.execute(sql, [*condition.parameters, *parameters]):
        if condition.exact or confirm(query, row):
            yield row
