from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nlp.e5_weights import E5File
from nlp.lessons import Deck
from nlp.outputs import SIZES, Lesson, one_hot, pack_targets
from nlp.tokens import SPECIAL, PieceReader
from nlp.torch_encoder import Encoder, EncoderShape, start_encoder
from nlp.torch_training import CHECKPOINT, CURVE, Course, Material, Run, find_device, measure_loss, pad, short_numbers
from nlp.vocabulary import find_sources

SCORED = {**dict.fromkeys(SPECIAL, 0.0), "▁": -3.0, **dict.fromkeys("水壶裂了很亮好用推荐气人", -5.0)}
SHAPE = EncoderShape(len(SCORED), SIZES, hidden=32, layers=2, attention=4, inner=48, positions=24)
TEXTS = [("水壶裂了", 0), ("很好用", 2), ("气人", 0), ("推荐", 2)]
LESSONS = [Lesson("osh", text, {"sentiment": one_hot(3, label)}, polar=True) for text, label in TEXTS] * 8
COURSE = Course(total=5000, warmup=100, cooldown=100, rate=1e-3, head_rate=1e-2, budget=2000, longest=24, save_seconds=0.0)


def build_run(folder: Path, course: Course = COURSE) -> Run:
    torch.manual_seed(3)
    reader = PieceReader.build(SCORED)
    return Run(Encoder(SHAPE), Material(LESSONS, reader, 24), Deck.shuffle(LESSONS, {"osh": 1.0}, 7), course, folder)


def test_padding_changes_no_answer() -> None:
    torch.manual_seed(1)
    encoder = Encoder(SHAPE).eval()
    short, long = [0, 5, 6, 2], [0, 7, 8, 9, 10, 11, 2]
    with torch.no_grad():
        alone, together = encoder(*pad([short])), encoder(*pad([short, long]))
    assert torch.allclose(alone[0], together[0], atol=1e-5)


def test_outputs_are_split_by_head() -> None:
    outputs = Encoder(SHAPE).eval()(*pad([[0, 5, 2]]))
    assert {name: part.shape[1] for name, part in Encoder(SHAPE).split(outputs).items()} == dict(SIZES)


class Invented(E5File):
    """Tensors of random numbers, the same ones for a name each time."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def tensor(self, name: str, width: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        self.asked.append(name)
        size = {"fi.w": 32 * 48, "fi.b": 48, "fo.w": 32 * 48, "pos": 30 * 32, "type": 64}.get(name.split(".", 1)[1])
        size = size or (32 * 32 if name[0] == "l" and name.endswith(".w") and "ln" not in name else 32)
        flat = np.random.default_rng(sum(name.encode())).normal(size=size).astype(np.float32)
        return flat.reshape(-1, width) if width else flat

    def rows(self, name: str, chosen: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.repeat(chosen[:, None], 32, axis=1).astype(np.float32)


def test_encoder_starts_with_the_weights_of_the_file() -> None:
    file = Invented()
    chosen = [*SCORED, "[水壶]"]
    encoder = start_encoder(file, SCORED, chosen, EncoderShape(len(chosen), SIZES, 32, 2, 4, 48, 24), 7)
    look = encoder.get_parameter("layers.1.look.weight")
    assert torch.equal(look[32:64], torch.from_numpy(file.tensor("l1.k.w", 32)))
    assert encoder.words.weight[-1, 0] == np.mean(find_sources(SCORED, ["[水壶]"])[0])
    assert "l2.q.w" not in file.asked


def test_polar_source_teaches_nothing_about_neutral_by_its_two_way_part() -> None:
    targets, known = (torch.from_numpy(table) for table in pack_targets(LESSONS[:1]))
    course = Course(total=1, two_way=1.0, smoothing=0.0)
    scores = torch.zeros(1, sum(SIZES.values()))
    scores[0, 1] = 9.0
    plain = measure_loss(scores, targets, known, torch.tensor([True]), course)
    assert plain == pytest.approx(np.log(2), abs=1e-5)
    assert measure_loss(scores, targets, known, torch.tensor([False]), course) > 9


def test_unknown_heads_cost_nothing() -> None:
    targets, known = (torch.from_numpy(table) for table in pack_targets([Lesson("osh", "好", {})]))
    assert measure_loss(torch.ones(1, targets.shape[1]), targets, known, torch.tensor([True]), COURSE) == 0


def test_rate_rises_stays_and_falls() -> None:
    course = Course(total=100, warmup=10, cooldown=20)
    rates = [course.rate_at(seen) for seen in (0, 4, 50, 90, 100)]
    assert rates == pytest.approx([0.1, 0.5, 1.0, 0.5, 0.0])


def test_run_learns_its_lessons(tmp_path: Path) -> None:
    run = build_run(tmp_path)
    run.go()
    pieces, mask = pad(PieceReader.build(SCORED).read([text for text, _ in TEXTS], 24))
    with torch.no_grad():
        told = run.encoder.eval()(pieces, mask)[:, :3].argmax(1).tolist()
    assert told == [label for _, label in TEXTS]


def test_run_that_was_cut_off_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = build_run(tmp_path / "whole")
    whole.go()

    def stop(encoder: Encoder) -> dict[str, float]:
        raise KeyboardInterrupt

    halted = build_run(tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        halted.go(examine=stop, every=2)
    again = build_run(tmp_path / "cut")
    assert 0 < again.seen < COURSE.total
    again.go()
    for (name, one), other in zip(whole.encoder.state_dict().items(), again.encoder.state_dict().values(), strict=True):
        assert torch.equal(one, other), name


def test_curve_tells_loss_and_what_was_examined(tmp_path: Path) -> None:
    build_run(tmp_path).go(examine=lambda encoder: {"osh": 0.5}, every=1)
    lines = [json.loads(line) for line in (tmp_path / CURVE).read_text("utf-8").splitlines()]
    assert lines[-1]["seen"] >= COURSE.total
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert {line["osh"] for line in lines} == {0.5}


def test_checkpoint_is_whole_even_when_another_was_there(tmp_path: Path) -> None:
    run = build_run(tmp_path)
    run.save()
    run.save()
    assert sorted(path.name for path in tmp_path.iterdir()) == [CHECKPOINT]


def test_tables_of_pieces_are_not_trained(tmp_path: Path) -> None:
    run = build_run(tmp_path)
    before = run.encoder.words.weight.clone()
    run.go()
    assert torch.equal(run.encoder.words.weight, before)


@pytest.mark.parametrize(("device", "able", "short"), [("cpu", {}, False), ("cpu", {"amx_bf16": True}, True), ("cpu", {"avx2": True}, False), ("cuda", {}, True)])
def test_short_numbers_only_where_the_machine_multiplies_them(
    device: str, able: dict[str, bool], short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_: True)
    assert find_device().type == device
    assert short_numbers(find_device())._enabled is short


def test_parts_are_left_out_while_learning_only() -> None:
    encoder, text = Encoder(SHAPE), pad([[0, 5, 6, 2]])
    one, two = encoder.train()(*text), encoder(*text)
    assert not torch.equal(one, two)
    assert torch.equal(encoder.eval()(*text), encoder(*text))
