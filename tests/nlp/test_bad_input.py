"""Whatever a text is made of: never an exception, never a silent neutral."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.lexicon import build_lexicon
from nlp.pipeline import Pipeline
from nlp.sentiment import LinearSentiment
from nlp.subjects import SubjectMatcher
from tingfeng.clock import parse_iso
from tingfeng.labels import Content, PostKind, Sentiment
from tingfeng.records import Post, Subject

ROOT = Path(__file__).resolve().parents[2]
PIECES = st.sampled_from(
    ["暖芽", "橙屿", "比", "不", "坏了", "退款", "要求", "打了八个电话", "等了三周", "换成", "?", "!", "。", ",", "\n", "\x00", "\ud83d", "😀", "[泪]", "<b>", "&amp;", "//@", "a" * 50, "ａ", "１２", "元", "  "]
)  # fmt: skip


@lru_cache(maxsize=1)
def pipeline() -> Pipeline:
    tables = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "config/lexicon").glob("*.toml")}
    tables["aspects"] = tomllib.loads((ROOT / "config/aspects.toml").read_text("utf-8"))
    subjects = SubjectMatcher([Subject("暖芽"), Subject("橙屿")])
    return Pipeline(subjects, LinearSentiment.load(), build_lexicon(tables, ""))


def post(text: str) -> Post:
    return Post("s", "1", PostKind.ORIGINAL, text, parse_iso("2026-11-20"))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=120), st.lists(PIECES, max_size=25).map("".join)))
def test_any_text_is_judged(text: str) -> None:
    values = pipeline().judge_text(post("暖芽" + text))
    assert "error" not in values
    assert values["content"] in tuple(Content)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="😀👍🔥 \u200b!?。,…<>/\ud83d\x00\x07", max_size=60))
def test_what_has_no_letters_has_no_text_and_no_judgement(text: str) -> None:
    values = pipeline().judge_text(post(text))
    assert (values["content"], values["subjects"]) == ("no_text", [])
    assert not {"acts", "severity", "aspects"} & set(values)


@pytest.mark.parametrize(
    "text",
    ["Nuanya 暖芽 is a terrible brand, my kettle leaked and support never answered", "暖芽はとても悪いです、二度と買いません", "暖芽 정말 최악이에요 환불해 주세요", "暖芽 очень плохой чайник, протекает"],
)  # fmt: skip
def test_other_languages_are_uncertain(text: str) -> None:
    judged = pipeline().judge([post(text)]).posts[0]
    assert judged.content is Content.OTHER_LANGUAGE
    assert [(one.sentiment, one.acts, one.probabilities) for one in judged.mentions] == [(Sentiment.UNCERTAIN, (), {})]


@pytest.mark.parametrize(
    "text",
    ["暖芽水壶坏了,要求退款。" * 8000, "暖芽" + "不" * 100_000, "暖芽" + "退款" * 50_000, "暖芽" + "," * 100_000, "暖芽" + "1" * 100_000, "暖芽" + "三" * 50_000 + "天", "<p>" * 30_000 + "暖芽坏了"],
    ids=["sentences", "negations", "cues", "marks", "digits", "numerals", "tags"],
)  # fmt: skip
def test_a_huge_line_is_judged(text: str) -> None:
    judged = pipeline().judge([post(text)])
    assert judged.failed == ()
    assert [one.subject for one in judged.posts[0].mentions] == ["暖芽"]


def test_html_is_read_as_its_text() -> None:
    values = pipeline().judge_text(post("<div class='x'><p>暖芽水壶</p><br/>漏水了,<b>要求退款</b></div>"))
    assert (values["content"], values["acts"], values["demands"]) == ("ok", ["complaint"], ["退款"])
