"""企业微信 group robot: markdown. https://developer.work.weixin.qq.com/document/path/91770"""

from __future__ import annotations

from datetime import datetime

import httpx

from alerts.channels.base import Channel, ChannelOptions, Delivery, Message, need, send_robot
from alerts.channels.wording import cut_bytes, escape_markdown
from tingfeng.labels import Level

KIND, TITLE_ZH = "wecom", "企业微信群机器人"
NEEDS_ZH = "URL(含 key);recipients = 要 @ 的成员 userid"
LIMIT_ZH = "4,096 字节;看 errcode,45009 太快,93000 机器人地址无效"
MOST_BYTES = 4096
COLOURS = {Level.BLUE: "info", Level.YELLOW: "warning", Level.ORANGE: "warning", Level.RED: "warning"}
CODES = {
    40058: ("failed", "消息超过 4,096 字节或格式不对"),
    45009: ("retry", "发得太快,每分钟最多 20 条"),
    93000: ("failed", "机器人地址无效或已删除"),
}


class WeCom:
    """Built by build()."""

    def __init__(self, options: ChannelOptions, http: httpx.Client) -> None:
        self._options, self._http = options, http

    def send(self, message: Message, now: datetime) -> Delivery:
        calls = " ".join(
            f"<@{person}>" for person in self._options.recipients if person.replace("_", "").replace("-", "").isalnum()
        )
        foot = f"\n[查看详情]({message.link}) {calls}"
        head = f'**<font color="{COLOURS[message.level]}">{escape_markdown(message.title)}</font>**\n'
        body = "\n".join(f"> {escape_markdown(line)}" for line in message.lines)
        room = MOST_BYTES - len(head.encode()) - len(foot.encode())
        content = head + cut_bytes(body, room) + foot if room > 100 else cut_bytes(head, MOST_BYTES)
        payload: dict[str, object] = {"msgtype": "markdown", "markdown": {"content": content}}
        return send_robot(self._http, self._options.url, payload, CODES, "errcode")


def build(options: ChannelOptions, http: httpx.Client) -> Channel:
    """Raises SettingsError without an address."""
    need(options.url, options, "URL")
    return WeCom(options, http)
