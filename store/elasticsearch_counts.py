"""Counts, intervals and telling words, from composite aggregations: exact, however many values there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from store.elasticsearch_client import Json
from store.elasticsearch_query import EVERYTHING, Condition
from store.elasticsearch_schema import Indices
from store.elasticsearch_search import SHOWN, SORT, composite, confirm, scope, walk_mentions
from store.posts import CountRow, Dim
from store.sqlite_rows import from_ms, to_ms
from store.telling_words import MOST_POSTS, count_words, score_words
from tingfeng.clock import SHANGHAI, floor_time
from tingfeng.query import Query
from tingfeng.records import Bin

ALL = Condition(EVERYTHING, True)
HOUR, DAY = 3600, 86400
FIELDS = {
    Dim.SOURCE: "source", Dim.SUBJECT: "subject", Dim.SENTIMENT: "sentiment", Dim.ACT: "acts", Dim.TOPIC: "topics", Dim.SEVERITY: "severity",
    Dim.STAGE: "stage", Dim.REGION: "region", Dim.PROBLEM: "problems", Dim.STATUS: "status",
}  # fmt: skip


def count_mentions(
    indices: Indices, dims: Sequence[Dim], query: Query | None, condition: Condition, since: datetime | None, until: datetime | None, copies: bool
) -> list[CountRow]:
    """See PostStore.count."""
    within = scope(condition, since, until, copies=copies)
    found: Counter[tuple[str, ...]] = Counter()
    if not condition.exact:
        for hit in walk_mentions(indices, query, condition, within):
            found.update(keys_of(dims, hit["_source"]))
    elif not dims:
        answer = indices.cluster.search(indices.alias("mentions"), {"size": 0, "query": within, "track_total_hits": True})
        found[()] = answer["hits"]["total"]["value"]
    else:
        for key, n in composite(indices.cluster, indices.alias("mentions"), within, [source_of(dim) for dim in dims]):
            found[tuple(word_of(dim, value) for dim, value in zip(dims, key, strict=True))] += n
    return [CountRow(key, n) for key, n in sorted(found.items()) if n]


def source_of(dim: Dim) -> Json:
    """A dimension as a source of a composite aggregation. Days begin at midnight in Asia/Shanghai."""
    if dim is Dim.HOUR:
        return {dim: {"date_histogram": {"field": "counted_ms", "fixed_interval": "1h"}}}
    if dim is Dim.DAY:
        return {dim: {"date_histogram": {"field": "counted_ms", "fixed_interval": "1d", "time_zone": "+08:00"}}}
    return {dim: {"terms": {"field": FIELDS[dim], "missing_bucket": True}}}


def word_of(dim: Dim, value: object) -> str:
    """A bucket's key in words; nothing counts as ''."""
    if dim in (Dim.HOUR, Dim.DAY):
        at = datetime.fromtimestamp(int(str(value)) / 1000, SHANGHAI)
        return at.strftime("%Y-%m-%dT%H:00+08:00" if dim is Dim.HOUR else "%Y-%m-%d")
    return "" if value is None else str(value)


def keys_of(dims: Sequence[Dim], source: Json) -> list[tuple[str, ...]]:
    """What the aggregation would count a document under; several acts, topics or problems count once each."""
    keys: list[tuple[str, ...]] = [()]
    for dim in dims:
        if dim in (Dim.HOUR, Dim.DAY):
            words = [word_of(dim, to_ms(floor_time(at_of(source), HOUR if dim is Dim.HOUR else DAY)))]
        else:
            value = source.get(FIELDS[dim])
            words = list(dict.fromkeys(value)) if isinstance(value, list) else [str(value or "")]
        keys = [(*head, word) for head in keys for word in words]
    return keys


def at_of(source: Json) -> datetime:
    at = from_ms(source["counted_ms"])
    assert at is not None
    return at


def read_bins(indices: Indices, subject: str, since: datetime, until: datetime, seconds: int, sources: Sequence[str], copies: bool) -> list[Bin]:
    """See PostStore.bins."""
    first, step = to_ms(floor_time(since, seconds)), seconds * 1000
    filters: list[Json] = [{"term": {"subject": subject}}] + ([{"terms": {"source": list(sources)}}] if sources else [])
    within = scope(Condition({"bool": {"filter": filters}}, True), from_ms(first), until, copies=copies)
    place: Json = {"at": {"date_histogram": {"field": "counted_ms", "fixed_interval": f"{seconds}s", "offset": f"{first % step}ms"}}}
    index = indices.alias("mentions")
    told: dict[int, Counter[str]] = defaultdict(Counter)
    kinds: list[Json] = [{name: {"terms": {"field": name}}} for name in ("sentiment", "harm")]
    for (at, sentiment, harm), n in composite(indices.cluster, index, within, [place, *kinds]):
        told[int(str(at))].update({"total": n, "negative": n * (sentiment == "negative"), "harm": n * bool(harm)})
    negative: Json = {"bool": {"filter": [within, {"term": {"sentiment": "negative"}}]}}
    authors: Counter[int] = Counter()
    for (at, _), _ in composite(indices.cluster, index, negative, [place, {"author": {"terms": {"field": "author_key"}}}]):
        authors[int(str(at))] += 1
    bins = []
    for ms in range(first, to_ms(until), step):
        start, cell = from_ms(ms), told.get(ms)
        assert start is not None
        bins.append(Bin(start, cell["negative"], cell["total"], 1.0, authors[ms], cell["harm"]) if cell else Bin(start, 0, 0))
    return bins


def read_volumes(indices: Indices, since: datetime, until: datetime) -> Mapping[str, int]:
    """Mentions per source in whole hours, as the roll-up of the embedded engine has them."""
    last = floor_time(until, HOUR)
    whole = last if last == until else last + timedelta(hours=1)
    within = scope(ALL, floor_time(since, HOUR), whole)
    rows = composite(indices.cluster, indices.alias("mentions"), within, [{"source": {"terms": {"field": "source"}}}])
    return {str(key[0]): n for key, n in rows}


def read_terms(indices: Indices, query: Query, condition: Condition, since: datetime, until: datetime, limit: int) -> list[tuple[str, float, int]]:
    """Words of the newest mentions that meet the query against those of the newest of the whole window."""
    return score_words(
        count_words(read_words(indices, query, condition, since, until)), count_words(read_words(indices, None, ALL, since, until)), limit
    )


def read_words(
    indices: Indices, query: Query | None, condition: Condition, since: datetime, until: datetime
) -> list[tuple[str, tuple[str, ...]]]:
    """(author or post, words) of the newest mentions; words come from the column, for `_source` leaves them out."""
    within = scope(condition, since, until)
    rows: list[tuple[str, tuple[str, ...]]] = []
    body: Json = {"query": within, "sort": SORT, "docvalue_fields": ["words", "author_key", "post_id"]}
    body["_source"] = False if condition.exact else SHOWN
    for hit in indices.cluster.walk(indices.alias("mentions"), body, 5000):
        if condition.exact or confirm(query, hit["_source"]):
            fields = hit.get("fields", {})
            rows.append(((fields.get("author_key") or fields["post_id"])[0], tuple(fields.get("words", ()))))
            if len(rows) >= MOST_POSTS:
                break
    return rows


