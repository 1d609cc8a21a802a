"""A shallow reader beside the network: what each character gram says for each output of the heads. The mean of the two is weighed by the stack.

The two err differently, the network on words it has seldom seen, the grams on what only the whole sentence says, so their mean is right more
often than either (docs/adr/0008-grams-beside-the-network.md). Grams are read of the clauses about the subject and of the whole text with
the names marked, as two kinds. Logistic regression with inverse document frequency (Spärck Jones, 1972); fitted by nlp/torch_grams.py.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.ngrams import BUCKETS, Bags, hash_texts
from nlp.stack import HEADS, OUTPUTS_WIDTH, WIDTHS, Table
from tingfeng.errors import ModelError

GRAMS_FILE = "grams.npz"
# severity and spam are left to the network: on posts kept apart the grams made them no better
SHARED = ("toward", "acts", "aspects", "owner", "stage")
SHARES = np.repeat([0.5 if head in SHARED else 0.0 for head in HEADS], [WIDTHS[head] for head in HEADS])
BATCH = 256
LEVELS = 127
Buckets = npt.NDArray[np.int32]
Weights = npt.NDArray[np.float32]


@dataclass(frozen=True)
class GramHeads:
    """`weights` [grams, outputs] of the grams with these `buckets`, ascending: those of the marked text stand BUCKETS higher.

    `scale` [outputs]: what the weights are times; from a file they come as int8. `bias` [outputs].
    """

    buckets: Buckets
    weights: Weights | npt.NDArray[np.int8]
    scale: Weights
    bias: Weights

    @classmethod
    def plain(cls, buckets: Buckets, weights: Weights, bias: Weights) -> GramHeads:
        """With weights as they were fitted."""
        return cls(buckets, weights, np.ones(weights.shape[1], dtype=np.float32), bias)

    def join(self, network: Table, parts: Sequence[str], marked: Sequence[str]) -> Table:
        """Scores [subjects, outputs] of network and grams together."""
        return (1 - SHARES) * network + SHARES * self.score(parts, marked)

    def score(self, parts: Sequence[str], marked: Sequence[str]) -> Table:
        """Scores [subjects, outputs] of the grams alone."""
        found = np.tile(self.bias.astype(np.float64), (len(parts), 1))
        for start in range(0, len(parts), BATCH):
            here = slice(start, start + BATCH)
            for bags in hash_both(parts[here], marked[here]):
                found[here] += self.scale * add_rows(bags, self.buckets, self.weights)
        return found

    def save(self, file: Path) -> None:
        """As int8 with a scale for each output."""
        full = self.weights * self.scale
        scale = (np.maximum(np.abs(full).max(axis=0), 1e-6) / LEVELS).astype(np.float32)
        small = np.round(full / scale).astype(np.int8)
        used = small.any(axis=1)
        with file.open("wb") as stream:
            np.savez_compressed(
                stream, gaps=np.diff(self.buckets[used], prepend=0).astype(np.uint16), weights=small[used].T, scale=scale, bias=self.bias
            )

    @classmethod
    def load(cls, file: Path, hint: str) -> GramHeads:
        """Raises ModelError naming the file when it is missing or damaged."""
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as packed:
                buckets = np.cumsum(packed["gaps"], dtype=np.int32)
                scale, bias = (packed[name].astype(np.float32) for name in ("scale", "bias"))
                found = cls(buckets, np.ascontiguousarray(packed["weights"].T, dtype=np.int8), scale, bias)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(f"模型文件缺失或损坏({error})", where=str(file), hint=hint) from error
        if found.weights.shape != (len(buckets), OUTPUTS_WIDTH) or {found.bias.shape, found.scale.shape} != {(OUTPUTS_WIDTH,)}:
            raise ModelError(f"权重的形状 {found.weights.shape} 不对", where=str(file), hint=hint)
        return found


def hash_both(parts: Sequence[str], marked: Sequence[str]) -> tuple[Bags, Bags]:
    """Grams of the parts and of the marked texts, kept apart."""
    whole = hash_texts(marked)
    return hash_texts(parts), Bags(whole.buckets + np.int32(BUCKETS), whole.sizes, whole.blank)


def add_rows(bags: Bags, buckets: Buckets, weights: Weights | npt.NDArray[np.int8]) -> Table:
    """Sums [texts, columns] of the weights of each text's grams, of which a text as a whole weighs one."""
    found = np.zeros((len(bags.sizes), weights.shape[1]))
    places, known = find_places(buckets, bags.buckets)
    texts = np.repeat(np.arange(len(bags.sizes)), bags.sizes)[known]
    if len(texts):
        starts = np.flatnonzero(np.diff(texts, prepend=-1))
        found[texts[starts]] = np.add.reduceat(weights[places[known]], starts, axis=0, dtype=np.float32)
    return found / np.sqrt(bags.sizes)[:, None]


def find_places(buckets: Buckets, asked: Buckets) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Where each asked bucket stands among `buckets`, and whether it does."""
    if not len(buckets):
        return np.zeros(len(asked), dtype=np.int64), np.zeros(len(asked), dtype=np.bool_)
    places = np.minimum(np.searchsorted(buckets, asked), len(buckets) - 1)
    return places, buckets[places] == asked
