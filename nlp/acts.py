"""Acts of a text by cues (several may hold; `other` stands alone). Rules follow LABELS.md, guide §3 and §4."""

from __future__ import annotations

import re

from nlp.lexicon import Lexicon
from tingfeng.labels import Act, PostKind
from tingfeng.text import normalise

ENDS_WITH_QUESTION = re.compile(r"(?:吗|呢|么|\?)\s*[^\w]*$")
ASKS = re.compile(r"什么|怎么|哪|几|多少|是不是|能不能|有没有|吗")
CLAUSE = re.compile(r"[,。!?;,\n]+")


def judge_acts(text: str, kind: PostKind, lexicon: Lexicon) -> tuple[Act, ...]:
    """Acts in the order of the closed set. `text` is title and text; `kind` says what sort of post it stands in."""
    plain = normalise(text)
    clauses = [clause for clause in CLAUSE.split(plain) if clause.strip()]
    found: set[Act] = set()
    if is_ad(plain, lexicon):
        found.add(Act.AD)
    if kind is PostKind.ARTICLE or (
        has(lexicon, "news", "cues", plain) and kind not in (PostKind.REVIEW, PostKind.TICKET)
    ):
        found.add(Act.NEWS)
    if Act.AD not in found and Act.NEWS not in found:
        found |= judge_voice(plain, clauses, kind, lexicon)
    return tuple(act for act in Act if act in found) or (Act.OTHER,)


def judge_voice(plain: str, clauses: list[str], kind: PostKind, lexicon: Lexicon) -> set[Act]:
    """What a person says in their own voice."""
    found: set[Act] = set()
    rhetorical = has(lexicon, "question", "rhetorical", plain)
    if (
        kind is PostKind.TICKET
        or has(lexicon, "complaint", "demands", plain)
        or has(lexicon, "complaint", "open_case", plain)
    ):
        found.add(Act.COMPLAINT)
    if not has(lexicon, "suggestion", "mocking", plain) and suggests(clauses, lexicon):
        found.add(Act.SUGGESTION)
    if not rhetorical and Act.COMPLAINT not in found and asks(plain, clauses, lexicon) and Act.SUGGESTION not in found:
        found.add(Act.QUESTION)
    if Act.COMPLAINT not in found and praises(clauses, lexicon):
        found.add(Act.PRAISE)
    if has(lexicon, "churn_intent", "cues", plain):
        found.add(Act.CHURN_INTENT)
    elif has(lexicon, "purchase_intent", "cues", plain):
        found.add(Act.PURCHASE_INTENT)
    return found


def has(lexicon: Lexicon, act: str, group: str, text: str) -> bool:
    """Whether any cue of the group stands in the text."""
    pattern = lexicon.acts.get(act, {}).get(group)
    return pattern is not None and pattern.search(text) is not None


def is_ad(plain: str, lexicon: Lexicon) -> bool:
    """As many different cues as the list asks for."""
    pattern = lexicon.acts.get("ad", {}).get("cues")
    return pattern is not None and len(set(pattern.findall(plain))) >= lexicon.ad_needed


def suggests(clauses: list[str], lexicon: Lexicon) -> bool:
    """A cue anywhere, or a clause that begins with 希望 / 求 and goes on."""
    start = lexicon.acts.get("suggestion", {}).get("start")
    for clause in clauses:
        if has(lexicon, "suggestion", "cues", clause):
            return True
        if (
            start is not None
            and (begun := start.match(clause.strip()))
            and len(clause.strip()) > begun.end() + 3
            and "求推荐" not in clause
        ):
            return True
    return False


def asks(plain: str, clauses: list[str], lexicon: Lexicon) -> bool:
    """A cue of asking, or an ending that asks."""
    if has(lexicon, "question", "cues", plain):
        return True
    return bool(clauses) and ENDS_WITH_QUESTION.search(plain) is not None and ASKS.search(clauses[-1]) is not None


def praises(clauses: list[str], lexicon: Lexicon) -> bool:
    """A word of praise with no negation in the four characters before it."""
    table = lexicon.acts.get("praise", {})
    cues, negations = table.get("cues"), table.get("negations")
    for clause in clauses:
        for found in cues.finditer(clause) if cues else ():
            before = clause[max(0, found.start() - 4) : found.start()]
            if not (negations and negations.search(before)):
                return True
    return False
