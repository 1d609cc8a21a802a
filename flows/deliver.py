"""Deliver: claims due notifications and sends each once. Runs without Prefect."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from alerts.channels.base import Channel, Delivery, Message, next_delay
from flows.wiring import Wiring
from tingfeng.records import Notification


@dataclass
class DeliverReport:
    """(notification, outcome, words) of each attempt."""

    attempts: list[tuple[Notification, str, str]] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Notifications given up."""
        return sum(outcome == "failed" for _, outcome, _ in self.attempts)

    def to_dict(self) -> dict[str, object]:
        """For --json."""
        rows = [
            {
                "id": one.id,
                "channel": one.channel,
                "edge": one.edge,
                "level": str(one.level),
                "title": one.title,
                "outcome": outcome,
                "detail": words,
            }
            for one, outcome, words in self.attempts
        ]
        return {"notifications": rows, "failed": self.failed}


def deliver_notifications(wiring: Wiring, worker: str = "deliver") -> DeliverReport:
    """Until nothing is due. A channel that is gone from the settings fails its notifications by name."""
    report = DeliverReport()
    with wiring.open_http() as http:
        channels = wiring.build_channels(http)
        while claimed := wiring.desk.claim_notifications(worker, wiring.clock.now()):
            for notification in claimed:
                outcome, words = send_one(wiring, notification, channels)
                report.attempts.append((notification, outcome, words))
    return report


def send_one(wiring: Wiring, notification: Notification, channels: dict[str, Channel]) -> tuple[str, str]:
    """One attempt and what is written of it."""
    now = wiring.clock.now()
    channel = channels.get(notification.channel)
    if channel is None:
        wiring.desk.finish_notification(notification.id, "failed", now, detail="配置里没有这个渠道了")
        return "failed", "配置里没有这个渠道了"
    wait = wiring.desk.take_token(notification.channel, now)
    if wait:
        wiring.desk.finish_notification(
            notification.id, "queued", now, detail="等待发送名额", due_at=now + timedelta(seconds=wait), attempted=False
        )
        return "queued", "等待发送名额"
    delivery = channel.send(message_of(wiring, notification), now)
    return settle(wiring, notification, delivery)


def message_of(wiring: Wiring, notification: Notification) -> Message:
    """The stored words with a link to the incident."""
    alert = wiring.desk.alert(notification.alert_id)
    link = f"{wiring.link}/#i-{alert.incident_id}" if alert and alert.incident_id else wiring.link
    return Message(
        notification.title,
        tuple(notification.body.splitlines()),
        link,
        notification.level,
        notification.alert_id,
        notification.edge,
        notification.id,
    )


def settle(wiring: Wiring, notification: Notification, delivery: Delivery) -> tuple[str, str]:
    """Delivered, to be tried again, or given up."""
    now = wiring.clock.now()
    delay = next_delay(notification.attempts + 1, delivery) if delivery.outcome == "retry" else None
    outcome = "queued" if delay is not None else "delivered" if delivery.outcome == "delivered" else "failed"
    due = None if delay is None else now + timedelta(seconds=delay)
    wiring.desk.finish_notification(
        notification.id, outcome, now, provider_code=delivery.code, detail=delivery.detail, due_at=due
    )
    return outcome, delivery.detail or delivery.code
