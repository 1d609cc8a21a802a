"""ElasticsearchPostStore: posts and mentions in a cluster, with equal answers to the embedded store. See store/posts.py.

Differences that a cluster brings (docs/stores.md): a verb that fails half-way is completed by repeating it, not undone; another
process sees a write after at most a second (its own writer, and everyone after a correction, at once).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from store.correcting import correct, read_correction
from store.elasticsearch_bulk import send_items
from store.elasticsearch_client import Address, Cluster, ClusterAway, IndexBlocked, IndexGone, Json, NotAllowed
from store.elasticsearch_counts import count_mentions, read_bins, read_terms, read_volumes
from store.elasticsearch_health import read_health
from store.elasticsearch_judging import Judging
from store.elasticsearch_mending import reveal
from store.elasticsearch_query import translate
from store.elasticsearch_retention import drop_months
from store.elasticsearch_rows import pack_mention, read_stored, unpack_mention, unpack_post, with_judgement
from store.elasticsearch_schema import Indices, Layout
from store.elasticsearch_search import SHOWN, Asked, scope, search_mentions, span, walk_mentions
from store.elasticsearch_spool import DeadLetter, Spool
from store.elasticsearch_truth import Held, Truths, explain_missing
from store.posts import AddResult, CountRow, Dim, NearPost, Order, SearchPage, StoredPost, StoreHealth
from store.sqlite_rows import to_ms
from tingfeng.errors import StoreError
from tingfeng.query import Query
from tingfeng.records import Bin, JudgedPost, Mention, Post

BATCH = 2000
ROUNDS = 50
Answer = TypeVar("Answer")


class ElasticsearchPostStore:
    """Safe to share between threads and to open many times. Nothing is sent before the first verb."""

    def __init__(self, address: Address, spool_file: Path, *, spool_limit: int = 200_000, layout: Layout | None = None) -> None:
        self.cluster = Cluster(address)
        self.layout = layout or Layout()
        self.indices = Indices(self.cluster, self.layout)
        self.spool = Spool(spool_file, spool_limit)
        self.truths = Truths(self.indices, self._bury)
        self._unseen = threading.Event()
        self._unseen.set()  # the first read shows what other processes have just written
        self.judging = Judging(self.truths, self._unseen.set)
        self._dead: set[str] = set()

    def _bury(self, kind: str, post_id: str, source: Json, reason: str) -> None:
        self._dead.add(post_id)
        self.spool.bury(kind, post_id, source, reason)

    def _write(self, verb: Callable[[], Answer]) -> Answer:
        """Runs a verb that writes."""
        self._unseen.set()
        return self._again(verb)

    def _again(self, verb: Callable[[], Answer]) -> Answer:
        """Runs a verb; once more when the indices have been switched or dropped under it."""
        try:
            return verb()
        except (IndexGone, IndexBlocked) as trouble:
            before = self.indices.number
            self.indices.forget()
            if self.indices.number == before and not isinstance(trouble, IndexGone):
                raise
            return verb()

    def _read(self) -> Indices:
        """The indices, showing at least what this store has written."""
        _ = self.indices.number
        if self._unseen.is_set():
            self._unseen.clear()
            for family in ("posts", "mentions"):
                self.cluster.refresh(self.indices.alias(family))
        return self.indices

    def add_posts(self, posts: Iterable[Post]) -> AddResult:
        latest = list({post.id: post for post in posts}.values())
        try:
            self.drain()
            parts = [self._write(lambda part=part: self.truths.add(part)) for part in split(latest, BATCH)]  # type: ignore[misc]
        except ClusterAway as trouble:
            return AddResult(spooled=self.spool.put(latest, trouble))
        ids = {name: tuple(id for part in parts for id in getattr(part, name) if id not in self._dead) for name in ("new", "changed", "seen")}
        refused = tuple(post.id for post in latest if post.id in self._dead)
        self._dead.clear()
        return AddResult(**ids, refused=refused)

    def drain(self) -> int:
        """Writes what waits in the spool, oldest first; returns how many. Raises ClusterAway while the cluster cannot take it."""
        done = 0
        if not self.spool.waiting():
            return done
        with self.spool.draining() as alone:
            while alone and (waiting := self.spool.peek(BATCH)):
                self._write(lambda part=waiting: self.truths.add([post for _, post in part]))  # type: ignore[misc]
                self.spool.drop_spooled(waiting[-1][0])
                done += len(waiting)
        return done

    def retry_letters(self, letters: Sequence[DeadLetter]) -> int:
        """Writes dead letters once more; those that are taken now are forgotten. Returns how many."""
        done = 0
        for letter in letters:
            if letter.post is None:
                continue
            self._dead.clear()
            self._write(lambda post=letter.post: self.truths.restore(post))  # type: ignore[misc]
            if letter.post_id not in self._dead:
                done += self.spool.drop_letters([letter.number])
        return done

    def known_ids(self, ids: Sequence[str]) -> frozenset[str]:
        found = self._again(lambda: self.truths.read(list(ids)))
        return frozenset(id for id, held in found.items() if not held.truth.get("gone"))

    def claim_posts(self, worker: str, limit: int, now: datetime, lease_seconds: int = 600) -> list[Post]:
        held = self._again(lambda: self.judging.claim(worker, limit, to_ms(now), lease_seconds * 1000))
        return sorted((unpack_post(one.truth["post"]) for one in held), key=lambda post: (post.counted_at, post.id))

    def save_judged(self, judged: Sequence[JudgedPost], now: datetime) -> None:
        by_id = {one.post_id: one for one in judged}

        def save(part: list[str]) -> None:
            self.judging.save(part, lambda truth: with_judgement(truth, by_id[truth["id"]], to_ms(now)), to_ms(now))

        for part in split(list(by_id), BATCH):
            self._write(lambda part=part: save(part))  # type: ignore[misc]

    def mark_unjudged(self, query: Query | None = None) -> int:
        self._read()
        if query is None:
            wanted: Json = {"bool": {"filter": [{"term": {"judged": True}}], "must_not": [{"term": {"gone": True}}]}}
            ids = [held.id for held in self.truths.walk(wanted)]
        else:
            condition = translate(query)
            within = scope(condition, None, None, matched=False)
            hits = walk_mentions(self.indices, query, condition, within, SHOWN)
            ids = list(dict.fromkeys(hit["_source"]["post_id"] for hit in hits))
        return self.unjudge_posts(ids)

    def unjudge_posts(self, ids: Sequence[str]) -> int:
        return sum(self._write(lambda part=part: self._unjudge(part)) for part in split(ids, BATCH))  # type: ignore[misc]

    def read_stored(self, after: str, limit: int) -> list[StoredPost]:
        """See store/moving.py."""
        body: Json = {"query": {"bool": {"must_not": [{"term": {"gone": True}}]}}, "sort": [{"id": "asc"}], "size": limit}
        answer = self.cluster.search(self._read().alias("posts"), body | ({"search_after": [after]} if after else {}))
        return [read_stored(hit["_source"]) for hit in answer["hits"]["hits"]]

    def _unjudge(self, ids: list[str]) -> int:
        """The projection does not show whether a post is judged, so only the truth is written."""
        done = 0
        for _ in range(ROUNDS):
            held = [one for one in self.truths.read_alive(ids) if one.truth["judged"]]
            told = send_items(self.cluster, [self.truths.item({**one.truth, "judged": False}, one.condition) for one in held])
            self.judging.leases.free({one.id for one, answer in zip(held, told, strict=True) if answer.done})
            done += sum(answer.done for answer in told)
            ids = [one.id for one, answer in zip(held, told, strict=True) if answer.conflict]
            if not ids:
                return done
        raise ClusterAway("别的进程一直在改同样的帖子", where=self.cluster.address.shown, hint="请稍后重试")

    def near_posts(self, band_keys: Sequence[int], since: datetime) -> list[NearPost]:
        self._read()
        found: dict[str, Held] = {}
        for part in split(sorted({str(key) for key in band_keys}), 10_000):
            query: Json = {"bool": {"filter": [{"terms": {"bands": part}}, *span("counted_ms", since, None)], "must_not": [{"term": {"gone": True}}]}}
            found |= {held.id: held for held in self.truths.walk(query)}
        ordered = sorted(found.values(), key=lambda held: (held.truth["counted_ms"], held.id))
        return [NearPost(held.id, int(held.truth["signature"]), held.truth["group"]) for held in ordered]

    def get_group(self, groups: Sequence[str], since: datetime) -> list[StoredPost]:
        self._read()
        found: list[Held] = []
        for part in split(sorted(set(groups)), 10_000):
            filters = [{"terms": {"group": part}}, {"term": {"judged": True}}, *span("counted_ms", since, None)]
            found += self.truths.walk({"bool": {"filter": filters, "must_not": [{"term": {"gone": True}}]}})
        return [read_stored(held.truth) for held in sorted(found, key=lambda held: (held.truth["counted_ms"], held.id))]

    def get_post(self, post_id: str) -> Post | None:
        held = self._again(lambda: self.truths.read([post_id])).get(post_id)
        return None if held is None or held.truth.get("gone") else unpack_post(held.truth["post"])

    def get_posts(self, ids: Sequence[str]) -> list[StoredPost]:
        wanted = list(dict.fromkeys(ids))
        found = {id: held for part in split(wanted, BATCH) for id, held in self._again(lambda part=part: self.truths.read(part)).items()}  # type: ignore[misc]
        return [read_stored(found[id].truth) for id in wanted if id in found and not found[id].truth.get("gone")]

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
        condition = translate(query)
        within = scope(condition, since, until, matched=not with_unmatched)
        if with_unmatched:
            self._reveal(since, until)
        return search_mentions(self._read(), Asked(query, condition, within, limit, cursor, order, count_up_to))

    def _reveal(self, since: datetime | None, until: datetime | None) -> None:
        """Shows posts that nobody has judged yet; who may only read finds those that others have shown."""
        self._read()
        try:
            if self._again(lambda: reveal(self.truths, span("counted_ms", since, until))):
                self._unseen.set()
        except (NotAllowed, IndexBlocked):
            return

    def count(
        self,
        dims: Sequence[Dim],
        query: Query | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        copies: bool = True,
    ) -> list[CountRow]:
        return count_mentions(self._read(), dims, query, translate(query), since, until, copies)

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
        return read_bins(self._read(), subject, since, until, seconds, sources, copies)

    def volumes(self, since: datetime, until: datetime) -> Mapping[str, int]:
        return read_volumes(self._read(), since, until)

    def significant_terms(
        self, query: Query, *, since: datetime, until: datetime, limit: int = 20
    ) -> list[tuple[str, float, int]]:
        return read_terms(self._read(), query, translate(query), since, until, limit)

    def correct_mention(
        self, mention_id: str, *, user: str, now: datetime, sentiment: str = "", acts: Sequence[str] = (), severity: str = ""
    ) -> Mention:
        correction = read_correction(sentiment, acts, severity)
        post_id = self._post_of(mention_id)
        found: list[Mention] = []

        def change(truth: Json) -> Json | None:
            mentions = [unpack_mention(one, truth["id"]) for one in truth["mentions"]]
            found[:] = [correct(one, correction, user) for one in mentions if one.id == mention_id]
            if not found:
                return None
            return {**truth, "mentions": [pack_mention(found[0] if one.id == mention_id else one) for one in mentions]}

        self._write(lambda: self.truths.change([post_id], change, refresh=True))
        if not found:
            raise explain_missing(mention_id)
        return found[0]

    def _post_of(self, mention_id: str) -> str:
        """The post of a mention. A mention that is younger than the last refresh is looked for once more. Raises StoreError."""
        for _ in range(2):
            query: Json = {"query": {"ids": {"values": [mention_id]}}, "_source": ["post_id", "matched"], "size": 1}
            hits = self.cluster.search(self._read().alias("mentions"), query)["hits"]["hits"]
            if hits and hits[0]["_source"]["matched"]:
                return str(hits[0]["_source"]["post_id"])
            self._unseen.set()
        raise explain_missing(mention_id)

    def delete_posts(self, *, author_key: str = "", source: str = "", before: datetime | None = None) -> int:
        filters: list[Json] = [{"term": {name: value}} for name, value in (("author_key", author_key), ("source", source)) if value]
        filters += span("counted_ms", None, before)
        if not filters:
            raise StoreError("删除条件是空的", where="delete_posts", hint="请给出作者、来源或时间")
        self.drain()
        self._read()
        self.truths.sweep()
        self.spool.forget(lambda post: meets(post, author_key, source, before))
        done, part = (self._write(lambda: drop_months(self.indices, before)) if before and not author_key and not source else 0), list[Held]()
        for held in self.truths.walk({"bool": {"filter": filters, "must_not": [{"term": {"gone": True}}]}}):
            part.append(held)
            if len(part) == BATCH:
                done += self._write(lambda part=part: self.truths.delete(part))  # type: ignore[misc]
                part = []
        return done + self._write(lambda: self.truths.delete(part))

    def health(self) -> StoreHealth:
        self.indices.forget()
        return read_health(self._read(), self.spool)

    def close(self) -> None:
        self.cluster.close()


def split(values: Sequence[Answer], size: int) -> Iterator[list[Answer]]:
    """Parts of at most `size`."""
    for start in range(0, len(values), size):
        yield list(values[start : start + size])


def meets(post: Post, author_key: str, source: str, before: datetime | None) -> bool:
    """Whether a post meets every given condition of a deletion."""
    return (
        (not author_key or post.author.key == author_key)
        and (not source or post.source == source)
        and (before is None or post.counted_at < before)
    )
