"""The records that travel between packages: frozen, typed, without behaviour beyond their own consistency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from tingfeng.fingerprints import mention_id, post_id
from tingfeng.labels import (
    Act,
    AlertState,
    ComplaintStatus,
    Content,
    Level,
    Outcome,
    Owner,
    PostKind,
    Sentiment,
    Severity,
    Stage,
    TimePrecision,
    Topic,
)


@dataclass(frozen=True)
class Author:
    """Who wrote a post, without saying who: `key` is a keyed hash (see fingerprints.author_key), '' when unknown."""

    key: str = ""
    verified_type: str = ""
    follower_band: str = ""
    region: str = ""


@dataclass(frozen=True)
class Engagement:
    """Counts as seen at `seen_at`; None = the source does not say; `approx` = a lower bound such as "10万+"."""

    likes: int | None = None
    comments: int | None = None
    reposts: int | None = None
    views: int | None = None
    approx: bool = False
    seen_at: datetime | None = None


@dataclass(frozen=True)
class Complaint:
    """What a complaint board adds to a post. `amount_yuan` None = not stated; `status_words` = the board's own words."""

    ticket_no: str
    target: str = ""
    problems: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()
    amount_yuan: float | None = None
    status: ComplaintStatus = ComplaintStatus.UNKNOWN
    status_words: str = ""
    replied_at: datetime | None = None
    completed_at: datetime | None = None
    rating: int | None = None


@dataclass(frozen=True)
class Post:
    """One published item, once per (source, native_id). Times are aware UTC.

    `published_at` is None when the source gives no time; `published_words` keeps its own words ("3分钟前").
    `extras` holds what a source gives beyond the common fields (app version, forum name, …), short strings only.
    """

    source: str
    native_id: str
    kind: PostKind
    text: str
    first_seen_at: datetime
    title: str = ""
    url: str = ""
    author: Author = field(default_factory=Author)
    published_at: datetime | None = None
    published_precision: TimePrecision = TimePrecision.UNKNOWN
    published_words: str = ""
    engagement: Engagement = field(default_factory=Engagement)
    parent_id: str = ""
    root_id: str = ""
    owned: bool = False
    rating: int | None = None
    complaint: Complaint | None = None
    extras: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """Stable hash of source and native id."""
        return post_id(self.source, self.native_id)

    @property
    def about(self) -> str:
        """Whom the source itself says it is about: the target of a complaint, the product on whose page a review stands; '' if unsaid."""
        return self.extras.get("about", "") or (self.complaint.target if self.complaint else "")

    @property
    def counted_at(self) -> datetime:
        """The instant under which the post is counted: publication, or first sight when that is unknown."""
        return self.published_at or self.first_seen_at


@dataclass(frozen=True)
class Opinion:
    """观点: aspect × polarity (positive, neutral or negative). `aspect` is a finer level below the topic, '' for the topic itself."""

    topic: Topic
    polarity: Sentiment
    aspect: str = ""


