"""Strict robots on loopback: they verify what the real ones verify, and can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from alerts.channels.base import Message
from tingfeng.labels import Level

SECRET = "SECtest"
NOW_SECONDS = 1_700_000_000


@dataclass
class Robot:
    """`answer`: (status, body, headers) instead of the robot's own judgement."""

    url: str = ""
    answer: tuple[int, str, dict[str, str]] | None = None
    heard: list[dict[str, object]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


def judge_dingtalk(query: dict[str, list[str]], body: dict[str, object], raw: bytes) -> str:
    stamp = query.get("timestamp", ["0"])[0]
    expected = base64.b64encode(
        hmac.new(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256).digest()
    ).decode()
    if query.get("sign", [""])[0] != expected or abs(int(stamp) / 1000 - NOW_SECONDS) > 3600:
        return '{"errcode":310000,"errmsg":"sign not match"}'
    markdown = body.get("markdown")
    if len(raw) > 20000:
        return '{"errcode":460101,"errmsg":"too long"}'
    if not isinstance(markdown, dict) or not markdown.get("title") or not markdown.get("text"):
        return '{"errcode":400402,"errmsg":"title"}'
    return '{"errcode":0,"errmsg":"ok"}'


def judge_wecom(query: dict[str, list[str]], body: dict[str, object], raw: bytes) -> str:
    if query.get("key") != ["k1"]:
        return '{"errcode":93000,"errmsg":"invalid webhook url"}'
    markdown = body.get("markdown")
    if not isinstance(markdown, dict) or len(str(markdown.get("content", "")).encode()) > 4096:
        return '{"errcode":40058,"errmsg":"markdown.content exceed max length"}'
    return '{"errcode":0,"errmsg":"ok"}'


def judge_feishu(query: dict[str, list[str]], body: dict[str, object], raw: bytes) -> str:
    stamp = str(body.get("timestamp", "0"))
    expected = base64.b64encode(hmac.new(f"{stamp}\n{SECRET}".encode(), b"", hashlib.sha256).digest()).decode()
    if body.get("sign") != expected or abs(int(stamp) - NOW_SECONDS) > 3600:
        return '{"code":19021,"msg":"sign match fail"}'
    return '{"code":0,"msg":"success"}' if isinstance(body.get("card"), dict) else '{"code":9499,"msg":"Bad Request"}'


def judge_slack(query: dict[str, list[str]], body: dict[str, object], raw: bytes) -> str:
    return "ok" if body.get("text") and body.get("blocks") else "invalid_payload"


def judge_hook(query: dict[str, list[str]], body: dict[str, object], raw: bytes) -> str:
    return "{}"


JUDGES: dict[str, Callable[[dict[str, list[str]], dict[str, object], bytes], str]] = {
    "/dingtalk": judge_dingtalk,
    "/wecom": judge_wecom,
    "/feishu": judge_feishu,
    "/slack": judge_slack,
    "/hook": judge_hook,
}


@pytest.fixture
def robot() -> Iterator[Robot]:
    told = Robot()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            parts = urlsplit(self.path)
            body = json.loads(raw) if "json" in self.headers.get("content-type", "") else {}
            told.heard.append(body)
            told.bodies.append(raw)
            told.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, text, headers = told.answer or (200, JUDGES[parts.path](parse_qs(parts.query), body, raw), {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def message() -> Message:
    lines = ("近 3 小时负面 42 条", "“@all <!channel> **假** [链接](http://bad.example)”")
    return Message("🔴 [红] 暖芽:负面突增", lines, "http://127.0.0.1:8600/#i-1", Level.RED, "alert1", "open", "key1")
