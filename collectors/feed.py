"""RSS 2.0 and 1.0, Atom, JSON Feed: sniffed by content, read strictly enough to be safe and loosely enough to be useful."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urljoin, urlsplit

import feedparser
from bs4 import BeautifulSoup

from collectors.base import CollectQuery, Page, Parsed, Request, SourceInfo
from collectors.charset import decode_page
from collectors.fields import parse_feed_time
from collectors.record_reader import RecordReader, load_json
from collectors.walk import check_target
from tingfeng.labels import Outcome, PostKind, SourceKind, TimePrecision
from tingfeng.records import Author, Post, RejectedRow

SOURCE = SourceInfo(
    name="feed",
    title="RSS / Atom / JSON Feed",
    kind=SourceKind.NEWS,
    base_url="",
    pace_seconds=2.0,
    max_pages=1,
    page_posts=(1, 1000),
    required=("text",),
    targets="订阅地址,完整网址,或 base_url 之下的路径",
)
DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.IGNORECASE | re.DOTALL)
PROLOG = re.compile(r"^\s*<\?xml[^>]*\?>", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
CHARACTER = re.compile(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
ROOT = re.compile(r"<(rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
MOST_TEXT = 20_000
MOST_ITEMS = 1000


class Collector:
    """See collectors/base.py."""

    def first_request(self, query: CollectQuery, now: datetime) -> Request:
        url = urljoin(f"{query.base_url}/", query.target.lstrip("/")) if query.base_url else query.target
        parts = urlsplit(url)
        check_target(query.target, parts.scheme in ("http", "https") and bool(parts.netloc), SOURCE)
        return Request(url, conditional=True)

    def parse(self, page: Page, query: CollectQuery) -> Parsed:
        text = CONTROL.sub("", decode_page(page.body, page.headers.get("content-type", "")).text).lstrip(
            "\ufeff \r\n\t"
        )
        try:
            entries = read_json(text) if text.startswith("{") else read_xml(text)
        except (ValueError, RecursionError) as error:
            return Parsed(Outcome.SCHEMA_CHANGED, detail=str(error)[:120])
        posts: list[Post] = []
        rejected: list[RejectedRow] = []
        for place, entry in enumerate(entries[:MOST_ITEMS], 1):
            post = read_entry(entry, query, page)
            if post is None:
                rejected.append(RejectedRow(f"第 {place} 条", "没有标题也没有正文"))
            else:
                posts.append(post)
        return Parsed(
            Outcome.OK if entries else Outcome.SUSPECT_EMPTY,
            posts=tuple(posts),
            reached_end=True,
            rejected=tuple(rejected),
            oldest=min((post.published_at for post in posts if post.published_at), default=None),
            detail="" if entries else "订阅里一条也没有",
        )


def read_xml(text: str) -> list[dict[str, str]]:
    """Entries of RSS or Atom. Raises ValueError for what is neither. The document type is cut out, so no entity can grow."""
    plain = CHARACTER.sub(check_character, DOCTYPE.sub("", PROLOG.sub("", text)))
    if not ROOT.search(plain[:5000]):
        raise ValueError("不是 RSS、Atom 或 JSON Feed")
    parsed = feedparser.parse(
        io.BytesIO(plain.encode("utf-8")), response_headers={"content-type": "application/xml; charset=utf-8"}
    )
    if not parsed.entries and parsed.bozo:
        raise ValueError(f"XML 读不下去({type(parsed.bozo_exception).__name__})")
    return [read_xml_entry(entry) for entry in parsed.entries]


def check_character(found: re.Match[str]) -> str:
    """`&#…;` as it is, or U+FFFD when there is no such character: one of them would cost the whole feed."""
    digits = (found.group(1) or found.group(2)).lstrip("0")
    code = int(digits or "0", 16 if found.group(1) else 10) if len(digits) < 9 else 0x110000
    return found.group() if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else "\ufffd"


def read_xml_entry(entry: feedparser.FeedParserDict) -> dict[str, str]:
    """The fields that a post is made of, as text."""
    bodies = [str(part.get("value", "")) for part in entry.get("content", [])] or [str(entry.get("summary", ""))]
    return {
        "id": str(entry.get("id", "")),
        "url": str(entry.get("link", "")),
        "title": str(entry.get("title", "")),
        "html": max(bodies, key=len),
        "when": str(entry.get("published", "") or entry.get("updated", "")),
        "author": str(entry.get("author", "")),
    }


def read_json(text: str) -> list[dict[str, str]]:
    """Items of a JSON Feed. Raises ValueError."""
    answer = load_json(text)
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        raise ValueError("JSON 里没有 items")
    found = []
    for item in answer["items"]:
        reader = RecordReader(item)
        authors = reader.items("authors")
        found.append(
            {
                "id": reader.text("id"),
                "url": reader.text("url"),
                "title": reader.text("title"),
                "html": reader.text("content_html") or reader.text("content_text") or reader.text("summary"),
                "when": reader.text("date_published") or reader.text("date_modified"),
                "author": RecordReader(authors[0]).text("name") if authors else "",
            }
        )
    return found


def read_entry(entry: dict[str, str], query: CollectQuery, page: Page) -> Post | None:
    """A post, or None when there is nothing to read. Identity: id, else link, else title and date."""
    title, text = strip_html(entry["title"]), strip_html(entry["html"])
    if not title and not text:
        return None
    url = urljoin(page.request.url, entry["url"]) if entry["url"] else ""
    native_id = entry["id"] or url or hashlib.sha256(f"{title}\x1f{entry['when']}".encode()).hexdigest()[:32]
    found = parse_feed_time(entry["when"], page.fetched_at) if entry["when"] else None
    return Post(
        source=query.source or SOURCE.name,
        native_id=native_id,
        kind=PostKind.ARTICLE if query.options.get("kind", "article") == "article" else PostKind.ORIGINAL,
        title=title[:500],
        text=(text or title)[:MOST_TEXT],
        url=url if url.startswith(("http://", "https://")) else "",
        author=Author(query.author_key(entry["author"])),
        published_at=found[0] if found else None,
        published_precision=found[1] if found else TimePrecision.UNKNOWN,
        published_words=entry["when"][:40],
        first_seen_at=page.fetched_at,
    )


def strip_html(text: str) -> str:
    """Text of an HTML fragment; scripts and styles go with their content."""
    if "<" not in text and "&" not in text:
        return " ".join(text.split())
    soup = BeautifulSoup(f"<div>{text}</div>", "lxml")
    for tag in soup(["script", "style", "iframe"]):
        tag.decompose()
    for tag in soup(["p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote"]):
        tag.append("\n")
    return join_lines(soup.get_text("").splitlines())


def join_lines(lines: Iterable[str]) -> str:
    """Non-empty lines, each with single spaces."""
    return "\n".join(line for part in lines if (line := " ".join(part.split())))