@dataclass(frozen=True)
class Mention:
    """Post × subject: the unit we count. `probabilities` maps negative/neutral/positive to [0, 1], empty if not judged.

    `harm_words` are safety words found un-negated near the subject; `corrected_by` names the person whose
    label stands, `corrected` the fields that it stands for.
    `severity`, `stage` and `owner` are None when not judged; `demands` are Chinese words of the closed set; `effort` counts what the
    author spent (calls, transfers, days, visits); `switched_to` names the competitor the author left for.
    """

    post_id: str
    subject: str
    acts: tuple[Act, ...] = ()
    sentiment: Sentiment = Sentiment.UNCERTAIN
    probabilities: Mapping[str, float] = field(default_factory=dict)
    harm_words: tuple[str, ...] = ()
    model: str = ""
    corrected_by: str = ""
    opinions: tuple[Opinion, ...] = ()
    severity: Severity | None = None
    stage: Stage | None = None
    owner: Owner | None = None
    demands: tuple[str, ...] = ()
    effort: Mapping[str, int] = field(default_factory=dict)
    switched_to: str = ""
    corrected: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Stable hash of post and subject."""
        return mention_id(self.post_id, self.subject)

    @property
    def corrected_fields(self) -> tuple[str, ...]:
        """The fields that a person has set; before they were named, it was the sentiment."""
        return self.corrected or (("sentiment",) if self.corrected_by else ())


@dataclass(frozen=True)
class JudgedPost:
    """All that nlp says about one post. `duplicate_group` is the id of the first post of the same text.

    `is_copy` is True for every later post of the group (counted, but not by the detectors). `band_keys` and
    `signature` (64-bit SimHash) let later batches find it again; `words` are jieba words for statistics.
    """

    post_id: str
    content: Content
    mentions: tuple[Mention, ...] = ()
    duplicate_group: str = ""
    is_copy: bool = False
    signature: int = 0
    band_keys: tuple[int, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class RejectedRow:
    """A row or page item that could not become a post: `where` is the row number or address, `reason` says why (Chinese)."""

    where: str
    reason: str


@dataclass(frozen=True)
class CaptureRun:
    """One run of one source for one query, as the capture ledger keeps it.

    `covers_from`/`covers_until`: the span of publish times that this run can vouch for (None when it cannot).
    """

    id: str
    source: str
    query: str
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    pages: int = 0
    posts_new: int = 0
    posts_changed: int = 0
    posts_seen: int = 0
    rejected: int = 0
    covers_from: datetime | None = None
    covers_until: datetime | None = None
    detail: str = ""


@dataclass(frozen=True)
class Bin:
    """Counts of one subject in one interval, copies folded. `coverage` in [0, 1]; below 0.5 the bin is masked."""

    start: datetime
    negative: int
    total: int
    coverage: float = 1.0
    authors: int = 0
    harm: int = 0


@dataclass(frozen=True)
class Finding:
    """What a rule says about one subject at one instant; `evidence` holds the figures that were compared.

    `excess` and `lift` are those of the window named by the rule; `reasons` are Chinese sentences with the numbers in them.
    """

    rule: str
    subject: str
    at: datetime
    level: Level | None
    score: float
    negative: int = 0
    expected: float = 0.0
    total: int = 0
    window_seconds: int = 0
    share_up: bool = False
    masked: bool = False
    reasons: tuple[str, ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Alert:
    """Stateful row, one per episode of a fingerprint (rule × subject). `level` is the current one, `peak_level` the highest."""

    id: str
    rule: str
    subject: str
    state: AlertState
    level: Level
    peak_level: Level
    started_at: datetime
    changed_at: datetime
    incident_id: str = ""
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    acknowledged_by: str = ""
    calm_since: datetime | None = None
    score: float = 0.0
    peak_score: float = 0.0
    summary: str = ""
    last_finding: Finding | None = None


@dataclass(frozen=True)
class AlertChange:
    """One flip of an alert, written once; only such rows cause notifications. `edge`: open, upgrade, downgrade, resolve, reopen, repeat."""

    alert_id: str
    edge: str
    at: datetime
    level: Level
    state: AlertState
    summary: str = ""


@dataclass(frozen=True)
class Incident:
    """What people work on: groups the alerts of one happening around one subject."""

    id: str
    subject: str
    title: str
    level: Level
    peak_level: Level
    state: AlertState
    started_at: datetime
    changed_at: datetime
    resolved_at: datetime | None = None
    owner: str = ""
    alert_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notification:
    """One attempt-able message in the outbox. `reason` is why it is sent, or why it is not; `outcome`: queued, delivered, failed, withheld."""

    id: str
    alert_id: str
    edge: str
    channel: str
    reason: str
    created_at: datetime
    due_at: datetime
    outcome: str = "queued"
    attempts: int = 0
    delivered_at: datetime | None = None
    provider_code: str = ""
    detail: str = ""
    title: str = ""
    body: str = ""
    level: Level = Level.BLUE


@dataclass(frozen=True)
class Subject:
    """监测对象: a tracked brand, product, person or organisation.

    Matches where `query` matches if it is set, else where the name or an alias stands and no `exclude` term does.
    For a name that is a common word too, `context` words near it say that the brand is meant, `context_not` that it is not.
    """

    name: str
    aliases: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    query: str = ""
    competitor: bool = False
    context: tuple[str, ...] = ()
    context_not: tuple[str, ...] = ()


@dataclass(frozen=True)
class Silence:
    """Muted by a person for a time; '' for subject or rule means any."""

    id: str
    subject: str
    rule: str
    until: datetime
    user: str
    reason: str
    created_at: datetime


@dataclass(frozen=True)
class AuditEntry:
    """Who did what to what, and when."""

    at: datetime
    user: str
    action: str
    target: str
    detail: str = ""
