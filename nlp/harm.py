"""Words of harm to people, found un-negated: `没过敏` is none, `差点起火` is harm (LABELS.md §6)."""

from __future__ import annotations

from nlp.lexicon import Lexicon
from tingfeng.text import normalise

REACH = 6
MARKS = ",。!?;、,\n "


def find_harm(text: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Distinct words in order of appearance."""
    plain = normalise(text)
    words: dict[str, None] = {}
    for found in lexicon.harm.finditer(plain):
        if not is_negated(plain, found.start(), lexicon):
            words[found.group()] = None
    return tuple(words)


def is_negated(plain: str, at: int, lexicon: Lexicon) -> bool:
    """A negation right before the word within its clause; a near miss lifts it."""
    start = max(0, at - REACH)
    clause_start = max((plain.rfind(mark, start, at) + 1 for mark in MARKS), default=start)
    before = plain[max(start, clause_start) : at]
    if any(word in before for word in lexicon.near_misses):
        return False
    return before.endswith(
        tuple(word + tail for word in lexicon.harm_negations for tail in ("", "有", "出现", "发生", "造成"))
    )
