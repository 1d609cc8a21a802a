"""Newest-first search with a cursor, exact totals, any depth."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.elasticsearch_client import Cluster, Json
from store.elasticsearch_query import Condition, phrase, spell_phrase
from store.elasticsearch_rows import read_hit
from store.elasticsearch_schema import Indices
from store.posts import Order, SearchPage
from store.sqlite_rows import to_ms
from store.sqlite_search import decode_cursor, encode_cursor
from tingfeng.errors import UsageError
from tingfeng.query import Query
from tingfeng.query_match import matches
from tingfeng.query_tree import And, Near, Node, Or, Term

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


@dataclass(frozen=True)
class Asked:
    """What one search wants; `within` is the query's clause with its time span."""

    query: Query | None
    condition: Condition
    within: Json
    limit: int
    cursor: str = ""
    order: Order = Order.NEWEST
    count_up_to: int | None = None

    @property
    def body(self) -> Json:
        """Query and sort. Relevance: words that stand outside NOT are scored."""
        words = positive_terms(self.query.root) if self.query and self.order is Order.RELEVANCE else []
        if not words:
            return {"query": self.within, "sort": SORT, "_source": SHOWN}
        return {"query": {"bool": {"filter": [self.within], "should": words}}, "sort": ["_score", *SORT], "_source": SHOWN}


def search_mentions(indices: Indices, asked: Asked) -> SearchPage:
    """See PostStore.search."""
    after = read_place(asked.cursor) if asked.cursor else []
    places = len(asked.body["sort"])
    if after and len(after) != places:
        raise bad_cursor(asked.cursor)
    if asked.condition.exact and asked.limit < PAGE:
        cap = asked.count_up_to
        body = asked.body | {"size": asked.limit + 1, "track_total_hits": True if cap is None else cap or False}
        answer = indices.cluster.search(indices.alias("mentions"), body | ({"search_after": after} if after else {}))
        hits = answer["hits"]["hits"]
        told = answer["hits"].get("total", {"value": 0, "relation": "gte"})
        total, least = told["value"], told["relation"] == "gte"
    else:
        hits, total, least = walk_page(indices, asked, after)
    shown = hits[: asked.limit]
    if len(hits) <= asked.limit and not after and asked.limit:
        total, least = len(hits), False
    copies = count_copies(indices, [hit["_source"] for hit in shown])
    following = write_place(shown[-1]["sort"][:places]) if len(hits) > asked.limit and shown else ""
    return SearchPage(tuple(read_hit(hit["_source"], copies) for hit in shown), total, following, least)


def walk_page(indices: Indices, asked: Asked, after: list[Any]) -> tuple[list[Json], int, bool]:
    """(the page's hits and one more, how many in all, whether there are more): every candidate is asked again, or the page is huge."""
    hits: list[Json] = []
    total = 0
    for hit in indices.cluster.walk(indices.alias("mentions"), asked.body, PAGE):
        if not asked.condition.exact and not confirm(asked.query, hit["_source"]):
            continue
        total += 1
        if len(hits) <= asked.limit and (not after or hit["sort"][: len(after)] < after):
            hits.append(hit)
        if asked.count_up_to is not None and total > asked.count_up_to and len(hits) > asked.limit:
            return hits, asked.count_up_to, True
    return hits, total, False


def positive_terms(node: Node) -> list[Json]:
    """Clauses of the words that stand outside NOT."""
    if isinstance(node, And | Or):
        return [clause for child in node.nodes for clause in positive_terms(child)]
    if isinstance(node, Near):
        return [clause for term in (*node.left, *node.right) for clause in positive_terms(term)]
    if not isinstance(node, Term):
        return []
    return [phrase(name, spell_phrase(node.units)) for name in (("title",) if node.title_only else ("title", "body"))]


def write_place(values: Sequence[Any]) -> str:
    """An opaque place in the order."""
    if len(values) == 2:
        return encode_cursor(*values)
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def read_place(cursor: str) -> list[Any]:
    """Raises UsageError for what was not made by write_place."""
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        return list(decode_cursor(cursor))
    if not isinstance(found, list):
        raise bad_cursor(cursor)
    return found


def bad_cursor(cursor: str) -> UsageError:
    """For what is no place in this order."""
    return UsageError("翻页标记读不懂", where=f"cursor {cursor[:40]}", hint="请用上一页给出的 next_cursor")


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
