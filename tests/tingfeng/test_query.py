"""The query language: grammar, mistakes, and the meaning of each operator."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tingfeng.clock import parse_iso
from tingfeng.errors import QuerySyntaxError
from tingfeng.labels import Act, PostKind, Sentiment
from tingfeng.query import parse_query
from tingfeng.query_match import find_term, matches
from tingfeng.query_tree import And, Not, Or, Term
from tingfeng.records import Author, Engagement, Mention, Post
from tingfeng.text import SEPARATOR, encode_text

NOW = parse_iso("2026-11-20T12:00")


def post(text: str, title: str = "", **changes: object) -> Post:
    fields: dict[str, object] = {"source": "heimao", "native_id": "1", "kind": PostKind.TICKET, "first_seen_at": NOW}
    return Post(**{**fields, "text": text, "title": title, **changes})  # type: ignore[arg-type]


def found(query: str, text: str, title: str = "", **changes: Any) -> bool:
    return matches(parse_query(query), post(text, title, **changes), None)


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("退款", "要求退款", True),
        ("退款", "退,款", False),
        ("退款", "退 款", True),
        ("蘋果", "苹果坏了", True),
        ("su7", "小米SU7交付", True),
        ("su", "小米SU7交付", False),
        ("refund*", "no refunds here", True),
        ("refund", "no refunds here", False),
        ('"小米 SU7"', "小米SU7", True),
        ('"new balance"', "newbalance", False),
        ("客服 退款", "退款找客服", True),
        ("客服 且 退款", "退款", False),
        ("客服 或 退款", "退款", True),
        ("退款 非 广告", "退款广告", False),
        ("退款 -广告", "退款", True),
        ("a OR b AND c", "a", True),
        ("(a OR b) AND c", "a", False),
        ("NOT NOT 退款", "退款", True),
        ("NEAR/2(客服 退款)", "客服不给退款", True),
        ("NEAR/1(客服 退款)", "客服不给退款", False),
        ("NEAR/3(退款 客服)", "客服不给退款", True),
        ("NEAR/0(退款 退款)", "退款", False),
        ("NEAR/5(客服 (退款 OR 退钱))", "客服说退钱", True),
        ("/退.{0,3}款/", "退不了款", True),
        ("/退.{0,3}款/", "退不了这笔款", False),
    ],
)
def test_meaning(query: str, text: str, expected: bool) -> None:
    assert found(query, text) is expected


def test_term_does_not_cross_from_title_to_text() -> None:
    assert not found("退款", "款项", title="不退")
    assert found("title:不退", "款项", title="不退")
    assert not found("title:款项", "款项", title="不退")


def test_fields_of_the_post() -> None:
    some: dict[str, Any] = {"author": Author(region="浙江"), "engagement": Engagement(likes=20), "rating": 2}
    assert found("退款 source:(heimao OR weibo) region:浙江 likes:>10 rating:<=2 kind:投诉单", "退款", **some)
    assert not found("退款 likes:>10", "退款")


def test_fields_of_the_mention() -> None:
    mention = Mention("p", "暖芽", (Act.COMPLAINT,), Sentiment.NEGATIVE)
    query = parse_query("subject:暖芽 sentiment:负面 act:(complaint OR question)")
    assert matches(query, post("坏了"), mention)
    assert not matches(query, post("坏了"), None)


def test_days_are_those_of_shanghai_and_until_includes_its_day() -> None:
    at = parse_iso("2026-11-20T23:59")
    assert found("坏 since:2026-11-20 until:2026-11-20", "坏", published_at=at)
    assert not found("坏 until:2026-11-19", "坏", published_at=at)


def test_not_binds_before_and_before_or() -> None:
    assert parse_query("a NOT b OR c").root == Or((And((Term(("a",)), Not(Term(("b",))))), Term(("c",))))


@pytest.mark.parametrize(
    ("query", "position", "words"),
    [
        ("", 0, "空"),
        ("NOT 退款", 0, "排除"),
        ("退款 OR NOT 广告", 0, "排除"),
        ("退款 AND", 6, "缺一个词"),
        ("OR 退款", 0, "缺一个词"),
        ("(退款", 3, "右括号"),
        ("退款)", 2, "括号"),
        ('"退款', 0, "引号"),
        ("sentimant:negative 退款", 0, "sentiment"),
        ("sentiment:negativ", 10, "negative"),
        ("severity:mony", 9, "money"),
        ("rating:高", 7, "数字"),
        ("since:昨天", 6, "日期"),
        ("NEAR/900(a b)", 0, "500"),
        ("NEAR/5(a)", 8, "NEAR"),
        ("!!!", 0, "没有可以查的字"),
        ("/(a/", 0, "正则"),
    ],
)
def test_mistake_has_a_position_and_a_remedy(query: str, position: int, words: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse_query(query)
    assert caught.value.position == position
    assert words in caught.value.message


def test_limits() -> None:
    for query in ("a" * 4001, " ".join(["a"] * 201), "(" * 60 + "a" + ")" * 60):
        with pytest.raises(QuerySyntaxError):
            parse_query(query)


def test_search_refuses_a_pattern() -> None:
    with pytest.raises(QuerySyntaxError, match="正则"):
        parse_query("/退.款/", search=True)


PIECES = st.sampled_from(
    [
        "退款",
        "客服",
        "a",
        "(",
        ")",
        '"',
        "AND",
        "OR",
        "NOT",
        "-",
        "NEAR/3(",
        "title:",
        "sentiment:",
        "/",
        "*",
        " ",
        "且",
        "likes:>",
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES | st.text(max_size=3), max_size=14))
def test_parser_answers_or_names_the_mistake(pieces: list[str]) -> None:
    query = " ".join(pieces)
    try:
        matches(parse_query(query), post("客服 退款 a"), None)
    except QuerySyntaxError as error:
        assert 0 <= error.position <= len(query) and error.what


def naive(text: str, term: str) -> bool:
    return term in text


@settings(max_examples=200)
@given(
    st.text("退款客服好", max_size=12),
    st.text("退款客服好", min_size=1, max_size=3),
    st.text("退款客服好", min_size=1, max_size=3),
)
def test_han_terms_are_substrings(text: str, left: str, right: str) -> None:
    assert found(f"{left} OR {right}", text) is (naive(text, left) or naive(text, right))
    assert found(f"{left} {right}", text) is (naive(text, left) and naive(text, right))


@pytest.mark.parametrize(
    ("query", "text", "title", "expected"),
    [
        ("/SU7/", "新款SU7", "", True),
        ("/蘋果手?機/", "苹果机", "", True),
        ("/好！/", "很好!", "", True),
        (r"/^\D+$/", "退款", "", True),
        ("/退.{0,3}款/", "款项未到", "不能退", False),
    ],
)
def test_pattern_is_folded_as_the_text_and_stays_in_its_field(
    query: str, text: str, title: str, expected: bool
) -> None:
    assert found(query, text, title) is expected


@pytest.mark.parametrize(
    "query",
    [
        "since:0001-01-01",
        "until:9999-12-31",
        "/\ud800(/",
        "/a*/",
        "un*x",
        "退款|退货",
        "NEAR/5((" + " OR ".join(["甲"] * 300) + ") 款)",
        "source:(" + " OR ".join(["s"] * 300) + ")",
    ],
)
def test_edge_mistakes_are_syntax_errors(query: str) -> None:
    with pytest.raises(QuerySyntaxError):
        parse_query(query)


def test_until_a_compact_day_includes_it_too() -> None:
    assert parse_query("until:20261124").root == parse_query("until:2026-11-24").root


def test_near_with_thousands_of_occurrences_of_both_sides_ends() -> None:
    far = "退款。" * 20_000 + "很" * 9 + "客服。" * 20_000
    assert not found("NEAR/5(退款 客服)", far)
    assert found("NEAR/10(退款 客服)", far)


@given(st.text("甲乙a ,", max_size=14), st.integers(0, 4), st.sampled_from(["甲", "甲乙", "aa", "a*"]))
def test_near_agrees_with_trying_every_pair(text: str, distance: int, right: str) -> None:
    left = parse_query("乙").root
    other = parse_query(right).root
    assert isinstance(left, Term)
    assert isinstance(other, Term)
    encoded = encode_text(text)
    pairs = [sorted((x, y)) for x in find_term(left, encoded) for y in find_term(other, encoded)]
    gaps = [encoded[first[1] : second[0] + 1] for first, second in pairs if first[1] <= second[0]]
    expected = any(len(gap) - gap.count(SEPARATOR) <= distance for gap in gaps)
    assert found(f"NEAR/{distance}(乙 {right})", text) is expected
