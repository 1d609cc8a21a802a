"""Counts, amounts, times and charsets as sites write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.charset import decode_page
from collectors.fields import Count, parse_amount, parse_count, parse_feed_time, parse_zh_time
from tingfeng.clock import parse_iso
from tingfeng.labels import TimePrecision as P

NOW = parse_iso("2026-11-20T12:00:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2万", Count(12000, True)), ("10万+", Count(100000, True)), ("1,234", Count(1234)), ("3w", Count(30000, True)), ("1千+", Count(1000, True)),
        ("1.1亿", Count(110000000, True)), ("赞", Count(0)), ("", Count(None)), ("--", Count(None)), ("0", Count(0)),
    ],
)  # fmt: skip
def test_counts(text: str, expected: Count) -> None:
    assert parse_count(text) == expected


@pytest.mark.parametrize(
    ("text", "yuan"),
    [("¥1,299.00", 1299.0), ("1.2万元", 12000.0), ("198元", 198.0), ("0.00", None), ("面议", None), ("", None)],
)
def test_amounts(text: str, yuan: float | None) -> None:
    assert parse_amount(text) == yuan


@pytest.mark.parametrize(
    ("words", "iso", "precision"),
    [
        ("刚刚", "2026-11-20T12:00", P.MINUTE), ("3分钟前", "2026-11-20T11:57", P.MINUTE), ("2小时前", "2026-11-20T10:00", P.HOUR),
        ("昨天 12:30", "2026-11-19T12:30", P.MINUTE), ("今天08:01", "2026-11-20T08:01", P.MINUTE), ("前天", "2026-11-18", P.DAY),
        ("11-19 10:00", "2026-11-19T10:00", P.MINUTE), ("12-31", "2025-12-31", P.DAY), ("11月3日 9:05", "2026-11-03T09:05", P.MINUTE),
        ("2026年11月3日", "2026-11-03", P.DAY), ("2026-11-03 11:02:00", "2026-11-03T11:02", P.SECOND), ("2026-11-03T03:02:00Z", "2026-11-03T11:02", P.SECOND),
        ("2026/11/3", "2026-11-03", P.DAY),
    ],
)  # fmt: skip
def test_times(words: str, iso: str, precision: P) -> None:
    assert parse_zh_time(words, NOW) == (parse_iso(iso), precision)


@pytest.mark.parametrize("words", ["", "很久以前", "2026-13-40", "99:99", "0-0"])
def test_times_that_are_none(words: str) -> None:
    assert parse_zh_time(words, NOW) is None


@given(st.text(max_size=40))
def test_any_words_are_answered(words: str) -> None:
    parse_zh_time(words, NOW)
    assert parse_count(words).value is None or parse_count(words).value is not None
    assert parse_amount(words) != 0


@pytest.mark.parametrize(
    "words",
    [
        "Sat, 14 Nov 2026 12:00:00 CST",
        "Sat, 14 Nov 2026 04:00:00 GMT",
        "2026-11-14T12:00:00+08:00",
        "2026-11-14 12:00:00",
        "14 Nov 26 12:00 +0800",
    ],
)
def test_feed_times(words: str) -> None:
    found = parse_feed_time(words, NOW)
    assert found
    assert found[0] == parse_iso("2026-11-14T12:00")


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [
        ("投诉".encode("utf-8-sig"), "", "utf-8-sig"),
        ("投诉无门".encode("gb18030"), "text/html; charset=gb2312", "gb18030"),
        ('<meta charset="gbk">投诉无门'.encode("gbk"), "text/html", "gb18030"),
        ('<?xml version="1.0" encoding="gb2312"?><a>投诉镕</a>'.encode("gb18030"), "", "gb18030"),
        ("投诉无门".encode("gb18030"), "", "gb18030"),
        ("投诉".encode("utf-16"), "", "utf-16"),
        (b"plain", "text/html; charset=nonsense", "utf-8"),
    ],
)
def test_charsets(body: bytes, content_type: str, encoding: str) -> None:
    decoded = decode_page(body, content_type)
    assert decoded.encoding == encoding
    assert "\ufffd" not in decoded.text


@given(st.binary(max_size=200), st.text(max_size=20))
def test_any_bytes_are_read(body: bytes, content_type: str) -> None:
    assert isinstance(decode_page(body, content_type).text, str)
