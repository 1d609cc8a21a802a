"""Sentiment by a linear softmax over hashed character grams: numpy only, weights as int8. `tingfeng train` makes the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nlp.ngrams import BUCKETS, hash_texts
from tingfeng.errors import ModelError
from tingfeng.labels import Sentiment

CLASSES = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)
FOLDER = Path(__file__).resolve().parent / "weights" / "sentiment"
BATCH = 256
RESTORE = "请运行 tingfeng train 重新训练,或从代码库恢复 nlp/weights/sentiment"


class SentimentJudge(Protocol):
    """What the pipeline asks of any sentiment model. `name` is the model version stored with each mention."""

    name: str

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Calibrated probabilities of negative, neutral and positive for each text."""
        ...

    def label(self, probabilities: Mapping[str, float]) -> Sentiment:
        """The likeliest class, or UNCERTAIN when none is likely enough."""
        ...


class LinearSentiment:
    """The default judge. Weights int8 [BUCKETS, 3] with one scale per class; temperature and threshold from held-out data."""

    def __init__(
        self,
        weights: npt.NDArray[np.int8],
        scales: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
        card: Mapping[str, float | str],
    ) -> None:
        self._weights, self._scales, self._bias = weights, scales, bias
        self._temperature, self._threshold = float(card["temperature"]), float(card["threshold"])
        self.name = str(card["name"])

    @classmethod
    def load(cls, folder: Path = FOLDER) -> LinearSentiment:
        """Reads `weights.npz` and `model.json`. Raises ModelError naming the file and the command that restores it."""
        try:
            card = json.loads((folder / "model.json").read_text("utf-8"))
            with np.load(folder / "weights.npz") as packed:
                weights, scales, bias = packed["weights"], packed["scales"], packed["bias"]
            if weights.shape != (BUCKETS, len(CLASSES)) or weights.dtype != np.int8:
                raise ValueError(f"形状 {weights.shape} 不对")
            return cls(weights, scales.astype(np.float32), bias.astype(np.float32), card)
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise ModelError(f"模型文件缺失或损坏({error})", where=str(folder), hint=RESTORE) from error

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        found: list[dict[str, float]] = []
        for start in range(0, len(texts), BATCH):
            chunk = softmax(self.score(texts[start : start + BATCH]) / self._temperature)
            found += [
                {str(label): round(float(value), 4) for label, value in zip(CLASSES, row, strict=True)} for row in chunk
            ]
        return found

    def score(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Raw scores, float32 [texts, 3]."""
        bags = hash_texts(texts)
        summed = np.add.reduceat(self._weights[bags.buckets].astype(np.int32), bags.offsets, axis=0)
        return (summed * self._scales / np.sqrt(bags.sizes)[:, None] + self._bias).astype(np.float32)

    def label(self, probabilities: Mapping[str, float]) -> Sentiment:
        return choose_label(probabilities, self._threshold)


def choose_label(probabilities: Mapping[str, float], threshold: float) -> Sentiment:
    """The likeliest class at or above the threshold, else UNCERTAIN."""
    best = max(CLASSES, key=lambda label: probabilities.get(label, 0.0))
    return best if probabilities.get(best, 0.0) >= threshold else Sentiment.UNCERTAIN


def softmax(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows that add up to 1."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def load_sentiment(model: str) -> SentimentJudge:
    """`default`, or the folder of a local Hugging Face sequence classifier. Raises ModelError."""
    if model == "default":
        return LinearSentiment.load()
    from nlp.torch_models import TransformerSentiment

    return TransformerSentiment.load(Path(model))
