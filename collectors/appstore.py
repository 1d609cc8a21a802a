"""App Store customer reviews by the public feed: newest 500 of one app, 50 a page. Addresses are built here, never followed."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from collectors.base import CollectQuery, Page, Parsed, Request, SourceInfo
from collectors.charset import decode_page
from collectors.fields import parse_feed_time
from collectors.record_reader import RecordReader, load_json
from collectors.walk import check_target
from tingfeng.labels import Outcome, PostKind, SourceKind, TimePrecision
from tingfeng.records import Author, Engagement, Post, RejectedRow

SOURCE = SourceInfo(
    name="appstore",
    title="App Store 评论",
    kind=SourceKind.APP_STORE,
    base_url="https://itunes.apple.com",
    pace_seconds=6.0,  # about ten requests a minute are tolerated
    max_pages=10,
    page_posts=(1, 50),
    required=("id", "content"),
    targets="应用编号,纯数字,如 900000001;可写 cn/900000001 指明地区",
)
TARGET = re.compile(r"(?:([a-z]{2})/)?(\d{5,15})")
LAST_PAGE = 10
IGNORED = ("link", "im:contentType", "im:voteCount", "im:artist", "rights", "category")


def split_target(target: str) -> tuple[str, str]:
    """(country, app id). Raises SourceError."""
    found = TARGET.fullmatch(target.strip())
    check_target(target, found is not None, SOURCE)
    assert found is not None
    return found.group(1) or "cn", found.group(2)


def page_request(query: CollectQuery, page: int) -> Request:
    """One page of reviews."""
    country, app = split_target(query.target)
    url = f"{query.base_url}/{country}/rss/customerreviews/page={page}/id={app}/sortBy=mostRecent/json"
    return Request(url, note=str(page), conditional=page == 1)


class Collector:
    """See collectors/base.py."""

    def first_request(self, query: CollectQuery, now: datetime) -> Request:
        return page_request(query, 1)

    def parse(self, page: Page, query: CollectQuery) -> Parsed:
        try:
            answer = RecordReader(load_json(decode_page(page.body).text))
        except (ValueError, RecursionError):
            return Parsed(Outcome.SCHEMA_CHANGED, detail="回答不是完整的 JSON")
        if page.request.note == "lookup":
            return parse_lookup(answer)
        feed = answer.child("feed")
        if not feed.take("id") and not feed.take("author") and not feed.take("title"):
            return Parsed(Outcome.SCHEMA_CHANGED, detail="回答里没有 feed")
        return parse_reviews(feed.items("entry"), page, query)


def parse_reviews(entries: list[object], page: Page, query: CollectQuery) -> Parsed:
    """Reviews of a page. The first entry of old feeds is the app itself: it has no rating."""
    number = int(page.request.note)
    rows = [entry for entry in entries if RecordReader(entry).take("im:rating") is not None]
    if not rows and number == 1:
        country, app = split_target(query.target)
        lookup = Request(f"{query.base_url}/lookup?id={app}&country={country}", note="lookup")
        return Parsed(Outcome.OK, follow=(lookup,), reached_end=True)
    posts: list[Post] = []
    rejected: list[RejectedRow] = []
    leftover: set[str] = set()
    for place, entry in enumerate(rows, 1):
        reader = RecordReader(entry, IGNORED)
        post = read_review(reader, query, page.fetched_at)
        if post is None:
            rejected.append(RejectedRow(f"第 {number} 页第 {place} 条", "缺编号或正文"))
        else:
            posts.append(post)
        leftover |= set(reader.leftover)
    more = len(rows) >= 50 and number < LAST_PAGE
    capped = len(rows) >= 50 and number >= LAST_PAGE
    return Parsed(
        Outcome.SATURATED if capped else Outcome.OK,
        posts=tuple(posts),
        next=page_request(query, number + 1) if more else None,
        reached_end=not more and not capped,
        rejected=tuple(rejected),
        leftover=tuple(sorted(leftover)),
        oldest=min((post.published_at for post in posts if post.published_at), default=None),
        detail="只给最近 500 条" if capped else "",
    )


def label(reader: RecordReader, name: str) -> str:
    """Every scalar is wrapped as {"label": "…"}."""
    return reader.child(name, ("attributes",)).text("label")


def read_review(reader: RecordReader, query: CollectQuery, now: datetime) -> Post | None:
    """One review; without a date (feeds of 2020–21) the time stays unknown."""
    native_id, text, stars = label(reader, "id"), label(reader, "content"), label(reader, "im:rating")
    author = reader.child("author", ("label",))
    account = author.child("uri").text("label") or author.child("name").text("label")
    title, version, when = label(reader, "title"), label(reader, "im:version"), label(reader, "updated")
    likes = label(reader, "im:voteSum")
    if not native_id or not (text or title):
        return None
    found = parse_feed_time(when, now) if when else None
    country, app = split_target(query.target)
    return Post(
        source=query.source or SOURCE.name,
        native_id=native_id,
        kind=PostKind.REVIEW,
        title=title,
        text=text or title,
        url=f"https://apps.apple.com/{country}/app/id{app}",
        author=Author(query.author_key(urlsplit(account).path.rsplit("/", 1)[-1] or account)),
        published_at=found[0] if found else None,
        published_precision=found[1] if found else TimePrecision.UNKNOWN,
        published_words=when,
        first_seen_at=now,
        engagement=Engagement(likes=int(likes) if likes.lstrip("-").isdigit() else None, seen_at=now),
        rating=int(stars) if stars in ("1", "2", "3", "4", "5") else None,
        extras={"version": version[:20]} if version else {},
    )


def parse_lookup(answer: RecordReader) -> Parsed:
    """Why a feed is empty: no such app, no ratings at all, or the site keeps them back."""
    results = answer.items("results")
    if not results:
        return Parsed(Outcome.GONE, detail="该地区的商店里没有这个应用")
    ratings = RecordReader(results[0]).number("userRatingCount") or 0
    if ratings:
        return Parsed(Outcome.SUSPECT_EMPTY, detail=f"应用有 {ratings} 个评分,评论列表却是空的,稍后再试")
    return Parsed(Outcome.EMPTY, detail="还没有评论")
