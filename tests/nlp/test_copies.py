"""Copies of a text: what people do to it, look-alikes, many authors at once. All texts are invented."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.campaigns import Poster, find_campaigns
from nlp.fold import Folded, fold, plain_text, sketch
from store.posts import NearPost
from tingfeng.clock import parse_iso
from tingfeng.labels import PostKind

NOW = parse_iso("2026-11-20")
FILE = Path(__file__).resolve().parent / "dev" / "copies.tsv"


class Memory:
    """Stored posts by band key, as a store would find them."""

    def __init__(self) -> None:
        self.rows: list[tuple[NearPost, tuple[int, ...]]] = []

    def add(self, post_id: str, one: Folded) -> None:
        self.rows.append((NearPost(post_id, one.signature, one.group), one.band_keys))

    def find(self, keys: Sequence[int], since: datetime) -> list[NearPost]:
        return [near for near, bands in self.rows if set(bands) & set(keys)]


def read_copies() -> list[tuple[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as stream:
        return [(row["group"], row["text"]) for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)]


def fold_in_batches(texts: Sequence[str], size: int) -> list[str]:
    """Groups of the texts, judged `size` at a time."""
    memory, groups = Memory(), []
    for start in range(0, len(texts), size):
        items = [(str(n), NOW + timedelta(minutes=n), texts[n]) for n in range(start, min(start + size, len(texts)))]
        for (post_id, _, _), one in zip(items, fold(items, memory.find), strict=True):
            memory.add(post_id, one)
            groups.append(one.group)
    return groups


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_copies_are_found_and_look_alikes_are_not(size: int) -> None:
    rows = read_copies()
    groups = fold_in_batches([text for _, text in rows], size)
    pairs = list(itertools.combinations(range(len(rows)), 2))
    same = {pair for pair in pairs if rows[pair[0]][0] == rows[pair[1]][0] != "-"}
    told = {pair for pair in pairs if groups[pair[0]] == groups[pair[1]]}
    assert told <= same  # no look-alike, of which the last nine of the file tell of one fault in similar words
    little_changed = {pair for pair in same if alike(rows[pair[0]][1], rows[pair[1]][1]) >= 0.85}
    assert len(little_changed) >= 15
    assert len(told & little_changed) / len(little_changed) >= 0.75
    assert len(told) / len(same) >= 0.35


def alike(one: str, other: str) -> float:
    """Share of the trigrams that both texts have."""
    grams = [{plain[i : i + 3] for i in range(len(plain) - 2)} for plain in map(plain_text, (one, other))]
    return len(grams[0] & grams[1]) / len(grams[0] | grams[1])


def test_a_stored_text_is_a_copy_only_where_it_shares_a_band_with_this_one() -> None:
    text = "今天在门店看到新款养生壶,店员讲解得很仔细,准备周末再去看看"
    signature, bands = sketch(plain_text(text))
    near = NearPost("old", signature ^ 0b11111, "old")
    items = [("new", NOW, text), ("other", NOW, "航班延误四个小时,只发了一瓶水,没有人出来解释")]
    assert fold(items, lambda keys, since: [near])[0].group == "old"
    assert not fold(items, lambda keys, since: [near] if len(keys) > len(bands) else [])[0].is_copy


@given(st.text(max_size=80))
def test_any_text_has_a_sketch(text: str) -> None:
    signature, bands = sketch(plain_text(text))
    assert 0 <= signature < 1 << 64
    assert len(bands) in (0, 8)


def posters(count: int, *, minutes: int = 10, kind: PostKind = PostKind.ORIGINAL, same: bool = False) -> list[Poster]:
    return [Poster("g", "a" if same else f"a{n}", NOW + timedelta(minutes=n * minutes), kind) for n in range(count)]


def test_five_authors_within_two_hours_are_a_campaign() -> None:
    found = find_campaigns(posters(6))
    assert (found["g"].authors, found["g"].first_at, found["g"].last_at) == (6, NOW, NOW + timedelta(minutes=50))


@pytest.mark.parametrize(
    "posts",
    [posters(4), posters(8, minutes=60), posters(9, same=True), posters(9, kind=PostKind.REPOST), [Poster("g", "", NOW, PostKind.ORIGINAL)] * 9],
)  # fmt: skip
def test_few_slow_one_or_unknown_authors_are_none(posts: list[Poster]) -> None:
    assert find_campaigns(posts) == {}
