"""Judging: claims posts, saves judgements with one bulk, mends what a killed judge left.

Truths and their documents in `mentions` are written together, in no order, under the sequence numbers of the claim. That may be cut off
anywhere: the lease names the posts until it is over, and then `mend` compares the documents' versions with the truth's `rev`.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from store.elasticsearch_leases import Lease, Leases
from store.elasticsearch_mending import mend, rejudge
from store.elasticsearch_truth import Change, Held, Truths

MOST_HITS = 10_000
SAVE_LEASE_MS = 600_000


@dataclass
class Batch:
    """What this process has claimed at once. `held`: as read then; `careful`: another judge may have left documents of it; `done`: saved."""

    lease: Lease
    set_number: int
    held: dict[str, Held]
    careful: set[str]
    done: set[str] = field(default_factory=set)


class Judging:
    """Claims and saves. Safe to share between threads. `mended` hears that documents were put right."""

    def __init__(self, truths: Truths, mended: Callable[[], None]) -> None:
        self._indices, self._truths, self.leases, self._mended = truths.indices, truths, Leases(truths.indices), mended
        self._lock = threading.RLock()
        self._batches: dict[str, Batch] = {}

    def claim(self, worker: str, limit: int, now_ms: int, lease_ms: int) -> list[Held]:
        """See PostStore.claim_posts."""
        claimed: list[Held] = []
        for table in self.leases.tries():
            running = [one for one in table.leases if one.holds(now_ms, lease_ms)]
            over = {id for one in table.leases if one not in running for id in one.all_ids}
            self._indices.cluster.refresh(self._indices.alias("posts"))  # after the table: who has left it is seen to be judged
            if self._truths.sweep() + mend(self._truths, sorted(over)):
                self._mended()
            with self._lock:
                done = {key: set(one.done) for key, one in self._batches.items()}
            left = [one.without(done.get(one.key, ())) for one in running]
            wanted = min(limit - len(claimed), MOST_HITS)
            held = self._truths.find_unjudged([id for one in left for id in one.ids], wanted)
            lease = Lease(uuid.uuid4().hex, worker, now_ms + lease_ms, tuple(one.id for one in held))
            if not held and left == list(table.leases):
                break
            if not self.leases.write(table, [*left, lease]):
                continue
            self._remember(lease, held, over, {one.key for one in left if one.all_ids})
            self._truths.forget_fresh(lease.ids)
            claimed += held
            if len(claimed) >= limit or len(held) < MOST_HITS:
                break
        return claimed

    def _remember(self, lease: Lease, held: Sequence[Held], over: set[str], running: set[str]) -> None:
        """A lease that is ours now; those that are no longer there are forgotten."""
        with self._lock:
            self._batches = {key: one for key, one in self._batches.items() if key in running}
            self._batches[lease.key] = Batch(
                lease, self._indices.number, {one.id: one for one in held if one.id not in over}, over.intersection(lease.ids)
            )

    def save(self, ids: Sequence[str], change: Change, now_ms: int) -> None:
        """See PostStore.save_judged. Posts that were not claimed here are leased for as long as it takes."""
        ready, careful = self._look_up(ids, now_ms)
        rest = [id for id in ids if id not in ready and id not in careful]
        with self._journal(rest, now_ms):
            held = [*ready.values(), *self._truths.read_alive(rest)]
            late = self._truths.judge(held, change)
            rejudge(self._truths, sorted(late | careful), change)
        with self._lock:
            for batch in self._batches.values():
                batch.done.update(set(ids).intersection(batch.lease.ids))

    def _look_up(self, ids: Sequence[str], now_ms: int) -> tuple[dict[str, Held], set[str]]:
        """(truths of posts claimed here, as they were then; ids of those that another judge may have worked on)."""
        wanted, ready, careful = set(ids), dict[str, Held](), set[str]()
        with self._lock:
            for batch in self._batches.values():
                mine = wanted.intersection(batch.lease.ids)
                if now_ms >= batch.lease.until_ms or batch.set_number != self._indices.number:
                    careful |= mine
                else:
                    ready |= {id: batch.held[id] for id in mine if id in batch.held}
                    careful |= mine & batch.careful
        return ready, careful - ready.keys()

    @contextmanager
    def _journal(self, ids: Sequence[str], now_ms: int) -> Iterator[None]:
        """A lease that stays when the block is cut off: then the posts are mended when it is over."""
        lease = Lease(uuid.uuid4().hex, "save", now_ms + SAVE_LEASE_MS, tuple(ids))
        if ids:
            self.leases.change(lambda one: one, [lease])
        yield
        if ids:
            self.leases.change(lambda one: replace(one, ids=(), freed=()) if one.key == lease.key else one)
