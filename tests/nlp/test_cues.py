"""How cues are written and found, and the tree of aspects that is made of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from nlp.cues import CueBook, Tag, read_cue
from nlp.reading import read_text
from nlp.taxonomy import build_taxonomy
from tingfeng.errors import SettingsError
from tingfeng.labels import Topic

ROOT = Path(__file__).resolve().parents[2]
ASPECTS = tomllib.loads((ROOT / "config/aspects.toml").read_text("utf-8"))


def found(cue: str, text: str) -> list[str]:
    reading = read_text(text, CueBook({Tag("f", "n"): [cue]}))
    return [reading.words(hit) for hit in reading.hits("f")]


@pytest.mark.parametrize(
    ("cue", "text", "words"),
    [
        ("退款", "不退款", ["退款"]), ("退(款|钱)", "退钱", ["退钱"]), ("不给?退", "不退不给退", ["不退", "不给退"]), ("态度…差", "态度真的很差", ["态度真的很差"]), ("态度…差", "态度好,差价", []), ("态度…差", "态度不差", []),
        ("打_通", "打不太通", []), ("拨_打", "拨了打", ["拨了打"]), ("拨_打", "拨号之后打", []), ("^退钱$", "退钱!", ["退钱"]), ("^退钱$", "快退钱", []), ("说好→结果", "说好包邮,结果收费", ["说好包邮,结果"]),
        ("说好→结果", "说好包邮,我等啊等,结果收费", []), ("客服…不…退", "客服说不给退", ["客服说不给退"]), ("app", "happy", []), ("app", "这个app卡", ["app"]), ("(a(b|c)|d)e", "ace de", ["ace", "de"]),
        ("退款", "退 款", []), ("退款", "退款退款", ["退款", "退款"]),
    ],
)  # fmt: skip
def test_cues_are_found_as_written(cue: str, text: str, words: list[str]) -> None:
    assert found(cue, text) == words


@pytest.mark.parametrize("cue", ["(退", "退)", "…退", "退…", "()", "(a…b)c", "(a|b|c|d|e|f|g|h)" * 5])
def test_a_broken_cue_is_named(cue: str) -> None:
    with pytest.raises(SettingsError, match=r"acts\.toml"):
        read_cue(cue, "acts.toml")


def test_clauses_end_at_marks_and_at_spaces_between_characters() -> None:
    reading = read_text("东西坏了 客服不理。SU7 Max很好,你觉得呢?", CueBook({}))
    assert [(one.text, one.sentence, one.asks) for one in reading.clauses] == [
        ("东西坏了", 0, False), ("客服不理", 0, False), ("su7 max很好", 1, False), ("你觉得呢", 1, True),
    ]  # fmt: skip


def hit_states(cue: str, text: str) -> tuple[bool, bool, bool]:
    reading = read_text(text, CueBook({Tag("f", "n"): [cue]}))
    hit = reading.hits("f")[0]
    return reading.negated(hit), reading.supposed(hit), reading.asked(hit)


@pytest.mark.parametrize(
    ("cue", "text", "states"),
    [
        ("好用", "好用", "---"), ("好用", "不好用", "n--"), ("好用", "没有那么好用", "n--"), ("好用", "特别好用", "---"), ("好用", "不仅好用", "---"), ("好用", "好用个屁", "n--"), ("好用", "好用吗", "--a"), ("好用", "不是不好用", "---"),
        ("过敏", "没过敏", "n--"), ("过敏", "担心过敏", "-s-"), ("过敏", "会不会过敏", "--a"), ("过敏", "过敏了怎么办", "---"), ("起火", "万一起火", "-s-"), ("漏水", "漏水吗", "--a"), ("好吃", "谁说好吃", "n--"), ("卡", "一点都不卡", "n--"),
        ("坏了", "坏了怎么修?", "---"),
    ],
)  # fmt: skip
def test_words_are_negated_imagined_or_asked(cue: str, text: str, states: str) -> None:
    assert "".join(mark if told else "-" for mark, told in zip("nsa", hit_states(cue, text), strict=True)) == states


def test_taxonomy_has_the_fourteen_topics_and_three_levels() -> None:
    taxonomy = build_taxonomy(ASPECTS)
    assert {node.topic for node in taxonomy.nodes} == set(Topic)
    assert max(node.path.count(".") for node in taxonomy.nodes) == 2
    assert len({node.path.rsplit(".", 1)[-1] for node in taxonomy.nodes}) == len(taxonomy.nodes)


def test_words_of_other_systems_lead_to_topics() -> None:
    taxonomy = build_taxonomy(ASPECTS)
    assert taxonomy.topics_of_term("terms_12315", "食品安全") == (Topic.SAFETY,)
    assert Topic.FALSE_AD in taxonomy.topics_of_term("terms_heimao", "虚假宣传")
    assert {node.topic for node in taxonomy.nodes if node.terms} == set(Topic)


def without(**changes: Any) -> dict[str, Any]:
    return {**ASPECTS, **changes}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({key: value for key, value in ASPECTS.items() if key != "refund"}, "refund"), (without(taste={"title": "口味"}), "taste"), (without(app={"title": "应用", "bda": []}), "bda"), (without(app={}), "title"),
        (without(app={"title": "应用", "owner": "nobody"}), "nobody"), (without(app={"title": "应用", "bad": "闪退"}), "bad"), (without(app={"title": "应用", "fault": {"title": "故障"}}), "fault"),
        (without(app={"title": "应用", "also": ["taste"]}), "taste"), (without(app="应用"), "app"),
    ],
)  # fmt: skip
def test_mistakes_in_the_taxonomy_are_named(table: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        build_taxonomy(table)
