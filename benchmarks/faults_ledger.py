"""What the fault benches of Elasticsearch share: who writes and judges without end, and who checks afterwards what is there."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from benchmarks.store_corpus import NOW, Corpus
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_client import ClusterAway
from tingfeng.records import JudgedPost, Post

BATCH = 50
CORPUS = Corpus(10_000_000)


@dataclass(frozen=True)
class Verdict:
    """One fault: `lost` and `doubled` of what was acknowledged, seconds until a batch was written and judged directly again."""

    name: str
    times: int
    acknowledged: int
    judged: int
    spooled: int
    lost: int
    doubled: int
    recovery_median_s: float | None
    recovery_longest_s: float | None
    load: float
    note: str = ""


@lru_cache(maxsize=4096)
def make_batch(start: int) -> tuple[list[Post], dict[str, JudgedPost]]:
    """Posts of one batch and what is judged about each, always the same."""
    posts, judged = CORPUS.batch(start, BATCH)
    return posts, {one.post_id: one for one in judged}


def judge(posts: Sequence[Post]) -> list[JudgedPost]:
    """What the corpus says about posts of its own."""
    return [make_batch(int(post.native_id) // BATCH * BATCH)[1][post.id] for post in posts]


def expect(post: Post) -> set[str]:
    """Ids of the documents that must be found for a judged post, each once."""
    [one] = judge([post])
    return {mention.id for mention in one.mentions} or {post.id}


class Writer(threading.Thread):
    """Writes, claims and judges batch after batch; remembers what was acknowledged, and what it was told while the cluster was away."""

    def __init__(self, store: ElasticsearchPostStore) -> None:
        super().__init__()
        self.store = store
        self.acknowledged: dict[str, Post] = {}
        self.judged = self.spooled = 0
        self.refusals: set[str] = set()
        self.ending = threading.Event()
        self.last_direct = time.monotonic()

    def run(self) -> None:
        start = 0
        while not self.ending.is_set():
            posts, _ = make_batch(start)
            start += BATCH
            result = self.store.add_posts(posts)
            self.acknowledged |= {post.id: post for post in posts}
            self.spooled += len(result.spooled)
            if result.spooled:
                time.sleep(0.1)
                continue
            try:
                claimed = self.store.claim_posts("writer", BATCH, NOW)
                self.store.save_judged(judge(claimed), NOW)
            except ClusterAway as trouble:
                self.refusals.add(trouble.what)
                continue
            self.judged += len(claimed)
            self.last_direct = time.monotonic()

    def wait_for(self, moment: float) -> float:
        """Seconds from a moment until a batch that ended after it was judged."""
        while self.last_direct <= moment:
            assert self.is_alive(), "the writer has failed: see above"
            time.sleep(0.02)
        return self.last_direct - moment

    def finish(self) -> None:
        """Ends."""
        self.ending.set()
        self.join()


def finish_judging(store: ElasticsearchPostStore, now: datetime = NOW) -> None:
    """What waited is written; what a judge left is judged when his lease is over."""
    store.drain()
    later = now + timedelta(days=3)
    while posts := store.claim_posts("last", 500, later):
        store.save_judged(judge(posts), later)


def check(store: ElasticsearchPostStore, acknowledged: dict[str, Post], seconds: Sequence[float], **told: object) -> Verdict:
    """Reads everything: each acknowledged post must be there with just its documents, each once."""
    documents, posts, cursor = list[str](), dict[str, Post](), ""
    while True:
        page = store.search(limit=900, with_unmatched=True, cursor=cursor, count_up_to=0)
        documents += [hit.mention.id if hit.mention else hit.post.id for hit in page.hits]
        posts |= {hit.post.id: hit.post for hit in page.hits}
        cursor = page.next_cursor
        if not cursor:
            break
    found, wanted = set(documents), {id for post in posts.values() for id in expect(post)}
    lost = len(acknowledged.keys() - posts.keys()) + len(wanted - found)
    doubled = len(documents) - len(found) + len(found - wanted) + store.health().posts - len(posts)
    fields = {
        "times": len(seconds), "acknowledged": len(acknowledged), "judged": len(posts), "spooled": 0, "lost": lost, "doubled": doubled,
        "recovery_median_s": round(statistics.median(seconds), 2) if any(seconds) else None,
        "recovery_longest_s": round(max(seconds), 2) if any(seconds) else None, "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    return Verdict(**(fields | told))  # type: ignore[arg-type]
