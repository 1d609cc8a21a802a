"""Writing: a truth is changed only under the sequence number it was read with, then projected into `mentions`.

What makes it safe to be killed anywhere, and to be run by many at once:
* where a post lies is decided once, by whoever creates its place;
* a truth names every document of its projection before one is written (`docs`), and is `open` until the projection is complete;
* documents carry the truth's `rev` as external version: an older projection never replaces a newer one, nor revives what was deleted;
* whatever is still `open` is projected again by `sweep`, as often as one likes.
The one exception is `judge`, which is safe because its caller holds a lease. A new post is `hidden`: it has no documents before it is judged,
or before somebody searches for posts without a subject (elasticsearch_mending.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from store.elasticsearch_bulk import Item, Told, send_items
from store.elasticsearch_client import ClusterAway, IndexGone, Json
from store.elasticsearch_leases import Leases
from store.elasticsearch_rows import make_docs, needed_docs, new_truth, next_rev, with_post
from store.elasticsearch_schema import Indices, month_of
from store.posts import AddResult
from tingfeng.errors import StoreError
from tingfeng.records import Post

ROUNDS = 20
OLDEST: list[Json] = [{"counted_ms": "asc"}, {"id": "asc"}]
MOST_REMEMBERED = 100_000
MOST_FRESH = 5000  # posts just created here that are kept until they are claimed: some 15 MB
# kind, id, what could not be written, why
Refuse = Callable[[str, str, Json, str], None]
Change = Callable[[Json], Json | None]


@dataclass(frozen=True)
class Held:
    """A truth as it was read, with what a conditional write needs."""

    truth: Json
    seq_no: int
    term: int

    @property
    def id(self) -> str:
        return str(self.truth["id"])

    @property
    def condition(self) -> Json:
        return {"if_seq_no": self.seq_no, "if_primary_term": self.term}


class Truths:
    """Reads and changes truths. `refuse` takes what the cluster will never accept (dead letters)."""

    def __init__(self, indices: Indices, refuse: Refuse) -> None:
        self.indices, self._cluster, self._leases, self._refuse = indices, indices.cluster, Leases(indices), refuse
        self._months: dict[str, str] = {}
        self._fresh: dict[str, Held] = {}
        self._fresh_set = 0  # the set in which they were created

    def locate(self, ids: Sequence[str]) -> dict[str, str]:
        """Month by id, of those that have a place."""
        places = self.indices.name("places")
        found = self._cluster.mget([{"_index": places, "_id": id} for id in ids]) if ids else []
        if any("error" in one for one in found):
            raise IndexGone("索引不存在", where=self._cluster.address.shown, hint="可能刚被重建;请重试")
        return {one["_id"]: one["_source"]["month"] for one in found if one.get("found")}

    def read(self, ids: Sequence[str]) -> dict[str, Held]:
        """Truths by id, as written last."""
        held = self._read_at({id: self._months[id] for id in ids if id in self._months})
        return held | self._read_at(self.locate([id for id in ids if id not in held]))

    def read_alive(self, ids: Sequence[str]) -> list[Held]:
        """The same, without those that are being deleted."""
        return [one for one in self.read(ids).values() if not one.truth.get("gone")]

    def find(self, query: Json, limit: int) -> list[Held]:
        """Truths that a search finds, oldest first."""
        return [read_held(hit) for hit in self._search(query, limit)]

    def _search(self, query: Json, limit: int, **more: object) -> list[Json]:
        """Its hits, oldest first, each with its sequence number."""
        body: Json = {"query": query, "sort": OLDEST, "seq_no_primary_term": True, "size": limit, "track_total_hits": False, **more}
        found: list[Json] = self._cluster.search(self.indices.alias("posts"), body)["hits"]["hits"]
        return found

    def find_unjudged(self, leased: Sequence[str], limit: int) -> list[Held]:
        """Unjudged posts but those that are leased, oldest first; those that were created here and not changed since are not fetched again."""
        fresh = self._fresh if self._fresh_set == self.indices.number else {}
        wanted: Json = {"bool": {"filter": [{"term": {"judged": False}}], "must_not": [{"term": {"gone": True}}, {"ids": {"values": leased}}]}}
        if not fresh:
            return self.find(wanted, limit)
        states = {hit["_id"]: (hit["_seq_no"], hit["_primary_term"]) for hit in self._search(wanted, limit, _source=False)}
        known = {id: one for id, state in states.items() if (one := fresh.get(id)) and (one.seq_no, one.term) == state}
        found = known | self.read([id for id in states if id not in known])
        held = [found[id] for id in states if id in found]
        return [one for one in held if not one.truth["judged"] and not one.truth.get("gone")]

    def forget_fresh(self, ids: Iterable[str]) -> None:
        """They are somebody's now."""
        for id in ids:
            self._fresh.pop(id, None)

    def _keep_fresh(self, held: Iterable[Held]) -> None:
        """The newest MOST_FRESH of one set: sequence numbers of another set mean something else."""
        if self._fresh_set != self.indices.number:
            self._fresh, self._fresh_set = {}, self.indices.number
        self._fresh |= {one.id: one for one in held}
        for id in list(self._fresh)[: max(0, len(self._fresh) - MOST_FRESH)]:
            self._fresh.pop(id, None)

    def walk(self, query: Json) -> Iterator[Held]:
        """All of them."""
        for hit in self._cluster.walk(self.indices.alias("posts"), {"query": query, "sort": OLDEST, "seq_no_primary_term": True}):
            yield read_held(hit)

    def _read_at(self, months: dict[str, str]) -> dict[str, Held]:
        docs = [{"_index": self.indices.name("posts", month), "_id": id} for id, month in months.items()]
        found = self._cluster.mget(docs) if docs else []
        held = {one["_id"]: read_held(one) for one in found if one.get("found")}
        self._remember({id: months[id] for id in held})
        return held

    def _remember(self, months: dict[str, str]) -> None:
        """Where posts lie does not change while they are there, so it need not be asked twice."""
        if len(self._months) > MOST_REMEMBERED:
            self._months.clear()
        self._months.update(months)

    def add(self, posts: Iterable[Post]) -> AddResult:
        """See PostStore.add_posts."""
        waiting = {post.id: post for post in posts}
        fate: dict[str, str] = {}
        for _ in range(ROUNDS):
            held = self._read_at({id: self._months[id] for id in waiting if id in self._months})
            months, more = self._take_places([post for id, post in waiting.items() if id not in held])
            held |= more
            self.project([one for one in held.values() if one.truth.get("gone")])
            fate |= self._create([waiting[id] for id in months], months)
            fate |= self._renew([one for one in held.values() if not one.truth.get("gone")], waiting)
            waiting = {id: post for id, post in waiting.items() if id not in fate}
            if not waiting:
                break
        if waiting:
            raise self._contended()
        return AddResult(*(tuple(id for id, what in fate.items() if what == name) for name in ("new", "changed", "seen")))

    def _contended(self) -> ClusterAway:
        return ClusterAway("别的进程一直在改同样的帖子", where=self._cluster.address.shown, hint="请稍后重试")

    def restore(self, post: Post) -> None:
        """Adds a post; one that is there is projected anew, whatever was refused of it before."""
        if self.add([post]).seen:
            self.project(list(self.read([post.id]).values()))

    def _create(self, posts: Sequence[Post], months: dict[str, str]) -> dict[str, str]:
        """Truths of new posts; those that another process created meanwhile are left out."""
        truths: list[Json] = []

        def make() -> Iterator[Item]:
            for post in posts:
                truth = new_truth(post, months[post.id])
                truths.append(truth)
                yield Item("create", self.indices.name("posts", truth["month"]), truth["id"], truth)

        told = send_items(self._cluster, make())
        self._report("post", truths, told)
        held = [Held(truth, one.seq_no, one.term) for truth, one in zip(truths, told, strict=True) if one.done]
        self._remember({one.id: one.truth["month"] for one in held})
        self._keep_fresh(held)
        return {truth["id"]: "new" for truth, one in zip(truths, told, strict=True) if not one.conflict}

    def _take_places(self, posts: Sequence[Post]) -> tuple[dict[str, str], dict[str, Held]]:
        """(months of posts to be created, truths of those that are there). A place without a truth keeps its month and is touched,
        so that who is deleting the post at this moment sees that it is wanted again."""
        places = self.indices.name("places")
        wanted = {post.id: month_of(post) for post in posts}
        self.indices.ensure(set(wanted.values()))
        told = send_items(self._cluster, [Item("create", places, id, {"month": month}) for id, month in wanted.items()])
        taken = self.locate([id for id, one in zip(wanted, told, strict=True) if one.conflict])
        held = self._read_at(taken)
        lost = {id: month for id, month in taken.items() if id not in held}
        self.indices.ensure(set(lost.values()))
        send_items(self._cluster, [Item("index", places, id, {"month": month}) for id, month in lost.items()])
        return {id: month for (id, month), one in zip(wanted.items(), told, strict=True) if one.done} | lost, held

    def _renew(self, held: Sequence[Held], posts: dict[str, Post]) -> dict[str, str]:
        """Later sights of posts that are there. Who is judging an old text no longer keeps others from the new one."""
        renewed = {one.id: with_post(one.truth, posts[one.id]) for one in held}
        same = [one for one in held if renewed[one.id] is None]
        written = self.write([(one, truth) for one in held if (truth := renewed[one.id])])
        self._leases.free({one.id for one in held if one.id in written and not (renewed[one.id] or {})["judged"]})
        return {one.id: "seen" for one in same} | dict.fromkeys(written, "changed")

    def change(self, ids: Sequence[str], change: Change, *, refresh: bool = False) -> set[str]:
        """Changes truths, reading again those that another process changed meanwhile. `change` answers None to leave one alone."""
        waiting, done = list(ids), set[str]()
        for _ in range(ROUNDS):
            pairs = [(one, truth) for one in self.read_alive(waiting) if (truth := change(one.truth)) is not None]
            written = self.write(pairs, refresh=refresh)
            done |= written
            waiting = [one.id for one, _ in pairs if one.id not in written]
            if not waiting:
                return done
        raise self._contended()

    def judge(self, held: Sequence[Held], change: Change) -> set[str]:
        """Writes judgements with their documents at once; answers the ids of posts that somebody else has changed since they were read.

        Cut off, it may leave documents that nobody knows of, or truths without theirs: the caller holds a lease, so `mend` comes to them.
        """
        truths, shown = list[Json](), list[Json]()
        places: list[list[int]] = [[], []]  # of either kind in the bulk

        def make() -> Iterator[Item]:
            for one in held:
                if (new := change(one.truth)) is None:
                    continue
                truth = {**new, "rev": next_rev(one.truth["rev"]), "open": False, "docs": needed_docs(new)}
                places[0].append(len(truths) + len(shown))
                truths.append(truth)
                yield self.item(truth, one.condition)
                for item in self._projection(truth, one.truth["docs"]):
                    places[1].append(len(truths) + len(shown))
                    shown.append(item.source or {})
                    yield item

        told = send_items(self._cluster, make())
        written, projected = ([told[place] for place in part] for part in places)
        self._report("post", truths, written)
        self._report("mention", shown, projected)
        return {truth["id"] for truth, one in zip(truths, written, strict=True) if one.conflict}

    def write(self, pairs: Sequence[tuple[Held, Json]], *, refresh: bool = False) -> set[str]:
        """Writes changed truths and their projections; answers the ids of those that nobody else changed meanwhile."""
        truths = []
        for one, truth in pairs:
            docs = sorted({*one.truth["docs"], *truth["docs"], *needed_docs(truth)})
            truths.append({**truth, "rev": next_rev(one.truth["rev"]), "open": bool(docs), "docs": docs})
        told = send_items(self._cluster, [self.item(truth, one.condition) for (one, _), truth in zip(pairs, truths, strict=True)])
        self._report("post", truths, told)
        done = [Held(truth, one.seq_no, one.term) for truth, one in zip(truths, told, strict=True) if one.done]
        self.project([one for one in done if one.truth["open"]], refresh=refresh)
        return {truth["id"] for truth, one in zip(truths, told, strict=True) if not one.conflict}

    def item(self, truth: Json, condition: Json) -> Item:
        """A conditional write of a truth."""
        return Item("index", self.indices.name("posts", truth["month"]), truth["id"], truth, condition)

    def project(self, held: Sequence[Held], *, refresh: bool = False) -> None:
        """Makes the documents of `mentions` what the truths say; closes those that are open; finishes deletions."""
        if not held:
            return
        items = [item for one in held for item in self._projection(one.truth, one.truth["docs"])]
        told = send_items(self._cluster, items, refresh=refresh)
        self._report("mention", [item.source or {} for item in items], told)
        gone = [one for one in held if one.truth.get("gone")]
        self._remove(gone)
        closing = [
            self.item({**one.truth, "open": False, "docs": needed_docs(one.truth)}, one.condition)
            for one in held if one.truth.get("open") and not one.truth.get("gone")
        ]  # fmt: skip
        send_items(self._cluster, closing)  # a conflict: somebody has changed it again, and will close it

    def _projection(self, truth: Json, known: Sequence[str]) -> list[Item]:
        """Writes of its documents, and deletions of those that were `known` and are no longer needed."""
        index, version = self.indices.name("mentions", truth["month"]), {"version": truth["rev"], "version_type": "external_gte"}
        docs = make_docs(truth)
        needed = {doc["key"] for doc in docs}
        return [
            *(Item("index", index, doc["key"], doc, version) for doc in docs),
            *(Item("delete", index, id, None, version) for id in known if id not in needed),
        ]

    def _remove(self, gone: Sequence[Held]) -> None:
        """The last of deleted posts: truth, then place, unless somebody has touched it to bring the post back."""
        if not gone:
            return
        places = self.indices.name("places")
        found = self._cluster.mget([{"_index": places, "_id": one.id} for one in gone])
        send_items(self._cluster, [Item("delete", self.indices.name("posts", one.truth["month"]), one.id, None, one.condition) for one in gone])
        conditions = {one["_id"]: {"if_seq_no": one["_seq_no"], "if_primary_term": one["_primary_term"]} for one in found if one.get("found")}
        send_items(self._cluster, [Item("delete", places, id, None, condition) for id, condition in conditions.items()])

    def delete(self, held: Sequence[Held]) -> int:
        """Deletes posts: marked first, so that a deletion cut off is finished by `sweep`. Returns how many were marked here."""
        done = 0
        waiting = list(held)
        for _ in range(ROUNDS):
            marked = [replace(one, truth={**one.truth, "gone": True, "open": True, "rev": next_rev(one.truth["rev"])}) for one in waiting]
            told = send_items(self._cluster, [
                Item("update", self.indices.name("posts", one.truth["month"]), one.id,
                     {"doc": {"gone": True, "open": True, "rev": one.truth["rev"]}}, one.condition)
                for one in marked
            ])  # fmt: skip
            written = [replace(one, seq_no=t.seq_no, term=t.term) for one, t in zip(marked, told, strict=True) if t.done]
            self.project(written)
            done += len(written)
            again = self.read([one.id for one, t in zip(marked, told, strict=True) if t.conflict])
            waiting = [one for one in again.values() if not one.truth.get("gone")]
            if not waiting:
                return done
        raise self._contended()

    def sweep(self) -> int:
        """Completes what a killed process left open. Returns how many."""
        body = {"query": {"term": {"open": True}}, "seq_no_primary_term": True, "size": 500, "sort": ["_doc"]}
        hits = self._cluster.search(self.indices.alias("posts"), body)["hits"]["hits"]
        if hits:
            self.project([read_held(hit) for hit in hits])
        return len(hits)

    def _report(self, kind: str, sources: Sequence[Json], told: Sequence[Told]) -> None:
        """Dead letters: what the cluster refuses for what it is."""
        for source, one in zip(sources, told, strict=True):
            if one.refused:
                self._refuse(kind, str(source.get("post_id") or source.get("id", "")), source, f"{one.status} {one.kind}:{one.reason}"[:500])


def read_held(hit: Json) -> Held:
    """A truth from an answer."""
    return Held(hit["_source"], hit["_seq_no"], hit["_primary_term"])


def explain_missing(mention_id: str) -> StoreError:
    """For a correction of what is not there."""
    return StoreError("没有这条提及", where=mention_id, hint="可能已经删除或重新判断")
