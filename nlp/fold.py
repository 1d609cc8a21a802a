"""Folds reposts and near-duplicates: candidates by MinHash of character trigrams (Broder, 1997), compared by 64-bit SimHash (Charikar, 2002).

Two texts are copies when they share one of eight pairs of minima and their SimHashes differ in at most 6 bits, about seven eighths of their
trigrams in common. Detectors do not count copies, so a false one hides a complaint: people who tell of the same fault in similar words must
stay apart, even at the price of missing a copy that was much rewritten (tests/nlp/dev/copies.tsv holds both kinds).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tingfeng.text import normalise

LONGEST = 4000
# up to so many characters the sketch of a text is remembered
BRIEF = 280
SHORTEST = 12  # characters; shorter texts ("太差了") are said alike by people who never met
MOST_BITS = 6
# so alike that no second look at the stored candidates is needed
SURE_BITS = 3
WINDOW = timedelta(days=7)
BANDS, ROWS = 8, 2
REPOST = re.compile(r"^(?:转发微博|转发|repost|rt)?\s*(?://\s*@[^::\s]{1,30}\s*[::]\s*)+", re.IGNORECASE)
NOISE = re.compile(r"[\W_]+")
MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB), np.uint64(0x9E3779B97F4A7C15))


def mix_seeds(count: int) -> npt.NDArray[np.uint64]:
    """Odd multipliers and summands of the hash functions, the same on every machine (splitmix64)."""
    values, state, full = [], 0, (1 << 64) - 1
    for _ in range(2 * count):
        state = (state + int(MIX[2])) & full
        mixed = ((state ^ (state >> 30)) * int(MIX[0])) & full
        mixed = ((mixed ^ (mixed >> 27)) * int(MIX[1])) & full
        values.append(mixed ^ (mixed >> 31) | 1)
    return np.array(values, dtype=np.uint64).reshape(2, count)


SEEDS = mix_seeds(BANDS * ROWS)


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
    """What a post is a copy of: `group` is the id of the first post with that text, its own id when it is the first.

    `band_keys`: under which the store finds the first of a group again; none for a copy: a text sent round
    a million times stays one candidate.
    """

    group: str
    is_copy: bool
    signature: int
    band_keys: tuple[int, ...]


FindNear = Callable[[Sequence[int], datetime], Sequence[Near]]


def plain_text(text: str) -> str:
    """Without repost marks, punctuation and spaces."""
    return NOISE.sub("", REPOST.sub("", normalise(text)))


def sketch(plain: str) -> tuple[int, tuple[int, ...]]:
    """SimHash and band keys of 35 bits (number of the band and a hash of its minima); 0 and none for a text too short to fold."""
    if len(plain) < SHORTEST:
        return 0, ()
    grams = hash_grams(plain[:LONGEST])
    bits = np.unpackbits(grams.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    majority = bits.sum(axis=0, dtype=np.int64) * 2 > len(grams)
    signature = int(np.packbits(majority, bitorder="little").view(np.uint64)[0])
    with np.errstate(over="ignore"):
        minima = (grams[:, None] * SEEDS[0] + SEEDS[1]).min(axis=0).reshape(BANDS, ROWS)
        hashed = (minima[:, 0] * MIX[0] + minima[:, 1]) * MIX[1] >> np.uint64(32)
    return signature, tuple((band << 32) | int(value) for band, value in enumerate(hashed))


@lru_cache(maxsize=8192)  # what goes round goes round in the same words
def sketch_short(text: str) -> tuple[int, tuple[int, ...]]:
    """The sketch of a text of at most BRIEF characters."""
    return sketch(plain_text(text))


def hash_grams(plain: str) -> npt.NDArray[np.uint64]:
    """Distinct hashes of the character trigrams."""
    codes = np.frombuffer(plain.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    with np.errstate(over="ignore"):
        grams: npt.NDArray[np.uint64] = codes[:-2] * MIX[0] + codes[1:-1] * MIX[1] + codes[2:] * MIX[2]
        grams = np.unique(grams)
        grams = (grams ^ (grams >> np.uint64(31))) * MIX[1]
        grams ^= grams >> np.uint64(29)
    return grams


@dataclass
class Batch:
    """What has been seen of the batch by band key, and the stored candidates of the whole batch, oldest first."""

    find_near: FindNear
    since: datetime
    stored: Sequence[Near]
    seen: dict[int, list[tuple[datetime, int, str]]]

    def find_group(self, signature: int, bands: tuple[int, ...], at: datetime) -> str:
        """Group of the first text that is close enough; '' for none."""
        for key in bands:
            for when, other, group in self.seen.get(key, ()):
                if (other ^ signature).bit_count() <= MOST_BITS and abs(at - when) <= WINDOW:
                    return group
        close = [near for near in self.stored if (near.signature ^ signature).bit_count() <= MOST_BITS] if bands else []
        if not close:
            return ""
        # the candidates were asked for the batch as a whole: a pair that is less than sure must share a band of its own
        own: set[str] = set()
        for near in close:
            if (near.signature ^ signature).bit_count() <= SURE_BITS:
                return near.duplicate_group
            own = own or {one.post_id for one in self.find_near(bands, self.since)}
            if near.post_id in own:
                return near.duplicate_group
        return ""


def fold(items: Sequence[tuple[str, datetime, str]], find_near: FindNear) -> list[Folded]:
    """For (post id, counted_at, text) in order of time; earlier posts of the batch and stored ones of the last 7 days are looked at."""
    if not items:
        return []
    sketches = [sketch_short(text) if len(text) <= BRIEF else sketch(plain_text(text)) for _, _, text in items]
    since = min(at for _, at, _ in items) - WINDOW
    keys = sorted({key for _, bands in sketches for key in bands})
    own = {post_id for post_id, _, _ in items}
    found = find_near(keys, since) if keys else ()
    stored = [near for near in found if near.post_id not in own and near.duplicate_group == near.post_id]
    batch = Batch(find_near, since, stored, {})
    results: list[Folded] = []
    for (post_id, at, _), (signature, bands) in zip(items, sketches, strict=True):
        group = batch.find_group(signature, bands, at)
        bands = () if group else bands  # texts are compared with the first of a group, or a chain of small changes would lead anywhere
        results.append(Folded(group or post_id, bool(group), signature, bands))
        for key in bands:
            batch.seen.setdefault(key, []).append((at, signature, post_id))
    return results
