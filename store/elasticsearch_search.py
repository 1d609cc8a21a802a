"""Newest-first search with a cursor, exact totals, any depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from store.elasticsearch_client import Cluster, Json
from store.elasticsearch_query import Condition
from store.elasticsearch_rows import read_hit
from store.elasticsearch_schema import Indices
from store.posts import SearchPage
from store.sqlite_rows import to_ms
from store.sqlite_search import decode_cursor, encode_cursor
from tingfeng.query import Query
from tingfeng.query_match import matches

SORT: list[Json] = [{"counted_ms": "desc"}, {"key": "desc"}]
SHOWN = ["shown", "post_id", "is_copy", "group"]
PAGE = 1000


def scope(condition: Condition, since: datetime | None, until: datetime | None, *, matched: bool = True, copies: bool = True) -> Json:
    """The condition within a time span; `matched`: only posts with a subject."""
    filters = [condition.clause, *span("counted_ms", since, until)]
    if matched:
        filters.append({"term": {"matched": True}})
    if not copies:
        filters.append({"term": {"is_copy": False}})
    return {"bool": {"filter": filters}}


def span(name: str, since: datetime | None, until: datetime | None) -> list[Json]:
    """A range clause, if there is a limit."""
    limits = {op: to_ms(at) for op, at in (("gte", since), ("lt", until)) if at is not None}
    return [{"range": {name: limits}}] if limits else []


def search_mentions(
    indices: Indices, query: Query | None, condition: Condition, within: Json, limit: int, cursor: str
) -> SearchPage:
    """See PostStore.search."""
    after = list(decode_cursor(cursor)) if cursor else []
    if condition.exact and limit < PAGE:
        body: Json = {"query": within, "sort": SORT, "size": limit + 1, "track_total_hits": True, "_source": SHOWN}
        answer = indices.cluster.search(indices.alias("mentions"), body | ({"search_after": after} if after else {}))
        hits, total = answer["hits"]["hits"], answer["hits"]["total"]["value"]
    else:
        hits, total = [], 0
        for hit in walk_mentions(indices, query, condition, within, SHOWN):
            total += 1
            if len(hits) <= limit and (not after or hit["sort"] < after):
                hits.append(hit)
    shown = hits[:limit]
    copies = count_copies(indices, [hit["_source"] for hit in shown])
    following = encode_cursor(*shown[-1]["sort"]) if len(hits) > limit and shown else ""
    return SearchPage(tuple(read_hit(hit["_source"], copies) for hit in shown), total, following)


def walk_mentions(indices: Indices, query: Query | None, condition: Condition, within: Json, source: object = True) -> Iterator[Json]:
    """Every document that meets the query, newest first, over one state of the index."""
    body: Json = {"query": within, "sort": SORT, "_source": source}
    for hit in indices.cluster.walk(indices.alias("mentions"), body, PAGE):
        if condition.exact or confirm(query, hit["_source"]):
            yield hit


def confirm(query: Query | None, source: Json) -> bool:
    """The matcher's word on a document that the index could only guess."""
    hit = read_hit(source, {})
    return query is None or matches(query, hit.post, hit.mention)


def count_copies(indices: Indices, sources: Sequence[Json]) -> dict[str, int]:
    """Later copies by group, for the groups whose first post is shown."""
    groups = sorted({source["group"] for source in sources if source.get("group") and not source.get("is_copy")})
    found: dict[str, int] = {}
    for start in range(0, len(groups), PAGE):
        part = groups[start : start + PAGE]
        body = {
            "size": 0, "query": {"bool": {"filter": [{"terms": {"group": part}}, {"term": {"is_copy": True}}], "must_not": {"term": {"gone": True}}}},
            "aggs": {"groups": {"terms": {"field": "group", "size": len(part)}}},
        }  # fmt: skip
        answer = indices.cluster.search(indices.alias("posts"), body)
        found |= {one["key"]: one["doc_count"] for one in answer["aggregations"]["groups"]["buckets"]}
    return found


def composite(cluster: Cluster, index: str, query: Json, sources: Sequence[Json], size: int = 5000) -> Iterator[tuple[tuple[object, ...], int]]:
    """Every bucket of a composite aggregation: exact counts, any number of buckets."""
    names = [next(iter(source)) for source in sources]
    after: Json = {}
    while True:
        aggregation: Json = {"size": size, "sources": list(sources)} | ({"after": after} if after else {})
        body = {"size": 0, "query": query, "track_total_hits": False, "aggs": {"all": {"composite": aggregation}}}
        found = cluster.search(index, body)["aggregations"]["all"]
        for bucket in found["buckets"]:
            yield tuple(bucket["key"][name] for name in names), bucket["doc_count"]
        after = found.get("after_key", {})
        if len(found["buckets"]) < size or not after:
            return
