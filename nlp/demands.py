"""What the author wants done: the nineteen demands, only when said (LABELS §7)."""

from __future__ import annotations

from nlp.lexicon import DEMAND, DEMANDS
from nlp.reading import Reading

REACH = 12
JOINED = ("并", "和", "及", "以及", "同时", "而且", "或", "或者", "再", "还要", "还", "另外", "且", "以及", "与")
# a shorter word inside a longer one of another demand says nothing of its own: `还` in `补偿`
OVERRULED = {"退款": ("换货", "注销"), "维修": ("整改",), "解释": (), "注销": ("解封",)}


def find_demands(reading: Reading) -> tuple[str, ...]:
    """In the order of the closed set."""
    hits = reading.hits(DEMAND)
    if not hits:
        return ()
    found: set[str] = set()
    blocked = {(hit.clause, hit.start) for hit in hits if hit.name == "not_wanted"}
    verbs: dict[int, list[int]] = {}
    for hit in hits:
        if hit.name == "verbs" and not reading.negated(hit):
            verbs.setdefault(hit.clause, []).append(hit.end)
    wanting: set[int] = set()
    for hit in hits:
        group, _, demand = hit.name.partition(":")
        if group == "direct" and not reading.negated(hit) and not is_blocked(hit.clause, hit.start, blocked):
            found.add(demand)
            wanting.add(hit.clause)
    for hit in hits:
        group, _, demand = hit.name.partition(":")
        if group != "words" or is_blocked(hit.clause, hit.start, blocked):
            continue
        asked = any(0 <= hit.start - end <= REACH for end in verbs.get(hit.clause, ()))
        if asked or goes_on(reading, hit.clause, hit.start, wanting):
            if not reading.negated(hit):
                found.add(demand)
                wanting.add(hit.clause)
    return tuple(demand for demand in DEMANDS if demand in found)


def is_blocked(clause: int, start: int, blocked: set[tuple[int, int]]) -> bool:
    """Whether the clause says before or with this word that nothing is wanted."""
    return any(number == clause and at <= start + 1 for number, at in blocked)


def goes_on(reading: Reading, clause: int, start: int, wanting: set[int]) -> bool:
    """`要求退款,赔偿损失`: the next clause begins with a demand's word, or with `并`."""
    if clause - 1 not in wanting:
        return False
    before = reading.plain[reading.clauses[clause].start : start]
    return before.strip() in ("", *JOINED)
