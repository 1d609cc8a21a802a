"""飞书 / Lark custom robot: interactive card, signature in the body. https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

import httpx

from alerts.channels.base import Channel, ChannelOptions, Delivery, Message, need, send_robot
from alerts.channels.wording import cut_bytes, escape_lark
from tingfeng.labels import Level

KIND, TITLE_ZH = "feishu", "飞书群机器人"
NEEDS_ZH = "URL;加签时 SECRET;recipients = 要 @ 的 open_id"
LIMIT_ZH = "20 KB;看 code,19021 签名或时间不对,11232 太快"
MOST_BYTES = 16_000
COLOURS = {Level.BLUE: "blue", Level.YELLOW: "yellow", Level.ORANGE: "orange", Level.RED: "red"}
CODES = {
    19021: ("failed", "签名不对或时间差超过一小时"),
    19022: ("failed", "本机 IP 不在机器人的白名单里"),
    19024: ("failed", "消息里没有机器人要求的关键词"),
    11232: ("retry", "发得太快"),
    9499: ("retry", "请求太多或格式不对"),
}


def sign(secret: str, seconds: int) -> str:
    """base64(HMAC-SHA256(key = "s\\nsecret", empty message))."""
    return base64.b64encode(hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()


class Feishu:
    """Built by build()."""

    def __init__(self, options: ChannelOptions, http: httpx.Client) -> None:
        self._options, self._http = options, http

    def send(self, message: Message, now: datetime) -> Delivery:
        calls = " ".join(
            f"<at id={person}></at>" for person in self._options.recipients if person.replace("_", "").isalnum()
        )
        text = cut_bytes("\n".join(escape_lark(line) for line in message.lines), MOST_BYTES)
        elements: list[dict[str, object]] = [
            {"tag": "div", "text": {"tag": "lark_md", "content": f"{text}\n{calls}".strip()}}
        ]
        button = {
            "tag": "button",
            "text": {"tag": "plain_text", "content": "查看详情"},
            "url": message.link,
            "type": "primary",
        }
        elements.append({"tag": "action", "actions": [button]})
        header = {"title": {"tag": "plain_text", "content": message.title[:200]}, "template": COLOURS[message.level]}
        payload: dict[str, object] = {"msg_type": "interactive", "card": {"header": header, "elements": elements}}
        if self._options.secret:
            seconds = int(now.timestamp())
            payload |= {"timestamp": str(seconds), "sign": sign(self._options.secret, seconds)}
        return send_robot(self._http, self._options.url, payload, CODES, "code", "StatusCode")


def build(options: ChannelOptions, http: httpx.Client) -> Channel:
    """Raises SettingsError without an address."""
    need(options.url, options, "URL")
    return Feishu(options, http)
