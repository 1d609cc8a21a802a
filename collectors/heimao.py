"""黑猫投诉: the anonymous feed of newest complaints, matched here, then the public page of each match.

Codes 10005 and 10017 are the site's login wall: reported, never worked around. Format seen 2026-10.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from bs4 import BeautifulSoup, Tag

from collectors.base import CollectQuery, Page, Parsed, Request, SourceInfo
from collectors.charset import decode_page
from collectors.fields import parse_amount, parse_zh_time
from collectors.file_rows import split_list
from collectors.record_reader import RecordReader, load_json
from tingfeng.labels import ComplaintStatus, Outcome, PostKind, SourceKind, TimePrecision
from tingfeng.records import Author, Complaint, Engagement, Post, RejectedRow

SOURCE = SourceInfo(
    name="heimao",
    title="黑猫投诉",
    kind=SourceKind.BOARD,
    base_url="https://tousu.sina.com.cn",
    pace_seconds=3.0,
    max_pages=50,  # page 51 asks for a login
    page_posts=(1, 30),
    required=("sn", "title", "timestamp"),
)

KEY = "$d6eb7ff91ee257475%"
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
NEWEST = "2"
PAGE_SIZE = "10"
SITE_CAP = 50
LOGIN_CODES = (10005, 10017)
STATUSES = {
    1: (ComplaintStatus.SUBMITTED, "通过审核"),
    3: (ComplaintStatus.SUBMITTED, "待分配"),
    4: (ComplaintStatus.IN_PROGRESS, "处理中"),
    6: (ComplaintStatus.REPLIED, "已回复"),
    7: (ComplaintStatus.COMPLETED, "已完成"),
    8: (ComplaintStatus.CLOSED, "已关闭"),
}
STATUS_WORDS = {words: status for status, words in STATUSES.values()}
EXPECTED_UNUSED = ("couid", "comment_id", "created_at", "share_amount", "evaluate_u")
TAGS = re.compile(r"<[^<>]{1,200}>")


def sign_parts(parts: Sequence[str]) -> str:
    """SHA-256 of the parts sorted by code point and joined, the site's constant among them; lower-case hex."""
    return hashlib.sha256("".join(sorted([KEY, *parts])).encode()).hexdigest()


def feed_request(query: CollectQuery, page: int, now: datetime) -> Request:
    """One signed page of the feed."""
    stamp = str(int(now.timestamp() * 1000))
    salt = "".join(random.choices(LETTERS, k=16))
    values = {"type": query.options.get("type", NEWEST), "page_size": PAGE_SIZE, "page": str(page)}
    signed = values | {"ts": stamp, "rs": salt, "signature": sign_parts([stamp, salt, *values.values()])}
    headers = {"Referer": f"{query.base_url}/", "X-Requested-With": "XMLHttpRequest"}
    return Request(f"{query.base_url}/api/index/feed?{urlencode(signed)}", headers=headers, note=str(page))


class Collector:
    """See collectors/base.py."""

    def first_request(self, query: CollectQuery, now: datetime) -> Request:
        return feed_request(query, 1, now)

    def parse(self, page: Page, query: CollectQuery) -> Parsed:
        text = decode_page(page.body, page.headers.get("content-type", "")).text
        return parse_detail(page, text, query) if page.request.note == "detail" else parse_feed(page, text, query)


def parse_feed(page: Page, text: str, query: CollectQuery) -> Parsed:
    """A list page: matches become requests for their own page, each with what the list already says."""
    try:
        answer = load_json(text)
    except (ValueError, RecursionError):
        if "<" in text[:200] and any(word in text for word in ("登录", "微博", "passport")):
            return Parsed(Outcome.LOGIN_REQUIRED, detail="回答了登录页")
        return Parsed(Outcome.SCHEMA_CHANGED, detail="回答不是完整的 JSON")
    result = RecordReader(answer).child("result", ("timestamp",))
    code = result.child("status").number("code")
    if code in LOGIN_CODES:
        return Parsed(Outcome.LOGIN_REQUIRED, detail=f"网站要求登录({code})")
    if code != 0:
        return Parsed(Outcome.SCHEMA_CHANGED, detail=f"没见过的状态码 {code}")
    data = result.child("data")
    rows = data.items("lists")
    count = data.child("pager").number("item_count")
    if not rows:
        return Parsed(
            Outcome.RATE_LIMITED if count else Outcome.SUSPECT_EMPTY,
            detail="列表是空的" + (f",但总数写着 {count}" if count else ""),
        )
    number = int(page.request.note)
    follow: list[Request] = []
    rejected: list[RejectedRow] = []
    leftover: set[str] = set()
    times: list[datetime] = []
    for place, row in enumerate(rows, 1):
        post, left = read_item(row, query, page.fetched_at)
        leftover |= set(left)
        if isinstance(post, RejectedRow):
            rejected.append(replace(post, where=f"第 {number} 页第 {place} 条"))
            continue
        times.append(post.published_at or page.fetched_at)
        if query.matches(f"{post.title}。{post.complaint.target if post.complaint else ''}。{post.text}"):
            follow.append(detail_request(post, query))
    last = number >= SITE_CAP or len(rows) < 5
    return Parsed(
        Outcome.SATURATED if number >= SITE_CAP else Outcome.OK,
        follow=tuple(follow),
        next=None if last else feed_request(query, number + 1, page.fetched_at),
        reached_end=len(rows) < 5,
        rejected=tuple(rejected),
        leftover=tuple(sorted(leftover)),
        oldest=min(times, default=None),
        detail="读到匿名可看的最后一页" if number >= SITE_CAP else "",
    )


