"""Acts of a text by cues (several may hold; `other` stands alone). Rules follow LABELS.md, guide §3 and §4."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from nlp.lexicon import ACT, ASPECT, DEMAND, TONE, Lexicon
from nlp.reading import Reading
from tingfeng.labels import Act, PostKind

# words of the demands that proposals are full of as well: `请公开`, `要求`
ASKED = ("asked:", "asks", "not_asking")
ASKING = re.compile(r"请问|求|想问|问一下|问下|咨询|请教|在线等|有人|有没有人|谁知道")
WHETHER = re.compile(r"会不会|能不能|可不可以|要不要|有没有|是不是|需不需要|值不值得?|该不该|好不好用")
KNOWS_NOT = re.compile(r"不知道?|不晓得|不确定|看看|无论|不管|管它|就看")
CHASING = ("calls", "transfers", "visits", "days")
# cues that speak for (True) or against (False)
SIDES = {"good": True, "bad": False, "praise.cues": True}
NO_NEWS = (PostKind.REVIEW, PostKind.TICKET, PostKind.COMMENT, PostKind.REPLY)


def judge_acts(
    reading: Reading, kind: PostKind, lexicon: Lexicon, demands: Sequence[str] = (), effort: Collection[str] = ()
) -> tuple[Act, ...]:
    """Acts in the order of the closed set. `kind` says what sort of post it stands in; `demands` and `effort` were found before."""
    names = Counter(hit.name for hit in reading.hits(ACT))
    found: set[Act] = set()
    complains = kind is PostKind.TICKET or is_complaint(reading, names, demands, bool(set(CHASING) & set(effort)))
    if is_ad(reading, names, lexicon, complains):
        found.add(Act.AD)
    elif is_news(reading, names, kind, complains):
        found.add(Act.NEWS)
    else:
        found |= judge_voice(reading, names, complains, bool(demands))
    return tuple(act for act in Act if act in found) or (Act.OTHER,)


def judge_voice(reading: Reading, names: Counter[str], complains: bool, demanded: bool) -> set[Act]:
    """What a person says in their own voice."""
    found: set[Act] = set()
    if suggests(reading, demanded) and not (complains and not names["suggestion.cues"]):
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


def is_complaint(reading: Reading, names: Counter[str], demands: Sequence[str], chased: bool) -> bool:
    """An answer or remedy is expected: a demand is stated, the author has chased the firm or has an open case, or tells it of a wrong."""
    if demands or (chased and tells_wrong(reading) and not names["complaint.settled"]):
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
    if names["complaint.settled"] or names["suggestion.mocking"] or names["churn_intent.cues"]:
        return False
    return bool(names["complaint.address"]) and tells_wrong(reading)


def tells_wrong(reading: Reading) -> bool:
    """Whether something bad is told as a fact, by a word of judgement or a fault."""
    if any(hit.name == "bad" and reading.told(hit) for hit in reading.hits(TONE)):
        return True
    return any(hit.name.endswith(":bad") and reading.told(hit) for hit in reading.hits(ASPECT))


def only_wishes(reading: Reading, names: Counter[str]) -> bool:
    """A proposal without any word of a demand or an open case: `希望尽快修复闪退` stays a suggestion."""
    if names["complaint.demands"] or names["complaint.open_case"]:
        return False
    return all(hit.name.startswith(ASKED) for hit in reading.hits(DEMAND))


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


def suggests(reading: Reading, demanded: bool = False) -> bool:
    """A proposal to the firm in a clause that mocks nobody, advises no friends and, where something is `demanded`, demands nothing."""
    mocked = {hit.clause for hit in reading.hits(ACT) if hit.name == "suggestion.mocking"}
    mocked |= {hit.clause for hit in reading.hits(DEMAND) if hit.name.startswith("words:")} if demanded else set()
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
    """A clause that wants an answer. Where something wrong is told, only plain words of asking count: `就这质量?` asks nothing."""
    rhetorical = {reading.clauses[hit.clause].sentence for hit in reading.hits(ACT) if hit.name == "question.rhetorical"}
    if tells_wrong(reading) and not reading.has(TONE, "ask_help"):
        return False
    ending = any(
        clause.asks and clause.sentence not in rhetorical and ("?" in clause.mark or number == len(reading.clauses) - 1)
        for number, clause in enumerate(reading.clauses)
    )
    asked = {hit.clause for hit in reading.hits(ACT) if hit.name == "question.cues"}
    asked = {number for number in asked if reading.clauses[number].sentence not in rhetorical}
    return ending or any(starts_question(reading, number) for number in asked)


def starts_question(reading: Reading, number: int) -> bool:
    """Whether a clause without a mark of its own asks: it says 请问, or 会不会, or nothing is told after it in its sentence."""
    clause = reading.clauses[number]
    if ASKING.search(clause.text):
        return True
    if WHETHER.search(clause.text) and not KNOWS_NOT.search(clause.text):
        return True
    last = number == len(reading.clauses) - 1 or reading.clauses[number + 1].sentence != clause.sentence
    return last and not any(hit.name == "bad" for hit in reading.in_clause(TONE, number))


def praises(reading: Reading) -> bool:
    """More told praise than blame, what comes after a `但是` counting twice; no irony, no proposal."""
    proposed = {hit.clause for hit in reading.hits(ACT) if hit.name in ("suggestion.cues", "suggestion.start")}
    turned = {hit.clause for hit in reading.hits(TONE) if hit.name == "turn"}
    sides: dict[bool, dict[int, int]] = {True: {}, False: {}}
    for family in (TONE, ASPECT, ACT):
        for hit in reading.hits(family):
            side = SIDES.get(hit.name.rpartition(":")[2])
            if side is None or hit.clause in proposed or reading.supposed(hit) or reading.asked(hit):
                continue
            if reading.negated(hit):
                if side:
                    continue
                side = True
            sides[side][hit.clause] = max(sides[side].get(hit.clause, 0), 2 if hit.clause in turned else 1)
    good, bad = sum(sides[True].values()), sum(sides[False].values())
    if bad and reading.has(TONE, "irony"):
        return False
    return good > bad


def told_unblocked(reading: Reading, act: str) -> bool:
    """A cue of the act in a clause that does not take it back."""
    blocked = {hit.clause for hit in reading.hits(ACT) if hit.name == f"{act}.blocked"}
    return any(
        hit.name == f"{act}.cues" and hit.clause not in blocked and not reading.supposed(hit)
        for hit in reading.hits(ACT)
    )
