"""The gold set: invented posts labelled for every judgement (LABELS), only ever measured on. Reads it and scores a judge on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from nlp.evaluate import Score, calibration_error
from nlp.whole import join_mentions
from tingfeng.errors import UsageError
from tingfeng.labels import Act, Content, Owner, PostKind, Sentiment, Severity, Stage
from tingfeng.records import JudgedPost, Post, Subject
from tingfeng.text import normalise

AT = datetime(2026, 11, 20, tzinfo=UTC)
FELT = ("positive", "neutral", "negative", "mixed")
NEGATIVE = str(Sentiment.NEGATIVE)
Triple = tuple[str, str, str]
Judge = Callable[[Post, Sequence[Subject]], JudgedPost]


@dataclass(frozen=True)
class Labels:
    """What can be said of a post, by people or by a judge. `sentiments`: subject → label; `opinions`: (subject, topic, polarity)."""

    sentiments: Mapping[str, str]
    acts: frozenset[str]
    opinions: frozenset[Triple]
    severity: str
    demands: frozenset[str]
    effort: Mapping[str, int]
    owner: str
    stage: str
    switched_to: str
    spam: bool


@dataclass(frozen=True)
class GoldPost(Labels):
    """One post and what is true of it."""

    post: Post
    slices: tuple[str, ...]
    subjects: tuple[Subject, ...]


@dataclass(frozen=True)
class Told(Labels):
    """What the judge says: the judgements of all mentions of a post together. `chances`: subject → probability of each class."""

    chances: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Slice:
    """The subjects of one kind of post: share whose sentiment is right, and how many of the negative ones are called negative."""

    accuracy: float
    n: int
    negative_recall: float
    negatives: int


@dataclass(frozen=True)
class GoldReport:
    """Scores by class of each closed set, and single figures by name: (value, n). `ece`: calibration error of sentiment, and its n."""

    n: int
    acts: Mapping[str, Score]
    sentiment: Mapping[str, Score]
    severity: Mapping[str, Score]
    topics: Mapping[str, Score]
    owner: Mapping[str, Score]
    stage: Mapping[str, Score]
    demands: Mapping[str, Score]
    figures: Mapping[str, tuple[float, int]]
    slices: Mapping[str, Slice]
    ece: tuple[float, int]


Pair = tuple[GoldPost, Told]


def read_gold(folder: Path) -> list[GoldPost]:
    """All files of the folder. Raises UsageError naming file and line."""
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            try:
                found.append(parse_gold(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(f"标注读不懂({error})", where=f"{file}:{number}", hint="格式见 tests/nlp/gold") from error
    if not found:
        raise UsageError("没有标注", where=str(folder), hint="请给出含 *.jsonl 的文件夹")
    return found


def parse_gold(row: Mapping[str, object]) -> GoldPost:
    """Raises ValueError, KeyError or TypeError for a row that is not one."""
    subjects = [dict(one) for one in list_of(row["subjects"])]
    names = [Subject(str(one["name"]), tuple(one["aliases"])) for one in subjects]
    title, text = str(row["title"] or ""), str(row["text"])
    rating = row["rating"]
    post = Post(
        "gold", str(row["id"]), PostKind(str(row["kind"])), text, AT, title=title, published_at=AT,
        rating=rating if isinstance(rating, int) else None, extras=say_about(f"{title}\n{text}", names),
    )  # fmt: skip
    return GoldPost(
        post=post,
        slices=tuple(map(str, list_of(row["slices"]))),
        subjects=tuple(names),
        sentiments={str(one["name"]): str(Sentiment(one["sentiment"])) for one in subjects},
        acts=frozenset(str(Act(act)) for act in list_of(row["acts"])),
        opinions=frozenset((one["subject"], one["topic"], one["polarity"]) for one in list_of(row["aspects"])),
        severity=str(Severity(str(row["severity"]))),
        demands=frozenset(map(str, list_of(row["demands"]))),
        effort=dict(row["effort"]) if isinstance(row["effort"], dict) else {},
        owner=str(Owner(str(row["owner"]))),
        stage=str(Stage(str(row["stage"]))),
        switched_to=str(row["competitor_switch"] or ""),
        spam=bool(row["spam"]),
    )


def list_of(value: object) -> list[Any]:
    """Raises TypeError for what is no list."""
    if not isinstance(value, list):
        raise TypeError("需要一个列表")
    return value


def say_about(whole: str, subjects: Sequence[Subject]) -> dict[str, str]:
    """A review on a product page need not name the product; the page does."""
    plain = normalise(whole)
    named = any(normalise(word) in plain for one in subjects for word in (one.name, *one.aliases))
    return {} if named or not subjects else {"about": subjects[0].name}


def tell(judged: JudgedPost) -> Told:
    """The judgements of all mentions of a post together."""
    mentions = judged.mentions
    whole = join_mentions(mentions)
    return Told(
        sentiments={one.subject: str(one.sentiment) for one in mentions},
        acts=frozenset(map(str, whole.acts)),
        opinions=frozenset((one.subject, str(o.topic), str(o.polarity)) for one in mentions for o in one.opinions),
        severity=str(whole.severity or ""),
        demands=frozenset(demand for one in mentions for demand in one.demands),
        effort={name: n for one in mentions for name, n in one.effort.items()},
        owner=str(whole.owner or ""),
        stage=str(whole.stage or ""),
        switched_to=next((one.switched_to for one in mentions if one.switched_to), ""),
        spam=judged.content is Content.SPAM,
        chances={one.subject: one.probabilities for one in mentions},
    )


def score_gold(gold: Sequence[GoldPost], judge: Judge) -> GoldReport:
    """Judges every post with its own subjects and compares."""
    pairs = [(one, tell(judge(one.post, one.subjects))) for one in gold]
    return GoldReport(
        n=len(gold),
        acts=score_sets([(one.acts, said.acts) for one, said in pairs], map(str, Act)),
        sentiment=score_labels([(label, said) for label, said, _ in list_subjects(pairs)], FELT),
        severity=score_labels([(one.severity, said.severity) for one, said in pairs], map(str, Severity)),
        topics=score_sets([(topics_of(one.opinions), topics_of(said.opinions)) for one, said in pairs], None),
        owner=score_labels([(one.owner, said.owner) for one, said in pairs], map(str, Owner)),
        stage=score_labels([(one.stage, said.stage) for one, said in pairs], map(str, Stage)),
        demands=score_sets([(one.demands, said.demands) for one, said in pairs], None),
        figures=measure_figures(pairs),
        slices={name: measure_slice([p for p in pairs if name in p[0].slices]) for name in list_slices(gold)},
        ece=measure_calibration(pairs),
    )


def list_subjects(pairs: Sequence[Pair]) -> list[tuple[str, str, Mapping[str, float]]]:
    """(label, what was said, probabilities) of each subject; '' where the judge did not find it."""
    return [
        (label, said.sentiments.get(name, ""), said.chances.get(name, {}))
        for one, said in pairs
        for name, label in one.sentiments.items()
    ]


def list_slices(gold: Sequence[GoldPost]) -> list[str]:
    """Names of the kinds of posts."""
    return sorted({name for one in gold for name in one.slices})


def measure_slice(pairs: Sequence[Pair]) -> Slice:
    """Sentiment on some of the posts."""
    told = [(label, said) for label, said, _ in list_subjects(pairs)]
    right = sum(label == said for label, said in told)
    negative = score([(label == NEGATIVE, said == NEGATIVE) for label, said in told])
    return Slice(round(right / max(1, len(told)), 4), len(told), negative.recall, negative.n)


def measure_calibration(pairs: Sequence[Pair]) -> tuple[float, int]:
    """Calibration error of the likeliest class, over subjects that were found. `mixed` has no probability of its own, so it is never right."""
    rows = [(label, chances) for label, _, chances in list_subjects(pairs) if chances]
    best = [max(chances, key=lambda name: chances[name]) for _, chances in rows]
    confidence = np.array([chances[name] for name, (_, chances) in zip(best, rows, strict=True)], dtype=np.float64)
    right = np.array([name == label for name, (label, _) in zip(best, rows, strict=True)], dtype=np.bool_)
    return round(calibration_error(confidence, right), 4), len(rows)


def measure_figures(pairs: Sequence[Pair]) -> dict[str, tuple[float, int]]:
    """Single figures of what has no classes of its own, or too many."""
    switches = [(frozenset({one.switched_to} - {""}), frozenset({said.switched_to} - {""})) for one, said in pairs]
    spam = [(frozenset({"spam"} if one.spam else ()), frozenset({"spam"} if said.spam else ())) for one, said in pairs]
    efforts = [(frozenset(one.effort.items()), frozenset(said.effort.items())) for one, said in pairs]
    matched = [bool(said) for _, said, _ in list_subjects(pairs)]
    return {
        "aspect_micro_f1": micro_f1([(pair_of(one.opinions), pair_of(said.opinions)) for one, said in pairs]),
        "opinion_micro_f1": micro_f1([(one.opinions, said.opinions) for one, said in pairs]),
        "demand_micro_f1": micro_f1([(one.demands, said.demands) for one, said in pairs]),
        "effort_micro_f1": micro_f1(efforts),
        "switch_micro_f1": micro_f1(switches),
        "spam_f1": micro_f1(spam),
        "matched": (round(sum(matched) / max(1, len(matched)), 4), len(matched)),
    }


def topics_of(opinions: Iterable[Triple]) -> frozenset[str]:
    """Topics named, of whatever subject."""
    return frozenset(topic for _, topic, _ in opinions)


def pair_of(opinions: Iterable[Triple]) -> frozenset[tuple[str, str]]:
    """Subject and topic without polarity."""
    return frozenset((subject, topic) for subject, topic, _ in opinions)


def micro_f1(pairs: Sequence[tuple[frozenset[Any], frozenset[Any]]]) -> tuple[float, int]:
    """(F1 over all items together, number of true ones)."""
    hit = sum(len(real & said) for real, said in pairs)
    real, said = sum(len(real) for real, _ in pairs), sum(len(said) for _, said in pairs)
    return round(2 * hit / (real + said), 4) if real + said else 0.0, real


def score_sets(
    pairs: Sequence[tuple[frozenset[str], frozenset[str]]], names: Iterable[str] | None
) -> dict[str, Score]:
    """Per class of a set of labels."""
    every = list(names) if names is not None else sorted({name for real, _ in pairs for name in real})
    return {name: score([(name in real, name in said) for real, said in pairs]) for name in every}


def score_labels(pairs: Sequence[tuple[str, str]], names: Iterable[str]) -> dict[str, Score]:
    """Per class of a single label."""
    return {name: score([(real == name, said == name) for real, said in pairs]) for name in names}


def score(pairs: Sequence[tuple[bool, bool]]) -> Score:
    """Precision, recall and F1 of one class; 0 where nothing was said or hit."""
    hit = sum(real and said for real, said in pairs)
    real, said = sum(real for real, _ in pairs), sum(said for _, said in pairs)
    precision, recall = hit / said if said else 0.0, hit / real if real else 0.0
    f1 = 2 * hit / (real + said) if hit else 0.0
    return Score(round(precision, 4), round(recall, 4), round(f1, 4), real)


def macro_f1(scores: Mapping[str, Score]) -> float:
    """Mean F1 of the classes that the gold set has."""
    present = [one.f1 for one in scores.values() if one.n]
    return round(sum(present) / len(present), 4) if present else 0.0
