"""Sentiment by a linear softmax over hashed character grams: numpy only, weights as int8. `tingfeng train` makes the weights."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nlp.heads import Heads
from nlp.ngrams import BUCKETS, hash_texts
from tingfeng.errors import ModelError
from tingfeng.labels import Sentiment

CLASSES = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)
FOLDER = Path(__file__).resolve().parent / "weights" / "sentiment"
ENCODER_FOLDER = FOLDER.parent / "encoder"
ENCODER_ENGINE, FAST_ENGINE, LINEAR_ENGINE = "encoder+linear", "linear, encoder where unsure", "linear"
TAUGHT_ENGINE = f"{ENCODER_ENGINE}+corrections"
WEIGHTS_FILE, SETTINGS_FILE, LAYER_FILE = "weights.npz", "model.json", "layer.json"
BATCH = 256
RESTORE = "请运行 tingfeng train 重新训练,或从代码库恢复 nlp/weights/sentiment"


class SentimentJudge(Protocol):
    """What the pipeline asks of any sentiment model.

    `name` is the model version stored with each mention; `engine` says what judges, and in brackets why where it is only the second choice.
    `heads` judge acts, topics and severity, where the model has them.
    """

    name: str
    engine: str
    heads: Heads | None

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Calibrated probabilities of negative, neutral and positive for each text; alike for a text with nothing to read."""
        ...

    def label(self, probabilities: Mapping[str, float]) -> Sentiment:
        """The likeliest class, or UNCERTAIN when none is likely enough."""
        ...


@dataclass(frozen=True)
class LinearSettings:
    """What stands in model.json beside the int8 weights. `scale`: what one int8 step is worth, `bias`: both one per class.

    Scores are divided by `temperature`; a likeliest class under `threshold` is UNCERTAIN. `version` = short hash of the weights.
    """

    scale: tuple[float, ...]
    bias: tuple[float, ...]
    temperature: float
    threshold: float
    version: str
    classes: tuple[str, ...] = tuple(str(label) for label in CLASSES)
    buckets: int = BUCKETS


def hash_weights(weights: npt.NDArray[np.int8], scale: Sequence[float], bias: Sequence[float]) -> str:
    """Eight hex digits that name these weights."""
    return hashlib.sha256(weights.tobytes() + np.array([*scale, *bias]).tobytes()).hexdigest()[:8]


