from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nlp.answer_cache import AnswerCache, Row


class Asked:
    """A judge that answers with the length of a text and remembers what it was asked."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Row:
        self.texts += texts
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)


def test_same_text_is_judged_once() -> None:
    asked, cache = Asked(), AnswerCache(10)
    for _ in range(2):
        assert cache.fill(["水壶裂了", "好用", "水壶裂了"], 2, asked)[:, 0].tolist() == [4, 2, 4]
    assert asked.texts == ["水壶裂了", "好用"]


def test_texts_that_normalise_alike_are_one() -> None:
    asked, cache = Asked(), AnswerCache(10)
    cache.fill(["水壶 裂了!", "水壺 裂了!"], 2, asked)
    assert len(asked.texts) == 1


def test_text_asked_for_longest_ago_is_forgotten_first() -> None:
    asked, cache = Asked(), AnswerCache(2)
    for text in ("甲", "乙", "甲", "丙", "甲", "乙"):
        cache.fill([text], 2, asked)
    assert asked.texts == ["甲", "乙", "丙", "乙"]
    assert len(cache) == 2


def test_batch_larger_than_the_cache_is_answered_whole() -> None:
    texts = [f"第{number}句" for number in range(30)]
    cache = AnswerCache(4)
    assert cache.fill(texts, 2, Asked())[:, 1].sum() == 30
    assert len(cache) == 4


def test_no_texts_give_no_rows() -> None:
    assert AnswerCache(4).fill([], 2, Asked()).shape == (0, 2)


def test_half_surrogate_has_a_key() -> None:
    assert AnswerCache(4).fill(["\ud83d"], 2, Asked()).shape == (1, 2)
