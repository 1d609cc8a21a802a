"""The collector contract: what a source is (SOURCE) beside how to read it (two pure functions, bytes in, posts out).

A collector module exports SOURCE and a class `Collector` without state that keeps I/O out: the client fetches, the walk
(collectors/walk.py) turns pages, the parser only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tingfeng.labels import Outcome, SourceKind
from tingfeng.records import Post, RejectedRow


@dataclass(frozen=True)
class SourceInfo:
    """Metadata of a source. `access`: public | operator_cookie | file. `robots_unknown`: allow | deny when robots.txt cannot be read as text.

    `page_posts` = (fewest, most) posts that a full page normally holds; `required` = fields that must be filled in ≥ 80 % of rows.
    """

    name: str
    title: str
    kind: SourceKind
    base_url: str
    access: str = "public"
    pace_seconds: float = 3.0
    max_pages: int = 50
    page_posts: tuple[int, int] = (1, 100)
    required: tuple[str, ...] = ("native_id", "text")
    needs: tuple[str, ...] = ()
    robots_unknown: str = "allow"
    targets: str = ""


@dataclass(frozen=True)
class CollectQuery:
    """What a collector is asked for. `target`: what this source needs (app id, feed address, folder); see SourceInfo.targets.

    `matches` says whether a text concerns any watched subject (local match); `seen` says which native ids are known already;
    `author_key` hashes an account id (raw accounts never leave the collector); `since`: older posts are not wanted;
    `source`: the configured name that posts carry; `covered_until`: up to here the last run has read everything.
    """

    base_url: str
    target: str = ""
    since: datetime | None = None
    max_pages: int = 50
    options: Mapping[str, str] = field(default_factory=dict)
    matches: Callable[[str], bool] = lambda text: True
    seen: Callable[[frozenset[str]], frozenset[str]] = lambda ids: frozenset()
    author_key: Callable[[str], str] = lambda account: ""
    source: str = ""
    covered_until: datetime | None = None


@dataclass(frozen=True)
class Request:
    """One request to make. `url` is absolute, under `base_url`. `note` is handed to the parser unchanged.

    `conditional`: ask only for what is new. `otherwise`: posts known from the list, kept when this page cannot be had.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    note: str = ""
    conditional: bool = False
    otherwise: tuple[Post, ...] = ()


@dataclass(frozen=True)
class Page:
    """A raw response (原始响应). `body` is as received after transfer decoding; `status` 304 has an empty body."""

    request: Request
    status: int
    body: bytes
    headers: Mapping[str, str]
    fetched_at: datetime


@dataclass(frozen=True)
class Parsed:
    """What a page says. `follow` are pages to read now (details); `next` is the next list page or None.

    `reached_end`: the list has nothing older to offer. `leftover`: field names the parser did not expect. `oldest`: publish
    time of the oldest row, wanted or not.
    """

    outcome: Outcome
    posts: tuple[Post, ...] = ()
    follow: tuple[Request, ...] = ()
    next: Request | None = None
    reached_end: bool = False
    rejected: tuple[RejectedRow, ...] = ()
    leftover: tuple[str, ...] = ()
    detail: str = ""
    oldest: datetime | None = None


class Collector(Protocol):
    """Two pure functions beside SOURCE."""

    def first_request(self, query: CollectQuery, now: datetime) -> Request:
        """The request for the first page. Raises SourceError when the target cannot be one of this source (before any call)."""
        ...

    def parse(self, page: Page, query: CollectQuery) -> Parsed:
        """Reads one page. Never raises for what a site sends: broken structure is Outcome.SCHEMA_CHANGED with a detail, bad rows are rejected."""
        ...
