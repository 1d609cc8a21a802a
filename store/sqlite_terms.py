"""Words that stand out in a query, from the jieba words kept with each post."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from store import telling_words
from store.sqlite_query import Condition
from store.sqlite_search import CHUNK, Asked, find_newest, narrow
from store.telling_words import MOST_POSTS, score_words


def read_terms(
    db: sqlite3.Connection, condition: Condition, since: datetime, until: datetime, limit: int
) -> list[tuple[str, float, int]]:
    """Words of the newest mentions that meet the condition against those of the newest of the whole window."""
    front, back = (count_words(db, one, since, until) for one in (condition, Condition()))
    return score_words(front, back, limit)


def count_words(db: sqlite3.Connection, condition: Condition, since: datetime, until: datetime) -> Counter[str]:
    """Of the newest mentions."""
    keys = find_newest(db, Asked(condition, narrow(condition, since, until), MOST_POSTS), None)[0][:MOST_POSTS]
    return telling_words.count_words((author, words.split()) for author, words in read_words(db, sorted({key.post for key in keys})))


def read_words(db: sqlite3.Connection, rows: list[int]) -> Iterable[tuple[str, str]]:
    """(author or post, its words)."""
    for start in range(0, len(rows), CHUNK):
        numbers = ",".join(map(str, rows[start : start + CHUNK]))
        for row in db.execute(f"SELECT author_key, id, words FROM posts WHERE row IN ({numbers})"):
            yield row["author_key"] or row["id"], row["words"]
