"""Collect: every configured source, page by page into the store, with a line in the capture ledger. Runs without Prefect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from collectors.base import CollectQuery
from collectors.client import Limits, PoliteClient
from collectors.files import list_inbox, plan_file, read_file
from collectors.walk import Walk
from flows.wiring import ConfiguredSource, Wiring
from nlp.mask import mask_post
from tingfeng.errors import BusyError, SourceError, UsageError
from tingfeng.fingerprints import row_id
from tingfeng.labels import Outcome
from tingfeng.records import CaptureRun, Post, RejectedRow

Progress = Callable[[str], None]
FINE = (Outcome.OK, Outcome.EMPTY, Outcome.SATURATED)
REJECTIONS_KEPT = 200
HOST_PATIENCE_SECONDS = 600


@dataclass
class Tally:
    """What a run has stored so far."""

    new: int = 0
    changed: int = 0
    seen: int = 0
    spooled: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)
    rejections: int = 0

    def store(self, wiring: Wiring, posts: Iterable[Post], rejected: Iterable[RejectedRow] = ()) -> None:
        """Masks, then stores; counts what became of each post."""
        masked = [mask_post(post) for post in posts]
        if masked:
            result = wiring.posts.add_posts(masked)
            self.new += len(result.new)
            self.changed += len(result.changed)
            self.seen += len(result.seen)
            self.spooled += len(result.spooled)
            rejected = [*rejected, *(RejectedRow(id, "帖子库拒收,见 tingfeng deadletter") for id in result.refused)]
        for row in rejected:
            self.rejections += 1
            if len(self.rejected) < REJECTIONS_KEPT:
                self.rejected.append(row)


    def describe(self, detail: str) -> str:
        """The run's own words, and what waits on this machine because the store is away."""
        waiting = f"帖子库不在,{self.spooled} 条暂存在本机,恢复后补写" if self.spooled else ""
        return ";".join(filter(None, (detail, waiting)))


@dataclass(frozen=True)
class CollectReport:
    """One source and target."""

    run: CaptureRun
    rejected: tuple[RejectedRow, ...] = ()
    leftover: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """For --json."""
        run = self.run
        return {
            "source": run.source,
            "query": run.query,
            "outcome": str(run.outcome),
            "detail": run.detail,
            "pages": run.pages,
            "posts": {"new": run.posts_new, "changed": run.posts_changed, "seen": run.posts_seen},
            "rejected": run.rejected,
            "rejections": [{"where": row.where, "reason": row.reason} for row in self.rejected],
            "coverage": [run.covers_from.isoformat(), run.covers_until.isoformat()]
            if run.covers_from and run.covers_until
            else None,
        }


def collect_sources(
    wiring: Wiring, *, only: str = "", since: datetime | None = None, progress: Progress = lambda what: None
) -> list[CollectReport]:
    """All sources (or one), one after another; one that fails, or that another process is at, does not stop the others.

    Raises UsageError for an unknown name, BusyError when others are at every one of them.
    """
    chosen = [source for source in wiring.sources if not only or source.name == only]
    if only and not chosen:
        names = "、".join(source.name for source in wiring.sources) or "还没有"
        raise UsageError(f"没有启用名为 {only} 的来源", where="--source", hint=f"配置里启用的有:{names}")
    reports: list[CollectReport] = []
    busy: list[BusyError] = []
    with wiring.open_http() as http:
        limits = Limits(
            wiring.settings.collect.timeout_seconds, wiring.settings.collect.max_bytes, wiring.settings.collect.jitter
        )
        client = PoliteClient(http, wiring.clock, wiring.desk, limits, wiring.settings.collect.contact)
        for source in chosen:
            try:
                reports += collect_source(wiring, source, client, since, progress)
            except BusyError as error:
                busy.append(error)
                progress(f"{source.name}:正由别的进程采集,跳过")
    if busy and not reports:
        raise busy[0]
    return reports


def collect_source(
    wiring: Wiring, source: ConfiguredSource, client: PoliteClient, since: datetime | None, progress: Progress
) -> list[CollectReport]:
    """Every target of one source. Raises BusyError when another process, here or on another machine, is at it."""
    reports = []
    with ExitStack() as stack:
        stack.enter_context(wiring.lock(f"collect.{source.name}"))
        # the pace is kept per host: two sources of one host take turns, whatever machine they are on
        for host in hosts_of(source):
            stack.enter_context(wiring.lock(f"host.{host}", wait_seconds=HOST_PATIENCE_SECONDS))
        for target in source.settings.targets or ("",):
            progress(f"{source.name} {target}".strip())
            reports.append(
                collect_folder(wiring, source, target)
                if source.collector is None
                else collect_target(wiring, source, target, client, since)
            )
    return reports


