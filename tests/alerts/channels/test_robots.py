"""Senders against strict robots: signatures, limits, the provider's own codes, hostile text, secrets."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerts.channels import dingtalk, feishu, webhook
from alerts.channels.base import (
    RETRY_DELAYS_SECONDS,
    Channel,
    ChannelOptions,
    Delivery,
    Message,
    build_channel,
    list_kinds,
    next_delay,
)
from alerts.channels.wording import cut_bytes
from tingfeng.errors import SettingsError

NOW = datetime.fromtimestamp(1_700_000_000, UTC)
PATHS = {
    "dingtalk": "/dingtalk?access_token=t0ken",
    "wecom": "/wecom?key=k1",
    "feishu": "/feishu",
    "slack": "/slack",
    "webhook": "/hook",
}


def build(kind: str, robot_url: str, http: httpx.Client, **changes: object) -> Channel:
    fields: dict[str, object] = {
        "url": robot_url + PATHS[kind],
        "secret": "SECtest",
        "extra": {"allow_private": "true"},
    }
    return build_channel(ChannelOptions("pr", kind, **fields | changes), http)  # type: ignore[arg-type]


def test_known_answers_of_the_signatures() -> None:
    assert dingtalk.sign("SECtest", 1_700_000_000_000) == "aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g="
    assert feishu.sign("SECtest", 1_700_000_000) == "G7XpBpG8NgG02fJOAhX6FRAObIljmFoxVReo8I62pEk="
    assert (
        webhook.sign("SECtest", 1_700_000_000, b'{"a":1}')
        == "v1=fcb51ec4942f871bf6bb7039d37a5ac7dd46311afc0620d07c5c84f8958cb4d1"
    )


@pytest.mark.parametrize("kind", sorted(PATHS))
def test_a_strict_robot_takes_the_message(kind: str, robot: Any, http: httpx.Client, message: Message) -> None:
    assert build(kind, robot.url, http).send(message, NOW).outcome == "delivered"
    assert len(robot.heard) == 1


@pytest.mark.parametrize("kind", sorted(PATHS))
def test_a_very_long_message_is_cut_and_still_taken(
    kind: str, robot: Any, http: httpx.Client, message: Message
) -> None:
    long = replace(message, lines=("水壶起火" * 9000,))
    assert build(kind, robot.url, http).send(long, NOW).outcome == "delivered"


@pytest.mark.parametrize(("kind", "secret"), [("dingtalk", "wrong"), ("feishu", "wrong")])
def test_a_wrong_secret_is_a_failure_in_words(
    kind: str, secret: str, robot: Any, http: httpx.Client, message: Message
) -> None:
    delivery = build(kind, robot.url, http, secret=secret).send(message, NOW)
    assert (delivery.outcome, delivery.code) in {("failed", "310000"), ("failed", "19021")}
    assert "签名" in delivery.detail


@pytest.mark.parametrize(
    ("kind", "answer", "outcome", "code"),
    [
        ("dingtalk", (200, '{"errcode":130101}', {}), "retry", "130101"),
        ("dingtalk", (200, '{"errcode":777,"errmsg":"odd"}', {}), "failed", "777"),
        ("wecom", (200, '{"errcode":45009}', {}), "retry", "45009"),
        ("wecom", (200, '{"errcode":93000}', {}), "failed", "93000"),
        ("feishu", (200, '{"code":11232}', {}), "retry", "11232"),
        ("feishu", (400, '{"code":9499}', {}), "retry", "9499"),
        ("slack", (200, "invalid_payload", {}), "failed", "200"),
        ("slack", (429, "", {"Retry-After": "30"}), "retry", "429"),
        ("slack", (404, "no_service", {}), "failed", "404"),
        ("webhook", (410, "", {}), "failed", "410"),
        ("webhook", (302, "", {"Location": "http://evil.example/"}), "failed", "302"),
        ("webhook", (503, "", {}), "retry", "503"),
        ("dingtalk", (200, "<html>gateway</html>", {}), "retry", ""),
        ("feishu", (502, "", {}), "retry", "502"),
    ],
)
def test_the_providers_own_word_decides(
    kind: str, answer: Any, outcome: str, code: str, robot: Any, http: httpx.Client, message: Message
) -> None:
    robot.answer = answer
    delivery = build(kind, robot.url, http).send(message, NOW)
    assert (delivery.outcome, delivery.code) == (outcome, code)
    assert "t0ken" not in delivery.detail
    assert robot.url not in delivery.detail


@pytest.mark.parametrize("kind", ["dingtalk", "wecom", "feishu", "slack"])
def test_hostile_text_calls_nobody_and_links_nowhere(
    kind: str, robot: Any, http: httpx.Client, message: Message
) -> None:
    build(kind, robot.url, http).send(message, NOW)
    said = json.dumps(robot.heard[0], ensure_ascii=False)
    assert "<!channel>" not in said
    assert "](http://bad.example" not in said or kind in ("feishu", "slack")
    assert "@all" not in said or kind == "slack"


def test_webhook_signs_the_raw_body_and_names_the_message(robot: Any, http: httpx.Client, message: Message) -> None:
    build("webhook", robot.url, http).send(message, NOW)
    headers, raw = robot.headers[0], robot.bodies[0]
    expected = hmac.new(b"SECtest", f"{headers['x-timestamp']}.".encode() + raw, hashlib.sha256).hexdigest()
    assert headers["x-signature"] == f"v1={expected}"
    assert headers["x-idempotency-key"] == "key1"


def test_webhook_keeps_out_of_the_own_network(robot: Any, http: httpx.Client, message: Message) -> None:
    delivery = build("webhook", robot.url, http, extra={}).send(message, NOW)
    assert (delivery.outcome, delivery.code) == ("failed", "private")
    assert robot.heard == []


def test_nobody_there_is_tried_again(http: httpx.Client, message: Message) -> None:
    for kind in PATHS:
        assert build(kind, "http://127.0.0.1:9", http).send(message, NOW).outcome == "retry"


@pytest.mark.parametrize("kind", sorted(set(list_kinds()) - {"smtp"}))
def test_a_missing_address_names_its_variable(kind: str, http: httpx.Client) -> None:
    with pytest.raises(SettingsError, match="TINGFENG_CHANNEL_PR_GROUP_URL"):
        build_channel(ChannelOptions("pr-group", kind), http)


def test_file_channel_appends_lines(tmp_path: Path, http: httpx.Client, message: Message) -> None:
    channel = build_channel(ChannelOptions("f", "file", str(tmp_path / "sub" / "out.jsonl")), http)
    assert [channel.send(message, NOW).outcome for _ in range(2)] == ["delivered", "delivered"]
    lines = (tmp_path / "sub" / "out.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["key1", "key1"]


def test_file_channel_that_cannot_write_is_tried_again(tmp_path: Path, http: httpx.Client, message: Message) -> None:
    channel = build_channel(ChannelOptions("f", "file", str(tmp_path)), http)
    assert channel.send(message, NOW).outcome == "retry"


def test_cutting_never_splits_a_character() -> None:
    for limit in range(40, 60):
        cut = cut_bytes("水壶起火" * 20, limit)
        assert len(cut.encode()) <= limit
        assert "\ufffd" not in cut


def test_retries_wait_longer_and_end() -> None:
    refused = Delivery("retry")
    waits = [next_delay(attempts, refused) for attempts in range(1, 7)]
    assert waits[-1] is None
    assert all(
        wait and wait == pytest.approx(base, rel=0.21)
        for wait, base in zip(waits[:-1], RETRY_DELAYS_SECONDS[1:], strict=True)
    )
    assert next_delay(1, Delivery("retry", retry_after_seconds=30)) == 30
