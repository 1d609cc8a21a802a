"""The shallow reader beside the network: what it says, its file, and that it learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlp.gram_heads import GramHeads, hash_both
from nlp.ngrams import BUCKETS, hash_texts
from nlp.stack import HEADS, OUTPUTS_WIDTH, PLACES
from tingfeng.errors import ModelError

COMPLAINT, SAFETY = PLACES["acts"].start, PLACES["severity"].start + 3


def make_heads(text: str, output: int, *, marked: bool = False) -> GramHeads:
    """Every gram of a text weighs one for one output; the bias is -2 throughout."""
    buckets = hash_both([text], [text])[1 if marked else 0].buckets
    weights = np.zeros((len(buckets), OUTPUTS_WIDTH), dtype=np.float32)
    weights[:, output] = 1.0
    return GramHeads.plain(buckets, weights, np.full(OUTPUTS_WIDTH, -2.0, dtype=np.float32))


def test_a_text_weighs_one_in_all_whatever_its_length() -> None:
    heads, count = make_heads("漏水", COMPLAINT), len(hash_texts(["漏水"]).buckets)
    told = heads.score(["漏水", "无关"], ["", ""])
    assert told[0, COMPLAINT] == pytest.approx(-2 + count**0.5)
    assert told[0, SAFETY] == -2
    # the end marks of a text are grams, too
    assert -2 < told[1, COMPLAINT] < told[0, COMPLAINT]


def test_part_and_marked_text_are_two_kinds() -> None:
    heads = make_heads("[本家]漏水", COMPLAINT, marked=True)
    assert heads.buckets.min() >= BUCKETS
    told = heads.score(["[本家]漏水", "雨"], ["雨", "[本家]漏水"])
    assert told[0, COMPLAINT] < told[1, COMPLAINT]


def test_the_mean_with_the_network_is_taken() -> None:
    heads, network = make_heads("漏水", COMPLAINT), np.full((1, OUTPUTS_WIDTH), 4.0)
    joined = heads.join(network, ["漏水"], ["漏水"])
    told = heads.score(["漏水"], ["漏水"])
    assert joined[0, COMPLAINT] == pytest.approx((4 + told[0, COMPLAINT]) / 2)
    assert joined[0, SAFETY] == 4  # severity is the network's


def test_many_texts_are_scored_as_one_alone() -> None:
    heads, texts = make_heads("客服不理人", COMPLAINT), [f"客服{n}不理人" for n in range(600)]
    assert heads.score(texts, texts)[517] == pytest.approx(heads.score([texts[517]], [texts[517]])[0])


def test_the_file_keeps_weights_to_one_part_in_two_hundred(tmp_path: Path) -> None:
    buckets = np.sort(np.random.default_rng(1).choice(2 * BUCKETS, 5000, replace=False)).astype(np.int32)
    weights = np.random.default_rng(2).normal(size=(5000, OUTPUTS_WIDTH)).astype(np.float32)
    heads = GramHeads.plain(buckets, weights, np.linspace(-3, 3, OUTPUTS_WIDTH, dtype=np.float32))
    heads.save(tmp_path / "grams.npz")
    again = GramHeads.load(tmp_path / "grams.npz", "")
    assert np.array_equal(again.buckets, buckets)
    assert np.array_equal(again.bias, heads.bias)
    assert again.weights.dtype == np.int8
    assert np.abs(again.weights * again.scale - weights).max() <= np.abs(weights).max() / 200
    assert np.abs(again.score(["漏水"], ["漏水"]) - heads.score(["漏水"], ["漏水"])).max() < 0.1


@pytest.mark.parametrize("damage", ["missing", "cut", "other shape"])
def test_a_bad_file_is_named_with_what_to_do(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "grams.npz"
    if damage != "missing":
        make_heads("漏水", COMPLAINT).save(file)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    if damage == "other shape":
        GramHeads.plain(np.array([3], dtype=np.int32), np.ones((1, 2), dtype=np.float32), np.ones(2, dtype=np.float32)).save(file)
    with pytest.raises(ModelError) as caught:
        GramHeads.load(file, "请恢复")
    assert (caught.value.where, caught.value.hint) == (str(file), "请恢复")


def test_what_two_texts_say_is_learnt_and_what_nobody_judged_is_not() -> None:
    pytest.importorskip("torch")
    from nlp.torch_grams import fit_gram_heads

    texts = ["水壶漏水", "台灯漏水", "水壶好看", "台灯好看"] * 10
    wanted = np.zeros((40, OUTPUTS_WIDTH))
    wanted[[n for n, text in enumerate(texts) if "漏水" in text], COMPLAINT] = 1
    known = np.zeros((40, len(HEADS)), dtype=bool)
    known[:, HEADS.index("acts")] = True
    heads = fit_gram_heads(texts, texts, wanted, known)
    told = heads.score(["雨伞漏水", "雨伞好看"], ["雨伞漏水", "雨伞好看"])
    assert told[0, COMPLAINT] > 0 > told[1, COMPLAINT]
    assert not heads.weights[:, SAFETY].any()


def test_only_the_weights_that_say_most_are_kept() -> None:
    pytest.importorskip("torch")
    from nlp.torch_grams import keep_heaviest

    weights = np.array([[-9, 1], [5, -2], [0, 3], [1, 4], [-2, -5], [3, 6]], dtype=np.float32)
    kept = keep_heaviest(np.arange(6, dtype=np.int32), np.ones(6, dtype=np.int64), weights, np.zeros(2, dtype=np.float32), kept=2)
    assert [np.count_nonzero(column) for column in kept.weights.T] == [2, 2]
    assert kept.buckets.tolist() == [0, 1, 4, 5]
    often = keep_heaviest(np.arange(6, dtype=np.int32), np.array([1, 1, 1, 400, 1, 1]), weights, np.zeros(2, dtype=np.float32), kept=1)
    assert often.buckets.tolist() == [3]
