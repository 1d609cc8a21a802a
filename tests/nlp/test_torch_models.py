from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from nlp.ngrams import BUCKETS, hash_texts
from nlp.sentiment import CLASSES, load_sentiment
from nlp.torch_models import TransformerSentiment, fit_linear, read_order
from tingfeng.errors import ModelError
from tingfeng.labels import Sentiment

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"水壶裂了台灯很亮客服不回好用推荐"]


def save_classifier(folder: Path, names: dict[int, str], *, headless: bool = False) -> Path:
    """A randomly initialised BERT of a few numbers, saved as Hugging Face saves one."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer

    folder.mkdir()
    BertTokenizer(vocab={word: index for index, word in enumerate(WORDS)}).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=24,
        id2label=names,
        label2id={name: index for index, name in names.items()},
    )
    torch.manual_seed(1)
    model = (BertModel if headless else BertForSequenceClassification)(config)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("hf") / "tiny", {0: "Positive", 1: "neutral", 2: "NEGATIVE"})


def test_local_classifier_is_loaded_by_its_folder(classifier: Path) -> None:
    judge = load_sentiment(str(classifier))
    assert judge.name == "hf-tiny"


def test_probabilities_follow_the_models_own_class_names(classifier: Path) -> None:
    import torch

    judge = TransformerSentiment.load(classifier)
    (row,) = judge.judge(["水壶裂了"])
    encoded = judge._tokenizer(["水壶裂了"], return_tensors="pt")  # type: ignore[operator]
    with torch.no_grad():
        told = torch.softmax(judge._model(**encoded).logits, dim=1)[0].tolist()  # type: ignore[operator]
    assert [row["positive"], row["neutral"], row["negative"]] == [round(value, 4) for value in told]
    assert list(row) == [str(label) for label in CLASSES]


def test_batches_by_length_keep_the_order(classifier: Path) -> None:
    judge = TransformerSentiment.load(classifier)
    texts = ["好用" * (1 + number * 7 % 12) + "裂" * (number % 3) for number in range(40)] + ["水壶" * 400]
    alone = [judge.judge([text])[0]["negative"] for text in texts]
    assert [row["negative"] for row in judge.judge(texts)] == pytest.approx(alone, abs=2e-4)


@pytest.mark.parametrize("text", ["", " \n", "\ud83d"])
def test_nothing_to_read_is_alike_for_all_classes(classifier: Path, text: str) -> None:
    judge = TransformerSentiment.load(classifier)
    (row,) = judge.judge([text])
    assert set(row.values()) == {0.3333}
    assert judge.label(row) is Sentiment.UNCERTAIN


def test_half_surrogate_does_not_raise(classifier: Path) -> None:
    (row,) = TransformerSentiment.load(classifier).judge(["水壶\ud83d裂了"])
    assert sum(row.values()) == pytest.approx(1, abs=2e-4)


def test_two_class_model_never_says_neutral(tmp_path: Path) -> None:
    judge = TransformerSentiment.load(save_classifier(tmp_path / "two", {0: "LABEL_0", 1: "LABEL_1"}))
    (row,) = judge.judge(["台灯很亮"])
    assert row["neutral"] == 0.0
    assert row["negative"] + row["positive"] == pytest.approx(1, abs=2e-4)


@pytest.mark.parametrize(
    ("names", "order"),
    [
        ({0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}, CLASSES),
        ({0: "消极", 1: "积极"}, (Sentiment.NEGATIVE, Sentiment.POSITIVE)),
        ({0: "pos", 1: "neg"}, (Sentiment.POSITIVE, Sentiment.NEGATIVE)),
        ({1: "Neutral", 0: "Positive", 2: "Negative"}, (Sentiment.POSITIVE, Sentiment.NEUTRAL, Sentiment.NEGATIVE)),
    ],
)
def test_class_names_are_read(names: dict[int, str], order: tuple[Sentiment, ...]) -> None:
    assert read_order(names, Path("model")) == order


@pytest.mark.parametrize(
    "names",
    [{0: "sports", 1: "news"}, {0: "LABEL_0"}, {0: "positive", 1: "positive"}, {0: "neutral", 1: "positive"}],
)
def test_class_names_that_are_no_sentiments_are_refused(names: dict[int, str]) -> None:
    with pytest.raises(ModelError, match="看不懂模型的类别"):
        read_order(names, Path("model"))


def test_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        load_sentiment(str(tmp_path))


def test_damaged_weights_are_refused(classifier: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(classifier, tmp_path / "broken"))
    (folder / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(ModelError, match="模型读不了"):
        TransformerSentiment.load(folder)


def test_model_without_a_trained_head_is_refused(tmp_path: Path) -> None:
    folder = save_classifier(tmp_path / "headless", {0: "negative", 1: "positive"}, headless=True)
    with pytest.raises(ModelError, match="缺少训练好的参数"):
        TransformerSentiment.load(folder)


def test_missing_torch_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "nlp.torch_models")
    with pytest.raises(ModelError, match=r"没有安装 torch.*pip install 'tingfeng\[models\]'"):
        load_sentiment(str(tmp_path))


TEXTS = ("气人", "差劲", "一般", "普通", "很好", "喜欢")
LABELS = np.array([0, 0, 1, 1, 2, 2])


def fit(polar: bool, decay: float = 0.01, weights: tuple[float, ...] = (1,) * 6) -> np.ndarray[tuple[int, int]]:
    bags = hash_texts(TEXTS)
    table, bias = fit_linear(
        bags, LABELS, np.array(weights, dtype=np.float32), np.full(6, polar), rounds=20, decay=decay
    )
    assert table.shape == (BUCKETS, 3)
    scores = np.add.reduceat(table[bags.buckets], bags.offsets, axis=0) / np.sqrt(bags.sizes)[:, None] + bias
    return np.asarray(scores)


def test_fit_learns_its_texts() -> None:
    assert fit(polar=False).argmax(axis=1).tolist() == LABELS.tolist()


def test_decay_keeps_scores_small() -> None:
    assert np.abs(fit(polar=False, decay=1.0)).max() < np.abs(fit(polar=False)).max()


def test_texts_of_weight_zero_teach_nothing() -> None:
    scores = fit(polar=False, weights=(1, 1, 0, 0, 1, 1))
    assert 1 not in scores.argmax(axis=1)


def test_polar_sources_leave_more_room_for_neutral() -> None:
    def share_of_neutral(polar: bool) -> float:
        bags = hash_texts(("气人", "很好"))
        marks = np.full(2, polar)
        table, bias = fit_linear(bags, np.array([0, 2]), np.ones(2, dtype=np.float32), marks, rounds=20)
        scores = np.add.reduceat(table[bags.buckets], bags.offsets, axis=0) / np.sqrt(bags.sizes)[:, None] + bias
        return float((np.exp(scores[:, 1]) / np.exp(scores).sum(axis=1)).mean())

    assert share_of_neutral(True) > share_of_neutral(False)


def test_fit_leaves_the_number_of_threads_alone() -> None:
    import torch

    before = torch.get_num_threads()
    fit(polar=False)
    assert torch.get_num_threads() == before
