"""Trains the linear sentiment judge and writes weights, card and measurements. Same data and seed, same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.evaluate import Report, evaluate, render_card
from nlp.labelled import SPLITS, Labelled, hash_file, read_split, split_file, strip_emoticons
from nlp.ngrams import hash_texts
from nlp.sentiment import CLASSES, LinearSentiment, softmax
from tingfeng.errors import UsageError

Progress = Callable[[str, float], None]
EMOTICON_SOURCES = frozenset({"wb100k", "weibo2018", "smp_u", "smp_v", "emo8"})
# noisy labels count less: emoticons as labels, sentence fragments, a car forum whose neutral is mostly "not said"
TRUST = {"wb100k": 0.5, "emo8": 0.5, "ccf": 0.7}
UNCERTAIN_SHARE = 0.08
EPOCHS = 4


@dataclass(frozen=True)
class TrainResult:
    """Where the model lies, its name and what was measured on held-out data."""

    folder: Path
    name: str
    report: Report


def train_sentiment(
    data: Path, out: Path, *, seed: int = 7, epochs: int = EPOCHS, progress: Progress = lambda what, done: None
) -> TrainResult:
    """Reads the three splits in `data`, writes `weights.npz`, `model.json`, `evaluation.json`, `MODEL_CARD.md` into `out`.

    Nothing is written before all is measured. Raises UsageError for missing data, ModelError without torch.
    """
    from nlp.torch_models import fit_linear

    rows = {split: read_split(data, split) for split in SPLITS}
    if not rows["train"] or not rows["dev"]:
        raise UsageError("训练或验证数据是空的", where=str(data), hint="至少各要几句")
    progress("读取", 0.0)
    texts = drop_emoticons(rows["train"], seed)
    labels = np.array([row.label for row in rows["train"]], dtype=np.int64)
    bags = hash_texts(texts)
    weights, bias = fit_linear(bags, labels, weigh_rows(rows["train"]), seed=seed, epochs=epochs, progress=progress)
    packed, scales = quantise(weights)
    draft = LinearSentiment(packed, scales, bias, {"temperature": 1.0, "threshold": 0.0, "name": "draft"})
    gold = np.array([row.label for row in rows["dev"]])
    scores = np.concatenate(
        [draft.score([row.text for row in rows["dev"][i : i + 256]]) for i in range(0, len(gold), 256)]
    )
    temperature = fit_temperature(scores, gold)
    threshold = fit_threshold(softmax((scores / temperature).astype(np.float32)))
    digest = hashlib.sha256(packed.tobytes() + scales.tobytes() + bias.tobytes()).hexdigest()
    card: dict[str, float | str] = {
        "name": f"linear-{digest[:8]}",
        "temperature": round(temperature, 4),
        "threshold": round(threshold, 4),
    }
    progress("评测", 0.0)
    model = LinearSentiment(packed, scales, bias, card)
    report = evaluate(model, data)
    facts = {
        **card,
        "seed": seed,
        "epochs": epochs,
        "rows": dict(Counter(f"{row.source}/{CLASSES[row.label]}" for row in rows["train"])),
        "files": {split_file(data, split).name: hash_file(split_file(data, split)) for split in SPLITS},
    }
    out.mkdir(parents=True, exist_ok=True)
    write_weights(out / "weights.npz", {"weights": packed, "scales": scales, "bias": bias})
    write_json(out / "evaluation.json", report.to_dict())
    write_json(out / "model.json", facts)
    (out / "MODEL_CARD.md").write_text(render_card(facts, report), "utf-8")
    return TrainResult(out, str(card["name"]), report)


def drop_emoticons(rows: list[Labelled], seed: int) -> list[str]:
    """Half of the microblog rows lose their `[泪]`, so that the model reads both kinds."""
    coin = np.random.default_rng(seed).random(len(rows)) < 0.5
    return [
        strip_emoticons(row.text) if flip and row.source in EMOTICON_SOURCES else row.text
        for row, flip in zip(rows, coin, strict=True)
    ]


def weigh_rows(rows: list[Labelled]) -> npt.NDArray[np.float32]:
    """Classes weigh alike in sum; noisy sources count less. Mean 1."""
    trust = np.array([TRUST.get(row.source, 1.0) for row in rows], dtype=np.float32)
    labels = np.array([row.label for row in rows])
    for label in range(len(CLASSES)):
        mass = trust[labels == label].sum()
        if mass:
            trust[labels == label] *= trust.sum() / mass
    return np.asarray(trust / trust.mean(), dtype=np.float32)


def quantise(weights: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """int8 with one scale per class; the rarest 0.01 % of weights are clipped so that the others keep their resolution."""
    limits = np.maximum(np.quantile(np.abs(weights), 0.9999, axis=0), 1e-6)
    scales = (limits / 127).astype(np.float32)
    return np.clip(np.round(weights / scales), -127, 127).astype(np.int8), scales


def fit_temperature(scores: npt.NDArray[np.float32], gold: npt.NDArray[np.int64]) -> float:
    """The temperature with the least log loss (Guo et al., 2017), by a fine grid."""

    def loss(temperature: float) -> float:
        chosen = softmax((scores / temperature).astype(np.float32))[np.arange(len(gold)), gold]
        return float(-np.log(np.maximum(chosen, 1e-9)).mean())

    return min((round(0.3 + 0.02 * step, 2) for step in range(200)), key=loss)


def fit_threshold(probabilities: npt.NDArray[np.float32]) -> float:
    """The probability under which UNCERTAIN_SHARE of held-out texts would be left undecided."""
    return float(np.quantile(probabilities.max(axis=1), UNCERTAIN_SHARE))


def write_weights(file: Path, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
    """Like np.savez_compressed, but without the clock in it: same weights, same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (2020, 1, 1, 0, 0, 0)), buffer.getvalue(), zipfile.ZIP_DEFLATED
            )


def write_json(file: Path, value: object) -> None:
    """Sorted and indented: readable diffs."""
    file.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
