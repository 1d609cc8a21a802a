"""What the author wants done: the nineteen demands, only when said (LABELS §7)."""

from __future__ import annotations

import re

from nlp.cues import Hit
from nlp.lexicon import DEMAND, DEMANDS
from nlp.reading import Reading

Span = tuple[int, int]
# how far a verb of wanting reaches
REACH = {"verbs": 12, "short_verbs": 1}
# `别再打了` is no report of something done
CEASING = "停止骚扰"
DONE = re.compile(r"^(?:了|过|完|好了)(?!吧|呗|没|吗)")
JOINED = ("并", "和", "及", "以及", "同时", "而且", "或", "或者", "再", "还要", "还", "另外", "且", "以及", "与")


def find_demands(reading: Reading) -> tuple[str, ...]:
    """In the order of the closed set."""
    hits = reading.hits(DEMAND)
    if not hits:
        return ()
    found: set[str] = set()
    blocked = {(hit.clause, hit.start) for hit in hits if hit.name == "not_wanted"}
    verbs: dict[int, list[Span]] = {}
    for hit in hits:
        if hit.name in REACH and not reading.negated(hit):
            verbs.setdefault(hit.clause, []).append((hit.end, hit.end + REACH[hit.name]))
    wanting: set[int] = set()
    for hit in hits:
        group, _, demand = hit.name.partition(":")
        if group == "direct" and not is_taken_back(reading, hit, blocked):
            found.add(demand)
            wanting.add(hit.clause)
    for hit in hits:
        group, _, demand = hit.name.partition(":")
        if group != "words" or is_taken_back(reading, hit, blocked):
            continue
        asked = any(start <= hit.start <= end for start, end in verbs.get(hit.clause, ()))
        if asked or goes_on(reading, hit.clause, hit.start, wanting):
            found.add(demand)
            wanting.add(hit.clause)
    return tuple(demand for demand in DEMANDS if demand in found)


def is_taken_back(reading: Reading, hit: Hit, blocked: set[tuple[int, int]]) -> bool:
    """Whether the clause says that this is not wanted, or that it was done: `给我换了一个`."""
    if any(number == hit.clause and at <= hit.start + 1 for number, at in blocked):
        return True
    done = DONE.search(reading.after(hit)) is not None and not hit.name.endswith(CEASING)
    return done or reading.negated(hit)


def goes_on(reading: Reading, clause: int, start: int, wanting: set[int]) -> bool:
    """`要求退款,赔偿损失`: the next clause begins with a demand's word, or with `并`."""
    if clause - 1 not in wanting:
        return False
    before = reading.plain[reading.clauses[clause].start : start]
    return before.strip() in ("", *JOINED)
