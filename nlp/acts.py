"""Acts of a text by cues (several may hold; `other` stands alone). Rules follow LABELS.md, guide §3 and §4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nlp.lexicon import ACT, DEMAND, TONE, Lexicon
from nlp.reading import Reading
from tingfeng.labels import Act, PostKind

NO_NEWS = (PostKind.REVIEW, PostKind.TICKET, PostKind.COMMENT, PostKind.REPLY)


def judge_acts(reading: Reading, kind: PostKind, lexicon: Lexicon, demands: Sequence[str] = ()) -> tuple[Act, ...]:
    """Acts in the order of the closed set. `kind` says what sort of post it stands in; `demands` are those already found."""
    names = Counter(hit.name for hit in reading.hits(ACT))
    found: set[Act] = set()
    complains = kind is PostKind.TICKET or is_complaint(reading, names, demands)
    if is_ad(reading, names, lexicon, complains):
        found.add(Act.AD)
    elif is_news(reading, names, kind, complains):
        found.add(Act.NEWS)
    else:
        found |= judge_voice(reading, names, complains)
    return tuple(act for act in Act if act in found) or (Act.OTHER,)


def judge_voice(reading: Reading, names: Counter[str], complains: bool) -> set[Act]:
    """What a person says in their own voice."""
    found: set[Act] = set()
    if suggests(reading) and not (complains and not names["suggestion.cues"]):
        found.add(Act.SUGGESTION)
    if complains and not (Act.SUGGESTION in found and only_wishes(reading, names)):
        found.add(Act.COMPLAINT)
    if not found and asks(reading, names):
        found.add(Act.QUESTION)
    if Act.COMPLAINT not in found and praises(reading):
        found.add(Act.PRAISE)
    if told_unblocked(reading, "churn_intent"):
        found.add(Act.CHURN_INTENT)
    elif told_unblocked(reading, "purchase_intent") and Act.COMPLAINT not in found:
        found.add(Act.PURCHASE_INTENT)
    return found


def is_complaint(reading: Reading, names: Counter[str], demands: Sequence[str]) -> bool:
    """An answer or remedy is expected: a demand is stated, the author's case is open, or the firm is told of something wrong."""
    if demands:
        return True
    noun = {hit.clause for hit in reading.hits(ACT) if hit.name == "complaint.noun"}
    stated = [
        hit
        for hit in reading.hits(ACT)
        if hit.name == "complaint.demands" and hit.clause not in noun and not reading.negated(hit)
    ]
    if stated:
        return True
    if names["complaint.open_case"] and not names["complaint.settled"]:
        return any(
            hit.name == "complaint.open_case" and not reading.supposed(hit) and hit.clause not in noun
            for hit in reading.hits(ACT)
        )
    return bool(names["complaint.address"]) and tells_wrong(reading) and not names["complaint.settled"]


def tells_wrong(reading: Reading) -> bool:
    """Whether something bad is told as a fact, by a word of judgement or a fault."""
    if any(hit.name == "bad" and reading.told(hit) for hit in reading.hits(TONE)):
        return True
    return any(hit.name.endswith(":bad") and reading.told(hit) for hit in reading.hits("aspect"))


def only_wishes(reading: Reading, names: Counter[str]) -> bool:
    """A proposal without any word of a demand or an open case: `希望尽快修复闪退` stays a suggestion."""
    return not names["complaint.demands"] and not names["complaint.open_case"] and not reading.hits(DEMAND)


def is_ad(reading: Reading, names: Counter[str], lexicon: Lexicon, complains: bool) -> bool:
    """One strong cue or as many different weak ones as the list asks for; not in the mouth of somebody who complains."""
    if complains:
        return False
    if names["ad.strong"]:
        return names["ad.strong"] + names["ad.weak"] >= 2 or not (reading.first_person or tells_wrong(reading))
    words = {reading.words(hit) for hit in reading.hits(ACT) if hit.name == "ad.weak"}
    return len(words) >= lexicon.ad_needed and not tells_wrong(reading) and not reading.first_person


