"""What one encoder answers at once: the names of its heads, what their outputs mean, and the rows it learns them from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.sentiment import CLASSES
from tingfeng.labels import Act, Owner, Sentiment, Severity, Stage, Topic

ACTS = tuple(act for act in Act if act is not Act.OTHER)
# what may be felt toward a subject, and said of each of its topics
TOWARD = (*CLASSES, Sentiment.MIXED)
OPINIONS = tuple((topic, polarity) for topic in Topic for polarity in CLASSES)
# the ten of CCF-BDCI 2018; trained as a head of its own because its labels are made by people
CAR_ASPECTS = ("价格", "内饰", "动力", "外观", "安全性", "操控", "油耗", "空间", "舒适性", "配置")
OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "sentiment": tuple(map(str, CLASSES)),
    "toward": tuple(map(str, TOWARD)),
    "acts": tuple(map(str, ACTS)),
    "aspects": tuple(f"{topic}:{polarity}" for topic, polarity in OPINIONS),
    "severity": tuple(map(str, Severity)),
    "owner": tuple(map(str, Owner)),
    "stage": tuple(map(str, Stage)),
    "spam": ("spam",),
    "car": CAR_ASPECTS,
}
SIZES: Mapping[str, int] = {name: len(labels) for name, labels in OUTPUTS.items()}
# one of its outputs holds; of the other heads any number
EXCLUSIVE = frozenset({"sentiment", "toward", "severity", "owner", "stage"})
STARTS: Mapping[str, int] = {name: sum(list(SIZES.values())[:place]) for place, name in enumerate(SIZES)}
WIDTH = sum(SIZES.values())


@dataclass(frozen=True)
class Lesson:
    """A text to learn from. `targets`: head → share of each output, 0 … 1; heads that nobody judged are absent.

    `text` may hold the marks of nlp/marking.py: what is judged is then the marked subject. `polar`: its source never says neutral.
    `cues`: character spans, in the normalised text, of the words by which rules judged.
    """

    source: str
    text: str
    targets: Mapping[str, Sequence[float]]
    polar: bool = False
    cues: tuple[tuple[int, int], ...] = ()


def pack_targets(lessons: Sequence[Lesson]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Targets [lessons, WIDTH] and which heads are known [lessons, heads]."""
    targets = np.zeros((len(lessons), WIDTH), dtype=np.float32)
    known = np.zeros((len(lessons), len(SIZES)), dtype=np.float32)
    for row, lesson in enumerate(lessons):
        for place, name in enumerate(SIZES):
            if name in lesson.targets:
                known[row, place] = 1
                targets[row, STARTS[name] : STARTS[name] + SIZES[name]] = lesson.targets[name]
    return targets, known


def cut_head(name: str, table: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The columns of one head."""
    return np.asarray(table[:, STARTS[name] : STARTS[name] + SIZES[name]], dtype=np.float64)


def one_hot(size: int, index: int) -> list[float]:
    """All of it on one output."""
    return [float(place == index) for place in range(size)]


def mark(labels: Sequence[str], found: Collection[str]) -> list[float]:
    """1 for each label that was found."""
    return [float(label in found) for label in labels]
