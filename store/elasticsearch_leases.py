"""Leases: which posts somebody is judging now. One document for all of them, changed only under the sequence number it was read with.

A lease is its judge's journal, too: as long as an id stands here, the documents of its post may be half-written, and whoever finds a lease
that has run out mends its posts (elasticsearch_judging.py) before they are free. An id that is `freed` may be claimed, but is still mended.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from store.elasticsearch_bulk import Item, send_items
from store.elasticsearch_client import ClusterAway, Json
from store.elasticsearch_schema import Indices
from store.posts import PATIENCE_SECONDS

NAME = "all"
ROUNDS = 50
LONGEST_PAUSE = 0.5


@dataclass(frozen=True)
class Lease:
    """Some posts of one judge, until a time."""

    key: str
    owner: str
    until_ms: int
    ids: tuple[str, ...]
    freed: tuple[str, ...] = ()

    @property
    def all_ids(self) -> tuple[str, ...]:
        return (*self.ids, *self.freed)

    def without(self, done: Collection[str]) -> Lease:
        """What is left when some are done."""
        return replace(self, ids=tuple(id for id in self.ids if id not in done), freed=tuple(id for id in self.freed if id not in done))

    def freeing(self, wanted: Collection[str]) -> Lease:
        """Some may be claimed again."""
        moved = tuple(id for id in self.ids if id in wanted)
        return replace(self.without(moved), freed=(*self.freed, *moved)) if moved else self

    def holds(self, now_ms: int, lease_ms: int) -> bool:
        """Whether it runs; one that ends much later than one taken now was taken before the clock was put back."""
        return now_ms < self.until_ms <= now_ms + lease_ms + PATIENCE_SECONDS * 1000


@dataclass(frozen=True)
class Table:
    """All leases as they were read, with what a conditional write needs."""

    leases: tuple[Lease, ...]
    condition: Json


class Leases:
    """Reads and changes the document."""

    def __init__(self, indices: Indices) -> None:
        self._indices, self._cluster = indices, indices.cluster

    def read(self) -> Table:
        """As written last."""
        found = self._cluster.mget([{"_index": self._indices.name("leases"), "_id": NAME}])[0]
        if not found.get("found"):
            return Table((), {})
        leases = (Lease(**{**one, "ids": tuple(one["ids"]), "freed": tuple(one["freed"])}) for one in found["_source"]["leases"])
        return Table(tuple(leases), {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]})

    def write(self, table: Table, leases: Sequence[Lease]) -> bool:
        """Puts `leases` in the table's place; False when somebody else has changed it meanwhile."""
        wanted = tuple(one for one in leases if one.all_ids)
        verb, source = "index" if table.condition else "create", {"leases": [asdict(one) for one in wanted]}
        [told] = send_items(self._cluster, [Item(verb, self._indices.name("leases"), NAME, source, table.condition)])
        # a conflict with ourselves: the answer was lost, and the request was sent again
        return told.done or self.read().leases == wanted

    def tries(self) -> Iterator[Table]:
        """The table, again and again, with pauses of random length. Raises ClusterAway when the caller has not broken off in time."""
        for number in range(ROUNDS):
            if number:
                time.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.02 * 2**number)))
            yield self.read()
        raise ClusterAway("别的进程一直在领取同样的帖子", where=self._cluster.address.shown, hint="请稍后重试")

    def change(self, change: Callable[[Lease], Lease], more: Sequence[Lease] = ()) -> None:
        """Changes every lease and adds some."""
        for table in self.tries():
            leases = (*map(change, table.leases), *more)
            if leases == table.leases or self.write(table, leases):
                return

    def free(self, ids: Collection[str]) -> None:
        """Posts that became unjudged again may be claimed at once."""
        if ids:
            self.change(lambda lease: lease.freeing(ids))