def is_news(reading: Reading, names: Counter[str], kind: PostKind, complains: bool) -> bool:
    """An article; or a strong cue; or two different weak ones where nobody speaks of themselves."""
    if kind is PostKind.ARTICLE:
        return True
    if kind in NO_NEWS or (complains and reading.first_person):
        return False
    if names["news.strong"]:
        return not (reading.first_person and complains) and not names["question.cues"] >= 2
    if reading.first_person or complains or names["question.cues"] or names["suggestion.cues"]:
        return False
    words = {reading.words(hit) for hit in reading.hits(ACT) if hit.name == "news.weak"}
    return len(words) >= 3


def suggests(reading: Reading) -> bool:
    """A proposal to the firm in a clause that mocks nobody and advises no friends."""
    mocked = {hit.clause for hit in reading.hits(ACT) if hit.name == "suggestion.mocking"}
    for hit in reading.hits(ACT):
        if hit.clause in mocked:
            continue
        if hit.name == "suggestion.cues" and not reading.negated(hit):
            return True
        if hit.name == "suggestion.start" and len(reading.after(hit)) > 3 and not asks_for_advice(reading, hit.clause):
            return True
    return False


def asks_for_advice(reading: Reading, clause: int) -> bool:
    """`求推荐` asks, `求处理` demands: neither proposes."""
    return any(
        hit.clause == clause and hit.name in ("question.cues", "complaint.demands") for hit in reading.hits(ACT)
    )


def asks(reading: Reading, names: Counter[str]) -> bool:
    """A clause that wants an answer and is not rhetorical."""
    rhetorical = {hit.clause for hit in reading.hits(ACT) if hit.name == "question.rhetorical"}
    asked = {hit.clause for hit in reading.hits(ACT) if hit.name == "question.cues"} - rhetorical
    ending = any(
        clause.asks and number not in rhetorical and ("?" in clause.mark or number == len(reading.clauses) - 1)
        for number, clause in enumerate(reading.clauses)
    )
    if names["question.cues"] and asked:
        return ending or any(starts_question(reading, number) for number in asked)
    return ending and not rhetorical


def starts_question(reading: Reading, number: int) -> bool:
    """Whether a clause without a mark of its own asks: nothing is told after it in the same sentence, or it says 请问."""
    clause = reading.clauses[number]
    if any(word in clause.text for word in ("请问", "求", "想问", "问一下", "问下", "咨询", "请教", "在线等", "有人", "有没有人")):
        return True
    last = number == len(reading.clauses) - 1 or reading.clauses[number + 1].sentence != clause.sentence
    return last and not any(hit.clause == number and hit.name == "bad" for hit in reading.hits(TONE))


def praises(reading: Reading) -> bool:
    """More told praise than blame, and no irony."""
    good = {hit.start for hit in reading.hits(TONE) if hit.name == "good" and reading.told(hit)}
    good |= {hit.start for hit in reading.hits("aspect") if hit.name.endswith(":good") and reading.told(hit)}
    cued = {hit.start for hit in reading.hits(ACT) if hit.name == "praise.cues" and reading.told(hit)}
    bad = {hit.start for hit in reading.hits(TONE) if hit.name == "bad" and not reading.negated(hit)}
    bad |= {hit.start for hit in reading.hits("aspect") if hit.name.endswith(":bad") and reading.told(hit)}
    if bad and reading.has(TONE, "irony"):
        return False
    return len(good | cued) > len(bad)


def told_unblocked(reading: Reading, act: str) -> bool:
    """A cue of the act in a clause that does not take it back."""
    blocked = {hit.clause for hit in reading.hits(ACT) if hit.name == f"{act}.blocked"}
    return any(
        hit.name == f"{act}.cues" and hit.clause not in blocked and not reading.supposed(hit)
        for hit in reading.hits(ACT)
    )
