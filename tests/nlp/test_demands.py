"""Demands, only when said. All sentences are invented."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nlp.demands import find_demands
from nlp.lexicon import DEMANDS, Lexicon, build_lexicon
from nlp.reading import read_text
from tingfeng.errors import SettingsError

ROOT = Path(__file__).resolve().parents[2]
TABLES = {
    "aspects": tomllib.loads((ROOT / "config/aspects.toml").read_text("utf-8")),
    **{path.stem: tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "config/lexicon").glob("*.toml")},
}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return build_lexicon(TABLES, "")


@pytest.mark.parametrize(
    ("text", "demands"),
    [
        ("要求退款并赔偿损失,道歉", "退款 赔偿 道歉"), ("我要退机", "退款"), ("还我血汗钱", "退款"), ("请商家退一赔三", "退款 赔偿"), ("申请理赔三个月没消息", "赔偿"), ("希望平台尽快退押金", "退款"),
        ("到底什么时候退钱", "退款"), ("给个说法", "解释"), ("请公布检测结果", "解释"), ("要求换货", "换货"), ("能不能给我换个新的", "换货"), ("赶紧派人来修", "维修"), ("麻烦补发一个盖子", "补发"), ("尽快发货", "发货"),
        ("请停止骚扰我的家人", "停止骚扰"), ("别再给我打电话了", "停止骚扰"), ("要求下架这款产品", "下架"), ("必须召回", "召回"), ("希望你们整改", "整改"), ("严惩打人的保安", "处罚"), ("要求解封账号", "解封"),
        ("我要注销账号", "注销"), ("把我的个人信息删掉", "删除信息"), ("请撤销征信记录", "撤销征信"), ("要求商家开发票", "开发票"), ("要求退款、道歉", "退款 道歉"), ("強烈要求退款", "退款"),
    ],
)  # fmt: skip
def test_what_is_said_is_demanded(text: str, demands: str, lexicon: Lexicon) -> None:
    assert set(find_demands(read_text(text, lexicon.book))) == set(demands.split())


@pytest.mark.parametrize(
    "text",
    ["退款很快就到账了", "客服主动给我换了一个", "最后赔了我两百", "不要求赔偿", "没想过退货", "商家已经道歉", "怎么申请退款", "快递员态度好", "质量太差", "发票内容是什么", "本来想退的", "物流慢", "大家谨慎购买"],
)  # fmt: skip
def test_what_is_done_asked_about_or_not_wanted_is_no_demand(text: str, lexicon: Lexicon) -> None:
    assert find_demands(read_text(text, lexicon.book)) == ()


@pytest.mark.parametrize(
    ("text", "demands"),
    [
        ("要求暖芽公开道歉,书面说明原因,市场监管部门查处", "道歉 解释 处罚"), ("请贵司核实水费并把多收的钱退回", "解释 退款"), ("诉求:1.退还押金;2.请删除我的照片", "退款 删除信息"), ("请立即停用该功能", "整改"),
        ("请排查同批壶盖", "整改"), ("要求处理当事店员", "处罚"), ("必须封停这个账号", "处罚"), ("退差价。", "退款"), ("三个月没人管。换机!", "换货"), ("要求出具检测报告", "解释"),
        ("请撤下孩子的照片", "下架 删除信息"), ("请停止短信", "停止骚扰"), ("要求恢复订单", "其他"), ("请更正面单上的名字", "其他"), ("请人工解除禁言", "解封"), ("要求承担拖车费", "赔偿"), ("补给我一个滤芯", "补发"),
    ],
)  # fmt: skip
def test_a_verb_of_asking_reaches_to_the_end_of_its_sentence(text: str, demands: str, lexicon: Lexicon) -> None:
    assert set(find_demands(read_text(text, lexicon.book))) == set(demands.split())


@pytest.mark.parametrize(
    "text",
    [
        "客服要求我先赔偿违约金", "房东要求赔偿地板", "对方说要我退全款", "被要求公开检测报告", "客服说“请您耐心等待回复,尽快退款”", "不是要退钱", "请问退款流程是什么", "询问能否退款",
        "大家别再打电话给门店了", "请大家注意核实", "要求不高", "已经按要求整改", "维修费三百", "公开课说明得很清楚", "没想退款",
    ],
)  # fmt: skip
def test_what_others_want_or_say_is_no_demand(text: str, lexicon: Lexicon) -> None:
    assert find_demands(read_text(text, lexicon.book)) == ()


def test_demands_come_in_the_order_of_the_closed_set(lexicon: Lexicon) -> None:
    assert find_demands(read_text("要求道歉、赔偿、退款", lexicon.book)) == DEMANDS[:3]


def test_a_demand_outside_the_closed_set_is_refused() -> None:
    broken = TABLES | {"demands": TABLES["demands"] | {"words": {"请客": ["请客"]}}}
    with pytest.raises(SettingsError, match="请客"):
        build_lexicon(broken, "")
