"""The state machine of an alert (facts behind the numbers: ADR 0003). Pure: a finding in, the next state and its changes out.

pending → firing → recovering → resolved; upgrade at once, downgrade and resolve after two calm hours, reopen within six.
A masked finding (we could not see) freezes everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from tingfeng.fingerprints import row_id
from tingfeng.labels import AlertState, Level
from tingfeng.records import Alert, AlertChange, Finding, Incident

THETA = 0.71  # score at which BLUE begins
CALM = timedelta(hours=2)
REOPEN = timedelta(hours=6)
LONGEST = timedelta(days=7)
AT_ONCE = (Level.ORANGE, Level.RED)


@dataclass(frozen=True)
class Step:
    """`alert` None: nothing is going on. `dropped`: id of a pending alert that came to nothing."""

    alert: Alert | None
    changes: tuple[AlertChange, ...] = ()
    dropped: str = ""


def advance(alert: Alert | None, finding: Finding, previous: Alert | None = None) -> Step:
    """The next step of one fingerprint (rule × subject). `previous` is its last resolved alert, if any."""
    if finding.masked:
        return Step(alert)
    if alert is None or alert.state is AlertState.RESOLVED:
        return begin(finding, previous if alert is None else alert)
    if alert.state is AlertState.PENDING:
        if finding.level is None:
            return Step(None, (), alert.id)
        return change(replace(alert, fired_at=finding.at, state=AlertState.FIRING), finding, "open", finding.level)
    if finding.at - (alert.fired_at or alert.started_at) >= LONGEST:
        return resolve(alert, finding, "持续七天,按新常态处理")
    if finding.level is not None and finding.level.rank > alert.level.rank:
        return change(replace(alert, state=AlertState.FIRING, calm_since=None), finding, "upgrade", finding.level)
    return calm_down(alert, finding)


def begin(finding: Finding, previous: Alert | None) -> Step:
    """A new episode, or the last one again if it ended less than six hours ago."""
    if finding.level is None:
        return Step(None)
    if previous is not None and previous.resolved_at is not None and finding.at - previous.resolved_at < REOPEN:
        again = replace(previous, state=AlertState.FIRING, resolved_at=None, calm_since=None, acknowledged_by="")
        return change(again, finding, "reopen", finding.level)
    fresh = Alert(
        id=row_id("alert", finding.rule, finding.subject, finding.at.isoformat()),
        rule=finding.rule,
        subject=finding.subject,
        state=AlertState.PENDING,
        level=finding.level,
        peak_level=finding.level,
        started_at=finding.at,
        changed_at=finding.at,
        score=finding.score,
        peak_score=finding.score,
        last_finding=finding,
    )
    # a daily volume rule is asked once a day: to wait for a second evaluation would be to tell a day late
    if finding.level in AT_ONCE or (finding.rule == "volume" and finding.level is Level.YELLOW):
        return change(replace(fresh, state=AlertState.FIRING, fired_at=finding.at), finding, "open", finding.level)
    return Step(fresh)


def calm_down(alert: Alert, finding: Finding) -> Step:
    """No upgrade: count calm time; two hours of it lower the level or end the alert."""
    quiet = finding.score < THETA / 2
    lower = finding.level is None or finding.level.rank < alert.level.rank
    if not lower:
        return Step(replace(note(alert, finding), state=AlertState.FIRING, calm_since=None))
    since = alert.calm_since or finding.at
    state = AlertState.RECOVERING if quiet else AlertState.FIRING
    if alert.state is AlertState.FIRING and quiet:
        since = finding.at  # two hours of real quiet are asked for, not two hours of "less"
    waiting = replace(note(alert, finding), state=state, calm_since=since)
    if finding.at - since < CALM:
        return Step(waiting)
    if quiet:
        return resolve(waiting, finding, "已回落到常态")
    if alert.level is Level.BLUE:
        return Step(replace(waiting, calm_since=None))
    return change(replace(waiting, calm_since=None), finding, "downgrade", finding.level or Level.BLUE)


def note(alert: Alert, finding: Finding) -> Alert:
    """The alert with the latest figures; the finding shown stays that of the peak."""
    higher = finding.score >= alert.peak_score
    return replace(
        alert,
        score=finding.score,
        peak_score=max(alert.peak_score, finding.score),
        last_finding=finding if higher else alert.last_finding,
    )


def change(alert: Alert, finding: Finding, edge: str, level: Level) -> Step:
    """Writes a flip."""
    peak = level if level.rank > alert.peak_level.rank else alert.peak_level
    summary = title_of(finding)
    told = note(alert, finding)
    if edge in ("open", "upgrade"):
        told = replace(told, last_finding=finding)
    told = replace(told, level=level, peak_level=peak, changed_at=finding.at, summary=summary)
    return Step(told, (AlertChange(alert.id, edge, finding.at, level, told.state, summary),))


def resolve(alert: Alert, finding: Finding, why: str) -> Step:
    """Ends the episode."""
    done = replace(
        note(alert, finding), state=AlertState.RESOLVED, resolved_at=finding.at, changed_at=finding.at, calm_since=None
    )
    return Step(
        done, (AlertChange(alert.id, "resolve", finding.at, alert.level, done.state, f"{alert.summary},{why}"),)
    )


def title_of(finding: Finding) -> str:
    """What happened, in a few words; figures are in the finding's reasons."""
    if finding.rule == "source_down":
        return f"来源 {finding.subject.removeprefix('source:')} 采集中断"
    if finding.evidence.get("harm", 0) > 0:
        return f"{finding.subject}:负面突增,涉及人身安全"
    if finding.rule == "volume":
        return f"{finding.subject}:声量突增"
    return f"{finding.subject}:负面突增" if finding.share_up else f"{finding.subject}:声量上涨(负面占比未升)"


def group_incident(alert: Alert, open_incidents: list[Incident], siblings: list[Alert]) -> Incident:
    """The incident an alert belongs to: the open one of its subject, else a new one. `siblings`: all alerts of that incident."""
    known = next((one for one in open_incidents if one.id == alert.incident_id), None)
    known = known or next(
        (one for one in open_incidents if one.subject == alert.subject and one.state is not AlertState.RESOLVED), None
    )
    members = [one for one in siblings if one.id != alert.id and known is not None and one.incident_id == known.id] + [
        alert
    ]
    active = [one for one in members if one.state is not AlertState.RESOLVED]
    worst = max(active or members, key=lambda one: one.level.rank)
    peak = max((one.peak_level for one in members), key=lambda level: level.rank)
    state = (
        AlertState.RESOLVED
        if not active
        else AlertState.FIRING
        if any(one.state is AlertState.FIRING for one in active)
        else active[0].state
    )
    return Incident(
        id=known.id if known else row_id("incident", alert.subject, alert.started_at.isoformat()),
        subject=alert.subject,
        title=max(members, key=lambda one: (one.peak_level.rank, one.started_at)).summary,
        level=worst.level,
        peak_level=peak,
        state=state,
        started_at=min(one.started_at for one in members),
        changed_at=alert.changed_at,
        resolved_at=alert.resolved_at if not active else None,
        owner=known.owner if known else "",
        alert_ids=tuple(one.id for one in members),
    )
