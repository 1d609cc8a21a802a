"""Subject matching: aliases, exclusions, word boundaries, queries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nlp.subjects import SubjectMatcher
from tingfeng.clock import parse_iso
from tingfeng.errors import SettingsError
from tingfeng.labels import PostKind
from tingfeng.records import Complaint, Post, Subject
from tingfeng.text import normalise


def post(text: str, title: str = "") -> Post:
    return Post("s", "1", PostKind.ORIGINAL, text, parse_iso("2026-11-20"), title=title)


def names(subject: Subject, text: str, title: str = "") -> list[str]:
    return [match.name for match in SubjectMatcher([subject]).match(post(text, title))]


@pytest.mark.parametrize(
    ("subject", "text", "expected"),
    [
        (Subject("暖芽"), "暖芽水壶", True),
        (Subject("暖芽", ("nuanya",)), "NUANYA 的水壶", True),
        (Subject("暖芽", ("nuan",)), "nuanya 的水壶", False),
        (Subject("苹果", (), ("苹果汁",)), "苹果汁好喝", False),
        (Subject("苹果", (), ("苹果汁",)), "苹果汁洒在苹果上", True),
        (Subject("小米 SU7"), "小米su7交付", True),
        (Subject("甲", query="小米 (汽车 OR SU7) NOT 小米粥"), "小米SU7", True),
        (Subject("甲", query="小米 (汽车 OR SU7) NOT 小米粥"), "小米粥和SU7", False),
        (Subject("甲", query="refund*"), "refunds", True),
        (Subject("甲", query="/起.?火/"), "起了火", True),
        (Subject("甲", query="kind:original 坏"), "坏", True),
    ],
)
def test_match(subject: Subject, text: str, expected: bool) -> None:
    assert bool(names(subject, text)) is expected


def test_a_review_is_about_the_product_on_whose_page_it_stands() -> None:
    review = replace(post("求增加夜间模式"), extras={"about": "暖芽"})
    assert [(match.name, match.spans) for match in SubjectMatcher([Subject("橙屿"), Subject("暖芽")]).match(review)] == [("暖芽", ())]


def test_a_complaint_is_about_its_target() -> None:
    ticket = replace(post("水壶漏电,没人管"), complaint=Complaint("17", target="暖芽官方旗舰店"))
    assert [match.name for match in SubjectMatcher([Subject("暖芽"), Subject("甲", query="暖芽 漏电")]).match(ticket)] == ["暖芽", "甲"]


def test_spans_point_at_the_name() -> None:
    text = "昨天买的ＮＵＡＮＹＡ坏了,暖芽不理"
    match = SubjectMatcher([Subject("暖芽", ("nuanya",))]).match(post(text))[0]
    plain = normalise(text)
    assert {plain[a:b] for a, b in match.spans} == {"nuanya", "暖芽"}


def test_name_does_not_cross_title_and_text() -> None:
    assert names(Subject("暖芽"), "芽坏了", title="今天好暖") == []


def test_text_without_subject_is_turned_away_before_fetching() -> None:
    matcher = SubjectMatcher([Subject("暖芽"), Subject("甲", query="小米 汽车")])
    assert not matcher.matches_text("飞牛出行扣费")
    assert matcher.matches_text("暖芽官方旗舰店")
    assert matcher.matches_text("小米的…")


def test_many_subjects_at_once() -> None:
    matcher = SubjectMatcher([Subject(f"品牌{number}号") for number in range(2000)])
    assert [match.name for match in matcher.match(post("品牌1999号和品牌7号"))] == ["品牌7号", "品牌1999号"]


@pytest.mark.parametrize("subject", [Subject("甲", query="(坏"), Subject("!!!"), Subject("甲", ("…",))])
def test_impossible_subject_is_named(subject: Subject) -> None:
    with pytest.raises(SettingsError, match=subject.name[:1]):
        SubjectMatcher([subject])
