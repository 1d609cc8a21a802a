"""What the author spent, in numbers: calls made, transfers, days waited, visits (LABELS §7). Calls received do not count."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nlp.numbers import NUMBER, read_number
from nlp.reading import Clause, Reading

N = rf"(?P<n>{NUMBER})"
MORE = r"(?:多|来|余|好几)?"
LOTS = r"(?:了|过|已|都|整整|足足|至少|将近|快|前后|先后|一共|总共|大概|差不多|不下|最少|起码|连|又|再|\s|有|近|超过|至今|不止|少说)*"
PHONE = r"(?:电话|热线|客服|语音|400|95\d{3}|12315|12345)"
CALLS = (
    re.compile(rf"(?:打|拨|拨打|致电){LOTS}{N}{MORE}(?:个|次|通|遍|回|趟)"),
    re.compile(rf"(?:打|拨打|拨|致电|联系|催|找|问)[^,]{{0,8}}?{PHONE}[^,]{{0,4}}?{LOTS}{N}{MORE}(?:个(?!工作日|小时|月|星期|礼拜)|次|通|遍|回)"),
    re.compile(rf"{PHONE}[^,]{{0,3}}?(?:打|拨|联系){LOTS}(?:不下|至少)?{N}{MORE}(?:个(?!工作日|小时|月|星期|礼拜)|次|通|遍|回)"),
    re.compile(rf"{N}{MORE}(?:个|次|通|遍|回)(?:客服|投诉|售后)?电话(?!(?:骚扰|推销|轰炸))"),
    re.compile(rf"第{N}次(?:来电|致电|打电话|拨打|打给|打客服|打热线|反映|进线)"),
    re.compile(rf"(?<!第){N}{MORE}次(?:致电|拨打|来电|打电话)(?!骚扰|推销|给我)"),
    re.compile(rf"(?:来电|致电|热线|电话(?:打|拨)?)[^,\d转]{{0,6}}?(?:共|了|过)?{N}{MORE}(?:次|遍|回|通)(?!都)"),
    re.compile(rf"联系{LOTS}(?:你们|他们|官方|商家|卖家|售后|人工)?{LOTS}{N}{MORE}次"),
    re.compile(
        rf"(?:打|拨|拨打){LOTS}(?:你们|他们|官方|商家|售后|人工|厂家|店里|银行|学校|酒店|"
        rf"平台)?(?:的)?{PHONE}?{LOTS}{N}{MORE}(?:个|次|通|遍|回)"
    ),
)  # fmt: skip
RECEIVED = re.compile(
    r"接到|收到|接了|给我(?:们)?打|打给我|打了?我|被打|骚扰|轰炸|推销|催收|催债|营销电话|陌生电话|(?<!次)来电|打进来|接电话|"
    r"一天能?接|每天|天天|天一个电话|没[^,]{0,8}一个电话|打来|诈骗|给我家|给我爸|给我妈|通讯录"
)
UNIT = r"(?P<unit>个?半?(?:工作日|天|日|周|星期|礼拜|月|年|季度|小时|钟头)|年半|年多)"
UNIT_DAYS = (
    ("工作日", 1), ("天", 1), ("日", 1), ("周", 7), ("星期", 7), ("礼拜", 7), ("月", 30), ("季度", 90), ("年", 365), ("小时", 1 / 24),
    ("钟头", 1 / 24),
)  # fmt: skip
SPAN = rf"(?:{N}{MORE}(?:个)?{MORE}{UNIT}|(?P<half>大?半(?:个)?(?P<hu>月|年|天)))"
NOTHING = r"(?:没|不|未|无|毫无|还是|仍|依旧|依然|才|杳无|石沉)"
WAITING = (
    re.compile(
        rf"(?:等|拖|耗|折腾|僵持|扯皮|维权|推诿|推脱|晾|耽误|耽搁|纠缠|催|滞留|拖延|拖欠|苦等|干等|磨|交涉|沟通|"
        rf"协商|反馈|投诉|申诉|停水|停电|停机|停课|卡在|等待|提交|报修|报障|超时|延误|延期|推迟|断网|停网|审核|维修|返修|修|寄修|"
        rf"排队)[^,\d一二两三四五六七八九十半几]{{0,6}}?{LOTS}{SPAN}(?!无理由|内|以内|之内)"
    ),
    re.compile(
        rf"(?:已经|已|都|快|过去|过|整整|足足|将近|眼看|前后|至今|到现在|到今天|截止)+(?:了|是|有|快|"
        rf"经)*{SPAN}(?:过去)?(?:了|还|都|也|仍|啦|$)"
    ),
    re.compile(
        rf"{SPAN}(?:过去)?(?:了)?[^,]{{0,4}}?{NOTHING}[^,]{{0,4}}?(?:有|人|给|见|能|让|任何|收|予|曾|动|处理|解决|"
        rf"回|发|退|到|送|修|上|开|认|接|连|结果|消息|进展|说法|下文|理|管|音)"
    ),
    re.compile(rf"{SPAN}(?:之后|以后|后)?(?:了)?才(?:给|发|到|退|收|回|处理|修|送|解决|联系|有|能|通过)"),
    re.compile(rf"(?:今天|已|已经|现在|现|这是|都|到今天|今儿|眼看)(?:是|已|都|到)*第{SPAN}"),
    re.compile(rf"(?:退|卡|抢|候补|停跑|报丢|报失|还款|还车|索票|申请|递交|申报|拒绝[^,]{{0,6}}|失败|夹在中间|等账|到账)(?:了|已|都|满|整整|快|将近|足足|后|过)*{SPAN}(?!无理由|内|以内|之内|前|会员|的)"),
    re.compile(rf"{SPAN}(?:了|还|仍|都|一直)*(?:显示|在路上|没影|没动静|停在|卡在|石沉|杳无)"),
    re.compile(rf"{SPAN}(?:过去)?(?:了)?$"),
)  # fmt: skip
USED = re.compile(
    r"(?:用|使用|穿|戴|买|吃|喝|住|开|骑|入手|到手|玩|养|办|开业|合作|做|学|看|跑|活|存|冻|充)(?:了|过|才|不到|"
    r"还不到|没到|有|不)*[^,]{0,3}$"
)
PROMISED = re.compile(
    r"承诺|规定|约定|说好|保证|说是|说要|说等|让(?:我)?等|需要?|要求|限|无理由|保修|质保|有效期|包退|之内|以内|"
    r"保质期|前买|前下|前订|前的|前就|前在|大概|预计|号称|最多|最快|一般|每|续航|待机|\d年\d|内(?:发|退|回|到|"
    r"处理|送|给)"
)
STILL = re.compile(rf"^[^,]{{0,6}}?{NOTHING}|^(?:了|啦|多)?$")
# `2023年` is a date
FIRST_YEAR = 1900
PLACE = r"门店|店里|店|营业厅|4s店|维修点|维修站|售后点|售后|网点|银行|专卖店|派出所|客服中心|服务中心|公司|校区|医院|物业"
VISITS = (
    re.compile(rf"(?:跑|往返|来回|奔波|折返)(?:了|过)?[^,\d]{{0,8}}?{LOTS}{N}{MORE}(?:趟|次|回|遍)"),
    re.compile(rf"(?:去|前往|来|到)(?:了|过)?[^,\d]{{0,8}}?{LOTS}{N}{MORE}趟"),
    re.compile(rf"(?:去|前往|到)(?:了|过)?(?:{PLACE})[^,\d]{{0,3}}?{LOTS}{N}{MORE}(?:次|回|遍)"),
    re.compile(rf"(?:去|前往|到)(?:了|过){LOTS}{N}{MORE}(?:次|回)(?:你们|他们|线下)?(?:{PLACE})"),
    re.compile(rf"{N}{MORE}(?:趟|次)(?:{PLACE})"),
)
NOT_VISITS = re.compile(
    r"旅游|旅行|第(?:一|二|三|四|五|\d)|师傅|上门|骑手|快递员|打卡|吃|住过|光顾|设计师|安装工|工人|验配|小哥|经理|导购|坐了|护士|"
    r"一年|每(?:年|周|月|天)"
)
TRANSFERS = (
    re.compile(
        rf"(?:转|转接|被转|转来转去)(?:了|过|接)*[^,\d跑打去来]{{0,5}}?{LOTS}{N}{MORE}(?:次|道|手|个(?!月|多月|小时|星期|礼拜|工作日)|遍|回|层|位|人)(?:部门|"
        rf"客服|人|专员|窗口|坐席|热线)?(?!钱|账|元|块)"
    ),
    re.compile(
        rf"(?:换|找|经过|经|对接|问|推给|推)(?:了|过)*{LOTS}{N}{MORE}(?:个|位|拨|任|波)(?:不同的)?(?:客服|专员|部门|"
        rf"人工|工号|售后|负责人|窗口|师傅|经理|人来|人接|人对接|人跟进)"
    ),
    re.compile(rf"{N}{MORE}次转(?:接|人工|线)"),
    re.compile(rf"(?:推|推给|踢|转|倒)(?:来推去)?(?:了|过)*{LOTS}{N}{MORE}(?:道|手|轮)"),
    re.compile(rf"(?:客户经理|专员|客服|对接人|负责人|工号|师傅|销售)(?:先后|前后)?换了{LOTS}{N}{MORE}(?:个|位|拨|任|波|茬)"),
    re.compile(rf"{N}{MORE}(?:个|位)(?:部门|客服|专员|窗口|网点|人)[^,]{{0,3}}?(?:互相|来回|之间|踢|推)"),
)
# `商家让我找平台,平台让我联系商家`
PASSED = re.compile(r"(?:让|叫)我们?(?:再|去|自己|先)*(?:找|联系)")
TRIGGER = re.compile(
    r"[\d零〇一二两俩三仨四五六七八九十百千万几半](?:多|来|余|好几|个|大|半)*"
    r"(?:工作日|[天日周星礼月年季小钟次通遍回趟道手层位任拨波人轮]|个)"
)


def find_effort(reading: Reading) -> Mapping[str, int]:
    """calls, transfers, days, visits – those that the text gives a number for. Of several waits the longest, of several counts the highest."""
    found: dict[str, int] = {}
    for clause in reading.clauses:
        if TRIGGER.search(clause.text):
            read_clause(clause, found)
    passed = len(PASSED.findall(reading.plain))
    if passed > 1:
        found.setdefault("transfers", passed)
    return found


def read_clause(clause: Clause, found: dict[str, int]) -> None:
    """Adds what one clause tells."""
    text = clause.text
    days = find_days(text)
    calls = find_count(CALLS, text) if not RECEIVED.search(text) else 0
    visits = find_count(VISITS, text) if not NOT_VISITS.search(text) else 0
    transfers = find_count(TRANSFERS, text)
    if "电话" in text or "客服" in text or "打" in text:
        visits = visits if re.search(r"跑|趟", text) else 0
    for name, value in (("calls", calls), ("transfers", transfers), ("days", days), ("visits", visits)):
        if value:
            found[name] = max(found.get(name, 0), value)


def find_count(patterns: tuple[re.Pattern[str], ...], text: str) -> int:
    """The highest number that a pattern finds in the text, 0 for none."""
    highest = 0
    for pattern in patterns:
        if match := pattern.search(text):
            number = read_number(match.group("n"))
            if number and number < 1000:
                highest = max(highest, int(number))
    return highest


def find_days(text: str) -> int:
    """The longest wait of the clause in whole days."""
    longest = 0
    for number, pattern in enumerate(WAITING):
        for match in pattern.finditer(text):
            before, after = text[: match.start()], text[match.end() :]
            if PROMISED.search(text) and not re.search(r"都|已经|过去|还没|仍", text):
                continue
            if number >= 1 and USED.search(before):
                continue
            if number == len(WAITING) - 1 and not waits_alone(text, match):
                continue
            if number == 1 and not STILL.search(after):
                continue
            longest = max(longest, span_days(match))
    return longest


def waits_alone(text: str, match: re.Match[str]) -> bool:
    """Whether a clause that is hardly more than a length of time says how long something took: `三个月了`."""
    return match.end() == len(text) and match.start() <= 3 and text.endswith("了")


def span_days(match: re.Match[str]) -> int:
    """Whole days of a match of SPAN."""
    groups = match.groupdict()
    if groups.get("half"):
        return {"月": 15, "年": 180, "天": 0}[groups["hu"]]
    number = read_number(groups["n"])
    unit = groups["unit"]
    if number is None or (number >= FIRST_YEAR and unit.startswith("年")):
        return 0
    if unit.endswith("月") and not set("个俩") & set(match.group()) and number <= 12:
        return 0  # 十月 is a date
    length = next(days for name, days in UNIT_DAYS if name in unit)
    extra = length / 2 if "半" in unit else 0
    return int(number * length + extra)
