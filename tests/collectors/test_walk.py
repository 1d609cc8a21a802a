"""Walking a source: pages, details, overlap, coverage, and what a refusal leaves behind."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from collectors import feed, heimao
from collectors.base import CollectQuery
from collectors.walk import Walk
from tingfeng.clock import parse_iso
from tingfeng.labels import Outcome
from tingfeng.records import Post

NOW = parse_iso("2026-11-20T12:00")
DETAIL = """<div class="ts-d-question"><h1 class="article">题</h1><ul class="ts-q-list"><li><label>投诉进度：</label><b>处理中</b></li></ul></div>
<div class="ts-d-steplist"><div class="ts-d-item"><span class="u-status">发起投诉</span><div class="ts-reply"><p>投诉内容</p><p>全文在这里</p></div></div></div>"""


def item(number: int, at: datetime) -> dict[str, object]:
    main = {
        "sn": f"1739{number:07d}",
        "title": f"暖芽第{number}条",
        "summary": "摘要",
        "timestamp": str(int(at.timestamp())),
        "status": 4,
        "url": f"//tousu.sina.com.cn/complaint/view/1739{number:07d}/?sld=a",
    }
    return {"main": main, "author": {"title": "匿名"}}


def serve_feed(site: Any, answer: Any, pages: int, details: bool = True) -> None:
    """Ten complaints a page, one an hour, newest first."""

    def respond(page: int) -> Any:
        rows = [item(number, NOW - timedelta(hours=number)) for number in range((page - 1) * 10, page * 10)]
        return answer(
            json.dumps(
                {"result": {"status": {"code": 0}, "data": {"lists": rows, "pager": {"item_count": 500}}}}
            ).encode()
        )

    site.pages["/robots.txt"] = answer(status=404)

    class Pages(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            if path.startswith("/api/index/feed?"):
                page = int(path.split("page=")[1].split("&")[0]) if "&page=" in path else 1
                return respond(page) if page <= pages else answer(b'{"result":{"status":{"code":10017}}}')
            if path.startswith("/complaint/view/"):
                return answer(DETAIL.encode()) if details else answer(status=403)
            return super().get(path, default)

    site.pages = Pages(site.pages)


def walk(collector: Any, site: Any, client: Any, clock: Any, **changes: object) -> tuple[Walk, list[Post]]:
    fields: dict[str, object] = {"base_url": site.url, "max_pages": 50, "matches": lambda text: True}
    run = Walk(collector.Collector(), collector.SOURCE, client, CollectQuery(**fields | changes), clock, 0)  # type: ignore[arg-type]
    return run, [post for batch in run.batches() for post in batch.posts]


def test_details_are_followed_and_the_walk_stops_at_what_is_known(
    site: Any, answer: Any, client: Any, clock: Any
) -> None:
    serve_feed(site, answer, 9)
    covered = NOW - timedelta(hours=15)
    run, posts = walk(heimao, site, client, clock, covered_until=covered)
    assert {post.text for post in posts} == {"全文在这里"}
    assert len(posts) == 20
    assert run.outcome is Outcome.OK
    assert run.covers_from
    assert run.covers_from <= covered
    assert run.covers_until == NOW


def test_a_cap_is_said_and_vouches_only_for_what_was_read(site: Any, answer: Any, client: Any, clock: Any) -> None:
    serve_feed(site, answer, 9)
    run, posts = walk(heimao, site, client, clock, max_pages=2)
    assert (run.outcome, len(posts)) == (Outcome.SATURATED, 20)
    assert run.covers_from == NOW - timedelta(hours=19)


def test_a_login_wall_keeps_what_was_read_and_vouches_for_nothing(
    site: Any, answer: Any, client: Any, clock: Any
) -> None:
    serve_feed(site, answer, 2)
    run, posts = walk(heimao, site, client, clock)
    assert (run.outcome, len(posts), run.covers_from) == (Outcome.LOGIN_REQUIRED, 20, None)


def test_blocked_details_leave_the_summaries_and_are_asked_once(
    site: Any, answer: Any, client: Any, clock: Any
) -> None:
    serve_feed(site, answer, 9, details=False)
    run, posts = walk(heimao, site, client, clock, since=NOW - timedelta(hours=5))
    assert {post.text for post in posts} == {"摘要"}
    assert run.outcome is Outcome.BLOCKED
    assert sum(path.startswith("/complaint/") for path in site.paths()) == 1


def test_unmatched_complaints_are_not_fetched(site: Any, answer: Any, client: Any, clock: Any) -> None:
    serve_feed(site, answer, 9)
    run, posts = walk(heimao, site, client, clock, matches=lambda text: "第3条" in text, since=NOW - timedelta(hours=5))
    assert [post.title for post in posts] == ["题"]
    assert run.outcome is Outcome.OK


RSS = '<rss version="2.0"><channel><item><title>{}</title><guid>g</guid><pubDate>Fri, 20 Nov 2026 10:00:00 +0800</pubDate></item></channel></rss>'


def test_an_unchanged_feed_goes_on_vouching(site: Any, answer: Any, client: Any, clock: Any) -> None:
    site.pages["/rss"] = lambda headers: (
        answer(status=304)
        if headers.get("if-none-match")
        else answer(RSS.format("暖芽").encode(), headers={"etag": "e"})
    )
    first, posts = walk(feed, site, client, clock, target="/rss")
    assert (first.outcome, len(posts)) == (Outcome.OK, 1)
    second, posts = walk(feed, site, client, clock, target="/rss", covered_until=first.covers_until)
    assert (second.outcome, posts, second.covers_from) == (Outcome.EMPTY, [], first.covers_until)


def test_a_feed_that_is_html_vouches_for_nothing(site: Any, answer: Any, client: Any, clock: Any) -> None:
    site.pages["/rss"] = answer(b"<html><body>this route is empty</body></html>")
    run, _ = walk(feed, site, client, clock, target="/rss")
    assert (run.outcome, run.covers_from) == (Outcome.SCHEMA_CHANGED, None)


def test_an_empty_feed_is_suspect(site: Any, answer: Any, client: Any, clock: Any) -> None:
    site.pages["/rss"] = answer(b'<rss version="2.0"><channel><title>x</title></channel></rss>')
    run, _ = walk(feed, site, client, clock, target="/rss")
    assert (run.outcome, run.covers_from) == (Outcome.SUSPECT_EMPTY, None)
