"""Small Jinja filters: times, counts, safe links."""

from __future__ import annotations

from datetime import datetime

from tingfeng.clock import SHANGHAI

WEEKDAYS = "一二三四五六日"
SOURCE_TITLES = {
    "heimao": "黑猫投诉", "appstore": "App Store", "weibo": "微博", "xiaohongshu": "小红书", "douyin": "抖音", "bilibili": "B 站",
    "zhihu": "知乎", "tieba": "贴吧", "kuaishou": "快手", "hotsearch": "微博热搜", "chezhi": "车质网", "news": "新闻", "forum": "论坛",
}  # fmt: skip


def name_source(source: str) -> str:
    """Chinese title of a well-known source; a name given in the settings stays."""
    return SOURCE_TITLES.get(source, source)


def name_incident(title: str, subject: str) -> str:
    """The title with a source called by its Chinese name."""
    source = subject.removeprefix("source:")
    return title.replace(source, name_source(source), 1) if subject != source else title


def show_when(at: datetime | None) -> str:
    """`11-14 13:05 周六` in Asia/Shanghai; '' for None."""
    if at is None:
        return ""
    local = at.astimezone(SHANGHAI)
    return f"{local:%m-%d %H:%M} 周{WEEKDAYS[local.weekday()]}"


def show_ago(at: datetime, now: datetime) -> str:
    """`3 分钟前`, `5 小时前`, `2 天前`."""
    minutes = max(0, int((now - at).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} 分钟前"
    return f"{minutes // 60} 小时前" if minutes < 2880 else f"{minutes // 1440} 天前"


def keep_safe_link(url: str) -> str:
    """The address if it is http(s), else '' – a post's link is hostile until shown otherwise."""
    return url if url.startswith(("http://", "https://")) else ""


def show_signed(value: float | None) -> str:
    """`+0.31`, `−0.12`, `–` for nothing to say."""
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")
