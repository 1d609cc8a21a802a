"""The default judge: one encoder with several heads, its sentiment weighed together with the linear model's. `tingfeng train` makes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.answer_cache import AnswerCache
from nlp.gram_heads import GRAMS_FILE, GramHeads
from nlp.heads import Heads
from nlp.labelled import hash_file
from nlp.layer import RESTORE as RESTORE_LAYER
from nlp.layer import Layer
from nlp.mention_heads import MentionHeads
from nlp.onnx_model import OnnxModel
from nlp.outputs import EXCLUSIVE, OUTPUTS, SIZES, STARTS, WIDTH
from nlp.sentiment import (
    CLASSES,
    ENCODER_ENGINE,
    ENCODER_FOLDER,
    FAST_ENGINE,
    TAUGHT_ENGINE,
    LinearSentiment,
    choose_label,
    softmax,
)
from nlp.stack import STACK_FILE, Stack
from nlp.tokens import PieceReader
from tingfeng.errors import ModelError
from tingfeng.labels import Sentiment

MODEL_FILE, PIECES_FILE, SETTINGS_FILE = "model.onnx.gz", "pieces.json", "model.json"
RESTORE = "请从代码库恢复 nlp/weights/encoder(git checkout -- nlp/weights/encoder),或运行 tingfeng train --model encoder"
BATCH = 1024
SENTIMENT = slice(STARTS["sentiment"], STARTS["sentiment"] + SIZES["sentiment"])


@dataclass(frozen=True)
class EncoderSettings:
    """What stands in model.json.

    `version`: hash of network, pieces, stack and grams; `teammate`: version of the linear model that the numbers were fitted with.
    `shares`: what the scores of encoder and teammate weigh in sentiment. `temperatures`: per head. `thresholds`: output → the
    probability from which a head of several outputs says it. `threshold`: a likeliest sentiment under it is UNCERTAIN;
    `negative_from`: from here on a text is negative even when another class is likelier. `sure_from`: from here on the linear
    model is believed without asking the encoder, where speed is wanted. `stacked`: the heads were tuned and a stack lies beside.
    """

    version: str
    teammate: str
    shares: tuple[float, float]
    temperatures: Mapping[str, float]
    thresholds: Mapping[str, Mapping[str, float]]
    threshold: float
    negative_from: float
    sure_from: float
    longest: int
    outputs: Mapping[str, tuple[str, ...]]
    stacked: bool = False


class EncoderJudge:
    """Judges many texts at once; a text that it has judged lately is not judged again.

    `fast`: the encoder is asked only where the linear model is not sure. With a `last_word`, and not `fast`, it judges whole subjects.
    """

    def __init__(
        self,
        model: OnnxModel,
        reader: PieceReader,
        settings: EncoderSettings,
        linear: LinearSentiment,
        last_word: tuple[GramHeads, Stack] | None = None,
        *,
        fast: bool = False,
        kept: int = 50_000,
        safety_from: float | None = None,
        layer: Layer | None = None,
    ) -> None:
        self._model, self._reader, self._settings, self._linear = model, reader, settings, linear
        self._cache, self._raw = AnswerCache(kept), AnswerCache(kept)
        self._fast, self._last_word, self._safety_from = fast, last_word, safety_from
        self.name = f"encoder-{settings.version}{'-fast' if fast else ''}"
        self.engine = FAST_ENGINE if fast else ENCODER_ENGINE
        self.heads: Heads | None = None
        if last_word is not None and not fast:
            self.heads = MentionHeads(self.ask_network, linear, *last_word, settings.thresholds, safety_from, layer)

    @property
    def version(self) -> str:
        """Of network, pieces, shipped stack and grams."""
        return self._settings.version

    def with_layer(self, layer: Layer) -> EncoderJudge:
        """The same network, and what it has read, with what corrections add. Raises ModelError for a layer of another encoder."""
        if self._last_word is None or layer.settings.base != self.version:
            told = f"改正 {layer.settings.name} 不是教这个编码器 {self.version} 的"
            raise ModelError(told, where="nlp.model", hint=RESTORE_LAYER)
        parts = (self._model, self._reader, self._settings, self._linear, self._last_word)
        taught = EncoderJudge(*parts, safety_from=self._safety_from, layer=layer)
        taught._cache, taught._raw = self._cache, self._raw
        taught.name, taught.engine = layer.settings.name, TAUGHT_ENGINE
        return taught

    @classmethod
    def load(
        cls, folder: Path = ENCODER_FOLDER, linear: LinearSentiment | None = None, *, fast: bool = False, safety_from: float | None = None
    ) -> EncoderJudge:
        """Raises ModelError naming the file that is missing or damaged and the command that restores it."""
        settings = read_settings(folder / SETTINGS_FILE)
        mate = linear or LinearSentiment.load()
        if hash_network(folder) != settings.version:
            raise ModelError("网络与 model.json 不是同一次训练的", where=str(folder / MODEL_FILE), hint=RESTORE)
        if mate.name != settings.teammate:
            raise ModelError(f"线性模型 {mate.name} 不是与它一起定标的 {settings.teammate}", where=str(folder), hint=RESTORE)
        reader = PieceReader.load(folder / PIECES_FILE, RESTORE)
        stacked = None
        if settings.stacked:
            stack = Stack.load(folder / STACK_FILE, RESTORE)
            stacked = GramHeads.load(folder / GRAMS_FILE, RESTORE), stack
        return cls(OnnxModel.load(folder / MODEL_FILE, RESTORE), reader, settings, mate, stacked, fast=fast, safety_from=safety_from)

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Calibrated probabilities of the sentiment; alike for a text with nothing to read."""
        return [name_values("sentiment", row) for row in self.weigh(texts)[:, SENTIMENT].tolist()]

    def says(self, head: str, values: Mapping[str, float]) -> tuple[str, ...]:
        """The labels of a head with several outputs that reach their thresholds."""
        limits = self._settings.thresholds.get(head, {})
        return tuple(label for label, value in values.items() if value >= limits.get(label, 0.5))

    def label(self, probabilities: Mapping[str, float]) -> Sentiment:
        """Negative when that is likely enough to be looked at; else the likeliest class, UNCERTAIN when none is likely enough."""
        if probabilities.get(str(Sentiment.NEGATIVE), 0.0) >= self._settings.negative_from:
            return Sentiment.NEGATIVE
        return choose_label(probabilities, self._settings.threshold)

    def ask_network(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Outputs of the network as they are, float32 [texts, WIDTH]."""
        found = np.empty((len(texts), WIDTH), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            part = texts[start : start + BATCH]
            found[start : start + len(part)] = self._raw.fill(part, WIDTH, self._run)
        return found

    def _run(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return self._model.run(self._reader.read(texts, self._settings.longest))

    def weigh(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Probabilities of all outputs, float32 [texts, WIDTH]."""
        found = np.empty((len(texts), WIDTH), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            part = texts[start : start + BATCH]
            found[start : start + len(part)] = self._cache.fill(part, WIDTH, self._judge_fresh)
        return found

    def _judge_fresh(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        linear = self._linear.score(texts)
        if not self._fast:
            return self._ask_encoder(texts, linear)
        found = np.zeros((len(texts), WIDTH), dtype=np.float32)
        found[:, SENTIMENT] = softmax(linear / self._linear.temperature)
        asked = (found[:, SENTIMENT].max(axis=1) < self._settings.sure_from) & linear.any(axis=1)
        unsure: list[int] = np.flatnonzero(asked).tolist()
        if unsure:
            found[unsure] = self._ask_encoder([texts[place] for place in unsure], linear[unsure])
        return found

    def _ask_encoder(self, texts: Sequence[str], linear: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        return combine(self._run(texts).astype(np.float64), linear, self._settings)


def combine(
    network: npt.NDArray[np.float64], linear: npt.NDArray[np.float64], settings: EncoderSettings
) -> npt.NDArray[np.float32]:
    """Scores of the network [texts, WIDTH] and of the linear model [texts, 3] as probabilities [texts, WIDTH]."""
    found = np.empty_like(network)
    for name, size in SIZES.items():
        place = slice(STARTS[name], STARTS[name] + size)
        scores = network[:, place] / settings.temperatures.get(name, 1.0)
        if name == "sentiment":
            scores = settings.shares[0] * network[:, place] + settings.shares[1] * linear
        found[:, place] = softmax(scores) if name in EXCLUSIVE else 1 / (1 + np.exp(-np.clip(scores, -40, 40)))
    # a text with nothing to read has three zeros from the linear model
    found[~linear.any(axis=1), SENTIMENT] = 1 / len(CLASSES)
    return found.astype(np.float32)


def name_values(head: str, row: Sequence[float]) -> dict[str, float]:
    """The values of one head by label."""
    start = STARTS[head] if len(row) == WIDTH else 0
    return {label: round(float(row[start + place]), 4) for place, label in enumerate(OUTPUTS[head])}


def hash_network(folder: Path) -> str:
    """Eight hex digits that name network, pieces, stack and grams. Raises ModelError for a missing file."""
    files = [MODEL_FILE, PIECES_FILE, *(name for name in (STACK_FILE, GRAMS_FILE) if (folder / name).is_file())]
    try:
        hashes = "".join(hash_file(folder / name) for name in files)
    except OSError as error:
        raise ModelError(f"模型文件缺失({error})", where=str(folder / MODEL_FILE), hint=RESTORE) from error
    return hashlib.sha256(hashes.encode()).hexdigest()[:8]


def read_settings(file: Path) -> EncoderSettings:
    """Raises ModelError when the file is missing, damaged or made for other heads."""
    try:
        found = json.loads(file.read_text("utf-8"))
        settings = EncoderSettings(
            version=str(found["version"]),
            teammate=str(found["teammate"]),
            shares=(float(found["shares"][0]), float(found["shares"][1])),
            temperatures={name: float(value) for name, value in found["temperatures"].items()},
            thresholds={
                head: {label: float(value) for label, value in limits.items()} for head, limits in found["thresholds"].items()
            },
            threshold=float(found["threshold"]),
            negative_from=float(found["negative_from"]),
            sure_from=float(found["sure_from"]),
            longest=int(found["longest"]),
            outputs={name: tuple(labels) for name, labels in found["outputs"].items()},
            stacked=bool(found["stacked"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ModelError(f"模型文件缺失或损坏({error})", where=str(file), hint=RESTORE) from error
    if settings.outputs != OUTPUTS:
        raise ModelError("模型的输出与这个版本不合", where=str(file), hint=RESTORE)
    return settings


def describe_settings(settings: EncoderSettings) -> dict[str, object]:
    """For model.json."""
    return asdict(settings)
