"""钉钉 custom robot: markdown message, signed. https://open.dingtalk.com/document/robots/custom-robot-access"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

import httpx

from alerts.channels.base import Channel, ChannelOptions, Delivery, Message, need, send_robot
from alerts.channels.wording import cut_bytes, escape_markdown

KIND, TITLE_ZH = "dingtalk", "钉钉群机器人"
NEEDS_ZH = "URL(含 access_token);加签时 SECRET;recipients = 要 @ 的手机号;options.keyword = 自定义关键词"
LIMIT_ZH = "20,000 字节;看 errcode,310000 关键词或签名不对,130101 太快"
MOST_BYTES = 18_000
CODES = {
    310000: ("failed", "关键词、签名、时间戳或 IP 不符合机器人的安全设置"),
    130101: ("retry", "发得太快,钉钉暂时拦下"),
    460101: ("failed", "消息超过 20,000 字节"),
    101002: ("failed", "消息超过长度"),
    400402: ("failed", "markdown 参数不对"),
    300001: ("failed", "access_token 不存在,请检查机器人地址"),
}


def sign(secret: str, milliseconds: int) -> str:
    """base64(HMAC-SHA256(secret, "ms\\nsecret")); URL-encoded once, by the client."""
    digest = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class DingTalk:
    """Built by build()."""

    def __init__(self, options: ChannelOptions, http: httpx.Client) -> None:
        self._options, self._http = options, http

    def send(self, message: Message, now: datetime) -> Delivery:
        url = httpx.URL(self._options.url)
        if self._options.secret:
            stamp = int(now.timestamp() * 1000)
            url = url.copy_merge_params({"timestamp": str(stamp), "sign": sign(self._options.secret, stamp)})
        calls = [phone for phone in self._options.recipients if phone.isdigit()]
        keyword = self._options.extra.get("keyword", "")
        body = "\n\n".join(escape_markdown(line) for line in message.lines)
        text = f"### {escape_markdown(message.title)}\n\n{body}\n\n[查看详情]({message.link})\n\n{' '.join(f'@{phone}' for phone in calls)} {keyword}"
        payload: dict[str, object] = {
            "msgtype": "markdown",
            "markdown": {"title": message.title[:60], "text": cut_bytes(text, MOST_BYTES)},
            "at": {"atMobiles": calls, "isAtAll": False},
        }
        return send_robot(self._http, str(url), payload, CODES, "errcode")


def build(options: ChannelOptions, http: httpx.Client) -> Channel:
    """Raises SettingsError without an address."""
    need(options.url, options, "URL")
    return DingTalk(options, http)
