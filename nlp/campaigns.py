"""Coordinated copy-paste: the same text by many authors in a short time. Reposts say where they come from and are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tingfeng.labels import PostKind

LEAST_AUTHORS = 5
WITHIN = timedelta(hours=2)
SHARED = (PostKind.REPOST, PostKind.ARTICLE)


@dataclass(frozen=True)
class Poster:
    """One post of a duplicate group: who wrote it and when. Posts without a known author are left out by the caller or do not count."""

    group: str
    author_key: str
    at: datetime
    kind: PostKind


@dataclass(frozen=True)
class Campaign:
    """`authors` is the most that posted the text within two hours, from `first_at` to `last_at`."""

    group: str
    authors: int
    first_at: datetime
    last_at: datetime


def find_campaigns(posters: Iterable[Poster]) -> Mapping[str, Campaign]:
    """Group → its busiest two hours, for groups that at least five authors posted within them."""
    groups: dict[str, list[tuple[datetime, str]]] = {}
    for poster in posters:
        if poster.author_key and poster.kind not in SHARED:
            groups.setdefault(poster.group, []).append((poster.at, poster.author_key))
    found = {group: find_busiest(group, sorted(posts)) for group, posts in groups.items()}
    return {group: one for group, one in found.items() if one.authors >= LEAST_AUTHORS}


def find_busiest(group: str, posts: list[tuple[datetime, str]]) -> Campaign:
    """The window with the most authors, the earliest of equal ones. `posts` in order of time, not empty."""
    best = Campaign(group, 0, posts[0][0], posts[0][0])
    counts: dict[str, int] = {}
    start = 0
    for at, author in posts:
        counts[author] = counts.get(author, 0) + 1
        while at - posts[start][0] > WITHIN:
            gone = posts[start][1]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
            start += 1
        if len(counts) > best.authors:
            best = Campaign(group, len(counts), posts[start][0], at)
    return best
