"""What our indices look like and what they are called.

Four families, all named `<prefix><family>-<set>-<month>` and read through the alias `<prefix><family>`:
`places` (one index: in which month a post is filed; fixed at its first sight, also when its date is corrected later, so that no post can
ever stand twice), `leases` (one document: who is judging what now), `posts` (by month: the post with its judgement, the truth; nothing in
it is analysed) and `mentions` (by month: what is searched and counted, made from the truth; a judged post without a subject has one
document there too). A set is one generation of all four: `reindex` builds the next beside it.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import timedelta

from store.elasticsearch_client import Cluster, ClusterAway, IndexGone, Json
from tingfeng.clock import SHANGHAI
from tingfeng.errors import StoreError
from tingfeng.records import Post

VERSION = 2
FAMILIES = ("leases", "places", "posts", "mentions")
ODD = "odd"  # the month of posts whose date lies far from their first sight: a source with wild dates must not make hundreds of indices
EARLIEST, LATEST = timedelta(days=15 * 366), timedelta(days=40)

KEYWORD: Json = {"type": "keyword", "ignore_above": 8000}
SORTED: Json = {"type": "keyword", "index": False}
STORED: Json = {"type": "keyword", "index": False, "doc_values": False}
TIME: Json = {"type": "date", "format": "epoch_millis"}
NUMBER: Json = {"type": "double"}
UNITS: Json = {"type": "text", "analyzer": "whitespace", "norms": False}
BLOB: Json = {"type": "object", "enabled": False}

LEASES: Json = {"leases": BLOB}
PLACES: Json = {"month": KEYWORD}
POSTS: Json = {
    "id": SORTED, "month": STORED, "rev": {"type": "long", "index": False}, "counted_ms": TIME, "source": KEYWORD, "author_key": KEYWORD,
    "text_hash": STORED, "state_hash": STORED, "judged": {"type": "boolean"}, "judged_ms": TIME, "hidden": {"type": "boolean"},
    # of an unjudged post, so that a number that no index can hold is refused at once
    "numbers": {"type": "double", "index": False, "doc_values": False},
    "open": {"type": "boolean"}, "gone": {"type": "boolean"}, "docs": STORED, "content": STORED, "group": KEYWORD, "is_copy": {"type": "boolean"},
    "bands": KEYWORD, "signature": STORED, "words": STORED, "post": BLOB, "mentions": BLOB,
}  # fmt: skip
MENTIONS: Json = {
    "key": SORTED, "post_id": KEYWORD, "matched": {"type": "boolean"}, "counted_ms": TIME, "is_copy": {"type": "boolean"},
    **dict.fromkeys(("group", "source", "kind", "author_type", "region", "owned", "author_key", "subject", "sentiment"), KEYWORD),
    **dict.fromkeys(("acts", "topics", "severity", "stage", "problems", "status", "words"), KEYWORD),
    **dict.fromkeys(("likes", "comments", "reposts", "views", "rating"), NUMBER),
    "harm": {"type": "boolean"}, "title": UNITS, "body": UNITS, "shown": BLOB, "extras": {"type": "flattened", "ignore_above": 8000},
}  # fmt: skip
# made from `shown`, so not kept a second time
LEFT_OUT = ["title", "body", "words", "extras"]


def month_of(post: Post) -> str:
    """The month a post is filed under when it is first seen."""
    at = post.counted_at
    if not -EARLIEST <= at - post.first_seen_at <= LATEST:
        return ODD
    return at.astimezone(SHANGHAI).strftime("%Y.%m")


@dataclass(frozen=True)
class Layout:
    """How many copies and parts an index gets. Replicas: `0-1` means one as soon as there is a second node."""

    shards: int = 1
    replicas: str = "0-1"


def settings_of(layout: Layout) -> Json:
    """Settings that all of ours share."""
    return {
        "number_of_shards": layout.shards, "number_of_replicas": 0, "auto_expand_replicas": layout.replicas, "refresh_interval": "1s",
        "gc_deletes": "1h",  # a late writer of an old state must still find that the document was deleted
    }  # fmt: skip


def mapping_of(family: str) -> Json:
    """Mapping of a family: fields we do not know are refused."""
    fields = {"leases": LEASES, "places": PLACES, "posts": POSTS, "mentions": MENTIONS}[family]
    mapping: Json = {"dynamic": "strict", "_meta": {"schema": VERSION}, "properties": fields}
    return mapping | ({"_source": {"excludes": LEFT_OUT}} if family == "mentions" else {})


class Indices:
    """The set in use: names, and making what is missing. Knows nothing of documents."""

    def __init__(self, cluster: Cluster, layout: Layout, building: int = 0) -> None:
        """`building`: a set that is not in use yet."""
        self.cluster, self._layout, self._building = cluster, layout, building
        self._lock = threading.RLock()
        self._number = building
        self._made: set[str] = set()

    def alias(self, family: str) -> str:
        """What is read."""
        return f"{self.cluster.address.prefix}{family}"

    def name(self, family: str, month: str = "", number: int | None = None) -> str:
        """What is written: one index of the set in use, or of set `number`."""
        return f"{self.alias(family)}-{number or self.number:06d}{'-' if month else ''}{month}"

    @property
    def number(self) -> int:
        """Number of the set in use; looked up once, and again after `forget`. Raises StoreError."""
        with self._lock:
            if not self._number:
                self.cluster.version()
                self._number = self.find_set() or self._make_first()
            return self._number

    def forget(self) -> None:
        """Look the set up again: a reindex has switched it, or an index was deleted."""
        with self._lock:
            self._number = self._building
            self._made.clear()

    def find_set(self, *, any_schema: bool = False) -> int:
        """Number of the set that the alias names; 0 when there is none. Raises StoreError for a schema that is not ours."""
        try:
            found = self.cluster.call("GET", f"/_alias/{self.alias('places')}")
        except (IndexGone, StoreError) as error:
            if isinstance(error, ClusterAway) or not missing(error):
                raise
            return 0
        name = max(found)
        mapping = self.cluster.call("GET", f"/{name}/_mapping")[name]["mappings"]
        schema = mapping.get("_meta", {}).get("schema", 0)
        if schema > VERSION and not any_schema:
            raise StoreError(f"索引是更新的版本建的(第 {schema} 版)", where=self.cluster.address.shown, hint="请升级 tingfeng")
        if schema < VERSION and not any_schema:
            raise StoreError(f"索引是旧版本建的(第 {schema} 版)", where=self.cluster.address.shown, hint="请运行 tingfeng reindex")
        matched = re.search(r"-(\d{6})$", name)
        if matched is None:
            raise StoreError(f"别名 {self.alias('places')} 指向了别的索引", where=self.cluster.address.shown, hint="请换一个前缀")
        return int(matched.group(1))

    def _make_first(self) -> int:
        self.put_templates()
        self.make(1, "leases", "", in_use=True)
        for family in ("posts", "mentions"):
            self.make(1, family, ODD, in_use=True)
        self.make(1, "places", "", in_use=True)  # the last one: it is where a set is looked for
        return 1

    def put_templates(self) -> None:
        """Component and index templates; they also keep an index of ours from being made by accident."""
        prefix = self.cluster.address.prefix
        shared = {"template": {"settings": {"index": settings_of(self._layout)}}}
        self.cluster.call("PUT", f"/_component_template/{prefix}settings", shared)
        for family in FAMILIES:
            body: Json = {"template": {"mappings": mapping_of(family)}}
            if family == "mentions":
                body["template"]["settings"] = {"index": {"sort.field": ["counted_ms", "key"], "sort.order": ["desc", "desc"]}}
            self.cluster.call("PUT", f"/_component_template/{prefix}{family}", body)
            self.cluster.call(
                "PUT", f"/_index_template/{prefix}{family}",
                {
                    "index_patterns": [f"{prefix}{family}-*"], "composed_of": [f"{prefix}settings", f"{prefix}{family}"],
                    "priority": 500, "allow_auto_create": False, "_meta": {"schema": VERSION},
                },
            )  # fmt: skip

    def make(self, number: int, family: str, month: str, *, in_use: bool) -> None:
        """One index, if it is not there. `in_use` puts it under the alias."""
        name = self.name(family, month, number)
        aliases: Json = {self.alias(family): {}} if in_use else {}
        try:
            self.cluster.call("PUT", f"/{name}", {"aliases": aliases}, wait_for_active_shards="1")
        except ClusterAway:
            raise
        except StoreError as error:
            if "resource_already_exists" not in error.what:
                raise

    def months(self) -> list[str]:
        """Months that the set in use has indices for."""
        start = self.name("posts") + "-"
        names = self.cluster.call("GET", f"/{start}*/_alias")
        return sorted(name.removeprefix(start) for name in names)

    def ensure(self, months: set[str]) -> None:
        """The indices of these months in the set in use."""
        with self._lock:
            for month in sorted(months - self._made):
                for family in ("posts", "mentions"):
                    self.make(self.number, family, month, in_use=not self._building)
                self._made.add(month)


def missing(error: StoreError) -> bool:
    """Whether the cluster said that something is not there."""
    return isinstance(error, IndexGone) or "(404 " in error.what
