from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nlp.labelled import Labelled
from nlp.sentiment import LinearSentiment, softmax
from nlp.train import (
    TrainResult,
    drop_emoticons,
    drop_known,
    fit_temperature,
    fit_threshold,
    quantise,
    train_sentiment,
    weigh_rows,
)
from tingfeng.errors import UsageError
from tingfeng.labels import Sentiment

FILES = {"weights.npz", "model.json", "evaluation.json", "MODEL_CARD.md"}


def read_all(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_same_data_and_seed_give_the_same_bytes(labelled_folder: Path, trained: TrainResult, tmp_path: Path) -> None:
    train_sentiment(labelled_folder, tmp_path / "again", rounds=12)
    assert read_all(tmp_path / "again") == read_all(trained.folder)


def test_other_data_give_other_weights(labelled_folder: Path, trained: TrainResult, tmp_path: Path) -> None:
    other = train_sentiment(labelled_folder, tmp_path, rounds=3)
    assert other.name != trained.name


def test_training_writes_four_files(trained: TrainResult) -> None:
    assert set(read_all(trained.folder)) == FILES


def test_trained_model_loads_and_has_learnt(trained: TrainResult) -> None:
    judge = LinearSentiment.load(trained.folder)
    rows = judge.judge(["雨伞用两天就裂了,气人", "背包有三种颜色可以选", "台灯好用又漂亮,推荐"])
    assert judge.name == trained.name
    assert [max(row, key=lambda key: row[key]) for row in rows] == ["negative", "neutral", "positive"]


def test_trained_model_leaves_the_empty_text_undecided(trained: TrainResult) -> None:
    judge = LinearSentiment.load(trained.folder)
    assert judge.label(judge.judge([""])[0]) is Sentiment.UNCERTAIN


def test_card_tells_seed_counts_hashes_and_licence(trained: TrainResult) -> None:
    text = (trained.folder / "MODEL_CARD.md").read_text("utf-8")
    assert text.startswith(f"# {trained.name}\n")
    assert "种子 7" in text
    assert "| smp_u | 微博,人工情绪 |" in text
    assert all(digest in text for digest in trained.report.files.values())


def test_settings_file_holds_what_a_reader_needs(trained: TrainResult) -> None:
    found = json.loads((trained.folder / "model.json").read_text("utf-8"))
    assert set(found) == {"classes", "buckets", "scale", "bias", "temperature", "threshold", "version"}


def test_progress_is_told_and_stays_between_0_and_1(labelled_folder: Path, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    train_sentiment(labelled_folder, tmp_path, rounds=2, progress=lambda what, done: told.append((what, done)))
    assert {what for what, _ in told} == {"读取", "训练", "评测"}
    assert all(0 <= done <= 1 for _, done in told)
    assert told[-1] == ("评测", 1.0)


def test_missing_data_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        train_sentiment(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_half_of_the_microblogs_lose_their_emoticons_and_reviews_none() -> None:
    rows = [Labelled("weibo2018", 0, "", "裂了[泪]")] * 200 + [Labelled("osh", 0, "", "裂了[泪]")] * 50
    texts = drop_emoticons(rows, 7)
    assert 70 < texts[:200].count("裂了") < 130
    assert set(texts[200:]) == {"裂了[泪]"}


def test_texts_that_are_measured_on_are_not_trained_on() -> None:
    train = [Labelled("a", 0, "", text) for text in ("裂了[泪]!", "好用", "[泪]")]
    held = [Labelled("b", 0, "", text) for text in ("裂了。", "[哭]")]
    assert [row.text for row in drop_known(train, held)] == ["好用", "[泪]"]


def test_rare_class_weighs_more_and_noisy_source_less() -> None:
    rows = [Labelled("osh", 0, "", "")] * 8 + [Labelled("osh", 1, "", "")] * 2 + [Labelled("wb100k", 0, "", "")]
    weights = weigh_rows(rows)
    assert weights.mean() == pytest.approx(1)
    assert weights[8] > weights[0] > weights[10]
    assert weights[10] == pytest.approx(weights[0] / 2)


def test_quantised_weights_stay_within_half_a_step() -> None:
    weights = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    packed, scale = quantise(weights)
    inside = np.abs(weights) <= 127 * scale
    assert packed.dtype == np.int8
    assert (np.abs(packed * scale - weights) <= scale / 2 + 1e-6)[inside].all()


def test_temperature_makes_confidence_equal_accuracy() -> None:
    chance = np.random.default_rng(3)
    gold = chance.integers(0, 3, 3000)
    told = np.where(chance.random(3000) < 0.7, gold, (gold + 1) % 3)
    boasting = 4.0 * np.eye(3)[told]
    calm = softmax(boasting / fit_temperature(boasting, gold))
    assert calm.max(axis=1).mean() == pytest.approx(0.7, abs=0.02)


def test_threshold_leaves_the_share_undecided() -> None:
    best = np.linspace(0.4, 1.0, 101)
    table = np.stack([best, (1 - best) / 2, (1 - best) / 2], axis=1)
    assert np.mean(best < fit_threshold(table)) == pytest.approx(0.08, abs=0.01)
