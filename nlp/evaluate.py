"""Measures a sentiment judge on held-out sets, per class and per set with n, beside two simple baselines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.labelled import HELD_OUT, SPLITS, Labelled, hash_file, read_split, read_unseen, split_file, strip_emoticons
from nlp.sentiment import CLASSES, SentimentJudge
from tingfeng.errors import ModelError
from tingfeng.labels import Sentiment

# the baseline a person would write in five minutes
GOOD = ("好", "喜欢", "满意", "不错", "推荐", "棒", "赞", "开心", "漂亮", "舒服", "值得", "快", "美")
BAD = ("差", "坏", "烂", "垃圾", "失望", "退", "假", "慢", "骗", "难", "后悔", "投诉", "气", "恶心", "死", "哭", "怒")
# sets whose emoticons give the label away: measured without them too
EMOTICON_SETS = ("wb100k", "weibo2018")
REPORT_FILE = "evaluation.json"


@dataclass(frozen=True)
class Score:
    """Precision, recall, F1 of one class; n = its gold rows."""

    precision: float
    recall: float
    f1: float
    n: int


@dataclass(frozen=True)
class SetReport:
    """One set. `majority`, `words`: accuracy of always saying the commonest class, and of the word lists above.

    `uncertain`: share left undecided by the judge's own threshold (scores count the likeliest class all the same).
    `seen`: other texts of the same source were trained on. `ece`: expected calibration error, 0 … 1. `alarm`: what the judge's
    own word "negative" is worth, its thresholds and all.
    """

    name: str
    n: int
    accuracy: float
    majority: float
    words: float
    classes: Mapping[str, Score]
    ece: float
    uncertain: float
    alarm: Score
    seen: bool

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that the set has."""
        return sum(score.f1 for score in self.classes.values()) / len(self.classes)


@dataclass(frozen=True)
class EvaluationReport:
    """All sets of one model; `files`: name → SHA-256 of what it was measured on."""

    model: str
    files: Mapping[str, str]
    sets: tuple[SetReport, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def read_report(folder: Path) -> EvaluationReport:
    """The report that training stored in `folder`. Raises ModelError naming the file."""
    file = folder / REPORT_FILE
    try:
        found = json.loads(file.read_text("utf-8"))
        sets = []
        for row in found["sets"]:
            classes = {name: Score(**score) for name, score in row["classes"].items()}
            sets.append(SetReport(**{**row, "classes": classes, "alarm": Score(**row["alarm"])}))
        return EvaluationReport(str(found["model"]), dict(found["files"]), tuple(sets))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"评测结果缺失或损坏({error})", where=str(file), hint="请运行 tingfeng train") from error


def evaluate(judge: SentimentJudge, data: Path) -> EvaluationReport:
    """Scores on the test split in `data`, each source by itself, and on the unseen domains that lie there.

    Microblog sets also without emoticons. Raises UsageError for missing or broken data.
    """
    groups: dict[str, list[Labelled]] = {}
    unseen: dict[str, list[Labelled]] = {}
    for row in read_split(data, "test"):
        if row.category == HELD_OUT:
            unseen.setdefault(f"{row.source}/{row.category}", []).append(row)
        else:
            groups.setdefault(row.source, []).append(row)
    for row in read_unseen(data):
        unseen.setdefault(row.source, []).append(row)
    sets = [measure(judge, name, rows) for name, rows in sorted(groups.items())]
    for name in EMOTICON_SETS:
        if name in groups:
            sets.append(measure(judge, f"{name} 去表情", groups[name], without_emoticons=True))
    sets += [measure(judge, name, rows, seen=False) for name, rows in sorted(unseen.items())]
    return EvaluationReport(judge.name, hash_splits(data), tuple(sets))


def hash_splits(data: Path) -> dict[str, str]:
    """File name → SHA-256 of the three splits."""
    return {split_file(data, split).name: hash_file(split_file(data, split)) for split in SPLITS}


def measure(
    judge: SentimentJudge, name: str, rows: Sequence[Labelled], *, seen: bool = True, without_emoticons: bool = False
) -> SetReport:
    """One set, not empty. A set without neutral rows is scored between negative and positive only, as its labels mean."""
    texts = [strip_emoticons(row.text) if without_emoticons else row.text for row in rows]
    gold = np.array([row.label for row in rows])
    judged = judge.judge(texts)
    present = sorted({row.label for row in rows})
    table = np.array([[row[str(CLASSES[index])] for index in present] for row in judged])
    told = np.array(present)[table.argmax(axis=1)]
    confidence = table.max(axis=1) / np.maximum(table.sum(axis=1), 1e-9)
    guessed = np.array([judge_by_words(text, present) for text in texts])
    words = [judge.label(row) for row in judged]
    alarmed = np.array([CLASSES.index(word) if word in CLASSES else len(CLASSES) for word in words])
    return SetReport(
        name=name,
        n=len(gold),
        accuracy=round(float((told == gold).mean()), 4),
        majority=round(max(Counter(gold.tolist()).values()) / len(gold), 4),
        words=round(float((guessed == gold).mean()), 4),
        classes={str(CLASSES[index]): score_class(told, gold, index) for index in present},
        ece=round(calibration_error(confidence, told == gold), 4),
        uncertain=round(words.count(Sentiment.UNCERTAIN) / len(gold), 4),
        alarm=score_class(alarmed, gold, CLASSES.index(Sentiment.NEGATIVE)),
        seen=seen,
    )


def score_class(told: npt.NDArray[np.int64], gold: npt.NDArray[np.int64], index: int) -> Score:
    """Precision, recall, F1 of the class `index`; 0 where nothing was said or hit."""
    hit = int(((told == index) & (gold == index)).sum())
    said, real = int((told == index).sum()), int((gold == index).sum())
    precision, recall = hit / said if said else 0.0, hit / real if real else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hit else 0.0
    return Score(round(precision, 4), round(recall, 4), round(f1, 4), real)


def calibration_error(confidence: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], bins: int = 15) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over equal bins, weighted by size (Guo et al., 2017)."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[place == b].mean() - right[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))


def judge_by_words(text: str, present: Sequence[int]) -> int:
    """Baseline: more good words or more bad ones; a draw is neutral where the set has it, else negative."""
    balance = sum(word in text for word in GOOD) - sum(word in text for word in BAD)
    if balance == 0:
        return 1 if 1 in present else 0
    return 2 if balance > 0 else 0
