from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlp.corrections import Corrected
from nlp.gate import CHANGE_ALLOWED, compare_kept, compare_learnt
from nlp.heads import HeadWord
from nlp.layer import COLUMNS, WEIGHTS_FILE, Layer
from nlp.ngrams import hash_texts
from nlp.outputs import ACTS, OUTPUTS
from nlp.sentiment import LAYER_FILE
from nlp.stack import HEADS, OUTPUTS_WIDTH, PLACES, Table, to_probabilities
from nlp.torch_layer import choose_grams, fit_grams
from tingfeng.clock import parse_iso
from tingfeng.errors import ModelError, UsageError
from tingfeng.labels import Act, Owner, PostKind, Sentiment, Severity, Stage
from tingfeng.records import Mention, Post

SEEN = [f"{place}号楼的水壶,祖传手艺" for place in range(6)]
OTHERS = [f"{place}号楼的台灯,{said}" for place in range(20) for said in ("很亮", "送得快")]
WORD = HeadWord(
    Sentiment.NEGATIVE, {"negative": 0.8, "neutral": 0.1, "positive": 0.1}, (Act.COMPLAINT,), (), Severity.SAFETY, Owner.UNKNOWN, Stage.NONE
)
HAPPY = replace(WORD, sentiment=Sentiment.POSITIVE, probabilities={"negative": 0.1, "neutral": 0.1, "positive": 0.8}, severity=Severity.NONE)


def fit(strength: float) -> Layer:
    """The seen texts are negative; of the others the heads are right, who call everything positive."""
    base = np.zeros((len(SEEN) + len(OTHERS), OUTPUTS_WIDTH))
    base[:, PLACES["toward"].start + 2] = 3.0
    own = to_probabilities(base)
    wanted: Table = np.concatenate([own[head] for head in HEADS], axis=1)
    wanted[: len(SEEN), PLACES["toward"]] = [1, 0, 0, 0]
    worth = np.ones((len(base), len(HEADS)))
    worth[: len(SEEN)] = [strength if head == "toward" else 0.0 for head in HEADS]
    return Layer.build("00000000", *fit_grams(SEEN, OTHERS, base, wanted, worth), len(SEEN), strength)


def read_toward(layer: Layer, texts: Sequence[str]) -> Table:
    return layer.weigh(texts)[:, PLACES["toward"]]


def test_a_text_with_the_corrected_words_moves_and_others_stay() -> None:
    layer = fit(10.0)
    moved, stayed = read_toward(layer, ["六楼的电扇,祖传手艺", "六楼的电扇很安静"])
    assert moved[0] - moved[2] > 2
    assert np.abs(stayed).max() < 0.3


def test_what_nobody_corrected_gets_no_weight() -> None:
    added = fit(10.0).weigh(SEEN)
    assert np.abs(added[:, PLACES["acts"]]).max() < 1e-9
    assert not added[:, np.setdiff1d(np.arange(OUTPUTS_WIDTH), COLUMNS)].any()


def test_a_weaker_correction_moves_less() -> None:
    weak, strong = (read_toward(fit(strength), SEEN)[0, 0] for strength in (0.3, 10.0))
    assert 0 < weak < strong


def test_words_that_stand_everywhere_are_not_what_a_correction_is_about() -> None:
    kept = choose_grams(SEEN, OTHERS)
    assert not np.isin(hash_texts(["号楼的"]).buckets, kept).any()
    assert np.isin(hash_texts(["祖传手艺"]).buckets, kept).sum() >= 10
    nothing = np.zeros((80, OUTPUTS_WIDTH))
    with pytest.raises(UsageError, match="少见的词"):
        fit_grams(OTHERS, OTHERS, nothing, nothing, np.zeros((80, len(HEADS))))


def test_layer_is_read_back_and_named_by_its_weights(tmp_path: Path) -> None:
    layer = fit(10.0)
    layer.save(tmp_path)
    again = Layer.load(tmp_path)
    assert again.settings == layer.settings
    assert np.array_equal(again.weigh(SEEN), layer.weigh(SEEN))
    assert layer.settings.name != fit(3.0).settings.name == fit(3.0).settings.name


@pytest.mark.parametrize("name", [LAYER_FILE, WEIGHTS_FILE])
def test_a_file_that_is_missing_or_damaged_is_named(tmp_path: Path, name: str) -> None:
    fit(10.0).save(tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:40])
    with pytest.raises(ModelError, match=name):
        Layer.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=name):
        Layer.load(tmp_path)


def test_files_of_two_trainings_are_refused(tmp_path: Path) -> None:
    fit(10.0).save(tmp_path)
    kept = (tmp_path / LAYER_FILE).read_bytes()
    fit(1.0).save(tmp_path)
    (tmp_path / LAYER_FILE).write_bytes(kept)
    with pytest.raises(ModelError, match="同一次"):
        Layer.load(tmp_path)
    assert json.loads(kept)["corrections"] == len(SEEN)


def correct(**labels: object) -> Corrected:
    """A mention of which a person set these fields."""
    post = Post("x", "1", PostKind.ORIGINAL, "暖芽", parse_iso("2026-11-20"))
    mention = Mention(post.id, "暖芽", corrected_by="li", corrected=tuple(labels))
    return Corrected((None, post), replace(mention, **labels))  # type: ignore[arg-type]


def test_only_corrected_fields_become_targets() -> None:
    assert correct(sentiment=Sentiment.MIXED).targets == {"toward": [0, 0, 0, 1]}
    told = correct(acts=(Act.COMPLAINT,), severity=Severity.MONEY).targets
    assert set(told) == {"acts", "spam", "severity"}
    assert dict(zip(OUTPUTS["acts"], told["acts"], strict=True)) == {str(act): float(act is Act.COMPLAINT) for act in ACTS}
    assert "spam" not in correct(acts=(Act.AD,)).targets


def test_every_corrected_field_counts_and_learning_nothing_is_refused() -> None:
    rows = [correct(sentiment=Sentiment.POSITIVE, severity=Severity.SAFETY)]
    learnt = compare_learnt("改正", [WORD], [HAPPY], rows, must_gain=True)
    assert (learnt.old, learnt.new, learnt.is_worse) == (0.5, 0.5, True)
    assert "没有变好" in learnt.words
    assert not compare_learnt("改正", [WORD], [replace(HAPPY, severity=Severity.SAFETY)], rows, must_gain=True).is_worse


def test_changes_of_what_nobody_corrected_are_refused_when_they_are_many() -> None:
    old = [WORD] * 100 + [HAPPY] * 100
    few = [*old[:-4], *[replace(HAPPY, sentiment=Sentiment.NEUTRAL)] * 4]
    many = [HAPPY] * 8 + old[8:]
    assert 4 / 200 < CHANGE_ALLOWED < 8 / 200
    assert [one.what for one in compare_kept(old, few) if one.is_worse] == []
    refused = [one.what.rpartition(":")[2] for one in compare_kept(old, many) if one.is_worse]
    assert refused[:2] == ["情感", "严重程度"]
    assert [what[:4] for what in refused[2:]] == ["负面查全", "人身查全", "情感宏 "]
