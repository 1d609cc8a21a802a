"""What was said of a post is said again of the same words, and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from nlp.known import hash_post
from nlp.pipeline import Pipeline
from nlp.sentiment import LinearSentiment
from nlp.subjects import SubjectMatch, SubjectMatcher
from tests.nlp.test_shipped_encoder import read_lexicon
from tingfeng.clock import parse_iso
from tingfeng.labels import Act, PostKind
from tingfeng.records import Author, Engagement, Post, Subject

AT = parse_iso("2026-11-14T12:00")
LOUD = "暖芽这个壶真的好用,烧水快,颜色也好看,推荐大家都去买一个回来试试看"


class Reader(LinearSentiment):
    """Remembers what it was asked to read."""

    asked: list[str]

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        self.asked += texts
        return super().judge(texts)


@pytest.fixture
def reader() -> Reader:
    found = Reader.load()
    assert isinstance(found, Reader)
    found.asked = []
    return found


@pytest.fixture
def pipeline(reader: Reader) -> Pipeline:
    return Pipeline(SubjectMatcher([Subject("暖芽"), Subject("热门", query="橙屿 likes:>10")]), reader, read_lexicon()[0])


def post(text: str, number: int, *, author: str = "", hours: float = 0.0, kind: PostKind = PostKind.ORIGINAL) -> Post:
    return Post("s", str(number), kind, text, AT + timedelta(hours=hours), author=Author(author))


def test_same_words_are_read_once_and_said_of_each_post(pipeline: Pipeline, reader: Reader) -> None:
    first, second, third = (post("暖芽漏水了,要求退款", number) for number in range(3))
    told = pipeline.judge([first, second]).posts + pipeline.judge([third]).posts
    assert len(reader.asked) == 1
    assert [[mention.post_id for mention in one.mentions] for one in told] == [[one.post_id] for one in told]
    assert {one.post_id for one in told} == {first.id, second.id, third.id}
    assert len({repr([replace(mention, post_id="") for mention in one.mentions]) for one in told}) == 1
    assert [one.words for one in told] == [told[0].words] * 3


def test_other_words_kind_or_rating_are_read_anew(pipeline: Pipeline) -> None:
    plain = post("暖芽漏水了,要求退款", 1)
    changed = [replace(plain, native_id="2", rating=1), replace(plain, native_id="3", kind=PostKind.TICKET), replace(plain, native_id="4", title="暖芽")]
    for one in (plain, *changed):
        alone = Pipeline(pipeline._subjects, LinearSentiment.load(), pipeline._lexicon).judge([one])
        assert pipeline.judge([one]) == alone


def test_subject_that_matches_by_a_field_is_not_taken_from_memory(pipeline: Pipeline) -> None:
    quiet = post("橙屿漏水了", 1)
    loud = replace(quiet, native_id="2", engagement=Engagement(likes=50))
    assert [len(pipeline.judge([one]).posts[0].mentions) for one in (quiet, loud, quiet)] == [0, 1, 0]


def test_words_of_a_campaign_are_judged_by_their_company(pipeline: Pipeline) -> None:
    campaign = [post(LOUD, number, author=f"a{number}", hours=number / 10) for number in range(6)]

    def acts(posts: Sequence[Post]) -> list[tuple[Act, ...]]:
        return [one.mentions[0].acts for one in pipeline.judge(posts).posts]

    before = acts(campaign[:1])
    assert before != [(Act.AD,)]
    assert acts(campaign) == [(Act.AD,)] * 6
    assert acts(campaign[:1]) == before
    late = post(LOUD, 9, author="b", hours=24 * 8)
    fresh = Pipeline(pipeline._subjects, LinearSentiment.load(), pipeline._lexicon)
    assert [one.mentions[0].acts for one in fresh.judge([*campaign, late]).posts] == [(Act.AD,)] * 6 + before


def test_whom_the_source_names_is_part_of_what_is_remembered(reader: Reader) -> None:
    words = Pipeline(SubjectMatcher([Subject("暖芽"), Subject("橙屿", query="橙屿 OR 漏水")]), reader, read_lexicon()[0])
    named = replace(post("漏水了,要求退款", 1), extras={"about": "暖芽"})
    unnamed = replace(named, native_id="2", extras={})
    said = [[mention.subject for mention in words.judge([one]).posts[0].mentions] for one in (named, unnamed, named)]
    assert said == [["暖芽", "橙屿"], ["橙屿"], ["暖芽", "橙屿"]]
    assert len(reader.asked) == 2


def test_half_surrogate_and_spans_are_part_of_the_key() -> None:
    odd = post("暖芽\ud83d", 1)
    keys = {hash_post(odd, [SubjectMatch("暖芽", spans)]) for spans in ((), ((0, 2),), ((1, 2),))}
    assert len(keys) == 3
