"""The PostStore contract. SQLitePostStore is the reference reading; every engine passes the same suite and gives equal answers.

Times are aware UTC; `since` is inclusive, `until` exclusive, both on `Post.counted_at`. Days and hours in counts are those
of Asia/Shanghai. Every verb raises StoreError (what, where, what to do) when the engine refuses, and is atomic: all or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from tingfeng.query import Query
from tingfeng.records import Bin, JudgedPost, Mention, Post

PATIENCE_SECONDS = 60  # how long a claim may wait for others, and clocks may differ: who asked earlier may be served later


class Dim(StrEnum):
    """What mentions can be counted by."""

    HOUR = "hour"
    DAY = "day"
    SOURCE = "source"
    SUBJECT = "subject"
    SENTIMENT = "sentiment"
    ACT = "act"
    TOPIC = "topic"
    SEVERITY = "severity"
    STAGE = "stage"
    REGION = "region"
    PROBLEM = "problem"
    STATUS = "status"


class Order(StrEnum):
    """How hits are ordered. RELEVANCE: the best match first, by the engine's own bm25; engines may differ in it, and it moves as posts come."""

    NEWEST = "newest"
    RELEVANCE = "relevance"


@dataclass(frozen=True)
class AddResult:
    """Ids by fate. new: stored; changed: text, status or engagement differed; seen: nothing new.

    Only where a cluster is behind it: spooled: kept on this machine until the cluster is back, its fate not known yet;
    refused: a dead letter, which the cluster will not take as it is.
    """

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    spooled: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A mention with its post; a post that mentions no subject has `mention` None. `copies` counts later copies of the text."""

    post: Post
    mention: Mention | None
    is_copy: bool = False
    copies: int = 0


@dataclass(frozen=True)
class SearchPage:
    """Newest first. `total` counts all hits of the query, or with `total_is_least` at least so many; `next_cursor` '' at the end."""

    hits: tuple[Hit, ...]
    total: int
    next_cursor: str = ""
    total_is_least: bool = False


@dataclass(frozen=True)
class CountRow:
    """Mentions for one combination of dimension values, in the order of the dims asked for."""

    key: tuple[str, ...]
    mentions: int


@dataclass(frozen=True)
class NearPost:
    """A stored post that shares a band key: candidate original of a copy."""

    post_id: str
    signature: int
    duplicate_group: str


@dataclass(frozen=True)
class StoreHealth:
    """What `doctor` shows: `problems` is empty when all is well."""

    engine: str
    location: str
    posts: int
    mentions: int
    unjudged: int
    bytes: int
    problems: tuple[str, ...] = ()
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredPost:
    """A post with what was judged last, corrections included (None: never judged). `judged` False: it waits to be judged (again)."""

    post: Post
    judgement: JudgedPost | None
    judged: bool


class PostStore(Protocol):
    """Posts and mentions, kept once."""

    def add_posts(self, posts: Iterable[Post]) -> AddResult:
        """Stores each post once per id; idempotent. `first_seen_at` of the first sight stands. A changed text makes the post unjudged again.

        With a change the times of the new sight count, so the post and its mentions move to its new `counted_at`.
        """
        ...

    def known_ids(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of `ids` that are stored."""
        ...

    def claim_posts(self, worker: str, limit: int, now: datetime, lease_seconds: int = 600) -> list[Post]:
        """Unjudged posts, oldest counted_at first, leased to `worker`; disjoint between workers; a lease that ran out is free again.

        So is one that ends later than `PATIENCE_SECONDS` after one taken now would: it was taken before the clock was put back.
        """
        ...

    def save_judged(self, judged: Sequence[JudgedPost], now: datetime) -> None:
        """Replaces the mentions of each post, keeps human corrections, updates roll-ups, ends the lease. Unknown posts are ignored."""
        ...

    def mark_unjudged(self, query: Query | None = None) -> int:
        """Makes posts (all, or those that match) unjudged again, for a new model or new subjects; returns how many."""
        ...

    def near_posts(self, band_keys: Sequence[int], since: datetime) -> list[NearPost]:
        """Judged posts since `since` that share at least one band key, oldest counted_at first."""
        ...

    def get_group(self, groups: Sequence[str], since: datetime) -> list[StoredPost]:
        """Judged posts of these groups of copies since `since`, the first of a group among them; oldest counted_at first."""
        ...

    def get_post(self, post_id: str) -> Post | None: ...

    def get_posts(self, ids: Sequence[str]) -> list[StoredPost]:
        """Those of `ids` that are stored, in this order, with their judgements."""
        ...

    def unjudge_posts(self, ids: Sequence[str]) -> int:
        """Makes these posts unjudged, keeping what was judged; returns how many were judged."""
        ...

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
        """Mentions newest first (`counted_at`, then id, descending); any depth by cursor; stable while others write.

        `with_unmatched` adds posts without any subject. `count_up_to`: None counts every hit; else counting may stop there or before (0: do
        not count) and `total_is_least` says so. By relevance a query without words is newest first, an engine may rank
        only the latest 20,000 posts that hold the words, and a cursor is not stable under writes.
        Raises QuerySyntaxError for a query that only monitoring may use.
        """
        ...

    def count(
        self,
        dims: Sequence[Dim],
        query: Query | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        copies: bool = True,
    ) -> list[CountRow]:
        """Mentions by the dims, ordered by key. Times as `2026-11-24` and `2026-11-24T13:00+08:00`. `copies` False leaves copies out."""
        ...

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
        """Every interval of `seconds` from since to until by publish time, empty ones too, coverage 1; copies folded unless asked for.

        `harm` counts mentions with harm words, `authors` distinct authors of negatives. Posts without publish time count by first sight.
        """
        ...

    def volumes(self, since: datetime, until: datetime) -> Mapping[str, int]:
        """Mentions per source, for the weights of coverage."""
        ...

    def significant_terms(
        self, query: Query, *, since: datetime, until: datetime, limit: int = 20
    ) -> list[tuple[str, float, int]]:
        """(word, score, mentions) of words that stand out against the same window without the query; over jieba words, authors once."""
        ...

    def correct_mention(
        self, mention_id: str, *, user: str, now: datetime, sentiment: str = "", acts: Sequence[str] = (), severity: str = ""
    ) -> Mention:
        """A person's labels apply at once and survive re-judging; '' and () leave a field alone. Raises StoreError for an unknown mention."""
        ...

    def delete_posts(self, *, author_key: str = "", source: str = "", before: datetime | None = None) -> int:
        """Deletes posts that meet every given condition (at least one) with their mentions and index entries; returns how many.

        In batches, so that others can write in between; whoever is interrupted calls it again.
        """
        ...

    def health(self) -> StoreHealth: ...

    def close(self) -> None: ...
