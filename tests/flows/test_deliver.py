"""Each notification is sent once or reported as failed, whoever dies in the middle; on both engines of the Desk."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerts.channels.base import Delivery, Message
from flows.commands.doctor_command import check_desk
from flows.deliver import deliver_notifications
from flows.wiring import Wiring
from store.desk import WatchCommit
from tingfeng.clock import SimulatedClock, parse_iso
from tingfeng.labels import Level
from tingfeng.records import Notification

NOW = parse_iso("2026-11-14T18:00")
LATER = timedelta(minutes=5)
HOOK = """
[[channels]]
kind = "webhook"
name = "hook"
url = "http://127.0.0.1:9/x"
[channels.options]
allow_private = "true"
"""


@pytest.fixture
def wiring(open_place: Any, desk_url: str) -> Wiring:
    found: Wiring = open_place(clock=SimulatedClock(NOW), TINGFENG_DESK_URL=desk_url)
    return found


def queue(wiring: Wiring, *ids: str, channel: str = "main") -> None:
    rows = [Notification(id, "a1", "open", channel, "first", NOW, NOW, title=id, level=Level.RED) for id in ids]
    wiring.desk.commit_watch(WatchCommit(notifications=rows), NOW)


def move(wiring: Wiring, by: timedelta) -> None:
    assert isinstance(wiring.clock, SimulatedClock)
    wiring.clock.advance(by)


def told(wiring: Wiring) -> list[str]:
    file = wiring.home / "main.jsonl"
    return [json.loads(line)["title"] for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def outcomes(wiring: Wiring) -> dict[str, str]:
    return {one.id: one.outcome for one in wiring.desk.notifications(NOW)}


def test_what_is_due_is_sent_once(wiring: Wiring) -> None:
    queue(wiring, "n1", "n2")
    assert [outcome for _, outcome, _ in deliver_notifications(wiring).attempts] == ["delivered"] * 2
    assert deliver_notifications(wiring).attempts == []
    assert told(wiring) == ["n1", "n2"]


def test_what_a_dead_worker_had_claimed_and_not_begun_is_sent_after_its_lease(wiring: Wiring) -> None:
    queue(wiring, "n1")
    wiring.desk.claim_notifications("dead", NOW)
    assert deliver_notifications(wiring).attempts == []
    move(wiring, LATER)
    deliver_notifications(wiring)
    assert told(wiring) == ["n1"]


def test_what_a_dead_worker_had_begun_is_reported_and_not_repeated(wiring: Wiring) -> None:
    queue(wiring, "n1")
    wiring.desk.claim_notifications("dead", NOW)
    wiring.desk.begin_attempt("n1", "dead", NOW)
    move(wiring, LATER)
    report = deliver_notifications(wiring)
    assert (report.failed, told(wiring), outcomes(wiring)) == (1, [], {"n1": "failed"})
    assert "可能已经送到" in report.attempts[0][2]


def test_a_receiver_that_knows_keys_gets_the_same_message_again(
    open_place: Any, place: Path, desk_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "config" / "tingfeng.toml").write_text(HOOK, "utf-8")
    wiring: Wiring = open_place(clock=SimulatedClock(NOW), TINGFENG_DESK_URL=desk_url)
    keys: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["X-Idempotency-Key"])
        return httpx.Response(200)

    monkeypatch.setattr(wiring, "open_http", lambda: httpx.Client(transport=httpx.MockTransport(answer)))
    queue(wiring, "n1", channel="hook")
    wiring.desk.claim_notifications("dead", NOW)
    wiring.desk.begin_attempt("n1", "dead", NOW)
    move(wiring, LATER)
    deliver_notifications(wiring)
    assert (keys, outcomes(wiring)) == (["n1"], {"n1": "delivered"})


def test_a_slow_worker_does_not_send_what_another_has_taken_over(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(wiring, "n1", "n2")
    sent: list[str] = []

    class Slow:
        def send(self, message: Message, now: Any) -> Delivery:
            sent.append(message.key)
            move(wiring, LATER)  # longer than the lease of the whole batch
            return Delivery("delivered", "0")

    channel = Slow()
    monkeypatch.setattr(wiring, "build_channels", lambda http: {"main": channel})
    take_over: Callable[..., Any] = wiring.desk.take_token

    def overtaken(*args: Any) -> Any:
        wiring.desk.claim_notifications("other", wiring.clock.now())
        return take_over(*args)

    monkeypatch.setattr(wiring.desk, "take_token", overtaken)
    deliver_notifications(wiring)
    assert sent == ["n1"]


def test_a_channel_that_is_gone_fails_by_name(wiring: Wiring) -> None:
    queue(wiring, "n1", channel="old")
    report = deliver_notifications(wiring)
    assert (report.failed, outcomes(wiring)) == (1, {"n1": "failed"})


def test_doctor_names_the_server_and_what_was_not_delivered(wiring: Wiring) -> None:
    queue(wiring, "n1", channel="old")
    deliver_notifications(wiring)
    first, second = check_desk(wiring)
    assert first.words.startswith(("SQLite 3.", "PostgreSQL "))
    assert (second.state, "1 条没有送到,最后一条:old" in second.words) == ("warn", True)
