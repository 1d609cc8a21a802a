from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.ngrams import BUCKETS, CHUNK, END, LONGEST, MULTIPLIER, START, Bags, cut_text, hash_texts

WORD = (1 << 64) - 1


def bag(bags: Bags, index: int) -> list[int]:
    start = int(bags.offsets[index])
    return [int(bucket) for bucket in bags.buckets[start : start + int(bags.sizes[index])]]


def hash_slowly(text: str) -> list[int]:
    """The same by the definition, one gram after another."""
    whole, found = START + cut_text(text) + END, set()
    for size in range(1, LONGEST + 1):
        for start in range(len(whole) - size + 1):
            value = 0
            for length, character in enumerate(whole[start : start + size], 1):
                value = (value * int(MULTIPLIER) + ord(character) + length) & WORD
            found.add((((value ^ (value >> 29)) * int(MULTIPLIER)) & WORD) >> (64 - 18))
    return sorted(found)


def test_vectorised_hash_equals_its_definition() -> None:
    texts = ["客服一直不回复", "a", "", "退款退款退款 123", "很好😀"]
    bags = hash_texts(texts)
    assert [bag(bags, index) for index in range(len(texts))] == [hash_slowly(text) for text in texts]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_a_text_has_the_same_bag_alone_and_in_company(texts: list[str]) -> None:
    together = hash_texts(texts)
    for index, text in enumerate(texts):
        assert bag(together, index) == bag(hash_texts([text]), 0)


def test_buckets_are_pinned_because_shipped_weights_depend_on_them() -> None:
    assert bag(hash_texts(["好"]), 0) == [3153, 41597, 123767, 160006, 223897, 251689]


def test_grams_are_counted_once_per_text() -> None:
    assert bag(hash_texts(["哈哈哈哈哈哈哈哈"]), 0) == bag(hash_texts(["哈哈哈哈哈"]), 0)


def test_width_case_and_script_make_no_difference() -> None:
    bags = hash_texts(["退款ABC", "退款abc", "退款ＡＢＣ"])
    assert bag(bags, 0) == bag(bags, 1) == bag(bags, 2)
    assert bag(hash_texts(["質量"]), 0) == bag(hash_texts(["质量"]), 0)


def test_blank_marks_texts_with_nothing_to_read() -> None:
    assert hash_texts(["", " \n", "\u200b", "\ud800", "。"]).blank.tolist() == [True, True, True, True, False]


def test_sizes_are_never_zero_and_buckets_in_range() -> None:
    bags = hash_texts(["", "一", "\udfff\ud800字"])
    assert bags.sizes.min() > 0
    assert bags.buckets.min() >= 0
    assert bags.buckets.max() < BUCKETS


def test_more_texts_than_a_chunk_keep_their_order() -> None:
    bags = hash_texts([str(number) for number in range(CHUNK + 3)])
    assert len(bags.sizes) == CHUNK + 3
    assert bag(bags, CHUNK + 1) == bag(hash_texts([str(CHUNK + 1)]), 0)


def test_no_texts_give_an_empty_bag() -> None:
    bags = hash_texts([])
    assert (len(bags.buckets), len(bags.sizes), len(bags.offsets)) == (0, 0, 0)


def test_long_text_is_read_at_both_ends() -> None:
    middle = "中" * 3000
    assert cut_text("头" + middle + "尾")[0] == "头"
    assert cut_text("头" + middle + "尾")[-1] == "尾"
    assert np.array_equal(hash_texts(["甲" * 900 + "乙"]).buckets, hash_texts(["甲" * 5000 + "乙"]).buckets)