class LinearSentiment:
    """Weights int8 [BUCKETS, 3]; temperature and threshold from held-out data."""

    engine: str = LINEAR_ENGINE
    heads: Heads | None = None

    def __init__(self, weights: npt.NDArray[np.int8], settings: LinearSettings) -> None:
        self._weights, self._settings = weights, settings
        self._scale, self._bias = np.array(settings.scale), np.array(settings.bias)
        self.name = f"linear-{settings.version}"

    @classmethod
    def load(cls, path: Path | None = None) -> LinearSentiment:
        """Reads a folder with `weights.npz` and `model.json`, the packaged one by default.

        Raises ModelError naming the file and the command that restores it.
        """
        folder = path or FOLDER
        settings = read_settings(folder / SETTINGS_FILE)
        weights = read_weights(folder / WEIGHTS_FILE)
        if hash_weights(weights, settings.scale, settings.bias) != settings.version:
            raise ModelError("权重与 model.json 不是同一次训练的", where=str(folder / WEIGHTS_FILE), hint=RESTORE)
        return cls(weights, settings)

    @property
    def temperature(self) -> float:
        """What the raw scores are divided by."""
        return self._settings.temperature

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        found: list[dict[str, float]] = []
        for start in range(0, len(texts), BATCH):
            chunk = softmax(self.score(texts[start : start + BATCH]) / self._settings.temperature)
            found += [
                {str(label): round(value, 4) for label, value in zip(CLASSES, row, strict=True)}
                for row in chunk.tolist()
            ]
        return found

    def score(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Raw scores, float64 [texts, 3]; three zeros where there is nothing to read."""
        bags = hash_texts(texts)
        summed = np.add.reduceat(self._weights[bags.buckets].astype(np.int32), bags.offsets, axis=0)
        scores = summed * self._scale / np.sqrt(bags.sizes)[:, None] + self._bias
        return np.where(bags.blank[:, None], 0.0, scores)

    def label(self, probabilities: Mapping[str, float]) -> Sentiment:
        return choose_label(probabilities, self._settings.threshold)


def read_settings(file: Path) -> LinearSettings:
    """Raises ModelError when the file is missing, damaged or made for other classes or buckets."""
    try:
        found = json.loads(file.read_text("utf-8"))
        settings = LinearSettings(
            scale=tuple(float(value) for value in found["scale"]),
            bias=tuple(float(value) for value in found["bias"]),
            temperature=float(found["temperature"]),
            threshold=float(found["threshold"]),
            version=str(found["version"]),
            classes=tuple(found["classes"]),
            buckets=int(found["buckets"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"模型文件缺失或损坏({error})", where=str(file), hint=RESTORE) from error
    wanted = LinearSettings((), (), 1.0, 0.0, "")
    shaped = len(settings.scale) == len(settings.bias) == len(CLASSES) and settings.temperature > 0
    if (settings.classes, settings.buckets) != (wanted.classes, wanted.buckets) or not shaped:
        raise ModelError("模型的类别或桶数与这个版本不合", where=str(file), hint=RESTORE)
    return settings


def read_weights(file: Path) -> npt.NDArray[np.int8]:
    """Raises ModelError when the file is missing, damaged or of another shape."""
    try:
        # opened here because np.load leaves the file open when it is no archive
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as packed:
            weights: npt.NDArray[np.int8] = packed["weights"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"模型文件缺失或损坏({error})", where=str(file), hint=RESTORE) from error
    if weights.shape != (BUCKETS, len(CLASSES)) or weights.dtype != np.int8:
        raise ModelError(f"权重的形状 {weights.shape} 不对", where=str(file), hint=RESTORE)
    return weights


def describe_settings(settings: LinearSettings) -> dict[str, object]:
    """For model.json."""
    return asdict(settings)


def choose_label(probabilities: Mapping[str, float], threshold: float) -> Sentiment:
    """The likeliest class at or above the threshold, else UNCERTAIN."""
    best = max(CLASSES, key=lambda label: probabilities.get(label, 0.0))
    return best if probabilities.get(best, 0.0) >= threshold else Sentiment.UNCERTAIN


def softmax(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rows that add up to 1."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def load_sentiment(model: str, safety_from: float | None = None) -> SentimentJudge:
    """`linear`, `encoder`, `fast`, or a folder: a linear model, what corrections taught the encoder, or a local Hugging Face sequence
    classifier. Raises ModelError.

    `safety_from`: the probability from which the encoder's heads say safety, in the place of its own.
    """
    if model == "linear" or (Path(model) / WEIGHTS_FILE).is_file():
        return LinearSentiment.load(None if model == "linear" else Path(model))
    if model in ("encoder", "fast"):
        return load_encoder(fast=model == "fast", safety_from=safety_from)
    if is_layer(Path(model)):
        return load_taught(Path(model), safety_from)
    from nlp.torch_models import TransformerSentiment

    return TransformerSentiment.load(Path(model))


def load_encoder(folder: Path = ENCODER_FOLDER, *, fast: bool = False, safety_from: float | None = None) -> SentimentJudge:
    """The encoder; when it cannot be loaded the linear model, whose `engine` then says why. Raises ModelError without either."""
    try:
        from nlp.encoder_judge import EncoderJudge

        return EncoderJudge.load(folder, fast=fast, safety_from=safety_from)
    except ModelError as error:
        second = LinearSentiment.load()
        second.engine = f"{LINEAR_ENGINE}({error.message})"
        return second


def is_layer(folder: Path) -> bool:
    """Whether it holds what corrections taught the encoder (nlp/layer.py)."""
    return (folder / LAYER_FILE).is_file()


def load_taught(folder: Path, safety_from: float | None = None) -> SentimentJudge:
    """The encoder with the layer of a folder; without it, and with the reason in `engine`, when it does not fit."""
    judge = load_encoder(safety_from=safety_from)
    try:
        from nlp.encoder_judge import EncoderJudge
        from nlp.layer import Layer

        return judge.with_layer(Layer.load(folder)) if isinstance(judge, EncoderJudge) else judge
    except ModelError as error:
        judge.engine = f"{judge.engine}(没有用上改正:{error.message})"
        return judge
