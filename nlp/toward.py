"""Sentiment toward one subject: what the model says of its part of the text, moved by what the rules know (LABELS §2)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from nlp.lexicon import ASPECT, TONE
from nlp.reading import Reading
from nlp.rules import Ruled
from nlp.sentiment import CLASSES
from tingfeng.labels import Act, PostKind, Sentiment
from tingfeng.records import Post

Shift = tuple[float, float, float]
# Shifts of the log-odds (negative, neutral, positive). Set by hand on invented sentences; tests/nlp/test_toward.py holds them to it.
SHIFTS: Mapping[Act, Shift] = {
    Act.COMPLAINT: (2.0, 0.0, -1.0),
    Act.SUGGESTION: (0.0, 1.5, -0.5),
    Act.QUESTION: (0.0, 1.8, -0.8),
    Act.PRAISE: (-0.5, 0.0, 1.2),
    Act.CHURN_INTENT: (1.0, 0.0, -0.5),
    Act.AD: (-0.5, 2.5, -0.5),
}  # fmt: skip
HARM_SHIFT = (2.2, 0.0, -1.0)
RATING_SHIFTS: Mapping[int, Shift] = {
    1: (2.0, 0.0, -1.0), 2: (1.5, 0.0, -0.5), 3: (0.0, 0.5, 0.0), 4: (-0.5, 0.0, 1.0), 5: (-1.0, 0.0, 1.5),
}  # fmt: skip
BETTER, WORSE = (-2.0, 0.0, 2.5), (2.5, 0.0, -2.0)
IRONY_SHIFT = (1.8, -0.3, -1.8)
BARE_INTENT, SOFT_AD = (-0.5, 1.5, 0.0), (-1.0, -1.0, 2.5)
AWARD, SCANDAL, REPORT = (-1.5, 0.0, 2.5), (2.5, 0.0, -1.5), (-0.5, 1.8, -0.5)
ONLY_NAMED = (-2.5, 3.0, -1.5)
ONE_SIDED = 0.8
LEAST_SIDE = 0.4
IMPERSONATED = re.compile(r"(?:冒充|假冒|仿冒|山寨|高仿|打着|自称是?|谎称是?|假扮|伪装成?|盗用|假)(?:的|是|成|了)?$")
PLACE = re.compile(r"^(?:专卖店|门店|店|大厦|总部)?(?:的)?(?:门口|旁边|楼下|楼上|附近|对面|隔壁|路口|斜对面|后面那|前面那)")
HARD_NEWS = re.compile(r"召回|罚款|罚没|罚单|处罚|败诉|判|立案|约谈|不合格|超标|起火|自燃|爆炸|中毒|泄露|暴雷|退市|破产")
EMOTICON = re.compile(r"\[[^\[\]\s]{1,8}\]")



def toward_subject(
    row: Mapping[str, float], ruled: Ruled, post: Post, spans: Sequence[tuple[int, int]], sign: int
) -> dict[str, float]:
    """The model's probabilities for the part about the subject, with the shifts of the rules. `sign`: how it fared in a comparison."""
    shifts = [act_shift(act, ruled) for act in ruled.acts if act in SHIFTS]
    shifts += [HARM_SHIFT] if ruled.harm else []
    shifts += [RATING_SHIFTS[post.rating or 0]] if post.kind is PostKind.REVIEW and post.rating in RATING_SHIFTS else []
    shifts += [BETTER if sign > 0 else WORSE] if sign else []
    good, bad = count_sides(ruled.reading)
    if bad and ruled.reading.has(TONE, "irony"):
        shifts.append(IRONY_SHIFT)
    elif bool(good) != bool(bad) and not {Act.AD, Act.NEWS, Act.QUESTION} & set(ruled.acts):
        shifts.append((0.0, 0.0, ONE_SIDED) if good else (ONE_SIDED, 0.0, 0.0))
    if Act.NEWS in ruled.acts:
        shifts.append(news_shift(ruled.reading))
    if Act.PURCHASE_INTENT in ruled.acts and not good and not bad:
        shifts.append(BARE_INTENT)
    if is_only_named(ruled.reading.plain, spans):
        shifts.append(ONLY_NAMED)
    return shift_odds(row, shifts)


