"""Which part of a text speaks about which subject, and who comes off better where two are compared (LABELS §2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nlp.reading import Clause

Span = tuple[int, int]
# what stands right before or after the name of the one that another is measured against
AGAINST = re.compile(
    r"(?:比起?|相比|对比|较之|跟|和|与|同|不如|不及|不像|没有|没|吊打|秒杀|完爆|碾压|超过|媲美|输给|胜过|好过|强过|赢过?|"
    r"甩开?|打败|以前(?:用|买)的?|之前(?:用|买)的?)的?$"
)
THAN = re.compile(r"比起?$")
BETTER = re.compile(
    r"不(?:差|贵|慢|输|比)|强|好|快|香|便宜|实惠|耐用|流畅|稳|靠谱|舒服|干净|省|安静|顺|清楚|划算|良心|专业|热情|值|轻|清晰|"
    r"实在|结实|新鲜|贴心|给力|高级|先进|大气|漂亮|精致|灵敏|牛|优|甜|满意|适合|喜欢|推荐"
)
WORSE = re.compile(
    r"不(?:好|快|香|值|如|行|耐用|稳|靠谱|舒服|流畅)|差|贵|慢|烂|坑|难|垃圾|卡|脏|吵|黑|敷衍|麻烦|重|费|弱|拉胯|恶心|次|low|"
    r"缩水|拖|糊|闷|咸|油腻"
)
BEATS = re.compile(r"(?:吊打|秒杀|完爆|碾压|胜过|好过|强过|赢过?|甩开?|打败|超越|干翻|完胜|优于|领先于?|比得过)了?$")
LOSES = re.compile(r"(?:(?:远|还|真|根本|完全|都)?(?:不如|不及|比不上|比不过|赶不上|输给|逊于|逊色于|不敌|打不过|没法和|没法跟|无法和)|被)$")
LESS = re.compile(r"没有?$")
PREFERS = re.compile(r"(?:还是|果然还是|不得不说还是|终究还是|只认|只服|真香还得是|还得是)$")
PREFERRED = re.compile(
    r"^(?:的)?(?:家)?(?:最|更|比较)?(?:好|香|靠谱|强|稳|舒服|省心|好用|好吃|良心|适合我|懂|给力|行|可以|耐用|顺手|实在|便宜|"
    r"快|专业)"
)
BEATEN = re.compile(r"^(?:的)?(?:吊打|秒杀|完爆|碾压|甩|比下去|按在地上)")
ALIKE = re.compile(r"一样|差不多|同样|不相上下|半斤八两|难兄难弟|都")


def attribute_clauses(clauses: Sequence[Clause], spans: Mapping[str, Sequence[Span]]) -> dict[str, frozenset[int]]:
    """Subject → numbers of the clauses about it: those where it stands and those after them until another subject takes over.

    What comes before the first name is about all. One that is only compared against does not take over.
    """
    if len(spans) < 2:
        return {name: frozenset(range(len(clauses))) for name in spans}
    kept: dict[str, set[int]] = {name: set() for name in spans}
    current: set[str] = set(spans)
    for number, clause in enumerate(clauses):
        present = {
            name: [span for span in own if clause.start <= span[0] < clause.end] for name, own in spans.items()
        }
        named = {name for name, own in present.items() if own}
        for name in named or current:
            kept[name].add(number)
        leading = {name for name in named if not all(is_against(clause, span) for span in present[name])}
        if leading:
            current = leading
        elif named and len(current) == len(spans) and number == 0:
            current = named
    return {name: frozenset(numbers or range(len(clauses))) for name, numbers in kept.items()}


def is_against(clause: Clause, span: Span) -> bool:
    """Whether the name only serves as a measure: `比橙屿`."""
    return AGAINST.search(clause.text[: span[0] - clause.start]) is not None


def join_clauses(clauses: Sequence[Clause], numbers: frozenset[int]) -> str:
    """The text of some clauses with the marks after them."""
    return "".join(clause.text + (clause.mark or "") for n, clause in enumerate(clauses) if n in numbers)


def compare_subjects(clauses: Sequence[Clause], spans: Mapping[str, Sequence[Span]]) -> dict[str, dict[int, int]]:
    """Subject → number of a comparing clause → +1 where it comes off better, -1 where worse."""
    verdict: dict[str, dict[int, int]] = {}
    last = ""
    for number, clause in enumerate(clauses):
        named = sorted(
            (span, name) for name, own in spans.items() for span in own if clause.start <= span[0] < clause.end
        )
        for (start, end), name in named:
            before, after = clause.text[: start - clause.start], clause.text[end - clause.start :]
            holder = next((other for span, other in reversed(named) if span[0] < start and other != name), "")
            holder = holder or next((other for span, other in named if span[0] > start and other != name), last)
            sign = weigh(before, after)
            if sign and holder != name:
                verdict.setdefault(name, {})[number] = sign
                if holder:
                    verdict.setdefault(holder, {})[number] = -sign
        if named and not is_against(clause, named[-1][0]):
            last = named[-1][1]
    return verdict


def weigh(before: str, after: str) -> int:
    """+1 when the name between `before` and `after` comes off better than the other, -1 worse, 0 when nothing is compared."""
    if ALIKE.search(after):
        return 0
    if THAN.search(before):
        return -lean(after)
    if BEATS.search(before):
        return 1 if before.endswith(("没吊打", "不能打败")) else -1
    if LOSES.search(before):
        return 1 if not before.endswith("被") or BEATEN.search(after) else 0
    if LESS.search(before) and lean(after) > 0:
        return 1
    if PREFERS.search(before) and PREFERRED.search(after):
        return 1
    return 0


def lean(words: str) -> int:
    """+1 when the first word of judgement is a good one, -1 a bad one, 0 none."""
    good, bad = BETTER.search(words), WORSE.search(words)
    if good and (not bad or good.start() < bad.start()):
        return 1
    return -1 if bad else 0
