from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from nlp.about import About
from nlp.encoder_judge import (
    MODEL_FILE,
    PIECES_FILE,
    SETTINGS_FILE,
    EncoderJudge,
    EncoderSettings,
    combine,
    describe_settings,
    hash_network,
)
from nlp.gram_heads import GRAMS_FILE, GramHeads
from nlp.hints import list_hints
from nlp.lexicon import build_lexicon
from nlp.onnx_model import OnnxModel, cut_by_length
from nlp.outputs import OUTPUTS, SIZES, STARTS, WIDTH
from nlp.rules import apply_rules
from nlp.sentiment import CLASSES, LinearSentiment
from nlp.stack import OUTPUTS_WIDTH, STACK_FILE, Stack
from nlp.tokens import SPECIAL, PieceReader
from tingfeng.clock import parse_iso
from tingfeng.errors import ModelError
from tingfeng.labels import PostKind, Sentiment
from tingfeng.records import Post

ROOT = Path(__file__).resolve().parents[2]
POST = Post("s", "1", PostKind.ORIGINAL, "水壶裂了", parse_iso("2026-11-20"))

SCORED = {**dict.fromkeys(SPECIAL, 0.0), "▁": -3.0, **dict.fromkeys("水壶裂了很亮好用推荐气人客服不回", -5.0)}
LIMITS = {
    "acts": {**dict.fromkeys(OUTPUTS["acts"], 0.5), "complaint": 0.3}, "aspects": {"topic": 0.4},
    "severity": {"safety": 0.2}, "toward": {"negative": 0.3, "least": 0.4}, "spam": {"spam": 0.5},
}  # fmt: skip
TEXTS = ["水壶裂了", "很好用", "客服不回" * 9, "推荐", "气人了" * 3]


def settings(version: str, **changed: object) -> EncoderSettings:
    given: dict[str, object] = {
        "version": version, "teammate": LinearSentiment.load().name, "shares": (0.7, 0.5), "temperatures": {"acts": 2.0},
        "thresholds": LIMITS, "threshold": 0.5, "negative_from": 0.4, "sure_from": 0.6, "longest": 24, "outputs": OUTPUTS, "stacked": True,
    }  # fmt: skip
    return EncoderSettings(**{**given, **changed})  # type: ignore[arg-type]


