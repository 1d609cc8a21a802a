"""A row and a column mapping make a post, or a rejection with its reason."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from collectors.fields import parse_amount, parse_count, parse_zh_time
from collectors.file_formats import Columns, FileFormat
from collectors.file_values import Row
from tingfeng.clock import SHANGHAI
from tingfeng.fingerprints import text_hash
from tingfeng.labels import ComplaintStatus, PostKind, TimePrecision
from tingfeng.records import Author, Complaint, Engagement, Post, RejectedRow

FLOAT_ID = re.compile(r"^\d(\.\d+)?[eE]\+\d+$")
EPOCH = re.compile(r"^\d{9,13}(\.\d+)?$")
SERIAL = re.compile(r"^[2-6]\d{4}(\.\d+)?$")
SERIAL_ZERO = datetime(1899, 12, 30, tzinfo=SHANGHAI)
LIST_MARKS = re.compile(r"[,,、;;|]+")
MAX_TEXT = 20_000


class RowReader:
    """Reads rows of one file into posts of `source`; `author_key` hashes what names an author."""

    def __init__(
        self, source: str, columns: Columns, known: FileFormat | None, now: datetime, author_key: Callable[[str], str]
    ) -> None:
        self._source, self._columns, self._known = source, columns, known
        self._now, self._author_key = now, author_key

    def read(self, row: Row) -> Post | RejectedRow:
        """The post of a row; without text, without a time that can be read, or with a rounded id it is rejected."""
        values = row.values
        text, title = self._get(values, "text"), self._get(values, "title")
        if not text and not title:
            return RejectedRow(f"第 {row.number} 行", "没有正文")
        words = self._get(values, "time")
        found = read_time(words, self._now, self._known.precision if self._known else None)
        if found is None:
            return RejectedRow(f"第 {row.number} 行", f"时间读不懂:{words[:30]}" if words else "没有时间")
        native_id = self._get(values, "id")
        if FLOAT_ID.match(native_id):
            return RejectedRow(f"第 {row.number} 行", f"编号被表格软件改成了小数({native_id}),请把该列设为文本再导出")
        if self._known and self._known.id_prefix_column and native_id:
            native_id = f"{values.get(self._known.id_prefix_column, '')}-{native_id}"
        published, precision = found
        native_id = native_id or text_hash(f"{words}\x1f{title}\x1f{text}\x1f{self._get(values, 'url')}")
        return Post(
            source=self._source,
            native_id=native_id,
            kind=self._known.kind if self._known else PostKind.ORIGINAL,
            title=title[:500],
            text=text[:MAX_TEXT],
            url=self._url(values, native_id),
            author=Author(key=self._author(values), region=self._get(values, "region").removeprefix("IP属地:")[:20]),
            published_at=published,
            published_precision=precision,
            published_words=words[:40],
            first_seen_at=self._now,
            engagement=self._engagement(values),
            parent_id=self._get(values, "parent"),
            rating=read_rating(self._get(values, "rating")),
            complaint=self._complaint(values, native_id),
            extras={
                name: values[name][:100] for name in (self._known.extras if self._known else ()) if values.get(name)
            },
        )

    def _get(self, values: Mapping[str, str], canonical: str) -> str:
        return " ".join(part for name in self._columns.get(canonical, ()) if (part := values.get(name, "").strip()))

    def _url(self, values: Mapping[str, str], native_id: str) -> str:
        url = self._get(values, "url")
        if not url and self._known and self._known.url_template:
            url = self._known.url_template.format(id=native_id, parent=self._get(values, "parent"))
        return url if url.startswith(("http://", "https://", "/")) else ""

    def _author(self, values: Mapping[str, str]) -> str:
        # old MediaCrawler files name the user, new ones carry this hash of the name: both give the same key
        if self._known and self._known.author_is_hash:
            user = values.get("user_id", "")
            return self._author_key(
                hashlib.sha256(user.encode()).hexdigest()[:16] if user else values.get("creator_hash", "")
            )
        return self._author_key(self._get(values, "author"))

    def _engagement(self, values: Mapping[str, str]) -> Engagement:
        counts = {name: parse_count(self._get(values, name)) for name in ("likes", "comments", "reposts", "views")}
        stated = {name: count for name, count in counts.items() if self._columns.get(name) and count.value is not None}
        return Engagement(
            **{name: count.value for name, count in stated.items()},
            approx=any(count.approx for count in stated.values()),
            seen_at=self._now if stated else None,
        )

    def _complaint(self, values: Mapping[str, str], native_id: str) -> Complaint | None:
        names = ("target", "problems", "demands", "amount", "status", "ticket")
        if not any(self._get(values, name) for name in names):
            return None
        words = self._get(values, "status")
        statuses = self._known.statuses if self._known else {}
        return Complaint(
            ticket_no=self._get(values, "ticket") or native_id,
            target=self._get(values, "target"),
            problems=split_list(self._get(values, "problems")),
            demands=split_list(self._get(values, "demands")),
            amount_yuan=parse_amount(self._get(values, "amount")),
            status=statuses.get(words, ComplaintStatus.UNKNOWN),
            status_words=words,
        )


def split_list(text: str) -> tuple[str, ...]:
    """`A9,A12,` → ("A9", "A12")."""
    return tuple(part.strip() for part in LIST_MARKS.split(text) if part.strip())


def read_rating(text: str) -> int | None:
    """Stars 1–5, None for anything else."""
    return int(float(text)) if re.fullmatch(r"[1-5](\.\d)?", text) else None


def read_time(words: str, now: datetime, precision: TimePrecision | None) -> tuple[datetime, TimePrecision] | None:
    """Epoch seconds or milliseconds (above 10^11), a spreadsheet's day number (46000.5), ISO, or Chinese words.

    None when it cannot be read or lies in the future.
    """
    words = words.strip()
    if not words:
        return None
    if EPOCH.match(words):
        seconds = float(words) / 1000 if float(words) > 1e11 else float(words)
        at, found = datetime.fromtimestamp(seconds, UTC), TimePrecision.SECOND
    elif SERIAL.match(words):
        at = (SERIAL_ZERO + timedelta(seconds=round(float(words) * 86400))).astimezone(UTC)
        found = TimePrecision.SECOND if "." in words else TimePrecision.DAY
    else:
        parsed = parse_zh_time(words, now)
        if parsed is None:
            return None
        at, found = parsed
    if (at - now).total_seconds() > 86400:
        return None
    return at, TimePrecision.DAY if precision is TimePrecision.DAY else found
