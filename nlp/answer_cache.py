"""Remembers what a model said of a text, by a hash of its normalised content: the same text is judged once by one model version."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from nlp.ngrams import cut_text

Row = npt.NDArray[np.float32]


class AnswerCache:
    """Belongs to one loaded model, so its version is part of every key. Keeps the `kept` texts that were asked for last."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._rows: OrderedDict[bytes, Row] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def fill(self, texts: Sequence[str], width: int, judge: Callable[[Sequence[str]], Row]) -> Row:
        """Rows [texts, width]; `judge` is asked once for each text that is not remembered."""
        keys = [hash_content(text) for text in texts]
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._rows}
        told: dict[bytes, Row] = {}
        if fresh:
            told = dict(zip(fresh, judge(list(fresh.values())), strict=True))
        found = np.empty((len(texts), width), dtype=np.float32)
        for place, key in enumerate(keys):
            found[place] = told[key] if key in told else self._rows[key]
        self._remember(keys, told)
        return found

    def _remember(self, keys: Sequence[bytes], told: dict[bytes, Row]) -> None:
        for key in keys:
            if key in told:
                # a copy, or every row would keep its whole batch alive
                self._rows[key] = told[key].copy()
            self._rows.move_to_end(key)
        while len(self._rows) > self._kept:
            self._rows.popitem(last=False)


def hash_content(text: str) -> bytes:
    """Sixteen bytes, equal for texts that a model reads alike."""
    return hashlib.blake2b(cut_text(text).encode("utf-8", "replace"), digest_size=16).digest()
