"""A JSONL file: for trying out, and for programs that follow a file."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import httpx

from alerts.channels.base import Channel, ChannelOptions, Delivery, Message, need
from tingfeng.clock import show_time

KIND, TITLE_ZH = "file", "JSONL 文件"
NEEDS_ZH = "url = 文件路径"
LIMIT_ZH = "追加一行;写不进就重试"


class Lines:
    """Built by build()."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: Message, now: datetime) -> Delivery:
        values = {
            "at": show_time(now), "level": str(message.level), "edge": message.edge, "title": message.title,
            "lines": message.lines, "link": message.link, "alert": message.episode, "key": message.key,
        }  # fmt: skip
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(values, ensure_ascii=False) + "\n")
        except OSError as error:
            return Delivery("retry", type(error).__name__, "写不进文件")
        return Delivery("delivered", "0")


def build(options: ChannelOptions, http: httpx.Client) -> Channel:
    """Raises SettingsError without a path."""
    return Lines(Path(need(options.url, options, "URL")))
