"""Writing: a truth is changed only under the sequence number it was read with, then projected into `mentions`.

What makes it safe to be killed anywhere, and to be run by many at once:
* where a post lies is decided once, by whoever creates its place;
* a truth names every document of its projection before one is written (`docs`), and is `open` until the projection is complete;
* documents carry the truth's `rev` as external version: an older projection never replaces a newer one, nor revives what was deleted;
* whatever is still `open` is projected again by `sweep`, as often as one likes.
A new post is not `open`: judging it projects it anyway, and seeing it again before that does so too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from store.elasticsearch_bulk import Item, Told, send_items
from store.elasticsearch_client import ClusterAway, IndexGone, Json
from store.elasticsearch_rows import make_docs, needed_docs, new_truth, next_rev, with_post
from store.elasticsearch_schema import Indices, month_of
from store.posts import AddResult
from tingfeng.errors import StoreError
from tingfeng.records import Post

ROUNDS = 20
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
        self._indices, self._cluster, self._refuse = indices, indices.cluster, refuse

    def locate(self, ids: Sequence[str]) -> dict[str, str]:
        """Month by id, of those that have a place."""
        places = self._indices.name("places")
        found = self._cluster.mget([{"_index": places, "_id": id} for id in ids]) if ids else []
        if any("error" in one for one in found):
            raise IndexGone("索引不存在", where=self._cluster.address.shown, hint="可能刚被重建;请重试")
        return {one["_id"]: one["_source"]["month"] for one in found if one.get("found")}

    def read(self, ids: Sequence[str]) -> dict[str, Held]:
        """Truths by id, as written last."""
        docs = [{"_index": self._indices.name("posts", month), "_id": id} for id, month in self.locate(ids).items()]
        found = self._cluster.mget(docs) if docs else []
        return {one["_id"]: Held(one["_source"], one["_seq_no"], one["_primary_term"]) for one in found if one.get("found")}

    def add(self, posts: Iterable[Post]) -> AddResult:
        """See PostStore.add_posts."""
        waiting = {post.id: post for post in posts}
        fate: dict[str, str] = {}
        for _ in range(ROUNDS):
            held = self.read(list(waiting))
            gone = [one for one in held.values() if one.truth.get("gone")]
            self.project(gone)
            fresh = [post for id, post in waiting.items() if id not in held]
            created = self._create(fresh)
            changed = self._renew([one for one in held.values() if not one.truth.get("gone")], waiting)
            fate |= created | changed
            waiting = {id: post for id, post in waiting.items() if id not in fate}
            if not waiting:
                break
        if waiting:
            raise ClusterAway("别的进程一直在改同样的帖子", where=self._cluster.address.shown, hint="请稍后重试")
        return AddResult(*(tuple(id for id, what in fate.items() if what == name) for name in ("new", "changed", "seen")))

    def restore(self, post: Post) -> None:
        """Adds a post; one that is there is projected anew, whatever was refused of it before."""
        if self.add([post]).seen:
            self.project(list(self.read([post.id]).values()))

    def _create(self, posts: Sequence[Post]) -> dict[str, str]:
        """Places, truths, projections of new posts; those that another process created meanwhile are left out."""
        if not posts:
            return {}
        months = self._take_places(posts)
        truths = [new_truth(post, months[post.id]) for post in posts]
        told = send_items(self._cluster, [Item("create", self._indices.name("posts", one["month"]), one["id"], one) for one in truths])
        self._report("post", truths, told)
        self.project([Held(truth, one.seq_no, one.term) for truth, one in zip(truths, told, strict=True) if one.done])
        return {truth["id"]: "new" for truth, one in zip(truths, told, strict=True) if not one.conflict}

    def _take_places(self, posts: Sequence[Post]) -> dict[str, str]:
        """The month of each post: its own, or the one it was given before. A place that is there is touched, so that who is
        deleting the post at this moment sees that it is wanted again."""
        places = self._indices.name("places")
        wanted = {post.id: month_of(post) for post in posts}
        self._indices.ensure(set(wanted.values()))
        told = send_items(self._cluster, [Item("create", places, id, {"month": month}) for id, month in wanted.items()])
        taken = [id for id, one in zip(wanted, told, strict=True) if one.conflict]
        found = self.locate(taken)
        self._indices.ensure(set(found.values()))
        send_items(self._cluster, [Item("index", places, id, {"month": month}) for id, month in found.items()])
        return wanted | found

    def _renew(self, held: Sequence[Held], posts: dict[str, Post]) -> dict[str, str]:
        """Later sights of posts that are there. An unjudged one is projected again: its first projection may have been cut off."""
        renewed = {one.id: with_post(one.truth, posts[one.id]) for one in held}
        same = [one for one in held if renewed[one.id] is None]
        self.project([one for one in same if not one.truth["judged"] and not one.truth.get("open")])
        written = self.write([(one, truth) for one in held if (truth := renewed[one.id])])
        return {one.id: "seen" for one in same} | dict.fromkeys(written, "changed")

    def change(self, ids: Sequence[str], change: Change, *, refresh: bool = False) -> set[str]:
        """Changes truths, reading again those that another process changed meanwhile. `change` answers None to leave one alone."""
        waiting, done = list(ids), set[str]()
        for _ in range(ROUNDS):
            held = [one for one in self.read(waiting).values() if not one.truth.get("gone")]
            pairs = [(one, truth) for one in held if (truth := change(one.truth)) is not None]
            written = self.write(pairs, refresh=refresh)
            done |= written
            waiting = [one.id for one, _ in pairs if one.id not in written]
            if not waiting:
                return done
        raise ClusterAway("别的进程一直在改同样的帖子", where=self._cluster.address.shown, hint="请稍后重试")

    def write(self, pairs: Sequence[tuple[Held, Json]], *, refresh: bool = False) -> set[str]:
        """Writes changed truths and their projections; answers the ids of those that nobody else changed meanwhile."""
        if not pairs:
            return set()
        truths = [
            {**truth, "rev": next_rev(one.truth["rev"]), "open": True, "docs": sorted({*one.truth["docs"], *needed_docs(truth)})}
            for one, truth in pairs
        ]
        items = [
            Item("index", self._indices.name("posts", truth["month"]), truth["id"], truth, one.condition)
            for (one, _), truth in zip(pairs, truths, strict=True)
        ]
        told = send_items(self._cluster, items)
        self._report("post", truths, told)
        self.project([Held(truth, one.seq_no, one.term) for truth, one in zip(truths, told, strict=True) if one.done], refresh=refresh)
        return {truth["id"] for truth, one in zip(truths, told, strict=True) if not one.conflict}

    def project(self, held: Sequence[Held], *, refresh: bool = False) -> None:
        """Makes the documents of `mentions` what the truths say; closes those that are open; finishes deletions."""
        if not held:
            return
        items = [item for one in held for item in self._projection(one.truth)]
        told = send_items(self._cluster, items, refresh=refresh)
        self._report("mention", [item.source or {} for item in items], told)
        gone = [one for one in held if one.truth.get("gone")]
        self._remove(gone)
        closing = [
            Item("update", self._indices.name("posts", one.truth["month"]), one.id,
                 {"doc": {"open": False, "docs": needed_docs(one.truth)}}, one.condition)
            for one in held if one.truth.get("open") and not one.truth.get("gone")
        ]  # fmt: skip
        send_items(self._cluster, closing)  # a conflict: somebody has changed it again, and will close it

    def _projection(self, truth: Json) -> list[Item]:
        index, version = self._indices.name("mentions", truth["month"]), {"version": truth["rev"], "version_type": "external_gte"}
        needed = needed_docs(truth)
        docs = [] if truth.get("gone") else make_docs(truth)
        return [
            *(Item("index", index, doc["key"], doc, version) for doc in docs),
            *(Item("delete", index, id, None, version) for id in truth["docs"] if id not in needed),
        ]

    def _remove(self, gone: Sequence[Held]) -> None:
        """The last of deleted posts: truth, then place, unless somebody has touched it to bring the post back."""
        if not gone:
            return
        places = self._indices.name("places")
        found = self._cluster.mget([{"_index": places, "_id": one.id} for one in gone])
        send_items(self._cluster, [Item("delete", self._indices.name("posts", one.truth["month"]), one.id, None, one.condition) for one in gone])
        conditions = {one["_id"]: {"if_seq_no": one["_seq_no"], "if_primary_term": one["_primary_term"]} for one in found if one.get("found")}
        send_items(self._cluster, [Item("delete", places, id, None, condition) for id, condition in conditions.items()])

    def delete(self, held: Sequence[Held]) -> int:
        """Deletes posts: marked first, so that a deletion cut off is finished by `sweep`. Returns how many were marked here."""
        done = 0
        waiting = list(held)
        for _ in range(ROUNDS):
            marked = [replace(one, truth={**one.truth, "gone": True, "open": True, "rev": next_rev(one.truth["rev"])}) for one in waiting]
            told = send_items(self._cluster, [
                Item("update", self._indices.name("posts", one.truth["month"]), one.id,
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
        raise ClusterAway("别的进程一直在改要删的帖子", where=self._cluster.address.shown, hint="请稍后重试")

    def sweep(self) -> int:
        """Completes what a killed process left open. Returns how many."""
        body = {"query": {"term": {"open": True}}, "seq_no_primary_term": True, "size": 500, "sort": ["_doc"]}
        hits = self._cluster.search(self._indices.alias("posts"), body)["hits"]["hits"]
        if hits:
            self.project([Held(hit["_source"], hit["_seq_no"], hit["_primary_term"]) for hit in hits])
        return len(hits)

    def _report(self, kind: str, sources: Sequence[Json], told: Sequence[Told]) -> None:
        """Dead letters: what the cluster refuses for what it is."""
        for source, one in zip(sources, told, strict=True):
            if one.refused:
                self._refuse(kind, str(source.get("post_id") or source.get("id", "")), source, f"{one.status} {one.kind}:{one.reason}"[:500])


def explain_missing(mention_id: str) -> StoreError:
    """For a correction of what is not there."""
    return StoreError("没有这条提及", where=mention_id, hint="可能已经删除或重新判断")
