"""Whether a retrained model may take the place of the present one: on held-out data it must not be worse in what monitoring lives on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.corrections import Corrected
from nlp.evaluate import EvaluationReport, SetReport, calibration_error, score_class
from nlp.heads import HeadWord
from nlp.labelled import Labelled
from nlp.outputs import TOWARD
from nlp.sentiment import CLASSES, SentimentJudge
from tingfeng.labels import Sentiment, Severity

# of a mean over all sets (thousands of texts), and of one set (a few hundred): less is what chance does to two equal models
MEAN_ALLOWED, SET_ALLOWED = 0.002, 0.03
# fewer corrections prove nothing
LEAST_CORRECTIONS = 20
# what a model that learnt from corrections may say otherwise of mentions that nobody corrected
CHANGE_ALLOWED = 0.03
# of a label that is rarer, one mention would be more than that
LEAST_LABELS = 35
MEASURES: Mapping[str, tuple[Callable[[SetReport], float], int]] = {
    "负面查全": (lambda one: one.alarm.recall, 1),
    "宏 F1": (lambda one: one.macro_f1, 1),
    "ECE": (lambda one: one.ece, -1),
}


@dataclass(frozen=True)
class Comparison:
    """One figure of the present model and of the new one. `sign` +1: more is better; `allowed`: what it may lose. `must_gain`: as much as
    before is too little."""

    what: str
    old: float
    new: float
    sign: int
    allowed: float
    must_gain: bool = False

    @property
    def is_worse(self) -> bool:
        gain = (self.new - self.old) * self.sign
        return gain <= 0 if self.must_gain else -gain > self.allowed

    @property
    def words(self) -> str:
        """For people."""
        refused = "没有变好" if self.must_gain else f"变差了,最多容许 {self.allowed}"
        mark = refused if self.is_worse else "通过"
        return f"{self.what}:{self.old:.4f} → {self.new:.4f}({mark})"


def compare_reports(old: EvaluationReport, new: EvaluationReport) -> list[Comparison]:
    """Means over all sets, and of each measure but calibration the set that lost most. Both were measured on the same data."""
    before = {one.name: one for one in old.sets}
    pairs = [(before[one.name], one) for one in new.sets if one.name in before]
    found = list[Comparison]()
    for what, (read, sign) in MEASURES.items():
        values = [(read(one), read(other), other.name) for one, other in pairs]
        before_all, now_all = (round(sum(one) / len(pairs), 4) for one in ([was for was, _, _ in values], [now for _, now, _ in values]))
        found.append(Comparison(f"{what}({len(pairs)} 个集合平均)", before_all, now_all, sign, MEAN_ALLOWED))
        if sign > 0:
            was, now, name = min(values, key=lambda two: two[1] - two[0])
            found.append(Comparison(f"{what}({name},变化最差)", round(was, 4), round(now, 4), sign, SET_ALLOWED))
    return found


def compare_corrections(old: SentimentJudge, new: SentimentJudge, held: Sequence[Labelled]) -> list[Comparison]:
    """The share of corrections that neither was trained on and that each gets right; nothing when they are too few."""
    if len(held) < LEAST_CORRECTIONS:
        return []
    return [Comparison(f"没有用来训练的改正({len(held)} 条)正确率", share_right(old, held), share_right(new, held), 1, 0.0)]


def share_right(judge: SentimentJudge, rows: Sequence[Labelled]) -> float:
    """By the likeliest class."""
    told = judge.judge([row.text for row in rows])
    right = [max(CLASSES, key=lambda label: one[str(label)]) is CLASSES[row.label] for one, row in zip(told, rows, strict=True)]
    return round(sum(right) / len(right), 4)


def compare_learnt(what: str, old: Sequence[HeadWord], new: Sequence[HeadWord], rows: Sequence[Corrected], *, must_gain: bool = False) -> Comparison:
    """The share of corrected fields that each says as the person did; of some rows, in order."""
    return Comparison(what, share_agreed(old, rows), share_agreed(new, rows), 1, 0.0, must_gain)


def share_agreed(words: Sequence[HeadWord], rows: Sequence[Corrected]) -> float:
    """Every corrected field counts one."""
    right: list[bool] = []
    for word, row in zip(words, rows, strict=True):
        told = {"sentiment": word.sentiment, "acts": set(word.acts), "severity": word.severity}
        wanted = {"sentiment": row.mention.sentiment, "acts": set(row.mention.acts), "severity": row.mention.severity}
        right += [told[field] == wanted[field] for field in row.mention.corrected_fields if field in told]
    return round(sum(right) / len(right), 4)


def compare_kept(old: Sequence[HeadWord], new: Sequence[HeadWord]) -> list[Comparison]:
    """Of mentions that nobody corrected the present word is taken for right: what the new model says otherwise, and how sure it is."""
    n = len(old)
    told: list[tuple[str, Sequence[object], Sequence[object]]] = [
        ("情感", [one.sentiment for one in old], [one.sentiment for one in new]),
        ("行为", [one.acts for one in old], [one.acts for one in new]),
        ("严重程度", [one.severity for one in old], [one.severity for one in new]),
    ]
    found = [expect_kept(f"没有改正的提及({n} 条)与现在一致:{what}", share_equal(was, now)) for what, was, now in told]
    for what, label, (_, was, now) in (("负面", Sentiment.NEGATIVE, told[0]), ("人身", Severity.SAFETY, told[2])):
        places = [place for place, one in enumerate(was) if one is label]
        if len(places) >= LEAST_LABELS:
            found.append(expect_kept(f"{what}查全(以现在的 {len(places)} 条为准)", sum(now[place] is label for place in places) / len(places)))
    found.append(expect_kept("情感宏 F1(以现在的为准)", score_kept(old, new)))
    return [*found, Comparison("情感 ECE(以现在的为准)", measure_ece(old, old), measure_ece(old, new), -1, CHANGE_ALLOWED)]


def expect_kept(what: str, share: float) -> Comparison:
    """The present model agrees with itself."""
    return Comparison(what, 1.0, round(share, 4), 1, CHANGE_ALLOWED)


def share_equal(was: Sequence[object], now: Sequence[object]) -> float:
    return sum(one == other for one, other in zip(was, now, strict=True)) / len(was)


def score_kept(old: Sequence[HeadWord], new: Sequence[HeadWord]) -> float:
    """Mean F1 of the sentiments that the present model says often enough."""
    labels = (*TOWARD, Sentiment.UNCERTAIN)
    was, now = (np.array([labels.index(one.sentiment) for one in words]) for words in (old, new))
    scores = [score_class(now, was, place) for place in range(len(labels))]
    often = [score.f1 for score in scores if score.n >= LEAST_LABELS]
    return sum(often) / len(often) if often else 1.0


def measure_ece(old: Sequence[HeadWord], words: Sequence[HeadWord]) -> float:
    """Calibration of the likeliest of the three classes, over mentions of which the present model says one of them."""
    rows = [(one.sentiment, word.probabilities) for one, word in zip(old, words, strict=True) if one.sentiment in CLASSES]
    if not rows:
        return 0.0
    best = [max(CLASSES, key=lambda label: odds[str(label)]) for _, odds in rows]
    sure = np.array([odds[str(label)] for (_, odds), label in zip(rows, best, strict=True)])
    return round(calibration_error(sure, np.array([label is was for label, (was, _) in zip(best, rows, strict=True)])), 4)
