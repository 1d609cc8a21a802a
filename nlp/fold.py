"""Folds reposts and near-duplicates: 64-bit SimHash of character trigrams, candidates by equal quarters (Manku et al., 2007).

Two texts are copies when their hashes differ in at most 3 bits; such a pair always shares one of the four 16-bit bands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tingfeng.text import normalise

SHORTEST = 12  # characters; shorter texts ("太差了") are said alike by people who never met
MOST_BITS = 3
WINDOW = timedelta(days=7)
BANDS = 4
REPOST = re.compile(r"^(?:转发微博|转发|repost|rt)?\s*(?://\s*@[^::\s]{1,30}\s*[::]\s*)+", re.IGNORECASE)
NOISE = re.compile(r"[\W_]+")
MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB), np.uint64(0x9E3779B97F4A7C15))


class Near(Protocol):
    """A stored post that shares a band."""

    @property
    def post_id(self) -> str: ...
    @property
    def signature(self) -> int: ...
    @property
    def duplicate_group(self) -> str: ...


@dataclass(frozen=True)
class Folded:
    """What a post is a copy of: `group` is the id of the first post with that text, its own id when it is the first."""

    group: str
    is_copy: bool
    signature: int
    band_keys: tuple[int, ...]


FindNear = Callable[[Sequence[int], datetime], Sequence[Near]]


def plain_text(text: str) -> str:
    """Without repost marks, punctuation and spaces."""
    return NOISE.sub("", REPOST.sub("", normalise(text)))


def sign(plain: str) -> int:
    """SimHash; 0 for a text too short to fold."""
    if len(plain) < SHORTEST:
        return 0
    codes = np.frombuffer(plain.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    with np.errstate(over="ignore"):
        grams: npt.NDArray[np.uint64] = codes[:-2] * MIX[0] + codes[1:-1] * MIX[1] + codes[2:] * MIX[2]
        grams = np.unique(grams)
        grams = (grams ^ (grams >> np.uint64(31))) * MIX[1]
        grams ^= grams >> np.uint64(29)
    bits = np.unpackbits(grams.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    majority = bits.sum(axis=0, dtype=np.int64) * 2 > len(grams)
    return int(np.packbits(majority, bitorder="little").view(np.uint64)[0])


def split_bands(signature: int) -> tuple[int, ...]:
    """Four keys of 18 bits: number of the band and its 16 bits; () for signature 0."""
    return tuple((band << 16) | (signature >> (16 * band) & 0xFFFF) for band in range(BANDS)) if signature else ()


def fold(items: Sequence[tuple[str, datetime, str]], find_near: FindNear) -> list[Folded]:
    """For (post id, counted_at, text) in order of time; earlier posts of the batch and stored ones of the last 7 days are looked at."""
    seen: dict[int, list[tuple[datetime, str, int, str]]] = {}
    stored: dict[int, list[Near]] = {}
    signatures = [sign(plain_text(text)) for _, _, text in items]
    if items:
        keys = sorted({key for signature in signatures for key in split_bands(signature)})
        own = {post_id for post_id, _, _ in items}
        for near in find_near(keys, min(at for _, at, _ in items) - WINDOW) if keys else ():
            if near.post_id not in own:
                for key in split_bands(near.signature):
                    stored.setdefault(key, []).append(near)
    results: list[Folded] = []
    for (post_id, at, _), signature in zip(items, signatures, strict=True):
        bands = split_bands(signature)
        group = find_group(signature, bands, stored, seen, at)
        results.append(Folded(group or post_id, bool(group), signature, bands))
        for key in bands:
            seen.setdefault(key, []).append((at, post_id, signature, group or post_id))
    return results


def find_group(
    signature: int,
    bands: tuple[int, ...],
    stored: dict[int, list[Near]],
    seen: dict[int, list[tuple[datetime, str, int, str]]],
    at: datetime,
) -> str:
    """Group of the first text that is close enough; '' for none."""
    for key in bands:
        for near in stored.get(key, ()):
            if (near.signature ^ signature).bit_count() <= MOST_BITS:
                return near.duplicate_group
        for when, _, other, group in seen.get(key, ()):
            if (other ^ signature).bit_count() <= MOST_BITS and abs(at - when) <= WINDOW:
                return group
    return ""
