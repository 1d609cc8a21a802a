"""The home page: what happened (incidents), how much (hourly chart), what was said (newest mentions)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from store.desk import Desk
from store.posts import Dim, Hit, PostStore, SearchPage
from tingfeng.clock import SHANGHAI, floor_time
from tingfeng.errors import QuerySyntaxError, UsageError
from tingfeng.labels import AlertState, Level, Sentiment
from tingfeng.query import Query, parse_query
from tingfeng.records import Alert, Incident, Subject

QUOTES_SHOWN = 4
MENTIONS_SHOWN = 30
MOST_COUNTED = 1000  # hits of a search; beyond it the page says "more than"


@dataclass(frozen=True)
class Figures:
    """Of one subject in the last 24 h. `net` = (positive − negative) ÷ n over judged mentions, None when n is 0."""

    mentions: int
    negative: int
    before: int
    net: float | None
    judged: int

    @property
    def change(self) -> str:
        """Against the 24 h before."""
        if not self.before:
            return "前一日没有声量"
        percent = round((self.mentions - self.before) * 100 / self.before)
        return f"较前一日 {percent:+d}%"


@dataclass(frozen=True)
class IncidentCard:
    """An incident with its alerts and the posts that made it."""

    incident: Incident
    alerts: tuple[Alert, ...]
    quotes: tuple[Hit, ...]
    link: str

    @property
    def is_prominent(self) -> bool:
        """Open, or more than blue at its height."""
        return self.incident.state != AlertState.RESOLVED or self.incident.peak_level is not Level.BLUE


@dataclass(frozen=True)
class Series:
    """Hourly values of one subject, oldest first; `baseline` None where nothing is known yet."""

    hours: tuple[str, ...]
    negative: tuple[int, ...]
    total: tuple[int, ...]
    baseline: tuple[float | None, ...]
    rises: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        """For the chart."""
        return json.dumps(self.__dict__, ensure_ascii=False)


@dataclass(frozen=True)
class MentionList:
    """Newest mentions, or the mistake in the query."""

    page: SearchPage
    error: str = ""
    position: int | None = None


def quote_term(text: str) -> str:
    """A field value as the query language writes it."""
    return '"' + text.replace('"', " ") + '"'


def subject_query(subject: str, extra: str = "") -> Query:
    """Mentions of one subject."""
    return parse_query(f"subject:{quote_term(subject)} {extra}".strip(), search=True)


def count_figures(posts: PostStore, subject: str, now: datetime) -> Figures:
    """Counts of the last 24 hours, copies included: they are volume."""
    day = timedelta(hours=24)
    rows = posts.count([Dim.SUBJECT, Dim.SENTIMENT], since=now - day, until=now)
    by_label = {row.key[1]: row.mentions for row in rows if row.key[0] == subject}
    earlier = posts.count([Dim.SUBJECT], since=now - 2 * day, until=now - day)
    negative, positive = by_label.get(Sentiment.NEGATIVE, 0), by_label.get(Sentiment.POSITIVE, 0)
    judged = sum(n for label, n in by_label.items() if label != Sentiment.UNCERTAIN)
    return Figures(
        mentions=sum(by_label.values()),
        negative=negative,
        before=sum(row.mentions for row in earlier if row.key[0] == subject),
        net=(positive - negative) / judged if judged else None,
        judged=judged,
    )


def build_series(posts: PostStore, desk: Desk, subject: str, now: datetime, hours: int) -> Series:
    """The last `hours` hours. Raises StoreError."""
    end = floor_time(now, 3600) + timedelta(hours=1)
    starts = [end - timedelta(hours=back) for back in range(hours, 0, -1)]
    labels = [at.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:00+08:00") for at in starts]
    negative = dict.fromkeys(labels, 0)
    total = dict.fromkeys(labels, 0)
    for row in posts.count([Dim.HOUR, Dim.SUBJECT, Dim.SENTIMENT], since=starts[0], until=end):
        hour, name, sentiment = row.key
        if name == subject and hour in total:
            total[hour] += row.mentions
            if sentiment == Sentiment.NEGATIVE:
                negative[hour] += row.mentions
    expected: dict[str, float] = json.loads(desk.get_value("baseline", subject) or "{}")
    return Series(
        hours=tuple(labels),
        negative=tuple(negative.values()),
        total=tuple(total.values()),
        baseline=tuple(expected.get(label) for label in labels),
    )


def list_incidents(posts: PostStore, desk: Desk, now: datetime, subject: str = "", limit: int = 40) -> list[IncidentCard]:
    """As they stood at `now`, each with its evidence: open ones by level, then closed ones, those of `subject` first, newest first."""
    known = [as_of(one, now) for one in desk.incidents(since=now - timedelta(days=30), limit=500) if one.started_at <= now]
    known.sort(key=lambda one: (*rank_incident(one, subject), -one.started_at.timestamp()))
    return [card_of(posts, desk, incident, now) for incident in known[:limit]]


def as_of(incident: Incident, now: datetime) -> Incident:
    """One that ended later was still going on."""
    if incident.resolved_at is None or incident.resolved_at <= now:
        return incident
    return replace(incident, state=AlertState.FIRING, level=incident.peak_level, resolved_at=None)


def rank_incident(incident: Incident, subject: str) -> tuple[int, int]:
    """What comes first on the page has the lower rank."""
    if incident.state == AlertState.RESOLVED:
        return (1, int(incident.subject != subject))
    return (0, -incident.level.rank)


def card_of(posts: PostStore, desk: Desk, incident: Incident, now: datetime) -> IncidentCard:
    """Alerts of the incident and its most telling posts: negative, with harm words first."""
    alerts = tuple(alert for id in incident.alert_ids if (alert := desk.alert(id)) is not None)
    if incident.subject.startswith("source:"):
        return IncidentCard(incident, alerts, (), "")
    since, until = incident.started_at - timedelta(hours=3), min(incident.resolved_at or now, now)
    filters = "" if all(alert.rule == "volume" for alert in alerts) else "sentiment:negative"
    found = posts.search(subject_query(incident.subject, filters), since=since, until=until, limit=60, count_up_to=0)
    told = [hit for hit in found.hits if not hit.is_copy]
    told.sort(key=lambda hit: (-len(hit.mention.harm_words if hit.mention else ()), -(hit.copies)))
    words = f"{filters} since:{since.astimezone(SHANGHAI):%Y-%m-%d}".strip()
    link = f"/?subject={quote(incident.subject)}&q={quote(words)}"
    return IncidentCard(incident, alerts, tuple(told[:QUOTES_SHOWN]), link)


def list_mentions(posts: PostStore, subject: str, words: str, cursor: str, now: datetime) -> MentionList:
    """Newest mentions of a subject that match the query; a mistake in it is shown, not raised."""
    try:
        if words.strip():
            # first alone, so that a mistake's position is that in what the person wrote
            parse_query(words, search=True)
        query = subject_query(subject, f"({words})" if words.strip() else "")
        return MentionList(posts.search(query, until=now, limit=MENTIONS_SHOWN, cursor=cursor, count_up_to=MOST_COUNTED))
    except QuerySyntaxError as error:
        return MentionList(SearchPage((), 0), error.message, error.position)
    except UsageError as error:
        return MentionList(SearchPage((), 0), error.message)


def choose_subject(subjects: Sequence[Subject], name: str) -> str:
    """The asked-for subject if it is watched, else the first own one; '' without any."""
    names = [subject.name for subject in subjects]
    if name in names:
        return name
    own = [subject.name for subject in subjects if not subject.competitor]
    return (own or names or [""])[0]
