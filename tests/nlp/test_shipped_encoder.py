"""The weights in the repository: whole, small enough, and no worse than when they were made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlp.encoder_judge import EncoderJudge, hash_network
from nlp.evaluate import measure, read_report
from nlp.evaluate_heads import read_heads
from nlp.evaluation_page import render_results
from nlp.labelled import read_split
from nlp.sentiment import ENCODER_ENGINE, ENCODER_FOLDER, FOLDER, LINEAR_ENGINE, load_encoder, load_sentiment
from tingfeng.labels import Sentiment

MOST_BYTES = 30_000_000
SETS = {row.name: row for row in read_report(ENCODER_FOLDER).sets}
LINEAR = {row.name: row for row in read_report(FOLDER).sets}


@pytest.fixture(scope="module")
def judge() -> EncoderJudge:
    return EncoderJudge.load()


def test_all_weights_together_stay_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.parent.rglob("*") if file.is_file()) <= MOST_BYTES


def test_stored_report_and_card_belong_to_the_shipped_network() -> None:
    report = read_report(ENCODER_FOLDER)
    assert report.model == f"encoder-{hash_network(ENCODER_FOLDER)}"
    assert (ENCODER_FOLDER / "MODEL_CARD.md").read_text("utf-8").endswith(render_results(report))


@pytest.mark.parametrize("name", ["osh/酒店", "apc/car", "apc/mooc"])
def test_unseen_text_is_judged_better_than_by_the_linear_model(name: str) -> None:
    assert SETS[name].accuracy > LINEAR[name].accuracy
    assert not SETS[name].seen


def test_default_is_the_encoder(judge: EncoderJudge) -> None:
    found = load_sentiment("encoder")
    assert (found.name, found.engine) == (judge.name, ENCODER_ENGINE)


def test_linear_takes_over_and_says_why(tmp_path: Path) -> None:
    found = load_encoder(tmp_path)
    assert found.name.startswith("linear-")
    assert found.engine.startswith(f"{LINEAR_ENGINE}(")
    assert "model.json" in found.engine
    assert "git checkout" in found.engine


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("这个水壶用了三天就漏电,太气人了", Sentiment.NEGATIVE),
        ("台灯很亮,做工也好,家里人都喜欢", Sentiment.POSITIVE),
        ("客服推来推去,等了两周也没人处理", Sentiment.NEGATIVE),
        ("送货特别快,包装仔细,会再来", Sentiment.POSITIVE),
    ],
)
def test_plain_sentences_are_understood(judge: EncoderJudge, text: str, label: Sentiment) -> None:
    assert judge.label(judge.judge([text])[0]) is label


def test_car_aspects_were_measured() -> None:
    (car,) = read_heads(ENCODER_FOLDER)
    assert car.n > 500
    assert car.micro_f1 > 0.75


@pytest.mark.shared
@pytest.mark.slow
def test_shipped_network_gives_the_stored_report(judge: EncoderJudge) -> None:
    data = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "nlp"
    if not data.is_dir():
        pytest.skip("没有 ../shared/data/nlp")
    rows = [row for row in read_split(data, "test") if row.source == "weibo2018"]
    # int8 kernels differ a little between processors
    assert measure(judge, "weibo2018", rows).accuracy == pytest.approx(SETS["weibo2018"].accuracy, abs=0.01)


def test_settings_file_is_complete() -> None:
    found = json.loads((ENCODER_FOLDER / "model.json").read_text("utf-8"))
    assert 0.3 <= found["negative_from"] <= 0.5
    assert found["teammate"] == read_report(FOLDER).model
