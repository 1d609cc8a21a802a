"""Watch: counts → findings → alerts → incidents → notifications in the outbox, committed together. Runs without Prefect."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerts.baseline import DAILY, FIFTEEN_MINUTES, Profile
from alerts.coverage import first_seen, measure_coverage
from alerts.detector import DetectorState
from alerts.lifecycle import advance, group_incident
from alerts.message import Quote, compose
from alerts.notify import ChannelRule, find_repeats, plan_notifications
from alerts.rules import find_silent_sources
from alerts.watching import HISTORY, Saved, Watched, first_bin, watch_subject
from flows.wiring import Wiring
from store.desk import WatchCommit
from tingfeng.clock import SHANGHAI, floor_time, parse_iso
from tingfeng.errors import StoreError
from tingfeng.labels import AlertState
from tingfeng.query import parse_query
from tingfeng.records import Alert, AlertChange, CaptureRun, Finding, Incident, Notification

BASELINE_DAYS = 40
QUOTES = 3


@dataclass
class WatchReport:
    """Findings with a level, and what became of the alerts."""

    at: datetime
    findings: list[Finding] = field(default_factory=list)
    changes: list[AlertChange] = field(default_factory=list)
    notifications: int = 0

    def to_dict(self) -> dict[str, object]:
        """For --json."""
        edges = [change.edge for change in self.changes]
        return {
            "at": self.at.isoformat(),
            "findings": [
                {
                    "rule": f.rule,
                    "subject": f.subject,
                    "at": f.at.isoformat(),
                    "level": f.level and str(f.level),
                    "score": f.score,
                    "reasons": list(f.reasons),
                }
                for f in self.findings
            ],
            "opened": edges.count("open") + edges.count("reopen"),
            "changed": edges.count("upgrade") + edges.count("downgrade"),
            "resolved": edges.count("resolve"),
            "notifications": self.notifications,
        }


class Ledger:
    """Alerts and incidents as they stand while one watch goes through its findings."""

    def __init__(self, wiring: Wiring, now: datetime) -> None:
        self._desk = wiring.desk
        # the newest row of a fingerprint is the one that counts; resolved ones matter for six hours
        rows = sorted(
            [*self._desk.recent_alerts(now - timedelta(days=8)), *self._desk.open_alerts()],
            key=lambda alert: alert.started_at,
        )
        self.alerts: dict[tuple[str, str], Alert] = {(row.rule, row.subject): row for row in rows}
        self.members: dict[str, Alert] = {row.id: row for row in rows}
        self.incidents = {one.id: one for one in self._desk.incidents(open_only=True)}
        self.touched: dict[str, Alert] = {}
        self.changed_incidents: dict[str, Incident] = {}
        self.changes: list[AlertChange] = []
        self.dropped: list[str] = []

    def pass_finding(self, finding: Finding) -> None:
        """One step of the state machine."""
        key = (finding.rule, finding.subject)
        result = advance(self.alerts.get(key), finding)
        if result.dropped:
            self.alerts.pop(key, None)
            self.members.pop(result.dropped, None)
            self.touched.pop(result.dropped, None)
            self.dropped.append(result.dropped)
            return
        if result.alert is None:
            return
        alert = result.alert
        if result.changes and alert.state is not AlertState.PENDING:
            incident = group_incident(alert, list(self.incidents.values()), list(self.members.values()))
            alert = replace(alert, incident_id=incident.id)
            self.incidents[incident.id] = self.changed_incidents[incident.id] = incident
            if incident.state is AlertState.RESOLVED:
                self.incidents.pop(incident.id)
        if alert != self.alerts.get(key):
            self.touched[alert.id] = alert
        self.alerts[key] = self.members[alert.id] = alert
        self.changes += result.changes


def watch_counts(wiring: Wiring, at: datetime | None = None, *, wait_seconds: int = 0) -> WatchReport:
    """One watch of every subject and source at `at` (default now). Raises BusyError when another is under way, on any machine."""
    now = at or wiring.clock.now()
    report = WatchReport(now)
    with wiring.lock("watch", wait_seconds=wait_seconds):
        last = wiring.desk.last_watch()
        ledger = Ledger(wiring, now)
        kept: dict[tuple[str, str], str] = {}
        runs = wiring.desk.runs(now - HISTORY - timedelta(days=2))
        weights = wiring.posts.volumes(now - timedelta(days=14), now)
        findings: list[Finding] = []
        for subject in wiring.subjects:
            findings += watch_one(wiring, subject.name, now, runs, weights, kept)
        findings += find_silent_sources(
            [run for run in runs if run.started_at > now - timedelta(days=7)],
            now,
            wiring.settings.alerts.source_down_hours,
        )
        for finding in sorted(findings, key=lambda one: one.at):
            ledger.pass_finding(finding)
            if finding.level is not None:
                report.findings.append(finding)
        changes = [*ledger.changes, *find_repeats(list(ledger.alerts.values()), recent_notifications(wiring, now), now)]
        notifications = plan_all(wiring, changes, ledger, now)
        wiring.desk.commit_watch(
            WatchCommit(
                list(ledger.touched.values()),
                changes,
                list(ledger.changed_incidents.values()),
                notifications,
                ledger.dropped,
                kept,
                token=secrets.token_hex(12),
                after=last,
            ),
            now,
        )
    report.changes = changes
    report.notifications = sum(one.outcome == "queued" for one in notifications)
    return report


def replay_watches(
    wiring: Wiring, start: datetime, end: datetime, hours: int, step: Callable[[], object]
) -> WatchReport:
    """A watch every `hours` from start to end; the findings and changes of all of them."""
    total = WatchReport(end)
    at = start
    while at <= end:
        report = watch_counts(wiring, at)
        total.findings += report.findings
        total.changes += report.changes
        total.notifications += report.notifications
        at += timedelta(hours=hours)
        step()
    return total


def watch_one(
    wiring: Wiring,
    subject: str,
    now: datetime,
    runs: Sequence[CaptureRun],
    weights: Mapping[str, int],
    kept: dict[tuple[str, str], str],
) -> list[Finding]:
    """The findings of one subject that were not passed on before; its states go into `kept`."""
    daily = wiring.settings.alerts.daily_sources
    sources = tuple(name for name in weights if name not in daily) if daily else ()
    found: list[Finding] = []
    if not daily or sources:
        watched = watch_profile(wiring, subject, now, runs, weights, FIFTEEN_MINUTES, "spike", sources)
        kept[("detector", f"spike:{subject}")] = pack_saved(watched.saved)
        kept[("baseline", subject)] = merge_baseline(wiring.desk.get_value("baseline", subject), watched.recent, now)
        found += watched.fresh
    if daily:
        watched = watch_profile(wiring, subject, now, (), {}, DAILY, "volume", daily)
        kept[("detector", f"volume:{subject}")] = pack_saved(watched.saved)
        found += watched.fresh
    return found


def watch_profile(
    wiring: Wiring,
    subject: str,
    now: datetime,
    runs: Sequence[CaptureRun],
    weights: Mapping[str, int],
    profile: Profile,
    rule: str,
    sources: Sequence[str],
) -> Watched:
    """Bins from the store, coverage from the ledger, findings from the detector."""
    saved = unpack_saved(wiring.desk.get_value("detector", f"{rule}:{subject}"))
    # a day that is not over yet can only grow: it is judged by what is known of it, so that a crisis is told on its day
    until = floor_time(now, profile.seconds) + (timedelta() if profile.hourly else timedelta(days=1))
    start = first_bin(saved, first_seen(runs), now, profile)
    bins = (
        wiring.posts.bins(subject, start, until, profile.seconds, sources=sources, copies=rule == "volume")
        if start < until
        else []
    )
    if runs:
        bins = measure_coverage(bins, runs, weights)
    return watch_subject(subject, saved, bins, now, profile=profile, volume=rule == "volume", rule=rule)


def pack_saved(saved: Saved) -> str:
    """For the Desk."""
    return json.dumps(
        {"state": saved.state.to_json(), "until": saved.until.isoformat(), "evaluated": saved.evaluated.isoformat()}
    )


def unpack_saved(text: str | None) -> Saved | None:
    """None for nothing, or for a state that must be learnt anew."""
    if not text:
        return None
    values = json.loads(text)
    try:
        state = DetectorState.from_json(values["state"])
    except StoreError:
        return None
    return Saved(state, datetime.fromisoformat(values["until"]), datetime.fromisoformat(values["evaluated"]))


def merge_baseline(text: str | None, findings: Sequence[Finding], now: datetime) -> str:
    """Expected negatives per hour for the chart; hours of the replayed day are written anew."""
    hours: dict[str, float] = json.loads(text) if text else {}
    fresh: dict[str, float] = {}
    for finding in findings:
        if "mu" in finding.evidence:
            label = finding.at.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:00+08:00")
            fresh[label] = fresh.get(label, 0.0) + finding.evidence["mu"]
    oldest = now - timedelta(days=BASELINE_DAYS)
    kept = {label: value for label, value in hours.items() if parse_iso(label) >= oldest}
    return json.dumps(kept | {label: round(value, 3) for label, value in fresh.items()})


def recent_notifications(wiring: Wiring, now: datetime) -> list[Notification]:
    """Those of the last eight days: longer than any episode."""
    return wiring.desk.notifications(now - timedelta(days=8))


def plan_all(wiring: Wiring, changes: Sequence[AlertChange], ledger: Ledger, now: datetime) -> list[Notification]:
    """Rows of the outbox for all changes, withheld ones too."""
    rules = [ChannelRule(one.name, one.min_level, wiring.settings.alerts.daily_cap) for one in wiring.settings.channels]
    if not changes or not rules:
        return []
    sent = recent_notifications(wiring, now)
    silences = wiring.desk.silences(now)
    rows: list[Notification] = []
    for change in changes:
        alert = ledger.members[change.alert_id]
        message = compose(change, alert, find_quotes(wiring, alert, change))
        rows += plan_notifications(change, alert, rules, silences, [*sent, *rows], message)
    return rows


def find_quotes(wiring: Wiring, alert: Alert, change: AlertChange) -> list[Quote]:
    """Negative posts of the last three hours, those with harm words first, copies left out."""
    if alert.subject.startswith("source:") or change.edge in ("resolve", "downgrade"):
        return []
    query = parse_query(f'subject:"{alert.subject}" sentiment:negative', search=True)
    page = wiring.posts.search(
        query, since=change.at - timedelta(hours=3), until=change.at + timedelta(minutes=15), limit=60
    )
    hits = [hit for hit in page.hits if not hit.is_copy]
    hits.sort(key=lambda hit: (-len(hit.mention.harm_words if hit.mention else ()), -hit.copies))
    return [Quote(hit.post.text, hit.post.source, f"{wiring.link}/posts/{hit.post.id}") for hit in hits[:QUOTES]]
