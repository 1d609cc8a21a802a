"""Mending: documents in `mentions` that do not say what their truths do, left by a judge who was killed or was too late; posts not shown yet.

A document's version is the `rev` of the truth that it was made from, so comparing needs no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from store.elasticsearch_bulk import Item, send_items
from store.elasticsearch_client import Json
from store.elasticsearch_rows import needed_docs
from store.elasticsearch_schema import Indices
from store.elasticsearch_truth import Change, Truths

REVEALED = 1000


@dataclass(frozen=True)
class Shown:
    """A document as it is found."""

    index: str
    version: int


Found = Mapping[str, Mapping[str, Shown]]


def find_docs(indices: Indices, ids: Sequence[str]) -> Found:
    """Documents by post and id, whether their truths know of them or not."""
    indices.cluster.refresh(indices.alias("mentions"))
    body: Json = {"query": {"terms": {"post_id": list(ids)}}, "sort": ["_shard_doc"], "_source": ["post_id"], "version": True}
    found: dict[str, dict[str, Shown]] = {}
    for hit in indices.cluster.walk(indices.alias("mentions"), body):
        found.setdefault(hit["_source"]["post_id"], {})[hit["_id"]] = Shown(hit["_index"], hit["_version"])
    return found


def mend(truths: Truths, ids: Sequence[str]) -> int:
    """Makes the documents of posts what their truths say; returns how many were looked at.

    Disturbs no judge who is still alive: he finds that his post was changed.
    """
    if not ids:
        return 0
    found = find_docs(truths.indices, ids)
    wrong = [
        one for one in truths.read_alive(ids)
        if {id: doc.version for id, doc in found.get(one.id, {}).items()} != dict.fromkeys(needed_docs(one.truth), one.truth["rev"])
    ]  # fmt: skip
    truths.write([(one, add_docs(one.truth, found)) for one in wrong])
    drop_orphans(truths, found)
    return len(ids)


def rejudge(truths: Truths, ids: Sequence[str], change: Change) -> None:
    """Saves judgements of posts that another judge may have left documents of."""
    if not ids:
        return
    found = find_docs(truths.indices, ids)

    def judge(truth: Json) -> Json | None:
        changed = change(truth)
        return changed and add_docs(changed, found)

    truths.change(ids, judge)
    drop_orphans(truths, found)


def add_docs(truth: Json, found: Found) -> Json:
    """The truth, knowing of the documents that were found."""
    return {**truth, "docs": sorted({*truth["docs"], *found.get(truth["id"], ())})}


def drop_orphans(truths: Truths, found: Found) -> None:
    """Deletes documents of posts that are not there: they were judged while they were deleted."""
    alive = {one.id for one in truths.read_alive(list(found))}
    send_items(truths.indices.cluster, [
        Item("delete", doc.index, id, None, {"version": doc.version, "version_type": "external_gte"})
        for post_id, docs in found.items() if post_id not in alive
        for id, doc in docs.items()
    ])  # fmt: skip


def reveal(truths: Truths, within: Sequence[Json]) -> int:
    """Puts posts that nobody has judged yet into `mentions`; returns how many."""
    wanted: Json = {"bool": {"filter": [{"term": {"hidden": True}}, *within], "must_not": [{"term": {"gone": True}}]}}
    done = 0
    while held := truths.find(wanted, REVEALED):
        shown = truths.write([(one, {name: value for name, value in one.truth.items() if name != "hidden"}) for one in held])
        truths.indices.cluster.refresh(truths.indices.alias("posts"))
        done += len(shown)
        if not shown:
            break
    return done
