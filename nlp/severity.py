"""How bad the harm described is, if true: safety > money > annoyance > none (LABELS §6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from nlp.aspects import Found
from nlp.lexicon import MONEY, TONE
from nlp.reading import Reading
from tingfeng.labels import Act, Sentiment, Severity

MONEY_DEMANDS = frozenset({"退款", "赔偿"})
LEAK_ONLY = frozenset({"privacy"})


def judge_severity(
    reading: Reading, acts: Collection[Act], harm: Collection[str], demands: Collection[str], found: Iterable[Found]
) -> Severity:
    """`found` are the opinions of the subject, `harm` the un-negated harm words."""
    if Act.AD in acts:
        return Severity.NONE
    if harm:
        return Severity.SAFETY
    negative = [one for one in found if one.polarity is Sentiment.NEGATIVE]
    asked_only = Act.QUESTION in acts or (Act.SUGGESTION in acts and Act.COMPLAINT not in acts)
    if MONEY_DEMANDS & set(demands) or (loses_money(reading) and not asked_only):
        return Severity.MONEY
    if negative or Act.COMPLAINT in acts or blames(reading):
        return Severity.ANNOYANCE
    return Severity.NONE


def loses_money(reading: Reading) -> bool:
    """Whether a sum lost or at stake is told."""
    return any(reading.told(hit) or reading.plain[hit.start] in "不没未拒退" for hit in reading.hits(MONEY))


def blames(reading: Reading) -> bool:
    """Whether a word of blame is told."""
    return any(hit.name == "bad" and reading.told(hit) for hit in reading.hits(TONE))
