"""Remembers what a model said of a text, by a hash of its normalised content: the same text is judged once by one model version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from nlp.ngrams import cut_text

Row = npt.NDArray[np.float32]


class AnswerCache:
    """Belongs to one loaded model, so its version is part of every key. Keeps the `kept` texts that were asked for last."""

    def __init__(self, kept: int) -> None:
        self._rows: LRUCache[bytes, Row] = LRUCache(kept)

    def __len__(self) -> int:
        return len(self._rows)

    def fill(self, texts: Sequence[str], width: int, judge: Callable[[Sequence[str]], Row]) -> Row:
        """Rows [texts, width]; `judge` is asked once for each text that is not remembered."""
        keys = [hash_content(text) for text in texts]
        told = {key: self._rows[key] for key in keys if key in self._rows}
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in told}
        if fresh:
            rows = judge(list(fresh.values()))
            # a copy, or every row would keep its whole batch alive
            told |= {key: row.copy() for key, row in zip(fresh, rows, strict=True)}
            self._rows.update((key, told[key]) for key in fresh)
        found = np.empty((len(texts), width), dtype=np.float32)
        for place, key in enumerate(keys):
            found[place] = told[key]
        return found


def hash_content(text: str) -> bytes:
    """Sixteen bytes, equal for texts that a model reads alike."""
    return hashlib.blake2b(cut_text(text).encode("utf-8", "replace"), digest_size=16).digest()
