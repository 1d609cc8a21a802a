"""Whether a retrained model may take the place of the present one: on held-out data it must not be worse in what monitoring lives on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nlp.evaluate import EvaluationReport, SetReport
from nlp.labelled import Labelled
from nlp.sentiment import CLASSES, SentimentJudge

# of a mean over all sets (thousands of texts), and of one set (a few hundred): less is what chance does to two equal models
MEAN_ALLOWED, SET_ALLOWED = 0.002, 0.03
# fewer corrections prove nothing
LEAST_CORRECTIONS = 20
MEASURES: Mapping[str, tuple[Callable[[SetReport], float], int]] = {
    "负面查全": (lambda one: one.alarm.recall, 1),
    "宏 F1": (lambda one: one.macro_f1, 1),
    "ECE": (lambda one: one.ece, -1),
}


@dataclass(frozen=True)
class Comparison:
    """One figure of the present model and of the new one. `sign` +1: more is better; `allowed`: what it may lose."""

    what: str
    old: float
    new: float
    sign: int
    allowed: float

    @property
    def is_worse(self) -> bool:
        return (self.old - self.new) * self.sign > self.allowed

    @property
    def words(self) -> str:
        """For people."""
        mark = f"变差了,最多容许 {self.allowed}" if self.is_worse else "通过"
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
