"""Signed webhook for one's own systems: JSON body, `X-Signature: v1=hex(HMAC-SHA256(secret, timestamp + "." + body))`."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from alerts.channels.base import TIMEOUT_SECONDS, Channel, ChannelOptions, Delivery, Message, judge_status, need

KIND, TITLE_ZH = "webhook", "签名 Webhook"
NEEDS_ZH = 'URL;SECRET(签名用);options.allow_private = "true" 才允许内网地址'
LIMIT_ZH = "10 秒超时,不跟随跳转;2xx 算送到,410 停用;接收方应拒绝 5 分钟以外的时间戳,并按 X-Idempotency-Key 去重(发送途中被打断会再发)"
REPEATABLE = True


def sign(secret: str, seconds: int, body: bytes) -> str:
    """The value of X-Signature."""
    return "v1=" + hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


def is_public(url: str) -> bool:
    """Whether every address of the host is public: a webhook must not reach into the operator's own network by mistake."""
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError:
        return True  # no such host: the request itself will say so
    return all(ipaddress.ip_address(str(entry[4][0]).split("%")[0]).is_global for entry in found)


class Webhook:
    """Built by build()."""

    def __init__(self, options: ChannelOptions, http: httpx.Client) -> None:
        self._options, self._http = options, http

    def send(self, message: Message, now: datetime) -> Delivery:
        if self._options.extra.get("allow_private") != "true" and not is_public(self._options.url):
            return Delivery("failed", "private", "地址在内网;确实需要请设 options.allow_private")
        seconds = int(now.timestamp())
        values = {
            "title": message.title, "lines": message.lines, "link": message.link, "level": str(message.level),
            "alert": message.episode, "edge": message.edge, "sent_at": seconds,
        }  # fmt: skip
        body = json.dumps(values, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "X-Timestamp": str(seconds), "X-Idempotency-Key": message.key}
        if self._options.secret:
            headers["X-Signature"] = sign(self._options.secret, seconds, body)
        try:
            answer = self._http.post(
                self._options.url, content=body, headers=headers, timeout=TIMEOUT_SECONDS, follow_redirects=False
            )
        except httpx.InvalidURL:
            return Delivery("failed", "url", "地址写错了")
        except httpx.HTTPError as error:
            return Delivery("retry", type(error).__name__, "连不上")
        decided = judge_status(answer)
        if decided:
            return decided
        if answer.is_success:
            return Delivery("delivered", str(answer.status_code))
        return Delivery(
            "failed", str(answer.status_code), "接收方已停用" if answer.status_code == 410 else "接收方拒绝"
        )


def build(options: ChannelOptions, http: httpx.Client) -> Channel:
    """Raises SettingsError without an address."""
    need(options.url, options, "URL")
    return Webhook(options, http)
