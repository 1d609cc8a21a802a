"""The whole way from a data folder to a model that judges, with an invented encoder of a few numbers."""

from __future__ import annotations

import gzip
import json
import struct
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nlp.about import About, find_abouts
from nlp.encoder_judge import MODEL_FILE, EncoderJudge
from nlp.evaluate import read_report
from nlp.evaluate_heads import read_heads
from nlp.lexicon import Lexicon, build_lexicon
from nlp.outputs import OUTPUTS, STARTS
from nlp.rules import WeakLabels, apply_rules
from nlp.sentiment import LinearSentiment
from nlp.subjects import SubjectMatcher
from nlp.tokens import SPECIAL
from nlp.train_encoder import Plan, Teachers, find_pieces, train_encoder
from tingfeng.errors import UsageError
from tingfeng.labels import Act, PostKind, Sentiment, Severity, Topic
from tingfeng.records import Post, Subject
from tingfeng.text import normalise

HIDDEN, INNER, LAYERS = 32, 64, 2
ROOT = Path(__file__).resolve().parents[2]
POSTS = 120
CHARACTERS = "水壶台灯雨伞背包键盘毛毯风扇饭盒用两天就裂了气人客服推来去不处理味道刺鼻后悔买它迟发货将于周五开始销售有三种颜色可以选的说明书共八页在门店陈列本别做工细致很满意好又漂亮荐送得快装也家里都喜欢,0123456789-"
PIECES = [*SPECIAL, "▁", *dict.fromkeys(CHARACTERS)]


def write_encoder(file: Path) -> None:
    """Random full-size numbers under the names of the real file."""
    chance = np.random.default_rng(4)
    sizes = {"emb.word": len(PIECES) * HIDDEN, "emb.pos": 40 * HIDDEN, "emb.type": HIDDEN, "emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN}
    for layer in range(LAYERS):
        for name, wide, tall in (("q", HIDDEN, HIDDEN), ("k", HIDDEN, HIDDEN), ("v", HIDDEN, HIDDEN), ("ao", HIDDEN, HIDDEN), ("fi", INNER, HIDDEN), ("fo", HIDDEN, INNER)):
            sizes |= {f"l{layer}.{name}.w": wide * tall, f"l{layer}.{name}.b": wide}
        sizes |= {f"l{layer}.{norm}.{part}": HIDDEN for norm in ("aln", "oln") for part in "wb"}
    blobs = [piece.encode() for piece in PIECES]
    head = b"E5S1" + struct.pack("<i", 1) + struct.pack("<7ifi", HIDDEN, LAYERS, 4, INNER, len(PIECES), 40, 1, 1e-12, 32)
    head += struct.pack("<5iq", len(PIECES), 0, 2, 1, 3, sum(map(len, blobs)))
    head += np.cumsum([0, *map(len, blobs)]).astype("<u4").tobytes() + np.full(len(PIECES), -5, "<f4").tobytes()
    head += b"".join(blobs) + struct.pack("<iI", 0, 0) + struct.pack("<i", len(sizes))
    at = len(head) + sum(2 + len(name) + struct.calcsize("<BIQQ") for name in sizes)
    body = b""
    for name, size in sizes.items():
        scale, centre = (0.1, 1.0) if "ln.w" in name else (0.3, 0.0)
        raw = chance.normal(centre, scale, size).astype("<f4").tobytes()
        head += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, size, at + len(body), len(raw))
        body += raw
    file.write_bytes(head + body)


def weak(text: str, kind: PostKind) -> WeakLabels:
    broken = "裂" in text
    acts = (Act.COMPLAINT,) if broken else (Act.OTHER,)
    topics = {str(Topic.QUALITY): Sentiment.NEGATIVE} if broken else {}
    at = text.find("裂")
    cues = ((at, at + 1),) if broken else ()
    return WeakLabels(normalise(text), acts, topics, Severity.ANNOYANCE if broken else Severity.NONE, cues)


@cache
def read_lexicon() -> Lexicon:
    tables = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "config/lexicon").glob("*.toml")}
    tables["aspects"] = tomllib.loads((ROOT / "config/aspects.toml").read_text("utf-8"))
    return build_lexicon(tables, "")


def find(post: Post, subjects: Sequence[Subject]) -> tuple[About, ...]:
    lexicon = read_lexicon()
    whole = apply_rules(post.text, post.kind, lexicon)
    return find_abouts(whole, SubjectMatcher(subjects).match(post), post.kind, lexicon)


