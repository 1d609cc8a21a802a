"""Should we tell? Pure decisions with named reasons; what is not told is written down too, with why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tingfeng.fingerprints import row_id
from tingfeng.labels import AlertState, Level
from tingfeng.records import Alert, AlertChange, Notification, Silence

REPEAT = {Level.YELLOW: timedelta(hours=12), Level.ORANGE: timedelta(hours=4), Level.RED: timedelta(hours=1)}
REASONS = {"open": "first", "upgrade": "upgrade", "reopen": "reopened", "resolve": "resolved", "repeat": "repeat_due"}
TOLD = frozenset({"queued", "delivered"})
REASON_WORDS = {
    "first": "首次预警", "upgrade": "级别上升", "reopened": "再次出现", "resolved": "已解除", "repeat_due": "到时重复(未确认)",
    "below_min_level": "低于该渠道的级别", "silenced": "已静默", "daily_cap": "当天已到上限", "never_told": "没有通知过,不必报解除",
    "downgrade": "级别下降,不打扰",
}  # fmt: skip


@dataclass(frozen=True)
class ChannelRule:
    """What a channel wants to hear; `daily_cap` bounds all but red."""

    name: str
    min_level: Level
    daily_cap: int = 20


def plan_notifications(
    change: AlertChange,
    alert: Alert,
    channels: Sequence[ChannelRule],
    silences: Sequence[Silence],
    sent: Sequence[Notification],
    message: tuple[str, str],
) -> list[Notification]:
    """One row a channel. `sent`: notifications of the last days; `message`: title and body."""
    rows = []
    for channel in channels:
        reason, told = decide(change, alert, channel, silences, sent)
        rows.append(
            Notification(
                id=row_id("notification", change.alert_id, change.edge, change.at.isoformat(), channel.name),
                alert_id=change.alert_id,
                edge=change.edge,
                channel=channel.name,
                reason=reason,
                created_at=change.at,
                due_at=change.at,
                outcome="queued" if told else "withheld",
                title=message[0],
                body=message[1],
                level=change.level,
            )
        )
    return rows


def decide(
    change: AlertChange, alert: Alert, channel: ChannelRule, silences: Sequence[Silence], sent: Sequence[Notification]
) -> tuple[str, bool]:
    """(reason, whether to tell)."""
    own = [one for one in sent if one.channel == channel.name and one.outcome in TOLD]
    if change.edge == "downgrade":
        return "downgrade", False
    if change.edge == "resolve":
        return ("resolved", True) if any(one.alert_id == alert.id for one in own) else ("never_told", False)
    if change.level.rank < channel.min_level.rank:
        return "below_min_level", False
    if any(
        (not s.subject or s.subject == alert.subject) and (not s.rule or s.rule == alert.rule) and s.until > change.at
        for s in silences
    ):
        return "silenced", False
    day = sum(1 for one in own if change.at - one.created_at < timedelta(days=1))
    if day >= channel.daily_cap and change.level is not Level.RED:
        return "daily_cap", False
    return REASONS[change.edge], True


def find_repeats(alerts: Sequence[Alert], sent: Sequence[Notification], now: datetime) -> list[AlertChange]:
    """A change `repeat` for each firing, unacknowledged alert whose last telling is as old as its level allows."""
    due = []
    for alert in alerts:
        interval = REPEAT.get(alert.level)
        if alert.state is not AlertState.FIRING or alert.acknowledged_by or interval is None:
            continue
        times = [one.created_at for one in sent if one.alert_id == alert.id and one.outcome in TOLD]
        if times and now - max(times) >= interval:
            due.append(AlertChange(alert.id, "repeat", now, alert.level, alert.state, alert.summary))
    return due
