"""What one encoder answers at once: the names of its heads, what their outputs mean, and the rows it learns them from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.sentiment import CLASSES
from tingfeng.labels import Act, Severity, Topic

ACTS = tuple(act for act in Act if act is not Act.OTHER)
# the ten of CCF-BDCI 2018; trained as a head of its own because its labels are made by people
CAR_ASPECTS = ("价格", "内饰", "动力", "外观", "安全性", "操控", "油耗", "空间", "舒适性", "配置")
OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "sentiment": tuple(str(label) for label in CLASSES),
    "acts": tuple(str(act) for act in ACTS),
    "topics": tuple(str(topic) for topic in Topic),
    "severity": tuple(str(severity) for severity in Severity),
    "car": CAR_ASPECTS,
}
SIZES: Mapping[str, int] = {name: len(labels) for name, labels in OUTPUTS.items()}
# one of its outputs holds; of the other heads any number
EXCLUSIVE = frozenset({"sentiment", "severity"})
STARTS: Mapping[str, int] = {name: sum(list(SIZES.values())[:place]) for place, name in enumerate(SIZES)}
WIDTH = sum(SIZES.values())


@dataclass(frozen=True)
class Lesson:
    """A text to learn from. `targets`: head → share of each output, 0 … 1; heads that nobody judged are absent.

    `polar`: its source never says neutral. `cues`: character spans, in the normalised text, of the words by which rules judged.
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


def one_hot(size: int, index: int) -> list[float]:
    """All of it on one output."""
    return [float(place == index) for place in range(size)]


def mark(labels: Sequence[str], found: Collection[str]) -> list[float]:
    """1 for each label that was found."""
    return [float(label in found) for label in labels]
