"""The weights in the repository: whole, small enough, and no worse than when they were made."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nlp.encoder_judge import EncoderJudge, hash_network
from nlp.evaluate import measure, read_report
from nlp.evaluate_heads import read_heads
from nlp.evaluation_page import render_results
from nlp.gold import GoldReport, macro_f1, read_gold, score_gold
from nlp.labelled import read_split
from nlp.lexicon import Lexicon, build_lexicon
from nlp.pipeline import Pipeline
from nlp.relevance import Relevance, build_relevance
from nlp.sentiment import ENCODER_ENGINE, ENCODER_FOLDER, FOLDER, LINEAR_ENGINE, load_encoder, load_sentiment
from nlp.subjects import SubjectMatcher
from tingfeng.clock import parse_iso
from tingfeng.labels import Act, PostKind, Sentiment, Severity
from tingfeng.records import Post, Subject
from tingfeng.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
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


def test_encoder_is_the_default_and_brings_its_heads(judge: EncoderJudge) -> None:
    found = load_sentiment(Settings().nlp.model)
    assert (found.name, found.engine) == (judge.name, ENCODER_ENGINE)
    assert found.heads is not None


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


def test_heads_were_measured() -> None:
    heads = {one.head: one for one in read_heads(ENCODER_FOLDER)}
    assert heads["car"].n > 500
    assert heads["car"].micro_f1 > 0.75
    assert heads["acts"].n > 1000
    assert heads["acts"].macro_f1 > 0.65


@cache
def read_lexicon() -> tuple[Lexicon, Relevance]:
    """What stands in config/."""
    tables = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "config/lexicon").glob("*.toml")}
    relevance = build_relevance(tables.pop("relevance"))
    return build_lexicon({**tables, "aspects": tomllib.loads((ROOT / "config/aspects.toml").read_text("utf-8"))}, ""), relevance


@pytest.fixture(scope="module")
def gold(judge: EncoderJudge) -> GoldReport:
    """What the shipped model says of the gold set, with the rules and lists of config."""
    lexicon, relevance = read_lexicon()
    posts = read_gold(Path(__file__).parent / "gold")
    pipelines = {one.post.id: Pipeline(SubjectMatcher(one.subjects, relevance), judge, lexicon, judge.heads) for one in posts}
    assert judge.heads is not None
    judge.heads.begin([text for one in posts for text in pipelines[one.post.id].mark_texts([one.post])])
    return score_gold(posts, lambda post, subjects: pipelines[post.id].judge([post]).posts[0])


@pytest.mark.slow
@pytest.mark.parametrize(("part", "floor"), [("acts", 0.75), ("sentiment", 0.64), ("severity", 0.62), ("owner", 0.40), ("stage", 0.54)])
def test_gold_set_is_judged_no_worse_than_when_the_weights_were_made(part: str, floor: float, gold: GoldReport) -> None:
    assert macro_f1(getattr(gold, part)) >= floor


@pytest.mark.slow
def test_harm_and_blame_are_seldom_missed(gold: GoldReport) -> None:
    assert gold.severity["safety"].recall >= 0.90
    assert gold.sentiment["negative"].recall >= 0.88
    assert gold.figures["opinion_micro_f1"][0] >= 0.52


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


@pytest.mark.parametrize(
    ("kind", "text", "acts"),
    [
        (PostKind.TICKET, "沐禾S5发动机故障灯亮,维修未解决", {Act.COMPLAINT}),
        (PostKind.ORIGINAL, "沐禾发布三季度财报,营收增长", {Act.NEWS}),
    ],
)
def test_what_is_filed_with_a_complaint_board_is_a_complaint(judge: EncoderJudge, kind: PostKind, text: str, acts: set[Act]) -> None:
    pipeline = Pipeline(SubjectMatcher([Subject("沐禾")]), judge, read_lexicon()[0], judge.heads)
    post = Post("x", "1", kind, text, parse_iso("2026-11-20"), published_at=parse_iso("2026-11-20"))
    assert set(pipeline.judge([post]).posts[0].mentions[0].acts) == acts


def test_harm_that_the_rules_find_stays_safety_wherever_the_limit_is(judge: EncoderJudge) -> None:
    careless = EncoderJudge.load(safety_from=1.0)
    assert careless.heads is not None
    pipeline = Pipeline(SubjectMatcher([Subject("沐禾")]), careless, read_lexicon()[0], careless.heads)
    told = pipeline.judge([Post("x", "1", PostKind.ORIGINAL, "沐禾水壶起火,手被烫伤", parse_iso("2026-11-20"))]).posts[0]
    assert told.mentions[0].severity is Severity.SAFETY


def test_neighbours_do_not_change_what_is_said_of_a_text(judge: EncoderJudge) -> None:
    texts = [one.post.text for one in read_gold(Path(__file__).parent / "gold")[:60]]
    together = np.array([list(row.values()) for row in EncoderJudge.load().judge(texts)])
    alone = np.array([list(judge.judge([text])[0].values()) for text in texts])
    assert np.abs(together - alone).max() < 0.01
