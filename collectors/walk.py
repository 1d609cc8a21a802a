"""Turns pages: first request, parse, details, next page – until all that is new has been read or the site says stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collectors.base import Collector, CollectQuery, Page, Parsed, Request, SourceInfo
from collectors.client import PoliteClient, Refusal
from tingfeng.clock import Clock
from tingfeng.errors import SourceError
from tingfeng.labels import Outcome
from tingfeng.records import Post, RejectedRow

OVERLAP = timedelta(hours=1)  # posts may appear on a list a little later than their time says
WORST_FIRST = (
    Outcome.BLOCKED, Outcome.LOGIN_REQUIRED, Outcome.SCHEMA_CHANGED, Outcome.RATE_LIMITED, Outcome.UNREACHABLE, Outcome.GONE,
    Outcome.SUSPECT_EMPTY, Outcome.SATURATED, Outcome.EMPTY, Outcome.OK,
)  # fmt: skip
LEAST_FILLED = 0.8


@dataclass(frozen=True)
class WalkBatch:
    """What one page gave, its details included. When the walk goes on, the batch counts as stored."""

    posts: tuple[Post, ...]
    rejected: tuple[RejectedRow, ...]


@dataclass
class Walk:
    """A run over one query. Iterate `batches()`; then read the rest."""

    collector: Collector
    source: SourceInfo
    client: PoliteClient
    query: CollectQuery
    clock: Clock
    pace_seconds: float
    outcome: Outcome = Outcome.OK
    detail: str = ""
    pages: int = 0
    oldest: datetime | None = None
    covers_from: datetime | None = None
    covers_until: datetime | None = None
    leftover: set[str] = field(default_factory=set)

    def batches(self) -> Iterator[WalkBatch]:
        """Page by page. Raises SourceError when the query cannot be one of this source."""
        started = self.clock.now()
        request: Request | None = self.collector.first_request(self.query, started)
        reached = unchanged = False
        rows = lists = 0
        while request is not None:
            page = self.client.fetch(request, self.pace_seconds)
            if isinstance(page, Refusal):
                self._note(page.outcome, page.detail)
                break
            self.pages += 1
            lists += 1
            if page.status == 304:
                reached = unchanged = True
                break
            parsed = self._parse(page)
            rows += len(parsed.posts) + len(parsed.follow)
            self.oldest = min((at for at in (self.oldest, parsed.oldest) if at), default=None)
            yield from self._follow(parsed)
            self.client.remember(page)
            if parsed.outcome not in (Outcome.OK, Outcome.EMPTY):
                break
            reached = parsed.reached_end or parsed.next is None or self._is_enough(parsed)
            if reached or lists >= self.query.max_pages:
                if not reached:
                    self._note(Outcome.SATURATED, f"翻到上限 {self.query.max_pages} 页,更早的没有读到")
                break
            request = parsed.next
        self._cover(started, reached, unchanged)
        if unchanged or (self.outcome is Outcome.OK and not rows and self.oldest is None):
            self._note(Outcome.EMPTY, "没有更新" if unchanged else "")

    def _parse(self, page: Page) -> Parsed:
        parsed = self.collector.parse(page, self.query)
        self.leftover |= set(parsed.leftover)
        total = len(parsed.posts) + len(parsed.follow) + len(parsed.rejected)
        if parsed.outcome is Outcome.OK and total >= 5 and len(parsed.rejected) > total * (1 - LEAST_FILLED):
            parsed = Parsed(
                **{
                    **parsed.__dict__,
                    "outcome": Outcome.SCHEMA_CHANGED,
                    "detail": f"{len(parsed.rejected)}/{total} 行缺必需的字段",
                }
            )
        self._note(parsed.outcome, parsed.detail)
        return parsed

    def _follow(self, parsed: Parsed) -> Iterator[WalkBatch]:
        posts, rejected = list(parsed.posts), list(parsed.rejected)
        hard_stop = False
        for request in parsed.follow:
            page = Refusal(self.outcome, self.detail) if hard_stop else self.client.fetch(request, self.pace_seconds)
            if isinstance(page, Refusal):
                posts += request.otherwise
                # a detail that is gone is that post's affair; a wall is the whole run's
                if page.outcome is not Outcome.GONE:
                    hard_stop = True
                    self._note(page.outcome, page.detail)
                continue
            self.pages += 1
            detail = self.collector.parse(page, self.query)
            if detail.outcome not in (Outcome.OK, Outcome.GONE):
                self._note(detail.outcome, detail.detail)
            posts += detail.posts or request.otherwise
            rejected += detail.rejected
        yield WalkBatch(tuple(posts), tuple(rejected))

    def _is_enough(self, parsed: Parsed) -> bool:
        """Older than what is wanted, or than what the last run has read."""
        borders = [
            at for at in (self.query.since, self.query.covered_until and self.query.covered_until - OVERLAP) if at
        ]
        return parsed.oldest is not None and bool(borders) and parsed.oldest <= max(borders)

    def _cover(self, started: datetime, reached: bool, unchanged: bool) -> None:
        """The span this run can vouch for; none after a refusal, and none for an empty list."""
        if self.outcome not in (Outcome.OK, Outcome.EMPTY, Outcome.SATURATED):
            return
        starts = [at for at in (self.oldest, self.query.covered_until if reached else None) if at]
        if not starts or (self.oldest is None and not unchanged):
            return
        self.covers_from, self.covers_until = min(starts), started

    def _note(self, outcome: Outcome, detail: str) -> None:
        if WORST_FIRST.index(outcome) < WORST_FIRST.index(self.outcome):
            self.outcome, self.detail = outcome, detail


def check_target(value: str, pattern: bool, source: SourceInfo) -> None:
    """Raises SourceError before any call when a target cannot be one of this source."""
    if not pattern:
        raise SourceError(
            f"“{value}”不是{source.title}能用的采集对象", where=f"sources.{source.name}.targets", hint=source.targets
        )
