"""Counts, amounts and times as Chinese sites write them. The one place where `1.2万` and `3分钟前` are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from tingfeng.clock import SHANGHAI
from tingfeng.labels import TimePrecision

UNITS = {"千": 1e3, "k": 1e3, "万": 1e4, "w": 1e4, "亿": 1e8}
COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([千kKwW万亿])?(\+)?")
MOST_COUNT = 10**15  # more than anything has been liked; a store keeps 64 bits
BUTTONS = frozenset({"", "赞", "评论", "转发", "收藏", "回复", "点赞", "分享"})
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(万|亿)?\s*(?:元|块|rmb|人民币)?", re.IGNORECASE)
AGO = re.compile(r"(\d{1,4})\s*(秒|分钟|分|小时|个小时|天|周|个月)前")
AGO_SECONDS = {"秒": 1, "分钟": 60, "分": 60, "小时": 3600, "个小时": 3600, "天": 86400, "周": 604800, "个月": 2592000}
AGO_PRECISION = {
    "秒": TimePrecision.SECOND,
    "分钟": TimePrecision.MINUTE,
    "分": TimePrecision.MINUTE,
    "小时": TimePrecision.HOUR,
    "个小时": TimePrecision.HOUR,
}
CLOCK = r"(?:\s*T?\s*(\d{1,2})[:时点](\d{1,2})分?(?:[:](\d{1,2})(?:\.\d+)?)?秒?)?"
NEAR_DAY = re.compile(rf"(今天|今日|昨天|昨日|前天)\s*{CLOCK}")
FULL_DAY = re.compile(rf"(\d{{4}})[-/年.](\d{{1,2}})[-/月.](\d{{1,2}})日?\s*{CLOCK}\s*(Z|[+-]\d{{2}}:?\d{{2}})?")
SHORT_DAY = re.compile(rf"(\d{{1,2}})[-/月](\d{{1,2}})日?\s*{CLOCK}")
BACK = {"今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2}


@dataclass(frozen=True)
class Count:
    """`value` None when the source does not say; `approx` for a lower bound such as `10万+`."""

    value: int | None
    approx: bool = False


def parse_count(text: str) -> Count:
    """`1,234`, `1.2万`, `10万+`, `赞` (0), `--` (None)."""
    plain = text.strip().replace(",", "").replace(",", "")
    if plain in BUTTONS:
        return Count(0 if plain else None)
    found = COUNT.fullmatch(plain)
    if found is None:
        return Count(None)
    value = float(found.group(1)) * UNITS.get((found.group(2) or "").lower(), 1)
    return Count(round(value), bool(found.group(3) or found.group(2))) if value <= MOST_COUNT else Count(None)


def parse_amount(text: str) -> float | None:
    """Yuan; `0.00` means not stated."""
    plain = re.sub(r"[¥¥,,\s]", "", text)
    found = AMOUNT.fullmatch(plain)
    if found is None:
        return None
    value = float(found.group(1)) * {"万": 1e4, "亿": 1e8}.get(found.group(2) or "", 1.0)
    return round(value, 2) or None if value <= MOST_COUNT else None


def parse_zh_time(words: str, now: datetime) -> tuple[datetime, TimePrecision] | None:
    """(aware UTC, precision) of Chinese and ISO times, read against `now`; None when it cannot be read."""
    plain = words.strip().replace(":", ":")
    try:
        return read_words(plain, now)
    except (ValueError, OverflowError):
        return None


def read_words(plain: str, now: datetime) -> tuple[datetime, TimePrecision] | None:
    """The same, raising ValueError for impossible dates."""
    local = now.astimezone(SHANGHAI)
    if plain in ("刚刚", "刚才"):
        return now, TimePrecision.MINUTE
    if found := AGO.match(plain):
        unit = found.group(2)
        return now - timedelta(seconds=int(found.group(1)) * AGO_SECONDS[unit]), AGO_PRECISION.get(
            unit, TimePrecision.DAY
        )
    if found := NEAR_DAY.match(plain):
        day = local - timedelta(days=BACK[found.group(1)])
        return at_clock(day, found.group(2), found.group(3), found.group(4))
    if found := FULL_DAY.match(plain):
        year, month, date_, hour, minute, second, offset = found.groups()
        day = datetime(int(year), int(month), int(date_), tzinfo=SHANGHAI)
        at, precision = at_clock(day, hour, minute, second)
        if offset:
            zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset.replace('Z', '+00:00')}").tzinfo
            at = at.astimezone(SHANGHAI).replace(tzinfo=zone).astimezone(UTC)
        return at, precision
    if found := SHORT_DAY.match(plain):
        month, date_, hour, minute, second = found.groups()
        day = datetime(local.year, int(month), int(date_), tzinfo=SHANGHAI)
        day = day.replace(year=local.year - 1) if day > local + timedelta(days=1) else day
        return at_clock(day, hour, minute, second)
    return None


def at_clock(day: datetime, hour: str | None, minute: str | None, second: str | None) -> tuple[datetime, TimePrecision]:
    """A day with a clock time, if there is one."""
    at = day.replace(hour=int(hour or 0), minute=int(minute or 0), second=int(second or 0), microsecond=0)
    precision = TimePrecision.DAY if hour is None else TimePrecision.MINUTE if second is None else TimePrecision.SECOND
    return at.astimezone(UTC), precision


def parse_feed_time(words: str, now: datetime) -> tuple[datetime, TimePrecision] | None:
    """RFC 822 (with `CST` meaning +08:00, as Chinese sites use it), RFC 3339, or what parse_zh_time reads."""
    plain = re.sub(r"\bCST\b", "+0800", words.strip())
    try:
        at = parsedate_to_datetime(plain)
        return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).astimezone(UTC), TimePrecision.SECOND
    except (ValueError, TypeError, IndexError):
        return parse_zh_time(plain, now)
