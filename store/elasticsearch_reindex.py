"""`tingfeng reindex`: builds the next set of indices beside the one in use, verifies it, switches the aliases, drops the old one.

While it runs the old set takes no writes: posts that come in wait in the spools, other writers are told why. Whatever goes wrong before
the switch leaves the old set in use; begun again, it starts from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from store.elasticsearch_bulk import Item, send_items
from store.elasticsearch_client import Cluster, Json
from store.elasticsearch_rows import make_docs
from store.elasticsearch_schema import FAMILIES, POSTS, Indices, Layout
from store.elasticsearch_truth import Truths
from tingfeng.errors import StoreError

BATCH = 500
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Rebuilt:
    """What a reindex did."""

    old_set: int
    new_set: int
    posts: int
    mentions: int


def reindex(cluster: Cluster, layout: Layout, tell: Tell = lambda done, total: None) -> Rebuilt:
    """Rebuilds everything. `tell` hears (done, total). Raises StoreError."""
    finder = Indices(cluster, layout)
    number = finder.find_set(any_schema=True)
    if not number:
        raise StoreError("还没有索引", where=cluster.address.shown, hint="先采集或导入")
    old, new = Indices(cluster, layout, number), Indices(cluster, layout, number + 1)
    drop_set(new)
    Truths(old, lambda *_: None).sweep()
    block(old, True)
    show_all(old)  # what was written last is copied too
    try:
        new.put_templates()
        for family in ("leases", "places"):
            new.make(new.number, family, "", in_use=False)
        copy(old, new, tell)
        rebuilt = verify(old, new)
        switch(old, new)
    except BaseException:
        block(old, False)
        raise
    drop_set(old)
    return rebuilt


def names_of(indices: Indices) -> list[str]:
    """All indices of a set."""
    pattern = ",".join(f"{indices.name(family)}*" for family in FAMILIES)
    return sorted(indices.cluster.call("GET", f"/{pattern}/_alias"))


def show_all(indices: Indices) -> None:
    """Searches see all that was written."""
    indices.cluster.refresh(",".join(f"{indices.name(family)}*" for family in FAMILIES))


def drop_set(indices: Indices) -> None:
    """The old one after the switch, or what an earlier attempt left."""
    for name in names_of(indices):
        indices.cluster.call("DELETE", f"/{name}")


def block(indices: Indices, blocked: bool) -> None:
    """Whether a set takes writes."""
    for name in names_of(indices):
        indices.cluster.call("PUT", f"/{name}/_settings", {"index.blocks.write": True if blocked else None})


def copy(old: Indices, new: Indices, tell: Tell) -> None:
    """Every truth, its place, its projection made anew. What was marked for deletion is left behind, and so are leases: posts that somebody

    is judging may be claimed a second time, and he will save them the careful way.
    """
    cluster = old.cluster
    months = old.months()
    new.ensure(set(months))
    alive: Json = {"bool": {"must_not": [{"term": {"gone": True}}]}}
    total, done = count(cluster, old, "posts", alive), 0
    for month in months:
        batch: list[Json] = []
        for hit in cluster.walk(old.name("posts", month), {"query": alive, "sort": ["_shard_doc"]}):
            batch.append({name: value for name, value in hit["_source"].items() if name in POSTS})
            if len(batch) == BATCH:
                done += write(new, batch)
                tell(done, total)
                batch = []
        done += write(new, batch)
        tell(done, total)


def write(new: Indices, truths: list[Json]) -> int:
    """A batch; every item must be taken."""
    items = []
    for truth in truths:
        version = {"version": truth["rev"], "version_type": "external_gte"}
        items.append(Item("index", new.name("places"), truth["id"], {"month": truth["month"]}))
        items.append(Item("index", new.name("posts", truth["month"]), truth["id"], truth))
        items += [Item("index", new.name("mentions", truth["month"]), doc["key"], doc, version) for doc in make_docs(truth)]
    bad = [told for told in send_items(new.cluster, items) if not told.done]
    if bad:
        raise StoreError(f"新索引拒收了 {len(bad)} 条({bad[0].kind}:{bad[0].reason[:200]})", where=new.cluster.address.shown, hint="旧索引仍在使用")
    return len(truths)


def count(cluster: Cluster, indices: Indices, family: str, query: Json) -> int:
    """Documents of a family in a set."""
    return int(cluster.call("POST", f"/{indices.name(family)}*/_count", {"query": query})["count"])


def verify(old: Indices, new: Indices) -> Rebuilt:
    """As many posts, places and mentions as before. Raises StoreError."""
    cluster = old.cluster
    for indices in (old, new):
        show_all(indices)
    alive: Json = {"bool": {"must_not": [{"term": {"gone": True}}]}}
    queries: dict[str, Json] = {"posts": alive, "mentions": {"term": {"matched": True}}}
    found = {family: (count(cluster, old, family, query), count(cluster, new, family, query)) for family, query in queries.items()}
    if found["posts"][1] != count(cluster, new, "places", {"match_all": {}}) or any(before != after for before, after in found.values()):
        raise StoreError(f"新旧索引的条数不一样({found})", where=cluster.address.shown, hint="旧索引仍在使用;请运行 tingfeng doctor 后重试")
    return Rebuilt(old.number, new.number, found["posts"][1], found["mentions"][1])


def switch(old: Indices, new: Indices) -> None:
    """All aliases at once: a reader sees the one set or the other."""
    actions: list[Json] = []
    names = names_of(old)
    for family in FAMILIES:
        if any(name.startswith(old.name(family)) for name in names):  # an older set had fewer families
            actions.append({"remove": {"index": f"{old.name(family)}*", "alias": old.alias(family)}})
        actions.append({"add": {"index": f"{new.name(family)}*", "alias": new.alias(family)}})
    new.cluster.call("POST", "/_aliases", {"actions": actions})
