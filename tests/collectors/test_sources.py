"""Every collector: metadata in order, an example with its expected posts, and parsers that survive anything."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import heimao
from collectors.base import CollectQuery, Page, Request
from collectors.registry import describe_sources, list_collectors
from tingfeng.clock import parse_iso
from tingfeng.errors import SourceError
from tingfeng.labels import Outcome, PostKind
from tingfeng.records import Post

EXAMPLES = Path(__file__).parent / "examples"
NOW = parse_iso("2026-11-20T12:00")
MODULES = list_collectors()
TARGETS = {"heimao": "", "appstore": "900000001", "feed": "/rss.xml"}
KNOWN = Post("heimao", "17390000001", PostKind.TICKET, "摘要", NOW, title="题")


def query(name: str) -> CollectQuery:
    return CollectQuery(
        "https://site.example/prefix",
        TARGETS[name],
        matches=lambda text: "暖芽" in text,
        author_key=lambda account: f"#{len(account)}",
    )


def make_page(name: str, body: bytes, note: str = "1", content_type: str = "") -> Page:
    known = heimao.read_item(
        json.loads((EXAMPLES / "heimao/feed.json").read_bytes())["result"]["data"]["lists"][0], query(name), NOW
    )[0]
    assert isinstance(known, Post)
    request = Request("https://site.example/prefix/x", note=note, otherwise=(known,) if note == "detail" else ())
    return Page(request, 200, body, {"content-type": content_type}, NOW)


def check_module(module: ModuleType) -> list[str]:
    """What is wrong with a collector; a bad specimen below shows that each rule can fail."""
    source, wrong = module.SOURCE, []
    if source.name != module.__name__.rsplit(".", 1)[-1]:
        wrong.append("name")
    if not source.title or not source.required or source.max_pages < 1:
        wrong.append("metadata")
    if not (module.__doc__ or "").strip():
        wrong.append("docs")
    if not list((EXAMPLES / source.name).glob("*")):
        wrong.append("examples")
    return wrong


@pytest.mark.parametrize("name", sorted(MODULES))
def test_collector_is_in_order(name: str) -> None:
    assert check_module(MODULES[name]) == []


def test_a_bad_specimen_is_refused() -> None:
    bad = ModuleType("collectors.bad")
    bad.SOURCE = type("S", (), {"name": "other", "title": "", "required": (), "max_pages": 0})()  # type: ignore[attr-defined]
    assert check_module(bad) == ["name", "metadata", "docs", "examples"]


def show(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


CASES = [
    ("heimao", "feed.json", "1"), ("heimao", "detail.html", "detail"), ("appstore", "reviews.json", "1"),
    ("feed", "news.xml", ""), ("feed", "forum.atom", ""), ("feed", "blog.json", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "note"), CASES)
def test_example_gives_the_expected_posts(name: str, file: str, note: str) -> None:
    parsed = MODULES[name].Collector().parse(make_page(name, (EXAMPLES / name / file).read_bytes(), note), query(name))
    values = {
        "outcome": str(parsed.outcome),
        "posts": [asdict(post) for post in parsed.posts],
        "follow": [
            {"path": request.url.split("?")[0], "known": [asdict(post) for post in request.otherwise]}
            for request in parsed.follow
        ],
        "next": parsed.next.url.split("?")[0] if parsed.next else None,
        "rejected": [asdict(row) for row in parsed.rejected],
        "leftover": list(parsed.leftover),
        "oldest": parsed.oldest,
    }
    text = json.dumps(values, ensure_ascii=False, indent=1, default=show, sort_keys=True) + "\n"
    expected = EXAMPLES / name / f"{file}.expected.json"
    if not expected.exists():
        expected.write_text(text, "utf-8")
        pytest.fail(f"{expected.name} was missing and has been written: read it before committing")
    assert text == expected.read_text("utf-8")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CASES), st.integers(0, 3000), st.binary(max_size=40))
def test_cut_and_damaged_pages_are_answered_not_raised(case: tuple[str, str, str], cut: int, junk: bytes) -> None:
    name, file, note = case
    body = (EXAMPLES / name / file).read_bytes()
    for damaged in (body[:cut], body[:cut] + junk + body[cut:], junk):
        parsed = MODULES[name].Collector().parse(make_page(name, damaged, note), query(name))
        assert parsed.outcome in set(Outcome)


def test_signatures_of_the_board() -> None:
    vectors = [
        (
            ["1614340290475", "I66jvmc7WhlW1wOE", "6384912431", "1", "10", "1"],
            "a5c5f96f03b397bf45566a07faa959fa473b7ba65e1000dc6714ad12ab97d75f",
        ),
        (
            ["1735689600000", "aB3dE5gH7jK9mN1p", "某品牌退款", "10", "1"],
            "7a8bfd5d0cc5d552e1af462ebb433fc6810db5f02c8f2e64ac5fed1b88e6771d",
        ),
        (
            ["1735689600000", "aB3dE5gH7jK9mN1p", "1", "10", "1"],
            "37275019c089727994d4a28911e80ae9f09f0b6b2452c9094084cd9105ae69f1",
        ),
        (
            ["1735689600000", "0aB3dE5gH7jK9mN1", "6384912431", "1", "10", "2"],
            "5a4a6d63151f5ce5cde7d1b58d06d1d8e9d8d12f932a9294d195ca6411e2d974",
        ),
    ]
    assert [heimao.sign_parts(parts) for parts, _ in vectors] == [expected for _, expected in vectors]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b'{"result":{"status":{"code":10017,"msg":"x"},"data":null}}', Outcome.LOGIN_REQUIRED),
        (b'{"result":{"status":{"code":10005},"data":null}}', Outcome.LOGIN_REQUIRED),
        ("<!doctype html><html>微博登录".encode(), Outcome.LOGIN_REQUIRED),
        (b'{"result":{"status":{"code":0},"data":{"lists":null,"pager":{"item_count":9}}}}', Outcome.RATE_LIMITED),
        (b'{"result":{"status":{"code":0},"data":[]}}', Outcome.SUSPECT_EMPTY),
        (b'{"result":{"status":{"code":31337}}}', Outcome.SCHEMA_CHANGED),
        (b'{"result":', Outcome.SCHEMA_CHANGED),
    ],
)
def test_the_board_refuses_in_many_ways(body: bytes, outcome: Outcome) -> None:
    assert heimao.Collector().parse(make_page("heimao", body), query("heimao")).outcome is outcome


def test_a_detail_that_is_gone_keeps_what_the_list_said() -> None:
    parsed = heimao.Collector().parse(
        make_page("heimao", "<html>页面不存在</html>".encode(), "detail"), query("heimao")
    )
    assert parsed.outcome is Outcome.GONE
    assert parsed.posts[0].native_id == "17390000001"


@pytest.mark.parametrize(("name", "target"), [("appstore", "com.example"), ("appstore", "../1"), ("feed", "not a url")])
def test_an_impossible_target_is_refused_before_any_call(name: str, target: str) -> None:
    base = "" if name == "feed" else "https://site.example"
    with pytest.raises(SourceError, match="采集对象"):
        MODULES[name].Collector().first_request(CollectQuery(base, target), NOW)


def test_reviews_tell_an_empty_list_from_a_withheld_one() -> None:
    parse = MODULES["appstore"].Collector().parse
    empty = parse(make_page("appstore", b'{"feed":{"id":{"label":"x"}}}'), query("appstore"))
    assert empty.follow[0].note == "lookup"
    for body, outcome in (
        (b'{"resultCount":0,"results":[]}', Outcome.GONE),
        (b'{"results":[{"userRatingCount":5}]}', Outcome.SUSPECT_EMPTY),
        (b'{"results":[{"userRatingCount":0}]}', Outcome.EMPTY),
    ):
        assert parse(make_page("appstore", body, "lookup"), query("appstore")).outcome is outcome


def test_source_list_in_the_docs_is_fresh() -> None:
    assert (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8") == describe_sources()
