"""The polite client against a site on loopback that misbehaves."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from collectors.base import Page, Request
from collectors.client import PoliteClient, Refusal, same_site, user_agent
from tingfeng.labels import Outcome


def outcome(client: PoliteClient, url: str) -> Outcome | int:
    found = client.fetch(Request(url), 0)
    return found.outcome if isinstance(found, Refusal) else found.status


def test_a_page_is_read_and_we_say_who_we_are(client: PoliteClient, site: Any, answer: Any) -> None:
    site.pages["/a"] = answer(b"hello")
    page = client.fetch(Request(f"{site.url}/a"), 0)
    assert isinstance(page, Page)
    assert page.body == b"hello"
    assert all("tingfeng/" in headers["user-agent"] for _, headers in site.asked)
    assert "me@x.example" in user_agent("me@x.example")


def test_robots_are_asked_once_and_obeyed(client: PoliteClient, site: Any, answer: Any) -> None:
    site.pages |= {
        "/robots.txt": answer(b"User-agent: *\nDisallow: /private*\n"),
        "/a": answer(b"1"),
        "/private/x": answer(b"2"),
    }
    assert outcome(client, f"{site.url}/a") == 200
    assert outcome(client, f"{site.url}/private/x") is Outcome.BLOCKED
    assert [path for path, _ in site.asked] == ["/robots.txt", "/a"]


@pytest.mark.parametrize(("status", "expected"), [(404, 200), (403, Outcome.BLOCKED), (503, Outcome.UNREACHABLE)])
def test_robots_that_cannot_be_read(
    client: PoliteClient, site: Any, answer: Any, status: int, expected: Outcome | int
) -> None:
    site.pages |= {"/robots.txt": answer(status=status), "/a": answer(b"1")}
    assert outcome(client, f"{site.url}/a") == expected


def test_pace_has_jitter_and_honours_crawl_delay(client: PoliteClient, site: Any, answer: Any, clock: Any) -> None:
    site.pages |= {"/robots.txt": answer(b"User-agent: *\nCrawl-delay: 10\n"), "/a": answer(b"1")}
    for _ in range(4):
        client.fetch(Request(f"{site.url}/a"), 3)
    assert len(clock.slept) == 3
    assert all(6.9 < seconds < 13.1 for seconds in clock.slept)
    assert len(set(clock.slept)) == 3


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Outcome.LOGIN_REQUIRED),
        (403, Outcome.BLOCKED),
        (404, Outcome.GONE),
        (410, Outcome.GONE),
        (429, Outcome.RATE_LIMITED),
        (418, Outcome.BLOCKED),
    ],
)
def test_refusals_are_named_and_not_retried(
    client: PoliteClient, site: Any, answer: Any, status: int, expected: Outcome
) -> None:
    site.pages["/a"] = answer(status=status)
    assert outcome(client, f"{site.url}/a") is expected
    assert site.paths() == ["/a"]


def test_server_errors_are_retried_three_times(client: PoliteClient, site: Any, answer: Any) -> None:
    site.pages["/a"] = answer(status=502)
    assert outcome(client, f"{site.url}/a") is Outcome.UNREACHABLE
    assert site.paths() == ["/a"] * 3


def test_a_passing_error_is_survived(client: PoliteClient, site: Any, answer: Any) -> None:
    answers = [answer(status=500), answer(b"ok")]
    site.pages["/a"] = lambda headers: answers.pop(0)
    assert outcome(client, f"{site.url}/a") == 200


def test_silence_is_a_time_out(client: PoliteClient, site: Any, answer: Any) -> None:
    site.pages["/a"] = answer(b"late", delay=0.8)
    assert outcome(client, f"{site.url}/a") is Outcome.UNREACHABLE


def test_nobody_there(client: PoliteClient, memory: Any, clock: Any) -> None:
    assert outcome(client, "http://127.0.0.1:9/a") is Outcome.UNREACHABLE  # robots.txt could not be read: not now


def test_a_bomb_is_dropped_while_it_unpacks(client: PoliteClient, site: Any, answer: Any) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    site.pages["/a"] = answer(bomb, headers={"content-encoding": "gzip"})
    found = client.fetch(Request(f"{site.url}/a"), 0)
    assert isinstance(found, Refusal)
    assert "100000 字节" in found.detail


def test_redirects_stay_on_the_site(client: PoliteClient, site: Any, answer: Any) -> None:
    site.pages |= {
        "/here": answer(status=302, headers={"location": "/a"}),
        "/away": answer(status=302, headers={"location": "http://other.example/a"}),
        "/login": answer(status=302, headers={"location": "/passport/login?r=1"}),
        "/loop": answer(status=302, headers={"location": "/loop"}),
        "/a": answer(b"ok"),
    }
    assert outcome(client, f"{site.url}/here") == 200
    assert outcome(client, f"{site.url}/away") is Outcome.BLOCKED
    assert outcome(client, f"{site.url}/login") is Outcome.LOGIN_REQUIRED
    assert outcome(client, f"{site.url}/loop") is Outcome.BLOCKED


def test_a_captcha_is_a_hard_stop(client: PoliteClient, site: Any, answer: Any) -> None:
    site.pages["/a"] = answer("<html><body>请输入验证码</body></html>".encode("gb18030"))
    assert outcome(client, f"{site.url}/a") is Outcome.BLOCKED


def test_validators_are_sent_only_after_the_page_was_stored(client: PoliteClient, site: Any, answer: Any) -> None:
    site.pages["/a"] = lambda headers: (
        answer(status=304) if headers.get("if-none-match") == '"v1"' else answer(b"x", headers={"etag": '"v1"'})
    )
    request = Request(f"{site.url}/a", conditional=True)
    page = client.fetch(request, 0)
    assert isinstance(page, Page)
    again = client.fetch(request, 0)
    assert isinstance(again, Page)
    assert again.status == 200
    client.remember(page)
    third = client.fetch(request, 0)
    assert isinstance(third, Page)
    assert third.status == 304


@pytest.mark.parametrize(
    ("target", "same"),
    [
        ("http://www.sina.com.cn/", True),
        ("http://evil.com.cn/", False),
        ("ftp://tousu.sina.com.cn/", False),
        ("http://sina.com.cn.evil.example/", False),
    ],
)
def test_same_site(target: str, same: bool) -> None:
    assert same_site("https://tousu.sina.com.cn/a", target) is same
