"""What people of this installation corrected, as weights of character grams that are added to the encoder's last word.

Two small files beside a network, a stack and limits that stay as they are. A gram that no correction holds weighs nothing, so a text that
shares no words with a corrected one is judged as before.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from nlp.gram_heads import BATCH, Buckets, Weights, add_rows
from nlp.ngrams import hash_texts
from nlp.sentiment import LAYER_FILE
from nlp.stack import OUTPUTS_WIDTH, PLACES, Table
from tingfeng.errors import ModelError

WEIGHTS_FILE = "grams.npz"
RESTORE = "换回自带的:删除状态目录的 models/installed-encoder.txt;或再运行 tingfeng train --with-corrections"
# the outputs that a correction speaks of; spam, because what a person calls no ad is none
COLUMNS = np.concatenate([np.arange(OUTPUTS_WIDTH)[PLACES[head]] for head in ("toward", "acts", "severity", "spam")])


@dataclass(frozen=True)
class LayerSettings:
    """What stands in layer.json. `base`: version of the shipped encoder that it belongs to; `version`: hash of the weights; `corrections` that
    it was fitted to, each worth `strength` mentions that nobody corrected."""

    base: str
    version: str
    corrections: int
    strength: float

    @property
    def name(self) -> str:
        """Of the judge that uses it."""
        return f"encoder-{self.base}-{self.version}"


@dataclass(frozen=True)
class Layer:
    """`weights` [grams, COLUMNS] of the grams with these `buckets`, ascending (nlp/ngrams.py)."""

    settings: LayerSettings
    buckets: Buckets
    weights: Weights

    @classmethod
    def build(cls, base: str, buckets: Buckets, weights: Weights, corrections: int, strength: float) -> Layer:
        return cls(LayerSettings(base, hash_layer(buckets, weights), corrections, strength), buckets, weights)

    def weigh(self, parts: Sequence[str]) -> Table:
        """What is added to the scores of the stack: [parts, outputs]."""
        found = np.zeros((len(parts), OUTPUTS_WIDTH))
        for start in range(0, len(parts), BATCH):
            found[start : start + BATCH, COLUMNS] = add_rows(hash_texts(parts[start : start + BATCH]), self.buckets, self.weights)
        return found

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / WEIGHTS_FILE).open("wb") as stream:
            np.savez_compressed(stream, buckets=self.buckets, weights=self.weights)
        (folder / LAYER_FILE).write_text(json.dumps(asdict(self.settings), indent=1, sort_keys=True) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Layer:
        """Raises ModelError naming the file that is missing or damaged."""
        file = folder / LAYER_FILE
        try:
            found = json.loads(file.read_text("utf-8"))
            base, version = str(found["base"]), str(found["version"])
            settings = LayerSettings(base, version, int(found["corrections"]), float(found["strength"]))
            file = folder / WEIGHTS_FILE
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as packed:
                buckets, weights = packed["buckets"].astype(np.int32), packed["weights"].astype(np.float32)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(f"模型文件缺失或损坏({error})", where=str(file), hint=RESTORE) from error
        if hash_layer(buckets, weights) != settings.version or weights.shape != (len(buckets), len(COLUMNS)):
            raise ModelError(f"{WEIGHTS_FILE} 与 {LAYER_FILE} 不是同一次训练的", where=str(file), hint=RESTORE)
        return cls(settings, buckets, weights)


def hash_layer(buckets: Buckets, weights: Weights) -> str:
    """Eight hex digits that name these weights."""
    return hashlib.sha256(buckets.tobytes() + weights.tobytes()).hexdigest()[:8]
