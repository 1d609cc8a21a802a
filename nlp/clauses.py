"""Which part of a text speaks about which subject, so that two brands in one post are judged apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

Span = tuple[int, int]
END = re.compile(
    r"[。!?;\n]+|[,,](?=[^,,]{0,12}(?:而|但|倒是|反而|相比|比起|不如|还是))|(?:,|,)?(?=但是|不过|然而|相反)"
)


def split_clauses(plain: str) -> list[Span]:
    """Character spans of the clauses of a normalised text; together they cover it."""
    edges = [0, *(found.end() for found in END.finditer(plain)), len(plain)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def part_about(plain: str, spans: Sequence[Span], others: Sequence[Span]) -> str:
    """The clauses about one subject: those where it stands and those after them until another subject takes over.

    The whole text when no other subject is in it, or when all share one clause.
    """
    if not others or not spans:
        return plain
    kept, current = [], None
    for start, end in split_clauses(plain):
        mine = any(start <= a < end for a, _ in spans)
        theirs = any(start <= a < end for a, _ in others)
        if mine or theirs:
            current = mine
        if current is not False:
            kept.append(plain[start:end])
    return "".join(kept) or plain
