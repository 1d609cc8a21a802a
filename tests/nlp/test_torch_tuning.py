from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nlp.marking import OTHER, OWN
from nlp.outputs import SIZES, STARTS, TOWARD, Lesson, one_hot
from nlp.tokens import SPECIAL
from nlp.torch_encoder import Encoder, EncoderShape
from nlp.torch_training import CHECKPOINT
from nlp.torch_tuning import PIECES_FILE, Start, ask, mix_lessons, read_start, tune
from tingfeng.errors import UsageError

PIECES = {**dict.fromkeys(SPECIAL, 0.0), "▁": -3.0, **dict.fromkeys("水壶裂了很亮好用推荐气人本家别比", -5.0)}
SHAPE = EncoderShape(len(PIECES), {"sentiment": 3, "topics": 14}, hidden=32, layers=2, attention=4, inner=48, positions=24)


@pytest.fixture(scope="module")
def start() -> Start:
    """An encoder as it was before there were marks and heads about subjects: its heads read less, too."""
    torch.manual_seed(2)
    state = Encoder(SHAPE).state_dict()
    narrow = {name: value[:, :64] if name.startswith("heads.") and name.endswith("weight") else value for name, value in state.items()}
    return Start(narrow, PIECES, attention=4)


def test_old_head_says_what_it_said(start: Start) -> None:
    old = Encoder(SHAPE)
    old.load_state_dict({**old.state_dict(), **{name: value for name, value in start.state.items() if not name.startswith("heads.")}})
    rows = start.reader().read(["水壶裂了", "很好用"], 24)
    weight, bias = start.state["heads.sentiment.weight"], start.state["heads.sentiment.bias"]
    from nlp.torch_training import pad

    with torch.no_grad():
        wanted = old.eval().pool(*pad(rows))[:, :64] @ weight.T + bias
    assert np.allclose(ask(start.build(), rows)[:, :3], wanted.numpy(), atol=0.05)


def test_what_is_felt_toward_a_subject_begins_as_the_sentiment(start: Start) -> None:
    told = ask(start.build(), start.reader().read(["水壶裂了"], 24))[0]
    toward = told[STARTS["toward"] : STARTS["toward"] + 3]
    assert np.allclose(toward, told[:3], atol=0.05)


def test_marks_begin_as_the_mean_of_their_characters(start: Start) -> None:
    encoder, names = start.build(), list(PIECES)
    words = encoder.words.weight
    assert torch.allclose(words[encoder.shape.own], words[[names.index("本"), names.index("家")]].mean(0))
    assert start.reader().count() == len(PIECES) + 2 == len(words)


def test_heads_look_at_the_marked_subject(start: Start) -> None:
    encoder = start.build().eval()
    first, second = start.reader().read([f"{OWN}比{OTHER}好", f"{OTHER}比{OWN}好"], 24)
    with torch.no_grad():
        one, two = (encoder.pool(torch.tensor([row]), torch.ones(1, len(row)))[0, 64:] for row in (first, second))
    assert not torch.allclose(one, two, atol=1e-3)


def test_old_lessons_keep_what_people_said_and_reviews_teach_what_is_felt_toward() -> None:
    old = Lesson("osh", "好", {"sentiment": [0.0, 0.0, 1.0], "acts": [0.0] * SIZES["acts"]}, polar=True, cues=((0, 1),))
    (kept,) = mix_lessons([old], [])
    assert kept.targets == {"sentiment": [0.0, 0.0, 1.0], "toward": [0.0, 0.0, 1.0, 0.0]}
    assert kept.cues == ()


def test_tuning_learns_whose_verdict_it_is(start: Start, tmp_path: Path) -> None:
    texts = [(f"{OWN}比{OTHER}好用", 2), (f"{OTHER}比{OWN}好用", 0)]
    lessons = [Lesson("invented", text, {"toward": one_hot(len(TOWARD), label)}) for text, label in texts] * 40
    encoder = tune(start, lessons, tmp_path, total=6000, seed=7, progress=lambda what, done: None, rates=(1.5e-4, 1e-3))
    told = ask(encoder, start.reader().read([text for text, _ in texts], 24))[:, STARTS["toward"] :][:, : len(TOWARD)]
    assert told.argmax(axis=1).tolist() == [2, 0]
    again = tune(start, lessons, tmp_path, total=6000, seed=7, progress=lambda what, done: None, rates=(1.5e-4, 1e-3))
    assert all(torch.equal(one, two) for one, two in zip(encoder.state_dict().values(), again.state_dict().values(), strict=True))


def test_start_is_read_with_the_pieces_beside_it(start: Start, tmp_path: Path) -> None:
    torch.save({"encoder": dict(start.state)}, tmp_path / CHECKPOINT)
    with pytest.raises(UsageError) as caught:
        read_start(tmp_path / CHECKPOINT)
    assert PIECES_FILE in (caught.value.hint or "")
    (tmp_path / PIECES_FILE).write_text(json.dumps(PIECES), "utf-8")
    assert list(read_start(tmp_path / CHECKPOINT).pieces) == list(PIECES)
