"""Which mentions of a name are about the brand: spellings, common words, thousands of names at once. All texts are invented."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nlp.relevance import Relevance, build_relevance
from nlp.subjects import SubjectMatcher
from tingfeng.clock import parse_iso
from tingfeng.errors import SettingsError
from tingfeng.labels import PostKind
from tingfeng.records import Post, Subject

ROOT = Path(__file__).resolve().parents[2]
RELEVANCE = build_relevance(tomllib.loads((ROOT / "config/lexicon/relevance.toml").read_text("utf-8")))
BRANDS = SubjectMatcher(
    [Subject("苹果", ("iphone",)), Subject("小米"), Subject("天猫"), Subject("理想"), Subject("移动"), Subject("美的")], RELEVANCE
)


def names(text: str, matcher: SubjectMatcher = BRANDS) -> list[str]:
    return [match.name for match in matcher.match(Post("s", "1", PostKind.ORIGINAL, text, parse_iso("2026-11-20")))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("苹果手机又卡又热,客服还不理人", ["苹果"]), ("超市的苹果一斤八块,脆甜多汁", []), ("每天早上吃苹果喝牛奶", []), ("苹果这次更新把续航搞没了", ["苹果"]),
        ("苹果汁洒在我的iphone上了", ["苹果"]), ("蘋果門市的態度很好", ["苹果"]), ("苹菓维修点收费太乱", ["苹果"]), ("萍果手机二手回收价", ["苹果"]),
        ("苹果真难用", ["苹果"]), ("烟台苹果收购价又跌了,果农发愁", []), ("刚买的苹果充电器就坏了,吃着苹果都不香了", ["苹果"]),
        ("小米电视开机广告太多", ["小米"]), ("小米粥养胃,每天熬一锅", []), ("小米辣放多了,辣得直冒汗", []), ("小米客服让我等三天", ["小米"]), ("红枣小米南瓜一起煮", []),
        ("天猫旗舰店发货太慢", ["天猫"]), ("天猫座流星雨今晚极大", []),
        ("理想l8的车机又死机了", ["理想"]), ("这次考试成绩不理想", []), ("他很有理想", []), ("理想汽车十月交付四万辆", ["理想"]),
        ("移动营业厅不给降套餐", ["移动"]), ("把沙发移动到窗边", []), ("移动硬盘读不出来", []), ("移动宽带又断网", ["移动"]),
        ("美的空调安装师傅乱收费", ["美的"]), ("夕阳真是太美的画面", []), ("完美的一天", []),
    ],
)  # fmt: skip
def test_the_brand_is_told_from_the_common_word(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_a_page_is_fetched_even_where_its_teaser_leaves_the_sense_open() -> None:
    assert BRANDS.matches_text("移动")
    assert names("移动") == []


def test_a_subject_brings_its_own_context() -> None:
    own = SubjectMatcher([Subject("青竹", context=("门锁", "客服"), context_not=("竹林",))])
    assert names("青竹门锁打不开了", own) == ["青竹"]
    assert names("山里的青竹一片绿", own) == []
    assert names("青竹竹林里的客服中心", SubjectMatcher([Subject("青竹", context_not=("竹林", "山里"))])) == []


def test_a_name_without_senses_is_left_alone() -> None:
    assert names("暖芽", SubjectMatcher([Subject("暖芽")], RELEVANCE)) == ["暖芽"]


def test_ten_thousand_names_are_found_in_one_pass() -> None:
    many = SubjectMatcher([Subject(f"品牌{number}号", (f"brand{number}",)) for number in range(10_000)])
    assert names("品牌9999号不如BRAND7,品牌12号也行", many) == ["品牌7号", "品牌12号", "品牌9999号"]


@pytest.mark.parametrize(
    ("table", "words"),
    [({"variants": {"果子": "菓"}}, "variants"), ({"senses": {"甲": {"for": "手机"}}}, "senses.甲.for"), ({"senses": {"甲": {"for": [], "against": [], "keep": 1}}}, "keep")],
)  # fmt: skip
def test_mistakes_in_the_file_are_named(table: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        build_relevance(table)


def test_spellings_change_one_character_at_a_time() -> None:
    assert list(Relevance({"果": "菓"}, {"苹果": ("萍果",)}).spellings("苹果")) == ["苹菓", "萍果"]
