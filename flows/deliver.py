"""Deliver: claims due notifications and sends each once, whoever is killed when. Runs without Prefect."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.channels.base import Channel, Delivery, Message, next_delay
from flows.machine import name_worker
from flows.wiring import Wiring
from tingfeng.records import Notification

LEASE_SECONDS = 120


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


def deliver_notifications(
    wiring: Wiring, worker: str = "", *, lease_seconds: int = LEASE_SECONDS
) -> DeliverReport:
    """Until nothing is due; several processes and machines may do it at once.

    A channel that is gone from the settings fails its notifications by name. What a killed worker had begun to send is sent again
    only where the receiver tells repeats by their key; elsewhere it is reported as failed, because it may have arrived.
    """
    worker = worker or name_worker()
    report = DeliverReport()
    with wiring.open_http() as http:
        outbox = Outbox(wiring, worker, wiring.build_channels(http), report)
        while claimed := wiring.desk.claim_interrupted(worker, wiring.clock.now(), lease_seconds=lease_seconds):
            for notification in claimed:
                outbox.pick_up(notification)
        while claimed := wiring.desk.claim_notifications(worker, wiring.clock.now(), lease_seconds=lease_seconds):
            for notification in claimed:
                outbox.send(notification)
    return report


@dataclass(frozen=True)
class Outbox:
    """One worker's way with what it has claimed."""

    wiring: Wiring
    worker: str
    channels: dict[str, Channel]
    report: DeliverReport

    def send(self, notification: Notification) -> None:
        """One attempt and what is written of it; nothing when the lease has gone to another worker."""
        desk, now = self.wiring.desk, self.wiring.clock.now()
        channel = self.channels.get(notification.channel)
        if channel is None:
            self._finish(notification, "failed", "配置里没有这个渠道了")
            return
        message = message_of(self.wiring, notification)
        wait = desk.take_token(notification.channel, now)
        if wait:
            self._finish(notification, "queued", "等待发送名额", due_at=now + timedelta(seconds=wait), attempted=False)
        elif desk.begin_attempt(notification.id, self.worker, self.wiring.clock.now()):
            self._settle(notification, channel.send(message, now))

    def pick_up(self, notification: Notification) -> None:
        """What another worker began and did not finish."""
        channel = self.channels.get(notification.channel)
        if channel is not None and notification.channel in self.wiring.repeatable_channels:
            self._settle(notification, channel.send(message_of(self.wiring, notification), self.wiring.clock.now()))
        else:
            self._finish(notification, "failed", "发送途中被打断,可能已经送到;为免重复不再发送")

    def _settle(self, notification: Notification, delivery: Delivery) -> None:
        """Delivered, to be tried again, or given up."""
        delay = next_delay(notification.attempts + 1, delivery) if delivery.outcome == "retry" else None
        outcome = "queued" if delay is not None else "delivered" if delivery.outcome == "delivered" else "failed"
        due = None if delay is None else self.wiring.clock.now() + timedelta(seconds=delay)
        words = delivery.detail or delivery.code
        self._finish(notification, outcome, delivery.detail, due_at=due, code=delivery.code, words=words)

    def _finish(
        self,
        notification: Notification,
        outcome: str,
        detail: str,
        *,
        due_at: datetime | None = None,
        code: str = "",
        words: str = "",
        attempted: bool = True,
    ) -> None:
        stands = self.wiring.desk.finish_notification(
            notification.id, outcome, self.wiring.clock.now(), worker=self.worker, provider_code=code, detail=detail,
            due_at=due_at, attempted=attempted,
        )  # fmt: skip
        if stands:  # else another worker has taken it over, and tells
            self.report.attempts.append((notification, outcome, words or detail))


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