def invent_posts() -> Iterator[dict[str, object]]:
    """Broken things are complained of, things in a shop are not."""
    for number in range(POSTS):
        broken = number % 2 == 0
        name = ("水壶", "台灯", "雨伞", "背包")[number // 2 % 4]
        subject = {"name": name, "aliases": [], "sentiment": "negative" if broken else "neutral"}
        yield {
            "id": f"w1-{number}", "kind": "original", "title": "", "rating": None, "slices": [], "subjects": [subject], "demands": [], "effort": {},
            "text": f"{name}用两天就裂了,气人{number}" if broken else f"{name}在门店陈列{number}", "acts": ["complaint" if broken else "other"],
            "aspects": [{"topic": "quality", "polarity": "negative", "subject": name}] if broken else [], "severity": "annoyance" if broken else "none",
            "owner": "product" if broken else "unknown", "stage": "using" if broken else "none", "competitor_switch": None, "spam": False,
        }  # fmt: skip


@pytest.fixture(scope="module")
def plan(labelled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    place = tmp_path_factory.mktemp("encoder")
    write_encoder(place / "e5.bin")
    posts = place / "posts"
    posts.mkdir()
    (posts / "w1.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in invent_posts()), "utf-8")
    return Plan(
        labelled_folder, place / "out", place / "run", 24_000, 6_000, place / "e5.bin", layers=LAYERS, invented=posts, tuning=8_000
    )


@pytest.fixture(scope="module")
def judge(plan: Plan) -> EncoderJudge:
    linear = LinearSentiment.load()
    plan.run.mkdir()
    (plan.run / "notes.md").write_text("中途换过一次学习率。", "utf-8")
    train_encoder(plan, Teachers(weak, find), linear, lambda what, done: None)
    return EncoderJudge.load(plan.out, linear)


@pytest.mark.slow
def test_trained_encoder_tells_the_poles_apart(judge: EncoderJudge) -> None:
    rows = judge.judge(["雨伞用两天就裂了,气人", "台灯好用又漂亮,推荐"])
    assert rows[0]["negative"] > rows[0]["positive"]
    assert rows[1]["positive"] > rows[1]["negative"]


@pytest.mark.slow
def test_trained_encoder_has_learnt_what_the_posts_say(judge: EncoderJudge) -> None:
    outputs = judge.ask_network(["[本家]用两天就裂了,气人", "[本家]在门店陈列"])
    for head, label in (("acts", "complaint"), ("aspects", "quality:negative"), ("toward", "negative")):
        broken, fine = outputs[:, STARTS[head] + OUTPUTS[head].index(label)]
        assert broken > fine


@pytest.mark.slow
def test_card_and_report_tell_of_the_heads(plan: Plan, judge: EncoderJudge) -> None:
    heads = {one.head: one for one in read_heads(plan.out)}
    assert {"toward", "acts", "aspects", "severity", "owner", "stage"} <= set(heads)
    assert heads["acts"].n < POSTS / 3
    assert "## 输出头 acts" in (plan.out / "MODEL_CARD.md").read_text("utf-8")


@pytest.mark.slow
def test_without_posts_there_are_no_heads(plan: Plan, judge: EncoderJudge, tmp_path: Path) -> None:
    bare = replace(plan, invented=None, out=tmp_path)
    train_encoder(bare, Teachers(weak, find), LinearSentiment.load(), lambda what, done: None)
    assert EncoderJudge.load(tmp_path).heads is None
    assert judge.heads is not None


@pytest.mark.slow
def test_a_finished_first_part_can_be_started_from(plan: Plan, judge: EncoderJudge, tmp_path: Path) -> None:
    parts = replace(plan, start=plan.run / "checkpoint.pt", run=tmp_path / "run", out=tmp_path / "out", tuning=2048)
    result = train_encoder(parts, Teachers(weak, find), LinearSentiment.load(), lambda what, done: None)
    assert result.name != judge.name
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


@pytest.mark.slow
def test_the_network_may_stay_while_what_lies_beside_it_is_fitted_anew(plan: Plan, judge: EncoderJudge, tmp_path: Path) -> None:
    parts = replace(plan, start=plan.out, run=tmp_path / "run", out=tmp_path / "out", tuning=0, seed=8)
    train_encoder(parts, Teachers(weak, find), LinearSentiment.load(), lambda what, done: None)
    for name in (MODEL_FILE, "pieces.json", "grams.npz"):
        assert (tmp_path / "out" / name).read_bytes() == (plan.out / name).read_bytes()
    assert not (tmp_path / "run").exists()
    assert "网络这一次没有再学" in (tmp_path / "out" / "MODEL_CARD.md").read_text("utf-8")
    with pytest.raises(UsageError, match="网络从哪里来"):
        train_encoder(replace(parts, start=None, run=plan.run), Teachers(weak, find), LinearSentiment.load(), lambda what, done: None)


@pytest.mark.slow
def test_finished_run_is_exported_again_without_training(plan: Plan, judge: EncoderJudge, tmp_path: Path) -> None:
    again = train_encoder(replace(plan, out=tmp_path), Teachers(weak, find), LinearSentiment.load(), lambda what, done: None)
    assert again.name == judge.name


@pytest.mark.slow
def test_report_and_card_lie_beside_the_weights(plan: Plan, judge: EncoderJudge) -> None:
    report = read_report(plan.out)
    assert report.model == judge.name
    assert {row.name for row in report.sets} >= {"osh", "osh/酒店"}
    card = (plan.out / "MODEL_CARD.md").read_text("utf-8")
    assert card.startswith(f"# {judge.name}\n")
    assert "中途换过一次学习率。" in card


def test_pieces_of_a_run_stay_those_it_began_with(plan: Plan, tmp_path: Path) -> None:
    scored = dict.fromkeys(PIECES, -5.0)
    first = find_pieces(replace(plan, run=tmp_path), scored, ["水壶" * 5])
    assert find_pieces(replace(plan, run=tmp_path), scored, ["台灯" * 5]) == first


def test_further_texts_and_texts_without_labels_are_read_for_pieces(plan: Plan, tmp_path: Path) -> None:
    more = tmp_path / "titles.txt"
    more.write_text("雨伞\n" * 5, "utf-8")
    with gzip.open(tmp_path / "eprstmt_unlabeled.json.gz", "wt", encoding="utf-8") as stream:
        stream.write((json.dumps({"sentence": "毛毯"}) + "\n") * 5)
    scored = dict.fromkeys([*PIECES, "雨伞", "毛毯", "背包"], -5.0)
    chosen = find_pieces(replace(plan, data=tmp_path, run=tmp_path, more_texts=(more,)), scored, ["水壶"])
    assert {"雨伞", "毛毯"} <= set(chosen)
    assert "背包" not in chosen