def about(text: str) -> About:
    """A text without a subject's name, as the rules see it."""
    tables = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "config/lexicon").glob("*.toml")}
    tables["aspects"] = tomllib.loads((ROOT / "config/aspects.toml").read_text("utf-8"))
    return About("", (), apply_rules(text, PostKind.ORIGINAL, build_lexicon(tables, "")), text, text, 0, "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network with random weights, exported and described as training does it."""
    import torch

    from nlp.torch_encoder import Encoder, EncoderShape
    from nlp.torch_export import export

    place = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(5)
    PieceReader.build(SCORED).save(place / PIECES_FILE)
    export(Encoder(EncoderShape(len(SCORED), SIZES, hidden=32, layers=2, attention=4, inner=48, positions=24)), place / MODEL_FILE)
    hints = len(list_hints(about("水壶裂了"), POST, {"negative": 0.3, "neutral": 0.3, "positive": 0.4}))
    Stack(np.zeros((OUTPUTS_WIDTH + hints, OUTPUTS_WIDTH)), np.zeros(OUTPUTS_WIDTH), np.zeros(hints), np.ones(hints)).save(place / STACK_FILE)
    GramHeads.plain(np.array([7], dtype=np.int32), np.zeros((1, OUTPUTS_WIDTH), np.float32), np.zeros(OUTPUTS_WIDTH, np.float32)).save(place / GRAMS_FILE)
    described = describe_settings(settings(hash_network(place)))
    (place / SETTINGS_FILE).write_text(json.dumps(described, ensure_ascii=False), "utf-8")
    return place


@pytest.fixture(scope="module")
def judge(folder: Path) -> EncoderJudge:
    return EncoderJudge.load(folder)


def test_exported_network_agrees_with_torch(folder: Path) -> None:
    import torch

    from nlp.torch_encoder import Encoder, EncoderShape
    from nlp.torch_training import pad

    torch.manual_seed(5)
    encoder = Encoder(EncoderShape(len(SCORED), SIZES, hidden=32, layers=2, attention=4, inner=48, positions=24)).eval()
    rows = PieceReader.load(folder / PIECES_FILE, "").read(TEXTS, 24)
    with torch.no_grad():
        full = encoder(*pad(rows)).numpy()
    assert np.abs(OnnxModel.load(folder / MODEL_FILE, "").run(rows) - full).max() < 0.15


def test_batches_and_threads_change_no_answer(folder: Path) -> None:
    rows = PieceReader.load(folder / PIECES_FILE, "").read(TEXTS * 60, 24)
    alone = np.concatenate([OnnxModel.load(folder / MODEL_FILE, "", threads=1).run([row]) for row in rows[: len(TEXTS)]])
    together = OnnxModel.load(folder / MODEL_FILE, "", threads=3).run(rows)
    assert np.abs(together[: len(TEXTS)] - alone).max() < 0.1
    assert together.shape == (len(rows), WIDTH)


def test_batches_are_of_like_length_and_bounded() -> None:
    rows = [[0] * length for length in (5, 90, 6, 88, 7)]
    batches = cut_by_length(rows, budget=180)
    assert batches[0] == [1, 3]
    assert sorted(place for batch in batches for place in batch) == [0, 1, 2, 3, 4]


def test_no_texts_give_no_answers(judge: EncoderJudge) -> None:
    assert judge.judge([]) == []
    assert judge.heads is not None
    assert judge.heads.judge([]) == []


def test_probabilities_of_sentiment_add_up(judge: EncoderJudge) -> None:
    for row in judge.judge(TEXTS):
        assert list(row) == [str(label) for label in CLASSES]
        assert sum(row.values()) == pytest.approx(1, abs=3e-4)


@pytest.mark.parametrize("text", ["", " \n", "\ud83d"])
def test_nothing_to_read_is_alike_and_undecided(judge: EncoderJudge, text: str) -> None:
    (row,) = judge.judge([text])
    assert set(row.values()) == {0.3333}
    assert judge.label(row) is Sentiment.UNCERTAIN


@pytest.mark.parametrize("text", ["水" * 100_000, "\x00\x01水壶", "hello world", "<b>水壶</b>", "水\ud83d壶", "[泪]" * 50])
def test_strange_text_is_judged_without_an_exception(judge: EncoderJudge, text: str) -> None:
    assert judge.heads is not None
    (word,) = judge.heads.judge([(about(text), POST)])
    assert sum(word.probabilities.values()) == pytest.approx(1, abs=3e-4)


def test_texts_begun_with_are_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = EncoderJudge.load(folder)
    assert fresh.heads is not None
    fresh.heads.begin(TEXTS)
    assert fresh.heads.judge([]) == []
    monkeypatch.setattr(fresh, "_model", None)
    assert len(fresh.heads.judge([(about(text), POST) for text in TEXTS])) == len(TEXTS)


def test_missing_stack_is_named(folder: Path, tmp_path: Path) -> None:
    for name in (MODEL_FILE, PIECES_FILE):
        shutil.copy(folder / name, tmp_path / name)
    described = describe_settings(settings(hash_network(tmp_path)))
    (tmp_path / SETTINGS_FILE).write_text(json.dumps(described, ensure_ascii=False), "utf-8")
    with pytest.raises(ModelError) as caught:
        EncoderJudge.load(tmp_path)
    assert STACK_FILE in caught.value.where


def test_other_stack_is_another_version(folder: Path, tmp_path: Path) -> None:
    for name in (MODEL_FILE, PIECES_FILE):
        shutil.copy(folder / name, tmp_path / name)
    assert hash_network(tmp_path) != hash_network(folder)


def test_sentiment_weighs_encoder_and_linear_model() -> None:
    network, linear = np.zeros((1, WIDTH)), np.array([[0.0, 0.0, 2.0]])
    network[0, 0] = 4.0
    only_encoder = combine(network, linear, settings("x", shares=(1.0, 0.0)))[0, :3]
    only_linear = combine(network, linear, settings("x", shares=(0.0, 1.0)))[0, :3]
    assert only_encoder.argmax() == 0
    assert only_linear.argmax() == 2


def test_temperature_calms_a_head() -> None:
    network = np.zeros((1, WIDTH))
    network[0, STARTS["acts"]] = 2.0
    told = combine(network, np.ones((1, 3)), settings("x"))[0, STARTS["acts"]]
    assert told == pytest.approx(1 / (1 + np.exp(-1.0)), abs=1e-4)


def test_head_says_what_reaches_its_threshold(judge: EncoderJudge) -> None:
    assert judge.says("acts", {"complaint": 0.3, "praise": 0.49, "question": 0.5}) == ("complaint", "question")


def test_likely_negative_is_negative_though_another_class_is_likelier(judge: EncoderJudge) -> None:
    assert judge.label({"negative": 0.41, "neutral": 0.59, "positive": 0.0}) is Sentiment.NEGATIVE
    assert judge.label({"negative": 0.39, "neutral": 0.61, "positive": 0.0}) is Sentiment.NEUTRAL


class Refusing:
    """A network that may not be asked."""

    def run(self, rows: object) -> object:
        raise AssertionError("asked")


def test_fast_judge_asks_the_encoder_only_where_the_linear_model_is_unsure(folder: Path, judge: EncoderJudge) -> None:
    linear = LinearSentiment.load()
    rows = linear.judge(TEXTS)
    sure = [text for text, row in zip(TEXTS, rows, strict=True) if max(row.values()) >= 0.6]
    unsure = [text for text in TEXTS if text not in sure] or [""]
    fast = EncoderJudge.load(folder, fast=True)
    assert fast.judge(unsure) == judge.judge(unsure)
    fast._model = Refusing()  # type: ignore[assignment]
    assert [row["negative"] for row in fast.judge(sure)] == pytest.approx([row["negative"] for row in linear.judge(sure)], abs=1e-3)


def test_fast_judge_has_no_heads_and_says_so(folder: Path) -> None:
    fast = EncoderJudge.load(folder, fast=True)
    assert fast.heads is None
    assert fast.name.endswith("-fast")
    assert "unsure" in fast.engine


def test_same_text_is_not_judged_again(folder: Path) -> None:
    judge = EncoderJudge.load(folder)
    first = judge.judge(TEXTS)
    judge._model = None  # type: ignore[assignment]
    assert judge.judge(TEXTS[::-1]) == first[::-1]


@pytest.mark.parametrize("name", [MODEL_FILE, PIECES_FILE, SETTINGS_FILE])
@pytest.mark.parametrize("damage", ["missing", "short"])
def test_missing_or_damaged_file_is_named_with_the_command(folder: Path, tmp_path: Path, name: str, damage: str) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "model"))
    (broken / name).unlink() if damage == "missing" else (broken / name).write_bytes((broken / name).read_bytes()[:50])
    with pytest.raises(ModelError, match=r"model.*git checkout"):
        EncoderJudge.load(broken)


def test_other_teammate_is_refused(folder: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "model"))
    described = describe_settings(settings(hash_network(broken), teammate="linear-00000000"))
    (broken / SETTINGS_FILE).write_text(json.dumps(described), "utf-8")
    with pytest.raises(ModelError, match="linear-00000000"):
        EncoderJudge.load(broken)


def test_other_outputs_are_refused(folder: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "model"))
    described = describe_settings(settings(hash_network(broken), outputs={"sentiment": ("a", "b")}))
    (broken / SETTINGS_FILE).write_text(json.dumps(described), "utf-8")
    with pytest.raises(ModelError, match="不合"):
        EncoderJudge.load(broken)
