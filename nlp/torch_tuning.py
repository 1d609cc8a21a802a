"""The second part of training: an encoder that knows sentiment learns the heads from labelled posts, with old lessons in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from nlp.lessons import REVIEWS, TUNING_MIX, Deck
from nlp.marking import OTHER, OWN
from nlp.onnx_model import cut_by_length
from nlp.outputs import SIZES, TOWARD, WIDTH, Lesson
from nlp.tokens import PieceReader
from nlp.torch_encoder import Encoder, EncoderShape, count_layers
from nlp.torch_training import Course, Material, Run, pad, short_numbers
from tingfeng.errors import UsageError

BUDGET = 1_200
# half of what a network begins with: with that, the loss of one that has learnt was .1 higher on the same 12,000 lessons
RATE, HEAD_RATE = 7e-5, 5e-4
PIECES_FILE = "pieces.json"
# of multilingual-e5-small, for checkpoints that do not say
ATTENTION = 12
MARK_CHARACTERS: Mapping[str, str] = {OWN: "本家", OTHER: "别家"}


@dataclass(frozen=True)
class Start:
    """Where tuning begins: state of an encoder and its pieces with their log probabilities."""

    state: Mapping[str, torch.Tensor]
    pieces: Mapping[str, float]
    attention: int = ATTENTION

    @property
    def positions(self) -> int:
        """The most pieces of a text that are read."""
        return int(self.state["places.weight"].shape[0])

    def reader(self) -> PieceReader:
        """Reads texts as the encoder does."""
        return PieceReader.build(with_marks(self.pieces))

    def build(self) -> Encoder:
        """An encoder with the marks among its pieces and all heads; heads that the state does not have begin near nothing."""
        pieces = with_marks(self.pieces)
        hidden = self.state["norm.weight"].shape[0]
        inner, places = self.state["layers.0.widen.weight"].shape[0], self.positions
        shape = EncoderShape(
            len(pieces), SIZES, hidden, count_layers(self.state), self.attention, inner, places, list(pieces).index(OWN)
        )
        encoder = Encoder(shape)
        encoder.load_state_dict(encoder.state_dict() | self._fit(encoder.state_dict()))
        return encoder

    def _fit(self, wanted: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The state in the sizes of the encoder: heads may read more than they did, and there may be more pieces."""
        found = {name: value for name, value in self.state.items() if name in wanted and value.shape == wanted[name].shape}
        words = self.state["words.weight"]
        places = {piece: place for place, piece in enumerate(self.pieces)}
        means = [words[[places[sign] for sign in MARK_CHARACTERS[piece]]].mean(0) for piece in MARK_CHARACTERS if piece not in places]
        found["words.weight"] = torch.cat([words, torch.stack(means)]) if means else words
        for head in SIZES:
            weight = self.state.get(f"heads.{head}.weight")
            if weight is None:
                found[f"heads.{head}.weight"] = wanted[f"heads.{head}.weight"] * 0.3
            elif weight.shape[0] == SIZES[head]:
                found[f"heads.{head}.weight"] = widen(weight, wanted[f"heads.{head}.weight"].shape[1])
        if "heads.toward.weight" not in self.state:
            for part in ("weight", "bias"):
                rows = found[f"heads.sentiment.{part}"]
                found[f"heads.toward.{part}"] = torch.cat([rows, rows.mean(0, keepdim=True)[: len(TOWARD) - len(rows)]])
        return found


def read_start(checkpoint: Path) -> Start:
    """An encoder that was trained before, with the pieces that lie beside it. Raises UsageError."""
    pieces = checkpoint.with_name(PIECES_FILE)
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        return Start(state["encoder"], json.loads(pieces.read_text("utf-8")), state.get("attention", ATTENTION))
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"检查点读不了({error})", where=str(checkpoint), hint=f"旁边还要有它的 {PIECES_FILE}") from error


def with_marks(pieces: Mapping[str, float]) -> dict[str, float]:
    """The pieces and the marks, which are always read as one."""
    return {**pieces, **{piece: 0.0 for piece in MARK_CHARACTERS if piece not in pieces}}


def widen(weight: torch.Tensor, columns: int) -> torch.Tensor:
    """With zeros at its right."""
    return torch.cat([weight, weight.new_zeros(len(weight), columns - weight.shape[1])], dim=1)


def mix_lessons(old: Sequence[Lesson], cases: Sequence[Lesson]) -> list[Lesson]:
    """Old lessons with what people said of them, without the word of rules, and the new ones."""
    kept = []
    for lesson in old:
        targets = {head: lesson.targets[head] for head in ("sentiment", "car") if head in lesson.targets}
        if lesson.source in REVIEWS and "sentiment" in targets:
            targets["toward"] = [*targets["sentiment"], 0.0]
        kept.append(replace(lesson, targets=targets, cues=()))
    return [*kept, *cases]


def tune(
    start: Start,
    lessons: Sequence[Lesson],
    folder: Path,
    *,
    total: int,
    seed: int,
    progress: Callable[[str, float], None],
    rates: tuple[float, float] = (RATE, HEAD_RATE),
) -> Encoder:
    """Trains from `start`, or goes on where the run in `folder` was cut off; another run can start from there. `rates`: of layers and heads."""
    torch.manual_seed(seed)
    encoder = start.build()
    course = Course(
        total,
        warmup=total // 16,
        cooldown=total * 4 // 5,
        rate=rates[0],
        head_rate=rates[1],
        budget=BUDGET,
        longest=encoder.shape.positions,
        seed=seed,
        cue_texts=0.0,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PIECES_FILE).write_text(json.dumps(with_marks(start.pieces), ensure_ascii=False), "utf-8")
    run = Run(encoder, Material(lessons, start.reader(), course.longest), Deck.shuffle(lessons, TUNING_MIX, seed), course, folder)
    run.go(progress=progress)
    return encoder.cpu()


def ask(encoder: Encoder, rows: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
    """Outputs [texts, WIDTH] of the network at full size."""
    found = np.empty((len(rows), WIDTH), dtype=np.float32)
    with torch.no_grad(), short_numbers(torch.device("cpu")):
        for batch in cut_by_length(rows):
            found[batch] = encoder.eval()(*pad([rows[row] for row in batch])).float().numpy()
    return found
