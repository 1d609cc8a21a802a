"""What the author wants done: the nineteen demands, only when said (LABELS §7)."""

from __future__ import annotations

import re
from typing import NamedTuple

from nlp.cues import Hit
from nlp.lexicon import DEMAND, DEMANDS
from nlp.reading import Reading

# how far a verb of wanting reaches within its clause; one of asking reaches to the end of the sentence
REACH = {"verbs": 12, "short_verbs": 1, "asks": 1000}
# in the clauses after the one that asks, a demand's word stands near the beginning: `要求退款,平台公开道歉,市场监管部门查处`
NEAR_START = 12
# `别再打了` is no report of something done
CEASING = "停止骚扰"
# and `说明维修记录` is about a record
TOLD = ("解释", "删除信息", "撤销征信")
DONE = re.compile(r"^(?:了|过|完|好了)(?!吧|呗|没|吗)")
# `维修费`, `退款流程`: the word only tells what the fee or the way is for
NAMED = re.compile(r"^(?:费|记录|单|师傅|人员|网点|中心|站|部|店|时间|时效|流程|通道|按钮|页面|入口|政策|规定|规则|进度|结果|方案|热线|电话)")
JOINED = ("并", "和", "及", "以及", "同时", "而且", "或", "或者", "再", "还要", "还", "另外", "且", "以及", "与")
# what somebody else said or wrote; a pair that holds a name or nothing at all does no harm
QUOTED = re.compile(r"“[^“”]{1,80}”|\"[^\"]{1,80}\"|「[^「」]{1,80}」")


class Stretch(NamedTuple):
    """Where a verb of wanting makes a demand of a word that begins there; `asks`: it is one of asking."""

    start: int
    end: int
    asks: bool


def find_demands(reading: Reading) -> tuple[str, ...]:
    """In the order of the closed set."""
    hits = reading.hits(DEMAND)
    if not hits:
        return ()
    quoted = [found.span() for found in QUOTED.finditer(reading.plain)]
    hits = [hit for hit in hits if not any(start < hit.start and hit.end < end for start, end in quoted)]
    blocked = {(hit.clause, hit.start) for hit in hits if hit.name == "not_wanted"}
    verbs = find_verbs(reading, hits, blocked)
    found: set[str] = set()
    wanting: set[int] = set()
    asking = {clause for clause, stretches in verbs.items() if any(one.asks for one in stretches)}
    for hit in hits:
        group, _, demand = hit.name.partition(":")
        if group == "direct" and not is_taken_back(reading, hit, blocked):
            found.add(demand)
            wanting.add(hit.clause)
    for hit in sorted(hits, key=lambda hit: hit.start):
        group, _, demand = hit.name.partition(":")
        if group not in ("words", "asked") or is_taken_back(reading, hit, blocked):
            continue
        stretches = verbs.get(hit.clause, ())
        asked = any(one.start <= hit.start <= one.end and (group == "words" or one.asks) for one in stretches)
        listed = is_listed(reading, hit, asking)
        if asked or listed or (group == "words" and goes_on(reading, hit.clause, hit.start, wanting)):
            found.add(demand)
            wanting.add(hit.clause)
            if listed:
                asking.add(hit.clause)
    return tuple(demand for demand in DEMANDS if demand in found)


def find_verbs(reading: Reading, hits: list[Hit], blocked: set[tuple[int, int]]) -> dict[int, list[Stretch]]:
    """Clause → where the verbs of wanting in it reach, none of them negated or said of what another wants of the author."""
    found: dict[int, list[Stretch]] = {}
    others = [hit for hit in hits if hit.name == "not_asking"]
    for hit in hits:
        if hit.name not in REACH or reading.negated(hit):
            continue
        within = any(one.start <= hit.start and hit.end <= one.end for one in others)
        if within or (hit.name == "asks" and is_blocked(hit, blocked)):
            continue
        found.setdefault(hit.clause, []).append(Stretch(hit.end, hit.end + REACH[hit.name], hit.name == "asks"))
    return found


def is_blocked(hit: Hit, blocked: set[tuple[int, int]]) -> bool:
    """Whether its clause says before it that this is not wanted."""
    return any(number == hit.clause and at <= hit.start + 1 for number, at in blocked)


def is_taken_back(reading: Reading, hit: Hit, blocked: set[tuple[int, int]]) -> bool:
    """Whether the clause says that this is not wanted, or that it was done: `给我换了一个`."""
    if is_blocked(hit, blocked):
        return True
    after = reading.after(hit)
    done = DONE.search(after) is not None and not hit.name.endswith(CEASING)
    named = NAMED.search(after) is not None and not hit.name.startswith("direct") and not hit.name.endswith(TOLD)
    return done or named or reading.negated(hit)


def is_listed(reading: Reading, hit: Hit, asking: set[int]) -> bool:
    """Whether it stands near the beginning of a clause that goes on with what the clause before asks for, in the same sentence."""
    before, clause = hit.clause - 1, reading.clauses[hit.clause]
    if before not in asking or reading.clauses[before].sentence != clause.sentence:
        return False
    return hit.start - clause.start <= NEAR_START


def goes_on(reading: Reading, clause: int, start: int, wanting: set[int]) -> bool:
    """`要求退款,赔偿损失`: the next clause begins with a demand's word, or with `并`."""
    if clause - 1 not in wanting:
        return False
    before = reading.plain[reading.clauses[clause].start : start]
    return before.strip() in ("", *JOINED)