def read_item(row: object, query: CollectQuery, now: datetime) -> tuple[Post | RejectedRow, tuple[str, ...]]:
    """What the list says of a complaint."""
    item = RecordReader(row)
    main, author = item.child("main", EXPECTED_UNUSED), item.child("author")
    sn, title, seconds = main.text("sn"), strip_tags(main.text("title")), main.number("timestamp")
    if not sn or not title or not seconds:
        missing = [name for name, value in (("sn", sn), ("title", title), ("timestamp", seconds)) if not value]
        return RejectedRow("", f"缺 {'、'.join(missing)}"), ()
    code = main.number("status")
    status, words = STATUSES.get(code or 0, (ComplaintStatus.UNKNOWN, str(code)))
    complaint = Complaint(
        ticket_no=sn,
        target=strip_tags(main.text("cotitle")),
        problems=split_list(main.text("issue")),
        demands=split_list(main.text("appeal")),
        amount_yuan=parse_amount(main.text("cost")),
        status=status,
        status_words=words,
    )
    profile, name = author.text("wb_profile"), author.text("title")
    post = Post(
        source=query.source or SOURCE.name,
        native_id=sn,
        kind=PostKind.TICKET,
        title=title,
        text=strip_tags(main.text("summary")) or title,
        url=main.text("url"),
        author=Author(query.author_key(profile or name)),
        published_at=datetime.fromtimestamp(seconds, UTC),
        published_precision=TimePrecision.SECOND,
        first_seen_at=now,
        engagement=Engagement(likes=main.number("upvote_amount"), seen_at=now),
        complaint=complaint,
    )
    return post, main.leftover


def strip_tags(text: str) -> str:
    """Search results wrap the keyword in a red span."""
    return TAGS.sub("", text).strip()


def detail_request(post: Post, query: CollectQuery) -> Request:
    """The public page by the list's own address, under base_url; its token is no part of the identity."""
    parts = urlsplit(post.url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path or f"/complaint/view/{post.native_id}/"
    known = replace(post, url=f"{SOURCE.base_url}/complaint/view/{post.native_id}/")
    return Request(
        f"{query.base_url}{path}", headers={"Referer": f"{query.base_url}/"}, note="detail", otherwise=(known,)
    )


def parse_detail(page: Page, text: str, query: CollectQuery) -> Parsed:
    """The full text; the list's word stands where the page says nothing."""
    known = page.request.otherwise[0]
    if "页面不存在" in text[:5000]:
        return Parsed(Outcome.GONE, posts=(known,), detail="投诉页不存在")
    soup = BeautifulSoup(text, "lxml")
    head = soup.select_one("div.ts-d-question")
    steps = soup.select("div.ts-d-steplist > div.ts-d-item")
    if head is None or not steps:
        return Parsed(Outcome.SCHEMA_CHANGED, posts=(known,), detail="投诉页的结构变了,先用列表里的摘要")
    fields = read_fields(head)
    body, replied = read_steps(steps, page.fetched_at)
    title = head.select_one("h1.article")
    assert known.complaint is not None
    words = fields.get("投诉进度", known.complaint.status_words)
    complaint = replace(
        known.complaint,
        target=fields.get("投诉对象", known.complaint.target),
        problems=split_list(fields["投诉问题"]) if "投诉问题" in fields else known.complaint.problems,
        demands=split_list(fields["投诉要求"]) if "投诉要求" in fields else known.complaint.demands,
        amount_yuan=parse_amount(fields.get("涉诉金额", "")) or known.complaint.amount_yuan,
        status=STATUS_WORDS.get(words, known.complaint.status),
        status_words=words,
        replied_at=replied,
    )
    service = fields.get("使用服务", "")
    post = replace(
        known,
        title=title.get_text(strip=True) if title else known.title,
        text=body or known.text,
        complaint=complaint,
        extras={"service": service} if service else {},
    )
    return Parsed(Outcome.OK, posts=(post,))


def read_fields(head: Tag) -> Mapping[str, str]:
    """`label` → value; one list item is never closed on the real page, so a value ends at the next label."""
    fields: dict[str, str] = {}
    for label in head.select("ul.ts-q-list label"):
        parts: list[str] = []
        for node in label.next_elements:
            if isinstance(node, Tag):
                if node.name == "label":
                    break
            elif node.parent is not label and label not in node.parents:
                if not any(parent.get("class") == ["ts-q-list"] for parent in node.parents if isinstance(parent, Tag)):
                    break
                parts.append(str(node))
        fields[label.get_text(strip=True).rstrip("：:")] = "".join(parts).strip()
    return fields


def read_steps(steps: Sequence[Tag], now: datetime) -> tuple[str, datetime | None]:
    """(text of the complaint, first reply): the timeline is newest first, the last item is the complaint itself."""
    replied = None
    for step in steps:
        status, when = step.select_one("span.u-status"), step.select_one("span.u-date")
        if status and "回复" in status.get_text() and when and (found := parse_zh_time(when.get_text(strip=True), now)):
            replied = found[0]
    paragraphs = [p.get_text("\n", strip=True) for p in steps[-1].select("div.ts-reply p")]
    if len(paragraphs) > 1 and len(paragraphs[0]) <= 6:
        paragraphs = paragraphs[1:]  # a heading such as 投诉内容
    return "\n".join(part for part in paragraphs if part), replied