def hosts_of(source: ConfiguredSource) -> list[str]:
    """The hosts a source asks, by name."""
    if source.collector is None:
        return []
    urls = (source.base_url, *source.settings.targets)
    return sorted({urlsplit(url).netloc.lower() for url in urls if url.startswith(("http://", "https://"))})


def collect_target(
    wiring: Wiring, source: ConfiguredSource, target: str, client: PoliteClient, since: datetime | None
) -> CollectReport:
    """One walk. What was stored page by page stays, whatever happens later."""
    started = wiring.clock.now()
    assert source.collector is not None
    query = CollectQuery(
        base_url=source.base_url,
        target=target,
        since=since or started - timedelta(days=wiring.settings.collect.since_days),
        max_pages=source.max_pages,
        options=source.settings.options,
        matches=wiring.matcher.matches_text,
        author_key=wiring.hash_author(source.name),
        source=source.name,
        covered_until=None if since else find_covered(wiring, source.name, target),
    )
    walk = Walk(source.collector, source.info, client, query, wiring.clock, source.pace_seconds)
    tally = Tally()
    try:
        for batch in walk.batches():
            tally.store(wiring, say_about(batch.posts, source.settings.about.get(target, "")), batch.rejected)
    except SourceError as error:
        walk.outcome, walk.detail = Outcome.SCHEMA_CHANGED, error.message
    if (
        walk.outcome in FINE
        and tally.new + tally.changed + tally.seen + tally.spooled == 0
        and source.info.kind == "news"
        and walk.pages
    ):
        walk.detail = walk.detail or "没有提到监测对象的内容"
    run = make_run(
        wiring,
        source.name,
        target,
        started,
        walk.outcome,
        walk.detail,
        tally,
        walk.pages,
        (walk.covers_from, walk.covers_until),
    )
    return CollectReport(run, tuple(tally.rejected), tuple(sorted(walk.leftover)))


def say_about(posts: Sequence[Post], subject: str) -> list[Post]:
    """Posts of a page that is about one subject, as the settings say; they need not name it."""
    return [replace(post, extras={**post.extras, "about": subject}) for post in posts] if subject else list(posts)


def find_covered(wiring: Wiring, source: str, target: str) -> datetime | None:
    """Up to where the last good run of this target has read."""
    ends = [run.covers_until for run in wiring.desk.last_covered(source, target) if run.covers_until]
    return max(ends, default=None)


def make_run(
    wiring: Wiring,
    source: str,
    query: str,
    started: datetime,
    outcome: Outcome,
    detail: str,
    tally: Tally,
    pages: int,
    covers: tuple[datetime | None, datetime | None],
) -> CaptureRun:
    """The line of the ledger, written."""
    run = CaptureRun(
        id=row_id("run", source, query, started.isoformat()),
        source=source,
        query=query,
        started_at=started,
        finished_at=wiring.clock.now(),
        outcome=outcome,
        pages=pages,
        posts_new=tally.new,
        posts_changed=tally.changed,
        posts_seen=tally.seen,
        rejected=tally.rejections,
        covers_from=covers[0],
        covers_until=covers[1],
        detail=tally.describe(detail),
    )
    wiring.desk.add_run(run)
    return run


def collect_folder(wiring: Wiring, source: ConfiguredSource, target: str) -> CollectReport:
    """Files that are new or have grown since the last look; a file counts as read only when all its rows are stored."""
    started = wiring.clock.now()
    folder = Path(target) if Path(target).is_absolute() else wiring.home / target
    tally = Tally()
    problems = []
    pages = 0
    for path in list_inbox([folder]):
        facts = path.stat()
        mark = f"{facts.st_size}:{facts.st_mtime_ns}"
        if wiring.desk.get_value("file", str(path)) == mark:
            continue
        try:
            store_file(wiring, path, tally)
        except UsageError as error:
            problems.append(error.message)
            continue
        pages += 1
        wiring.desk.set_value("file", str(path), mark, started)
    if not folder.is_dir():
        problems.append(f"文件夹不存在:{folder}")
    outcome = Outcome.SCHEMA_CHANGED if problems else Outcome.OK if pages else Outcome.EMPTY
    run = make_run(wiring, source.name, target, started, outcome, ";".join(problems)[:300], tally, pages, (None, None))
    return CollectReport(run, tuple(tally.rejected))


def store_file(
    wiring: Wiring,
    path: Path,
    tally: Tally,
    *,
    format_name: str = "",
    mapping: dict[str, str] | None = None,
    source: str = "",
) -> int:
    """All rows of one file; returns how many. Raises UsageError before anything is stored when the file cannot be understood."""
    plan = plan_file(path, format_name=format_name, mapping=mapping, source=source)
    rows = 0
    for batch in read_file(plan, wiring.clock.now(), wiring.hash_author(plan.source)):
        tally.store(wiring, batch.posts, batch.rejected)
        rows += batch.rows
    return rows
