"""Collects what the heads learn from and draws it in a fixed order: same data and seed, same lessons, wherever a run was cut off."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.labelled import Labelled, hold_out, leave_out, read_letters, read_split
from nlp.outputs import ACTS, CAR_ASPECTS, OUTPUTS, Lesson, mark, one_hot
from nlp.rules import WeakLabels
from nlp.sentiment import CLASSES
from nlp.train import drop_known
from tingfeng.labels import PostKind, Sentiment

INVENTED = "invented"
CAR_FILE = "ccf_bdci2018_auto.csv.gz"
# texts without labels: file → how its source is called and what kind of post its texts are
UNLABELLED: Mapping[str, tuple[str, PostKind]] = {
    "eprstmt_unlabeled.json.gz": ("eprstmt", PostKind.REVIEW),
    "zhengwu_complaints_495.csv.gz": ("zhengwu", PostKind.TICKET),
}
TEXT_FIELDS = ("sentence", "留言详情")
REVIEWS = frozenset({"osh", "resto"})
WeakJudge = Callable[[str, PostKind], WeakLabels]
# share of each source in what is drawn; a source may come round several times before another is through
MIX: Mapping[str, float] = {
    "osh": 0.36, "wb100k": 0.09, "weibo2018": 0.08, "smp_u": 0.04, "smp_v": 0.09, "emo8": 0.11, "ccf": 0.08, "resto": 0.08,
    "eprstmt": 0.06, "zhengwu": 0.01,
}  # fmt: skip
# the same where posts about subjects are learnt, old lessons between them: the sentiment of a review is one toward a subject without a name
TUNING_MIX: Mapping[str, float] = {
    INVENTED: 0.62, "osh": 0.13, "wb100k": 0.03, "weibo2018": 0.03, "smp_u": 0.02, "smp_v": 0.04, "emo8": 0.03, "ccf": 0.07, "resto": 0.03,
}  # fmt: skip
CHUNK = 2048


def read_lessons(data: Path, split: str) -> list[Lesson]:
    """The labelled sentences of a split, but for the held-out category, with the car aspects that people marked.

    Training rows that differ from measured ones in marks only are left out.
    """
    rows = leave_out(read_split(data, split))
    if split == "train":
        rows = drop_known(rows, [row for name in ("dev", "test") for row in read_split(data, name)])
    lukewarm = {row.source for row in rows if CLASSES[row.label] is Sentiment.NEUTRAL}
    cars = read_car_aspects(data)
    lessons = [to_lesson(row, row.source not in lukewarm, cars.get(read_letters(row.text))) for row in rows]
    told = {read_letters(row.text) for name in ("train", "dev", "test") for row in read_split(data, name)}
    mixed = [(letters, car) for letters, car in cars.items() if letters not in told and hold_out(letters) == split]
    return lessons + [Lesson("ccf", car.text, {"car": mark(CAR_ASPECTS, car.aspects)}) for _, car in mixed]


def read_unlabelled(data: Path) -> list[tuple[str, PostKind, str]]:
    """Source, kind and text of what lies in `data` without labels."""
    found: list[tuple[str, PostKind, str]] = []
    for name, (source, kind) in UNLABELLED.items():
        if not (data / name).is_file():
            continue
        with gzip.open(data / name, "rt", encoding="utf-8-sig", newline="") as stream:
            rows = map(json.loads, stream) if ".json" in name else csv.DictReader(stream)
            found += [(source, kind, row[key]) for row in rows for key in TEXT_FIELDS if row.get(key)]
    return found


def add_weak_labels(
    lessons: Sequence[Lesson], data: Path, judge: WeakJudge, *, unlabelled: bool = True
) -> list[Lesson]:
    """The lessons with acts, aspects and severity as rules see them, and the texts without labels as further lessons."""
    kinds = [PostKind.REVIEW if lesson.source in REVIEWS else PostKind.ORIGINAL for lesson in lessons]
    weak = [add_weak(lesson, judge(lesson.text, kind)) for lesson, kind in zip(lessons, kinds, strict=True)]
    more = read_unlabelled(data) if unlabelled else []
    return weak + [add_weak(Lesson(source, text, {}), judge(text, kind)) for source, kind, text in more]


def add_weak(lesson: Lesson, labels: WeakLabels) -> Lesson:
    """One lesson with what the rules say of it; `other` is no act of its own but none of them."""
    told = {
        "acts": mark(ACTS, labels.acts),
        "aspects": mark(OUTPUTS["aspects"], {f"{topic}:{polarity}" for topic, polarity in labels.topics.items()}),
        "severity": one_hot(len(OUTPUTS["severity"]), OUTPUTS["severity"].index(labels.severity)),
    }
    return replace(lesson, targets={**lesson.targets, **told}, cues=labels.cues)


@dataclass(frozen=True)
class CarText:
    """A text of the car forum and the aspects it speaks of."""

    text: str
    aspects: frozenset[str]


def to_lesson(row: Labelled, polar: bool, car: CarText | None) -> Lesson:
    """A labelled sentence, with car aspects where it has some."""
    targets: dict[str, Sequence[float]] = {"sentiment": one_hot(len(CLASSES), row.label)}
    if row.source == "ccf" and car is not None:
        targets["car"] = mark(CAR_ASPECTS, car.aspects)
    return Lesson(row.source, row.text, targets, polar)


def read_car_aspects(data: Path) -> dict[str, CarText]:
    """Letters of a text → text and aspects; empty when the file is not there."""
    file = data / CAR_FILE
    if not file.is_file():
        return {}
    found: dict[str, CarText] = {}
    with gzip.open(file, "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            letters = read_letters(row["content"])
            known = found.get(letters, CarText(row["content"], frozenset()))
            found[letters] = replace(known, aspects=known.aspects | {row["subject"]})
    return found


@dataclass(frozen=True)
class Deck:
    """Deals lessons: chunk k depends on the seed and k alone, so a run goes on anywhere without what was dealt before."""

    members: Mapping[str, npt.NDArray[np.int64]]
    mix: Mapping[str, float]
    seed: int

    @classmethod
    def shuffle(cls, lessons: Sequence[Lesson], mix: Mapping[str, float], seed: int) -> Deck:
        """Sources without a share are not dealt; shares of sources that are missing go to the others."""
        places: dict[str, list[int]] = {}
        for place, lesson in enumerate(lessons):
            places.setdefault(lesson.source, []).append(place)
        here = {source: share for source, share in mix.items() if places.get(source)}
        total = sum(here.values())
        members = {source: np.array(places[source], dtype=np.int64) for source in here}
        return cls(members, {source: share / total for source, share in here.items()}, seed)

    def deal(self, chunk: int) -> npt.NDArray[np.int64]:
        """About CHUNK lessons, each source going round its own shuffled rows."""
        dealt = [self._go_round(source, chunk, round(share * CHUNK)) for source, share in self.mix.items()]
        return np.concatenate(dealt)

    def _go_round(self, source: str, chunk: int, count: int) -> npt.NDArray[np.int64]:
        rows = self.members[source]
        places = np.arange(chunk * count, (chunk + 1) * count)
        found = np.empty(count, dtype=np.int64)
        for lap in np.unique(places // len(rows)):
            here = places // len(rows) == lap
            order = np.random.default_rng([self.seed, int(lap), digest(source)]).permutation(rows)
            found[here] = order[places[here] % len(rows)]
        return found


def digest(name: str) -> int:
    """A number that is the same on every machine."""
    return int(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:8], 16)


def cut_batches(
    lengths: npt.NDArray[np.int64], budget: int, chance: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """Places of texts of like length, each batch at most `budget` pieces with its padding; batches in random order."""
    order = np.lexsort((chance.random(len(lengths)), lengths))
    batches: list[npt.NDArray[np.int64]] = []
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and (end - start + 1) * lengths[order[end]] <= budget:
            end += 1
        batches.append(order[start:end])
        start = end
    for place in chance.permutation(len(batches)):
        yield batches[place]
