"""Who left whom for whom: `从暖芽换到橙屿`, `换成橙屿了`; `不会换` is none (LABELS §4, churn intent with the competitor named)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.cues import Hit
from nlp.lexicon import BRAND
from nlp.reading import Reading

Span = tuple[int, int]
TO = re.compile(
        r"(?:换成|换到|换回|换用|换去|换乘|换|转投|转战|转去|转向|转到|转用|转买|转|改用|改喝|改吃|改买|改坐|改住|改订|改选|改去|"
        r"改看|改玩|改投|改成|改为|"

    r"改约|改签|改叫|改跟|转玩|去玩|迁|搬|搬家到|挪|挪到|移到|升级|投奔|投靠|跳到|跳槽到|跑去|跑到|回归|入手|入坑|转网到?|携号转网到?|携转|拆机转|现役|下一站|目标|从[^,]{1,12}到|弃[^,]{1,8}(?:投|选|入|从|改))(?:了|成|到|去|回|用|买|为|入|向|至|进|自家|备用)*"
    r"(?:隔壁|对家|友商|别家|竞品|一台|一个|一部|个|台|的|用|买)*(?:的|[^,从]{1,6}的)?$"
)
BOUGHT = re.compile(
    r"(?:从此|往后|今后|下次|下回|转头|转身|扭头|反手|回头|果断|直接|后来|现在|以后|最后|索性|干脆|已经|已|于是|只好)(?:就|都|我|自己)*(?:去|只|全|改|"
    r"也|是)?(?:买|用|下|订|办|入|选|坐|喝|装|换|去|住|吃|点|上|投|叫|约|预约|跟|认)(?:了|用)?(?:隔壁|的|一台|一部|个|台)*$"
)
# names stand in quotes, which end a clause elsewhere; a verb of switching stands at most so many characters before its name
QUOTES, BREAK = re.compile(r"[“”\"「」『』【】]"), re.compile(r"[,。!?;:~()…]")
BEFORE = 24
LATER = re.compile(r"(?:以后|往后|今后|下次|下回)(?:就|都|只|还是|改)?$")
REFUSED = re.compile(
    r"(?:不|没|没有|别|不会|不想|不打算|舍不得|没必要|不用|不建议|懒得|从没|没想|没想过|未|可以|怎么|如何|是否|想不想|劝我|让我|给我|帮我|"
    r"商家|卖家|店家|擅自|私自|偷偷)(?:再)?$|(?:要不要|该不该|能不能|值不值得?|会不会|没必要|商家|卖家|店家|擅自|私自|偷偷)[^,]{0,8}$"
)
FROM = re.compile(r"(?:从|由|把|弃|抛弃|离开|告别|放弃|卸载了?|退了?|不用|不买)[“「『\"]?$")
LEAVES = re.compile(r"以后|下次|往后|迁|搬|挪|升级|停|弃|卸|告别|不敢|换|转|改|投|跳|跑|弃|回归|卸|再也|不会再|不再|以后不|拜拜|再见|失望|退")


@dataclass(frozen=True)
class Switch:
    """`left` for `taken`; both are names of subjects or of well-known brands."""

    left: str
    taken: str


def find_switch(reading: Reading, spans: Mapping[str, Sequence[Span]]) -> Switch | None:
    """The first switch from one named to another; None when there is none or either is not named."""
    named = name_places(reading, spans)
    if len({name for _, name in named}) < 2 or not LEAVES.search(reading.plain):
        return None
    for (start, end), name in named:
        before = words_before(reading.plain, start)
        found = TO.search(before) or BOUGHT.search(before) or LATER.search(before)
        if found is None or refused(before, found.start()) or reading.plain[end : end + 1] == "吗":
            continue
        left = find_left(reading, named, name, start)
        if left:
            return Switch(left, name)
    return None


def words_before(plain: str, start: int) -> str:
    """What stands before a name in its clause; quotes around names do not end it."""
    return BREAK.split(QUOTES.sub("", plain[max(0, start - BEFORE) : start]))[-1]


def refused(before: str, at: int) -> bool:
    """Whether the words before the verb take the switch back or ascribe it to the shop."""
    return REFUSED.search(before[:at]) is not None


def name_places(reading: Reading, spans: Mapping[str, Sequence[Span]]) -> list[tuple[Span, str]]:
    """All places of subjects and of well-known brands that are no part of one."""
    named = [(span, name) for name, own in spans.items() for span in own]
    taken = [span for span, _ in named]
    brands: list[Hit] = sorted(reading.hits(BRAND), key=lambda hit: (hit.start, -hit.end))
    for hit in brands:
        if not any(start < hit.end and hit.start < end for start, end in taken):
            named.append(((hit.start, hit.end), reading.words(hit)))
            taken.append((hit.start, hit.end))
    return sorted(named)


def find_left(reading: Reading, named: Sequence[tuple[Span, str]], taken: str, at: int) -> str:
    """The one that stands after `从`, else the nearest before, else the first after."""
    others = [(span, name) for span, name in named if name != taken]
    for (start, _), name in others:
        if FROM.search(reading.plain[:start]):
            return name
    before = [name for (start, _), name in others if start < at]
    return before[-1] if before else (others[0][1] if others else "")
