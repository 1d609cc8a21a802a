"""Writes config/demo/responses.jsonl.xz: what the demo's sites would have answered at each pass. `python -m benchmarks.demo_pack`

One JSON object a line, in order of time: {"at", "key", "status", "type", "body" | "body64"}; key = host and path with
query as flows/replay.py asks for it, or `inbox <file>` for lines that an operator's export gained.
"""

from __future__ import annotations

import base64
import json
import lzma
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import demo_sites as sites
from benchmarks.demo_world import CRISIS_AT, END, OUTAGE, START, World, WorldPost
from tingfeng.clock import SHANGHAI

PACK = Path(__file__).resolve().parent.parent / "config" / "demo" / "responses.jsonl.xz"
APP_ID = "900000001"
HTML, JSON = "text/html; charset=utf-8", "application/json; charset=utf-8"
FEEDS = {
    "news": ("news.example/rss.xml", "text/xml"),
    "forum": ("forum.example/atom.xml", "application/atom+xml; charset=utf-8"),
}


@dataclass(frozen=True)
class Answer:
    """One recorded response."""

    at: datetime
    key: str
    status: int
    type: str
    body: bytes

    def to_line(self) -> str:
        """A line of the pack; bytes that are not UTF-8 go as base64."""
        row: dict[str, object] = {"at": self.at.isoformat(), "key": self.key, "status": self.status, "type": self.type}
        try:
            row["body"] = self.body.decode("utf-8")
        except UnicodeDecodeError:
            row["body64"] = base64.b64encode(self.body).decode()
        return json.dumps(row, ensure_ascii=False)


def list_passes() -> list[datetime]:
    """Four passes a day; every half hour from an hour before the crisis."""
    passes, at = [], START + timedelta(hours=8)
    while at <= END:
        passes.append(at)
        at += timedelta(minutes=30) if at >= CRISIS_AT - timedelta(hours=1) else timedelta(hours=6)
        if passes[-1] < CRISIS_AT - timedelta(hours=1) < at:
            at = CRISIS_AT - timedelta(hours=1)
    return passes


class Recorder:
    """Walks through the passes; keeps for each site what a visitor has not seen yet."""

    def __init__(self, world: World) -> None:
        self._by_site = {
            site: [post for post in world.posts if post.site == site]
            for site in ("heimao", "appstore", "forum", "news", "xhs", "weibo")
        }
        self._seen = dict.fromkeys(self._by_site, 0)

    def answers(self) -> Iterator[Answer]:
        """All responses in order of time."""
        for number, at in enumerate(list_passes()):
            yield from self._heimao(at)
            yield from self._appstore(at)
            yield from self._feeds(at)
            crisis = at >= CRISIS_AT
            if (crisis and number % 4 == 0) or (not crisis and at.astimezone(SHANGHAI).hour == 8) or at == END:
                yield from self._exports(at)

    def _fresh(self, site: str, at: datetime, overlap: int) -> tuple[list[WorldPost], list[WorldPost]]:
        """(shown newest first with some that were seen before, those not seen before)."""
        posts, seen = self._by_site[site], self._seen[site]
        end = next((i for i in range(seen, len(posts)) if posts[i].at > at), len(posts))
        self._seen[site] = end
        return posts[max(0, seen - overlap) : end][::-1], posts[seen:end]

    def _heimao(self, at: datetime) -> Iterator[Answer]:
        shown, fresh = self._fresh("heimao", at, 10)
        for page in range(1, (len(shown) + 9) // 10 + 1):
            yield Answer(
                at, f"tousu.sina.com.cn/api/index/feed?page={page}", 200, JSON, sites.heimao_feed(shown, page, at)
            )
        for post in fresh:
            if post.brand:
                key = f"tousu.sina.com.cn/complaint/view/{sites.heimao_sn(post)}/?sld={sites.heimao_sld(post)}"
                yield Answer(at, key, 200, HTML, sites.heimao_detail(post, at))

    def _appstore(self, at: datetime) -> Iterator[Answer]:
        shown, _ = self._fresh("appstore", at, 10)
        key = f"itunes.apple.com/cn/rss/customerreviews/page=1/id={APP_ID}/sortBy=mostRecent/json"
        yield Answer(at, key, 200, "text/javascript;charset=utf-8", sites.appstore_page(shown, at))

    def _feeds(self, at: datetime) -> Iterator[Answer]:
        for site, (key, type_) in FEEDS.items():
            if site == "forum" and OUTAGE[0] <= at < OUTAGE[1]:
                yield Answer(at, key, 503, HTML, b"<h1>503</h1>")
                continue
            shown, _ = self._fresh(site, at, 8)
            make = sites.news_feed if site == "news" else sites.forum_feed
            yield Answer(at, key, 200, type_, make(shown, at))

    def _exports(self, at: datetime) -> Iterator[Answer]:
        day = at.astimezone(SHANGHAI).date().isoformat()
        for site in ("xhs", "weibo"):
            _, fresh = self._fresh(site, at, 0)
            if fresh:
                lines = "".join(sites.export_line(post) + "\n" for post in fresh)
                yield Answer(
                    at, f"inbox {site}/jsonl/search_contents_{day}.jsonl", 200, "application/jsonl", lines.encode()
                )


def write_pack(path: Path = PACK, seed: int = 20261114) -> tuple[int, int]:
    """Writes the pack; returns (responses, bytes on disk)."""
    lines = [json.dumps({"passes": [at.isoformat() for at in list_passes()]})]
    lines += [answer.to_line() for answer in Recorder(World(seed)).answers()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress("\n".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))
    return len(lines) - 1, path.stat().st_size


if __name__ == "__main__":
    count, size = write_pack()
    sys.stdout.write(f"{count} responses, {size / 1e6:.2f} MB\n")
