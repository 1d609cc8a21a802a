"""Retention by month: a month that is wholly too old goes with its indices, which costs nothing; the rest is deleted post by post."""

from __future__ import annotations

from datetime import datetime

from store.elasticsearch_bulk import Item, send_items
from store.elasticsearch_client import Json
from store.elasticsearch_schema import ODD, Indices
from store.sqlite_rows import to_ms

BATCH = 1000


def drop_months(indices: Indices, before: datetime) -> int:
    """Drops every month of which all posts are older; returns how many posts that were.

    Places go last: should we be killed in between, a post that returns finds its month again.
    """
    done = 0
    for month in indices.months():
        if month != ODD and newest_of(indices, month) < to_ms(before):
            done += drop_month(indices, month)
    return done


def newest_of(indices: Indices, month: str) -> float:
    """The latest counted_at of a month, in milliseconds; infinite for a month without posts, which may be about to be filled."""
    body: Json = {"size": 0, "aggs": {"newest": {"max": {"field": "counted_ms"}}}}
    newest = indices.cluster.search(indices.name("posts", month), body)["aggregations"]["newest"]["value"]
    return float("inf") if newest is None else float(newest)


def drop_month(indices: Indices, month: str) -> int:
    """One month."""
    cluster, name = indices.cluster, indices.name("posts", month)
    alive: Json = {"query": {"bool": {"must_not": [{"term": {"gone": True}}]}}}
    done = int(cluster.call("POST", f"/{name}/_count", alive)["count"])
    cluster.call("DELETE", f"/{indices.name('mentions', month)},{name}")
    places = indices.name("places")
    ids = [hit["_id"] for hit in cluster.walk(places, {"query": {"term": {"month": month}}, "sort": ["_shard_doc"], "_source": False}, BATCH)]
    for start in range(0, len(ids), BATCH):
        send_items(cluster, [Item("delete", places, id) for id in ids[start : start + BATCH]])
    indices.forget()
    return done
