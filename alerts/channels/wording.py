"""Cutting by bytes and escaping for each dialect, so that hostile text stays text."""

from __future__ import annotations

import html
import re

MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|>~<])")
MORE = "\n…(已截断,见链接)"


def cut_bytes(text: str, limit: int, tail: str = MORE) -> str:
    """At most `limit` UTF-8 bytes, cut between characters, with a word that something was left out."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return raw.decode("utf-8")
    room = limit - len(tail.encode())
    return raw[: max(0, room)].decode("utf-8", "ignore") + tail


def escape_markdown(text: str) -> str:
    """Every mark of Markdown with a backslash; `@` with a zero-width space behind it, so that nobody is called."""
    return MARKDOWN.sub(r"\\\1", text).replace("@", "@\u200b")


def escape_lark(text: str) -> str:
    """Feishu text calls people by <at …>."""
    return html.escape(text, quote=False).replace("@", "@\u200b")


def escape_slack(text: str) -> str:
    """Slack's three characters; `<!channel>` cannot survive them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
