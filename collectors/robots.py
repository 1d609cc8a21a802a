"""robots.txt: read once a day per site, obeyed. A rule of this product, not an option of a source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from protego import Protego

AGENT = "tingfeng"
LIFE = timedelta(hours=24)
RETRY = timedelta(minutes=30)  # while a site's robots.txt cannot be had


class Memory(Protocol):
    """Small values that outlive a run."""

    def get_value(self, kind: str, name: str) -> str | None: ...
    def set_value(self, kind: str, name: str, value: str, now: datetime) -> None: ...


@dataclass(frozen=True)
class Verdict:
    """Whether a page may be read, why not, and the delay the site asks for (seconds). `silent`: the site did not answer at all."""

    allowed: bool
    reason: str = ""
    delay: float = 0.0
    silent: bool = False


def origin_of(url: str) -> str:
    """`https://host:port`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def judge(status: int, text: str, url: str) -> Verdict:
    """RFC 9309: 2xx → the rules, 4xx → no rules (but 401/403 are a no), 5xx or nothing (0) → not now."""
    if status in (401, 403):
        return Verdict(False, f"robots.txt 回答 {status},按不允许处理")
    if status == 0 or status >= 500:
        return Verdict(False, "robots.txt 暂时读不到,先不访问", silent=True)
    if status >= 400:
        return Verdict(True)
    rules = Protego.parse(text)
    if not rules.can_fetch(url, AGENT):
        return Verdict(False, f"robots.txt 不允许 {urlsplit(url).path}")
    return Verdict(True, "", float(rules.crawl_delay(AGENT) or 0.0))


def recall(memory: Memory, url: str, now: datetime) -> tuple[int, str] | None:
    """Status and text of the site's robots.txt if they are fresh enough."""
    kept = memory.get_value("robots", origin_of(url))
    if kept is None:
        return None
    values = json.loads(kept)
    age = now - datetime.fromisoformat(values["at"])
    status = int(values["status"])
    return (status, str(values["text"])) if age < (RETRY if status == 0 or status >= 500 else LIFE) else None


def keep(memory: Memory, url: str, status: int, text: str, now: datetime) -> None:
    """Remembers what the site answered."""
    memory.set_value(
        "robots", origin_of(url), json.dumps({"at": now.isoformat(), "status": status, "text": text[:500_000]}), now
    )
