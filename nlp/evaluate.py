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
# the share of negative texts that monitoring wants to find
WANTED_RECALL = 0.92
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
    own word "negative" is worth, its thresholds and all. `wanted`: the probability of negative from which WANTED_RECALL of the negative texts
    are found, and how many of those found then are negative. `ece_by_chance`: the mean `ece` of a perfectly calibrated judge with the same
    confidence on so few texts.
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
    wanted: tuple[float, float]
    ece_by_chance: float

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that the set has."""
        return sum(score.f1 for score in self.classes.values()) / len(self.classes)


@dataclass(frozen=True)
class EvaluationReport:
    """All sets of one model; `files`: name → SHA-256 of what it was measured on.

    `pooled`: calibration error and number of all texts of the sets that are seen, and of those that are not; each text once.
    """

    model: str
    files: Mapping[str, str]
    sets: tuple[SetReport, ...]
    pooled: tuple[tuple[float, int], ...] = ()

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
            sets.append(SetReport(**{**row, "classes": classes, "alarm": Score(**row["alarm"]), "wanted": tuple(row["wanted"])}))
        pooled = tuple((float(error), int(n)) for error, n in found["pooled"])
        return EvaluationReport(str(found["model"]), dict(found["files"]), tuple(sets), pooled)
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
    answers = {name: Answers.ask(judge, rows) for name, rows in sorted({**groups, **unseen}.items())}
    sets = [answers[name].report(name) for name in sorted(groups)]
    for name in EMOTICON_SETS:
        if name in groups:
            sets.append(measure(judge, f"{name} 去表情", groups[name], without_emoticons=True))
    sets += [answers[name].report(name, seen=False) for name in sorted(unseen)]
    pooled = tuple(pool([answers[name] for name in own]) for own in (groups, unseen))
    return EvaluationReport(judge.name, hash_splits(data), tuple(sets), pooled)


@dataclass(frozen=True)
class Answers:
    """What a judge says of the texts of one set. `table` [texts, classes of the set]: probabilities; `words`: its own word."""

    texts: Sequence[str]
    gold: npt.NDArray[np.int64]
    present: Sequence[int]
    table: npt.NDArray[np.float64]
    words: Sequence[Sentiment]

    @classmethod
    def ask(cls, judge: SentimentJudge, rows: Sequence[Labelled], *, without_emoticons: bool = False) -> Answers:
        """Not of an empty set. One without neutral rows is scored between negative and positive only, as its labels mean."""
        texts = [strip_emoticons(row.text) if without_emoticons else row.text for row in rows]
        judged = judge.judge(texts)
        present = sorted({row.label for row in rows})
        table = np.array([[row[str(CLASSES[index])] for index in present] for row in judged])
        return cls(texts, np.array([row.label for row in rows]), present, table, [judge.label(row) for row in judged])

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether the likeliest class is the true one."""
        return np.asarray(self.told == self.gold)

    @property
    def told(self) -> npt.NDArray[np.int64]:
        """The likeliest class."""
        return np.asarray(np.array(self.present)[self.table.argmax(axis=1)], dtype=np.int64)

    @property
    def confidence(self) -> npt.NDArray[np.float64]:
        """Probability of the likeliest class among those of the set."""
        return np.asarray(self.table.max(axis=1) / np.maximum(self.table.sum(axis=1), 1e-9))

    def report(self, name: str, *, seen: bool = True) -> SetReport:
        gold, negative = self.gold, CLASSES.index(Sentiment.NEGATIVE)
        guessed = np.array([judge_by_words(text, self.present) for text in self.texts])
        alarmed = np.array([CLASSES.index(word) if word in CLASSES else len(CLASSES) for word in self.words])
        return SetReport(
            name=name,
            n=len(gold),
            accuracy=round(float(self.right.mean()), 4),
            majority=round(max(Counter(gold.tolist()).values()) / len(gold), 4),
            words=round(float((guessed == gold).mean()), 4),
            classes={str(CLASSES[index]): score_class(self.told, gold, index) for index in self.present},
            ece=round(calibration_error(self.confidence, self.right), 4),
            uncertain=round(list(self.words).count(Sentiment.UNCERTAIN) / len(gold), 4),
            alarm=score_class(alarmed, gold, negative),
            seen=seen,
            wanted=find_wanted(self.table[:, self.present.index(negative)], gold == negative) if negative in self.present else (1.0, 0.0),
            ece_by_chance=round(error_by_chance(self.confidence), 4),
        )


def pool(answers: Sequence[Answers]) -> tuple[float, int]:
    """Calibration error over the texts of all of them together, and how many there are."""
    if not answers:
        return 0.0, 0
    confidence, right = (np.concatenate(parts) for parts in zip(*((one.confidence, one.right) for one in answers), strict=True))
    return round(calibration_error(confidence, right), 4), len(right)


def find_wanted(negative: npt.NDArray[np.float64], real: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """The highest limit that finds WANTED_RECALL of the real ones, and the precision there."""
    limit = float(np.quantile(negative[real], 1 - WANTED_RECALL, method="lower"))
    return round(limit, 4), round(float(real[negative >= limit].mean()), 4)


def hash_splits(data: Path) -> dict[str, str]:
    """File name → SHA-256 of the three splits."""
    return {split_file(data, split).name: hash_file(split_file(data, split)) for split in SPLITS}


def measure(
    judge: SentimentJudge, name: str, rows: Sequence[Labelled], *, seen: bool = True, without_emoticons: bool = False
) -> SetReport:
    """One set, not empty."""
    return Answers.ask(judge, rows, without_emoticons=without_emoticons).report(name, seen=seen)


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


def error_by_chance(confidence: npt.NDArray[np.float64], draws: int = 100) -> float:
    """The mean calibration error where each answer is right with just the probability that is said: what few texts alone bring about."""
    chance = np.random.default_rng(7)
    return float(np.mean([calibration_error(confidence, chance.random(len(confidence)) < confidence) for _ in range(draws)]))


def judge_by_words(text: str, present: Sequence[int]) -> int:
    """Baseline: more good words or more bad ones; a draw is neutral where the set has it, else negative."""
    balance = sum(word in text for word in GOOD) - sum(word in text for word in BAD)
    if balance == 0:
        return 1 if 1 in present else 0
    return 2 if balance > 0 else 0
