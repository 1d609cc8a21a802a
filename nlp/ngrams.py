"""Hashed character 1- to 4-grams of normalised texts, for many texts at once in numpy. The same in training and in judging.

A polynomial hash of the code points, salted by the length of the gram, modulo BUCKETS. (Feature hashing: Weinberger et al., 2009.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tingfeng.text import normalise

BUCKET_BITS = 18
BUCKETS = 1 << BUCKET_BITS
LONGEST = 4
FIRST_CHARACTERS, LAST_CHARACTERS = 600, 200
# text number and bucket number share one int32, which sorts fast
CHUNK = 4096
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
START, END = "\x02", "\x03"


@dataclass(frozen=True)
class Bags:
    """The different buckets of all texts one after another, int32 [grams], ascending within a text.

    `sizes` int64 [texts]: how many belong to each, never 0, as every text has its end marks. `blank` bool [texts]: nothing to read.
    """

    buckets: npt.NDArray[np.int32]
    sizes: npt.NDArray[np.int64]
    blank: npt.NDArray[np.bool_]

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each text begins in `buckets`, int64 [texts]."""
        return np.cumsum(self.sizes) - self.sizes


def cut_text(text: str) -> str:
    """Normalised; of a long text the beginning and the end, where the verdict stands."""
    plain = normalise(text)
    if len(plain) > FIRST_CHARACTERS + LAST_CHARACTERS:
        plain = plain[:FIRST_CHARACTERS] + plain[-LAST_CHARACTERS:]
    return plain


def hash_texts(texts: Sequence[str]) -> Bags:
    """Bags of any number of texts, in their order."""
    parts = [hash_chunk(texts[start : start + CHUNK]) for start in range(0, max(1, len(texts)), CHUNK)]
    return Bags(
        np.concatenate([part.buckets for part in parts]),
        np.concatenate([part.sizes for part in parts]),
        np.concatenate([part.blank for part in parts]),
    )


def hash_chunk(texts: Sequence[str]) -> Bags:
    """Bags of at most CHUNK texts. No gram crosses from one text into the next."""
    plain = [cut_text(text) for text in texts]
    joined = "".join(START + text + END for text in plain)
    lengths = np.array([len(text) + 2 for text in plain], dtype=np.int64)
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    ends = np.repeat(np.cumsum(lengths), lengths)
    owners = np.repeat(np.arange(len(plain), dtype=np.int32), lengths)
    position = np.arange(len(codes))
    rolling = np.zeros(len(codes), dtype=np.uint64)
    keys: list[npt.NDArray[np.int32]] = []
    for size in range(1, LONGEST + 1):
        shifted = np.zeros(len(codes), dtype=np.uint64)
        shifted[: max(0, len(codes) - size + 1)] = codes[size - 1 :]
        rolling = rolling * MULTIPLIER + shifted + np.uint64(size)
        inside = position + size <= ends
        mixed = rolling[inside]
        bucket = (mixed ^ (mixed >> np.uint64(29))) * MULTIPLIER >> np.uint64(64 - BUCKET_BITS)
        keys.append((owners[inside] << BUCKET_BITS) | bucket.astype(np.int32))
    different = np.unique(np.concatenate(keys))
    sizes = np.bincount(different >> BUCKET_BITS, minlength=len(plain)).astype(np.int64)
    return Bags(different & np.int32(BUCKETS - 1), sizes, np.array([not text for text in plain], dtype=np.bool_))
