"""Trains the linear sentiment judge and writes weights, card and measurements. Same data and seed, same bytes."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.evaluate import REPORT_FILE, EvaluationReport, evaluate
from nlp.evaluation_page import TrainingFacts, render_card
from nlp.labelled import CORRECTIONS, Labelled, leave_out, read_letters, read_split, strip_emoticons
from nlp.ngrams import hash_texts
from nlp.sentiment import (
    CLASSES,
    SETTINGS_FILE,
    WEIGHTS_FILE,
    LinearSentiment,
    LinearSettings,
    describe_settings,
    hash_weights,
    softmax,
)
from tingfeng.errors import UsageError
from tingfeng.labels import Sentiment

Progress = Callable[[str, float], None]
EMOTICON_SOURCES = frozenset({"wb100k", "weibo2018", "smp_u", "smp_v", "emo8"})
# noisy labels count less: emoticons as labels, sentence fragments, a car forum whose neutral is mostly "not said"
TRUST = {"wb100k": 0.5, "emo8": 0.5, "ccf": 0.7}
UNCERTAIN_SHARE = 0.08
# a text with nothing to read has 0.3333 for each class and must stay undecided
LEAST_THRESHOLD = 0.34
ROUNDS = 80


@dataclass(frozen=True)
class TrainResult:
    """Where the model lies, its name and what was measured on held-out data."""

    folder: Path
    name: str
    report: EvaluationReport


@dataclass(frozen=True)
class Fitted:
    """A trained model in memory."""

    weights: npt.NDArray[np.int8]
    settings: LinearSettings

    @property
    def judge(self) -> LinearSentiment:
        return LinearSentiment(self.weights, self.settings)


@dataclass(frozen=True)
class Learnt:
    """A trained model that is written nowhere yet, and what was measured."""

    fitted: Fitted
    facts: TrainingFacts
    report: EvaluationReport


def train_sentiment(
    data: Path, out: Path, *, seed: int = 7, rounds: int = ROUNDS, progress: Progress | None = None
) -> TrainResult:
    """Reads the three splits in `data`, writes `weights.npz`, `model.json`, `evaluation.json`, `MODEL_CARD.md` into `out`.

    `progress` is told a Chinese word for the stage and the share of it that is done, 0 … 1. Nothing is written before all is
    measured. Raises UsageError for missing or broken data, ModelError without torch.
    """
    learnt = learn_sentiment(data, seed=seed, rounds=rounds, progress=progress)
    write_model(out, learnt.fitted, learnt.facts, learnt.report)
    return TrainResult(out, learnt.report.model, learnt.report)


def learn_sentiment(
    data: Path,
    corrections: Sequence[Labelled] = (),
    *,
    strength: float = 1.0,
    seed: int = 7,
    rounds: int = ROUNDS,
    progress: Progress | None = None,
) -> Learnt:
    """The same without writing. `corrections` are further training rows, of source CORRECTIONS, each worth `strength` others."""
    tell: Progress = progress or (lambda what, done: None)
    tell("读取", 0.0)
    test = read_split(data, "test")
    dev = leave_out(read_split(data, "dev"))
    train = drop_known([*leave_out(read_split(data, "train")), *corrections], [*dev, *test])
    if not train or not dev:
        raise UsageError("训练或验证数据是空的", where=str(data), hint="至少各要几句")
    trust = {**TRUST, CORRECTIONS: strength}
    fitted = fit_judge(train, dev, seed=seed, rounds=rounds, progress=tell, trust=trust)
    tell("评测", 0.0)
    report = evaluate(fitted.judge, data)
    counted = Counter(f"{row.source}/{CLASSES[row.label]}" for row in train)
    tell("评测", 1.0)
    return Learnt(fitted, TrainingFacts(seed, rounds, dict(counted)), report)


def fit_judge(
    train: Sequence[Labelled],
    dev: Sequence[Labelled],
    *,
    seed: int,
    rounds: int,
    progress: Progress,
    trust: Mapping[str, float] = TRUST,
) -> Fitted:
    """Weights from `train`; temperature and threshold from `dev`."""
    from nlp.torch_models import fit_linear

    labels = np.array([row.label for row in train], dtype=np.int64)
    lukewarm = {row.source for row in train if CLASSES[row.label] is Sentiment.NEUTRAL}
    # a person who corrects could always have said neutral
    polar = np.array([row.source not in lukewarm | {CORRECTIONS} for row in train], dtype=np.bool_)
    bags = hash_texts(drop_emoticons(train, seed))
    found, bias = fit_linear(bags, labels, weigh_rows(train, trust), polar, rounds=rounds, progress=progress)
    weights, scale = quantise(found)
    steps, shift = tuple(map(float, scale)), tuple(map(float, bias))
    draft = LinearSettings(steps, shift, 1.0, 0.0, hash_weights(weights, steps, shift))
    scores = LinearSentiment(weights, draft).score([row.text for row in dev])
    temperature = fit_temperature(scores, np.array([row.label for row in dev]))
    threshold = max(LEAST_THRESHOLD, round(fit_threshold(softmax(scores / temperature)), 4))
    return Fitted(weights, replace(draft, temperature=temperature, threshold=threshold))


def write_model(out: Path, fitted: Fitted, facts: TrainingFacts, report: EvaluationReport) -> None:
    """The four files of a model."""
    out.mkdir(parents=True, exist_ok=True)
    write_weights(out / WEIGHTS_FILE, fitted.weights)
    write_json(out / SETTINGS_FILE, describe_settings(fitted.settings))
    write_json(out / REPORT_FILE, report.to_dict())
    (out / "MODEL_CARD.md").write_text(render_card(fitted.settings, facts, report), "utf-8")


def drop_known(rows: Sequence[Labelled], held: Sequence[Labelled]) -> list[Labelled]:
    """Without texts that are measured on: same letters and digits, emoticons aside."""
    known = {read_letters(row.text) for row in held} - {""}
    return [row for row in rows if read_letters(row.text) not in known]


def drop_emoticons(rows: Sequence[Labelled], seed: int) -> list[str]:
    """Half of the microblog rows lose their `[泪]`, so that the model reads both kinds."""
    coin = np.random.default_rng(seed).random(len(rows)) < 0.5
    return [
        strip_emoticons(row.text) if flip and row.source in EMOTICON_SOURCES else row.text
        for row, flip in zip(rows, coin, strict=True)
    ]


def weigh_rows(rows: Sequence[Labelled], trusted: Mapping[str, float] = TRUST) -> npt.NDArray[np.float32]:
    """Rare classes weigh more, by the square root of their rarity; noisy sources count less. Mean 1."""
    trust = np.array([trusted.get(row.source, 1.0) for row in rows])
    labels = np.array([row.label for row in rows])
    mass = np.bincount(labels, weights=trust, minlength=len(CLASSES))
    weights = trust * np.sqrt(trust.sum() / np.maximum(mass, 1e-9))[labels]
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def quantise(weights: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float64]]:
    """int8 with one scale per class; the rarest 0.01 % of weights are clipped so that the others keep their resolution."""
    limits = np.maximum(np.quantile(np.abs(weights), 0.9999, axis=0), 1e-6)
    scales = np.asarray(limits / 127, dtype=np.float64)
    return np.clip(np.round(weights / scales), -127, 127).astype(np.int8), scales


def fit_temperature(scores: npt.NDArray[np.float64], gold: npt.NDArray[np.int64]) -> float:
    """The temperature with the least log loss (Guo et al., 2017), by a fine grid."""

    def loss(temperature: float) -> float:
        chosen = softmax(scores / temperature)[np.arange(len(gold)), gold]
        return float(-np.log(np.maximum(chosen, 1e-9)).mean())

    return min((round(0.3 + 0.02 * step, 2) for step in range(200)), key=loss)


def fit_threshold(probabilities: npt.NDArray[np.float64]) -> float:
    """The probability under which UNCERTAIN_SHARE of held-out texts would be left undecided."""
    return float(np.quantile(probabilities.max(axis=1), UNCERTAIN_SHARE))


def write_weights(file: Path, weights: npt.NDArray[np.int8]) -> None:
    """Like np.savez_compressed, but without the clock in it: same weights, same bytes."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, weights, allow_pickle=False)
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("weights.npy", (2020, 1, 1, 0, 0, 0))
        archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


def write_json(file: Path, value: object) -> None:
    """Sorted and indented: readable diffs."""
    file.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
