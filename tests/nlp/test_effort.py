"""Numbers in words: what an author spent, sums of money. All sentences are invented."""

from __future__ import annotations

import pytest

from nlp.amounts import find_amounts
from nlp.cues import CueBook
from nlp.effort import find_effort
from nlp.numbers import read_number
from nlp.reading import read_text

NO_CUES = CueBook({})


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("三", 3), ("十", 10), ("十二", 12), ("二十", 20), ("三十五", 35), ("一百", 100), ("一百零八", 108), ("三百五", 350), ("两千", 2000), ("一千二百零五", 1205),
        ("一万二", 12_000), ("十几", 10), ("几十", 10), ("七八", 7), ("三四十", 30), ("1299", 1299), ("1,299", 1299), ("1.2万", 12_000), ("3千", 3000), ("2w", 20_000),
        ("二〇二六", 2026), ("两万三千", 23_000), ("仨", 3), ("俩", 2),
    ],
)  # fmt: skip
def test_numbers(words: str, number: float) -> None:
    assert read_number(words) == number


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("打了八个电话", 8), ("前后打了十二次客服", 12), ("客服热线打了三遍都没人接", 3), ("给售后打了5通电话", 5), ("拨打400电话六次", 6), ("一共打过二十多个电话", 20), ("联系客服四次没有结果", 4),
        ("客户第三次来电", 3), ("致电五次", 5), ("前后三次致电都没下文", 3), ("热线连打两天一共17个电话", 17), ("每天七个推销电话", 0), ("没给我回过一个电话", 0), ("接电话要划三次", 0),
        ("接到二十个骚扰电话", 0), ("一天给我打了八个推销电话", 0), ("催收给我爸打了三十个电话", 0), ("打完电话等了两天", 0), ("打了电话", 0), ("每天收到五个营销电话", 0),
    ],
)  # fmt: skip
def test_calls_made_count_calls_received_do_not(text: str, calls: int) -> None:
    assert find_effort(read_text(text, NO_CUES)).get("calls", 0) == calls


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("等了三周", 21), ("拖了半个月", 15), ("等了快两个月还没退", 60), ("都一个多月了", 30), ("已经十天了还没发货", 10), ("二十天过去了,没有任何消息", 20), ("催了一个星期", 7), ("等了一个半月", 45),
        ("等了半年", 180), ("三个月了没人管", 90), ("退费申请提交三周", 21), ("等了48小时", 2), ("申请退款五天不处理", 5), ("报修两个礼拜才来人", 14), ("下单半个月没发货", 15),
        ("今天第十六天", 16), ("现第71天未到账", 71), ("退了俩月", 60), ("申请二十天显示处理中", 20), ("卡了十天没打款", 10), ("物业拒绝盖章八周", 56), ("移机两周未上门", 14), ("2023年已在平台投诉", 0),
        ("逾期九天", 0), ("用了三天就坏了", 0), ("买了半年", 0), ("七天无理由退货", 0), ("承诺48小时内发货", 0), ("保修期三年", 0), ("说要等十五个工作日", 0), ("等了三个小时", 0), ("十月了房子还没动工", 0), ("穿了一个月", 0), ("还剩七个月", 0),
    ],
)  # fmt: skip
def test_days_waited_count_days_used_do_not(text: str, days: int) -> None:
    assert find_effort(read_text(text, NO_CUES)).get("days", 0) == days


@pytest.mark.parametrize(
    ("text", "effort"),
    [
        ("前后跑了三趟", {"visits": 3}), ("跑了五趟4S店", {"visits": 5}), ("去了四次营业厅", {"visits": 4}), ("来回跑了两次售后点", {"visits": 2}), ("去过三次云南", {}), ("师傅上门两次", {}),
        ("客户经理换了三个", {"transfers": 3}), ("八次转接之后断线", {"transfers": 8}), ("推了四道人", {"transfers": 4}), ("商家让我找平台,平台让我联系商家", {"transfers": 2}), ("转网三个月了挺好", {}),
        ("设计师跑了四趟", {}), ("转了四次", {"transfers": 4}), ("电话转接三次才到人工", {"transfers": 3}), ("换了五个客服", {"transfers": 5}), ("找了三个部门", {"transfers": 3}), ("转了三千块钱", {}),
        ("打了六次客服热线,转了三个部门,等了两周,跑了两趟门店", {"calls": 6, "transfers": 3, "days": 14, "visits": 2}), ("真好用", {}),
    ],
)  # fmt: skip
def test_visits_and_transfers(text: str, effort: dict[str, int]) -> None:
    assert dict(find_effort(read_text(text, NO_CUES))) == effort


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("扣了我198元", (198,)), ("三千块的手机", (3000,)), ("花了1.2万块", (12_000,)), ("￥99包邮", (99,)), ("退我两万元押金", (20_000,)), ("1,299元买的", (1299,)), ("一百多块", (100,)),
        ("差价50元,运费12块钱", (50, 12)), ("切成三块", ()), ("买了三个", ()), ("一万个赞", ()), ("", ()),
    ],
)  # fmt: skip
def test_sums_of_money(text: str, amounts: tuple[float, ...]) -> None:
    assert find_amounts(read_text(text, NO_CUES)) == amounts
