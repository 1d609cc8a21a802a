"""Rejudge: judges what is stored again with the present model, while everything else goes on. Killed at any moment, it goes on where it was.

It walks from the newest mention to the oldest. What is a copy of what stays as it is, and so do people's labels; posts that still wait to be
judged are left to analyse. Runs without Prefect.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

from flows.campaigns import keep_group, widen_campaigns
from flows.wiring import Wiring
from store.correcting import keep_labels
from store.posts import Hit, SearchPage, StoredPost
from tingfeng.query import Query, parse_query
from tingfeng.records import JudgedPost, Mention, Post

BATCH = 500
STATE_FILE = "rejudge.json"
FIELDS = ("sentiment", "acts", "severity", "opinions", "stage", "owner", "demands", "effort", "harm_words", "switched_to")


@dataclass(frozen=True)
class Job:
    """What is judged again: '' or None for everything. `model` is the one that judges now; another one is another job."""

    query: str
    since: datetime | None
    until: datetime | None
    model: str

    def to_dict(self) -> dict[str, str]:
        """For JSON, to tell jobs apart."""
        return {name: str(value or "") for name, value in asdict(self).items()}


@dataclass
class RejudgeReport:
    """`counts`: posts, mentions; of these changed (in anything but the model), by field; new and gone; corrected (kept as people set them)."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)
    resumed: bool = False

    def to_dict(self) -> dict[str, object]:
        """For --json."""
        names = ("posts", "mentions", "changed", "new", "gone", "corrected", *FIELDS)
        return {**{name: self.counts[name] for name in names}, "failed": len(self.failures), "resumed": self.resumed}


@dataclass
class State:
    """How far a job is: what follows `cursor` is to be done, `hits` are behind. `edge`: posts of the last instant, which may come once more
    with another subject. `pending`: counts of the batch that was being written when the job was cut off."""

    file: Path
    job: Job
    cursor: str = ""
    hits: int = 0
    edge: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    pending: Counter[str] | None = None
    resumed: bool = False

    @classmethod
    def read(cls, file: Path, job: Job) -> State:
        """Where the same job was cut off, else at its beginning."""
        found = json.loads(file.read_text("utf-8")) if file.exists() else {}
        if found.get("job") != job.to_dict():
            return cls(file, job)
        pending = None if found["pending"] is None else Counter(found["pending"])
        return cls(file, job, found["cursor"], found["hits"], found["edge"], Counter(found["counts"]), pending, True)

    def write(self) -> None:
        """Whole or not at all."""
        names = ("cursor", "hits", "edge", "counts", "pending")
        values = {"job": self.job.to_dict()} | {name: getattr(self, name) for name in names}
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(values, ensure_ascii=False), "utf-8")
        fresh.replace(self.file)


def rejudge_posts(
    wiring: Wiring, job: Job, progress: Callable[[int], None] = lambda behind: None, *, from_start: bool = False
) -> RejudgeReport:
    """From where this job was cut off to its end. Raises BusyError when another one runs. `progress` is told how many hits are behind."""
    query = parse_query(job.query, search=True) if job.query else None
    file = wiring.home / STATE_FILE
    with wiring.lock("rejudge"):
        if from_start:
            file.unlink(missing_ok=True)
        state = State.read(file, job)
        report = RejudgeReport(state.counts, resumed=state.resumed)
        following = True
        while following:
            page = find_page(wiring, query, state)
            report.failures += judge_page(wiring, page, state)
            progress(state.hits)
            following = bool(page.next_cursor)
        file.unlink(missing_ok=True)
    return report


def find_page(wiring: Wiring, query: Query | None, state: State) -> SearchPage:
    """The next hits, posts without a subject among them."""
    job = state.job
    return wiring.posts.search(
        query, since=job.since, until=job.until, limit=BATCH, cursor=state.cursor, with_unmatched=True, count_up_to=0
    )


def judge_page(wiring: Wiring, page: SearchPage, state: State) -> list[tuple[str, str]]:
    """Judges the posts of a page and writes how far it is; (post id, reason) of those that failed and stay as they were."""
    ids = [id for id in dict.fromkeys(hit.post.id for hit in page.hits) if id not in state.edge]
    stored = {one.post.id: one for one in wiring.posts.get_posts(ids) if one.judged and one.judgement}
    result = wiring.pipeline.judge([one.post for one in stored.values()])
    regrouped = [merge_judgement(one, stored[one.post_id].judgement) for one in result.posts]
    wider = widen_campaigns(wiring, [one.post for one in stored.values()], regrouped, firsts=True)
    # other posts of a campaign have their own turn
    fresh = [merge_judgement(one, stored[one.post_id].judgement) for one in wider if one.post_id in stored]
    if state.pending is None:  # else it was counted before the batch was written, and may show no difference any more
        state.pending = sum((count_changes(one, stored[one.post_id].judgement) for one in fresh), Counter())
        state.write()
    wiring.posts.save_judged(fresh, wiring.clock.now())
    unjudge_changed(wiring, list(stored.values()))
    state.counts.update(state.pending)
    state.cursor, state.hits, state.pending = page.next_cursor, state.hits + len(page.hits), None
    state.edge = find_edge(page.hits, state.edge)
    if state.cursor:
        state.write()
    return list(result.failed)


def find_edge(hits: Sequence[Hit], before: Sequence[str]) -> list[str]:
    """The posts of the last hit's instant; all of them, when the whole page is of one instant."""
    last = hits[-1].post.counted_at if hits else None
    here = [hit.post.id for hit in hits if hit.post.counted_at == last]
    return list(dict.fromkeys([*(before if len(here) == len(hits) else ()), *here]))


def merge_judgement(new: JudgedPost, old: JudgedPost | None) -> JudgedPost:
    """The new judgement with the old group of copies and with what people set."""
    if old is None:
        return new
    before = {mention.subject: mention for mention in old.mentions}
    mentions = tuple(keep_labels(one, before[one.subject]) if one.subject in before else one for one in new.mentions)
    return keep_group(replace(new, mentions=mentions), old)


def count_changes(new: JudgedPost, old: JudgedPost | None) -> Counter[str]:
    """What a post's new judgement adds to the report."""
    before = {mention.subject: mention for mention in (old.mentions if old else ())}
    counts = Counter({"posts": 1, "mentions": len(new.mentions)})
    for mention in new.mentions:
        counts["corrected"] += bool(mention.corrected_by)
        if mention.subject not in before:
            counts["new"] += 1
            continue
        changed = find_changes(mention, before[mention.subject])
        counts["changed"] += bool(changed)
        counts.update(changed)
    counts["gone"] += len(before.keys() - {mention.subject for mention in new.mentions})
    return counts


def find_changes(new: Mention, old: Mention) -> list[str]:
    """Names of the fields that differ."""
    return [name for name in FIELDS if getattr(new, name) != getattr(old, name)]


def unjudge_changed(wiring: Wiring, judged: Sequence[StoredPost]) -> None:
    """Posts whose text changed while they were being judged wait for analyse again."""
    now = {one.post.id: one.post for one in wiring.posts.get_posts([one.post.id for one in judged])}
    stale = [one.post.id for one in judged if one.post.id in now and words_of(now[one.post.id]) != words_of(one.post)]
    if stale:
        wiring.posts.unjudge_posts(stale)


def words_of(post: Post) -> tuple[str, str]:
    """What is judged of a post."""
    return post.title, post.text
