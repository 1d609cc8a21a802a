"""Words that stand out in a query, from the jieba words kept with each post."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from store.sqlite_query import Condition
from store.sqlite_search import CHUNK, Asked, find_newest, narrow

MOST_MENTIONS = 20_000  # the newest ones of the query, and of everything beside it


def read_terms(
    db: sqlite3.Connection, condition: Condition, since: datetime, until: datetime, limit: int
) -> list[tuple[str, float, int]]:
    """Words by log-odds with a prior, as z-score (Monroe et al., 2008, "Fightin' Words"); each author counts a word once."""
    front, back = (count_words(db, one, since, until) for one in (condition, Condition()))
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


def count_words(db: sqlite3.Connection, condition: Condition, since: datetime, until: datetime) -> Counter[str]:
    """Each author (each post without one) counts a word once."""
    keys = find_newest(db, Asked(condition, narrow(condition, since, until), MOST_MENTIONS), None)[0][:MOST_MENTIONS]
    seen: set[tuple[str, str]] = set()
    for author, words in read_words(db, sorted({key.post for key in keys})):
        seen |= {(author, word) for word in words.split()}
    return Counter(word for _, word in seen)


def read_words(db: sqlite3.Connection, rows: list[int]) -> Iterable[tuple[str, str]]:
    """(author or post, its words)."""
    for start in range(0, len(rows), CHUNK):
        numbers = ",".join(map(str, rows[start : start + CHUNK]))
        for row in db.execute(f"SELECT author_key, id, words FROM posts WHERE row IN ({numbers})"):
            yield row["author_key"] or row["id"], row["words"]