def act_shift(act: Act, ruled: Ruled) -> Shift:
    """An ad is neutral, unless somebody praises in their own name."""
    if act is Act.AD and ruled.reading.first_person and count_sides(ruled.reading)[0]:
        return SOFT_AD
    return SHIFTS[act]


def news_shift(reading: Reading) -> Shift:
    """A recall, fine or lost case is negative, an award positive; figures, notices and denials are neutral."""
    if reading.has(TONE, "scandal") and (HARD_NEWS.search(reading.plain) or not reading.has(TONE, "notice")):
        return SCANDAL
    return AWARD if reading.has(TONE, "award") else REPORT


def is_only_named(plain: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the name is only used: by an impostor, or to say where something is."""
    return bool(spans) and all(
        IMPERSONATED.search(plain[max(0, start - 6) : start]) or PLACE.search(plain[end : end + 8])
        for start, end in spans
    )


def count_sides(reading: Reading) -> tuple[int, int]:
    """For and against; counted once a reading."""
    known = reading.sides
    if not known:
        known[:] = count_hits(reading)
    return known[0], known[1]


def count_hits(reading: Reading) -> tuple[int, int]:
    """How many places speak for and against, told as facts; a longer cue covers the shorter ones in it."""
    sides = {"good": 0, "bad": 0}
    covered = -1
    judging = [
        (hit.start, -hit.end, hit.name.rpartition(":")[2], hit)
        for family in (TONE, ASPECT)
        for hit in reading.hits(family)
        if hit.name in sides or hit.name.rpartition(":")[2] in sides
    ]
    for start, end, side, hit in sorted(judging, key=lambda one: one[:2]):
        if start < covered:
            continue
        covered = -end
        if reading.supposed(hit) or reading.asked(hit):
            continue
        if reading.negated(hit):
            if side == "good":
                sides["bad"] += 1
            continue
        sides[side] += 1
    return sides["good"], sides["bad"]


def is_mixed(ruled: Ruled, sign: int) -> bool:
    """Both sides carry weight: neither a small flaw in a rave, nor a complaint that grants something, nor irony."""
    if {Act.COMPLAINT, Act.AD, Act.NEWS, Act.QUESTION, Act.CHURN_INTENT} & set(ruled.acts) or ruled.harm:
        return False
    good, bad = count_sides(ruled.reading)
    if sign and not {Sentiment.POSITIVE, Sentiment.NEGATIVE} <= {one.polarity for one in ruled.found}:
        return False
    if not good or not bad or ruled.reading.has(TONE, "irony"):
        return False
    if ruled.reading.has(TONE, "small") and good >= bad:
        return False
    return min(good, bad) / max(good, bad) >= LEAST_SIDE


def strip_own_life(part: str, reading: Reading) -> str:
    """Without emoticons when no word of the part judges the subject: `在暖芽楼下等人[泪]` weeps about the waiting."""
    if "[" not in part or any(count_sides(reading)):
        return part
    return EMOTICON.sub("", part).strip() or part


def shift_odds(row: Mapping[str, float], shifts: Sequence[Shift]) -> dict[str, float]:
    """Adds the shifts to the log probabilities and makes them add up to 1 again."""
    if not shifts:
        return dict(row)
    total = [sum(shift[index] for shift in shifts) for index in range(len(CLASSES))]
    raw = [max(row[str(label)], 1e-4) * math.exp(total[index]) for index, label in enumerate(CLASSES)]
    return {str(label): round(value / sum(raw), 4) for label, value in zip(CLASSES, raw, strict=True)}


def label_toward(label: Sentiment, ruled: Ruled, sign: int) -> Sentiment:
    """The model's label, or `mixed` where both sides carry weight."""
    return Sentiment.MIXED if is_mixed(ruled, sign) else label
