"""The last word on a subject: outputs of the network and hints of the rules, weighed by numbers fitted on posts the network had not seen."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.outputs import EXCLUSIVE, SIZES, Lesson, cut_head, pack_targets
from nlp.sentiment import softmax
from tingfeng.errors import ModelError

STACK_FILE = "stack.npz"
# what is judged of a subject, in the order of the columns
HEADS = ("toward", "acts", "aspects", "severity", "owner", "stage", "spam")
WIDTHS: Mapping[str, int] = {head: SIZES[head] for head in HEADS}
OUTPUTS_WIDTH = sum(WIDTHS.values())
PLACES: Mapping[str, slice] = {
    head: slice(sum(list(WIDTHS.values())[:place]), sum(list(WIDTHS.values())[: place + 1])) for place, head in enumerate(HEADS)
}
Table = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stack:
    """`weights` [outputs + hints, outputs] are added to what the network says itself; `centre` and `scale` of the hints."""

    weights: Table
    bias: Table
    centre: Table
    scale: Table

    def weigh(self, network: Table, hints: Table) -> Table:
        """Scores [subjects, outputs] of the heads of this list from those of the network, and hints [subjects, hints]."""
        told = join(network, (hints - self.centre) / self.scale)
        return np.asarray(network + told @ self.weights + self.bias)

    def save(self, file: Path) -> None:
        with file.open("wb") as stream:
            np.savez_compressed(stream, weights=self.weights.astype(np.float32), bias=self.bias, centre=self.centre, scale=self.scale)

    @classmethod
    def load(cls, file: Path, hint: str) -> Stack:
        """Raises ModelError naming the file when it is missing or damaged."""
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as packed:
                found = cls(*(np.asarray(packed[name], dtype=np.float64) for name in ("weights", "bias", "centre", "scale")))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(f"模型文件缺失或损坏({error})", where=str(file), hint=hint) from error
        if found.weights.shape != (OUTPUTS_WIDTH + len(found.centre), OUTPUTS_WIDTH):
            raise ModelError(f"权重的形状 {found.weights.shape} 不对", where=str(file), hint=hint)
        return found


def join(network: Table, hints: Table) -> Table:
    """What the weights are applied to: scores of very sure outputs are held back."""
    return np.concatenate([np.clip(network, -8, 8) / 4, hints], axis=1)


def pack_heads(lessons: Sequence[Lesson]) -> tuple[Table, npt.NDArray[np.bool_]]:
    """Targets [lessons, outputs] and which heads are known [lessons, heads], both in the order of HEADS."""
    targets, known = pack_targets(lessons)
    places = [list(SIZES).index(head) for head in HEADS]
    return np.concatenate([cut_head(head, targets) for head in HEADS], axis=1), known[:, places] > 0


def to_probabilities(scores: Table) -> dict[str, Table]:
    """Head → probabilities [subjects, outputs]."""
    found = {}
    for head, place in PLACES.items():
        part = scores[:, place]
        found[head] = softmax(part) if head in EXCLUSIVE else 1 / (1 + np.exp(-np.clip(part, -40, 40)))
    return found
