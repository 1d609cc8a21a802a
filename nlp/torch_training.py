"""The training loop of the encoder: deals lessons, steps, writes checkpoints; a run that was cut off goes on as if it had not been."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from nlp.labelled import strip_emoticons
from nlp.lessons import Deck, cut_batches
from nlp.outputs import EXCLUSIVE, SIZES, STARTS, Lesson, pack_targets
from nlp.tokens import PAD, UNKNOWN, PieceReader
from nlp.torch_encoder import Encoder
from nlp.torch_models import NEGATIVE, POSITIVE
from nlp.train import EMOTICON_SOURCES

# features of a processor that multiplies bfloat16 itself
BRIEF_PROCESSORS = ("amx_bf16", "avx512_bf16")
CHECKPOINT, CURVE = "checkpoint.pt", "curve.jsonl"
HEAD_WEIGHTS: Mapping[str, float] = {
    "sentiment": 1.0, "toward": 1.0, "acts": 0.5, "aspects": 0.6, "severity": 0.6, "owner": 0.4, "stage": 0.4, "spam": 0.2, "car": 0.5,
}  # fmt: skip


@dataclass(frozen=True)
class Course:
    """How a run goes. All counts are lessons. `budget`: pieces in a batch; `decay`: what a layer's rate is of the one above.

    `forget`: share of pieces that become unknown; in `cue_texts` of the texts also `cue_forget` of those by which rules judged.
    """

    total: int
    warmup: int = 8_000
    cooldown: int = 60_000
    rate: float = 1.5e-4
    head_rate: float = 1e-3
    decay: float = 0.9
    shrink: float = 0.01
    budget: int = 1_800
    longest: int = 96
    two_way: float = 0.7
    smoothing: float = 0.03
    forget: float = 0.06
    cue_texts: float = 0.3
    cue_forget: float = 0.7
    seed: int = 7
    save_seconds: float = 240.0

    def rate_at(self, seen: int) -> float:
        """Share of the rate: up over the warm-up, level, down over the cool-down."""
        return max(0.0, min(1.0, (seen + 1) / max(1, self.warmup), (self.total - seen) / max(1, self.cooldown)))


class Material:
    """Lessons as numbers: pieces with and without emoticons, cue marks, targets."""

    def __init__(self, lessons: Sequence[Lesson], reader: PieceReader, longest: int) -> None:
        self.sources = [lesson.source for lesson in lessons]
        texts = [lesson.text for lesson in lessons]
        self.pieces, self.cues = reader.read_marked(texts, [lesson.cues for lesson in lessons], longest)
        self.bare, self.bare_cues = list(self.pieces), list(self.cues)
        posts = [row for row, lesson in enumerate(lessons) if lesson.source in EMOTICON_SOURCES]
        for row, pieces in zip(posts, reader.read([strip_emoticons(texts[row]) for row in posts], longest), strict=True):
            self.bare[row], self.bare_cues[row] = pieces, []
        self.targets, self.known = pack_targets(lessons)
        self.polar = np.array([lesson.polar for lesson in lessons], dtype=np.bool_)

    def take(self, row: int, *, bare: bool) -> tuple[list[int], list[int]]:
        """Pieces of a lesson and the places of its cues, with or without emoticons."""
        return (self.bare[row], self.bare_cues[row]) if bare else (self.pieces[row], self.cues[row])


def pad(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Pieces and mask, both [texts, longest]."""
    width = max(map(len, rows))
    pieces = torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows])
    return pieces, (pieces != PAD).long()


def find_device() -> torch.device:
    """A graphics card where torch sees one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def short_numbers(device: torch.device) -> torch.autocast:
    """bfloat16 where the machine multiplies it itself; a processor that does not would take some thirty times as long."""
    able = torch.cpu.get_capabilities()
    known = device.type == "cuda" or any(able.get(name) for name in BRIEF_PROCESSORS)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=known)


def measure_loss(
    outputs: torch.Tensor, targets: torch.Tensor, known: torch.Tensor, polar: torch.Tensor, course: Course
) -> torch.Tensor:
    """Weighted mean over the heads of the loss of the lessons that know them."""
    losses = []
    for place, (name, size) in enumerate(SIZES.items()):
        if not known[:, place].any():
            continue
        scores, wanted = (table[:, STARTS[name] : STARTS[name] + size] for table in (outputs, targets))
        if name in EXCLUSIVE:
            loss = functional.cross_entropy(scores, wanted, reduction="none", label_smoothing=course.smoothing)
        else:
            loss = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none").sum(1)
        if name in ("sentiment", "toward"):
            poles = [NEGATIVE, POSITIVE]
            mass = wanted[:, poles].sum(1, keepdim=True).clamp_min(1e-6)
            two = functional.cross_entropy(
                scores[:, poles], wanted[:, poles] / mass, reduction="none", label_smoothing=course.smoothing
            )
            loss = torch.where(polar, course.two_way * two + (1 - course.two_way) * loss, loss)
        losses.append(HEAD_WEIGHTS[name] * (loss * known[:, place]).sum())
    return torch.stack(losses).sum() / len(outputs) if losses else outputs.sum() * 0.0


def group_parameters(encoder: Encoder, course: Course) -> list[dict[str, object]]:
    """Heads fastest, then the layers from the top down; the tables of pieces and places stay as they are."""
    for table in (encoder.words, encoder.places):
        table.requires_grad_(False)
    groups: list[dict[str, object]] = [{"params": list(encoder.heads.parameters()), "peak": course.head_rate}]
    depth = len(encoder.layers)
    for number, layer in enumerate(encoder.layers):
        groups.append({"params": list(layer.parameters()), "peak": course.rate * course.decay ** (depth - 1 - number)})
    groups.append({"params": list(encoder.norm.parameters()), "peak": course.rate * course.decay**depth})
    return groups


class Run:
    """One training run in a folder; `go` continues from its checkpoint when there is one."""

    def __init__(self, encoder: Encoder, material: Material, deck: Deck, course: Course, folder: Path) -> None:
        self._device = find_device()
        self.encoder, self._material, self._deck, self._course, self._folder = encoder.to(self._device), material, deck, course, folder
        self.chunk, self.seen = 0, 0
        self._optimiser = torch.optim.AdamW(
            group_parameters(encoder, course), lr=course.rate, weight_decay=course.shrink, fused=True
        )
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).is_file():
            self._restore(torch.load(folder / CHECKPOINT, map_location=self._device, weights_only=True))

    def go(
        self,
        *,
        examine: Callable[[Encoder], Mapping[str, float]] | None = None,
        every: int = 10,
        progress: Callable[[str, float], None] = lambda what, done: None,
    ) -> None:
        """Until all lessons are dealt. `examine` measures the encoder every so many chunks; the curve is logged."""
        saved = time.monotonic()
        while self.seen < self._course.total:
            started = time.monotonic(), time.process_time()
            loss = self._learn_chunk()
            line: dict[str, object] = {"chunk": self.chunk, "seen": self.seen, "loss": round(loss, 4)}
            line |= {"seconds": round(time.monotonic() - started[0], 1), "cpu": round(time.process_time() - started[1], 1)}
            last = self.seen >= self._course.total
            if examine is not None and (self.chunk % every == 0 or last):
                line |= examine(self.encoder)
            with (self._folder / CURVE).open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            progress("训练", min(1.0, self.seen / self._course.total))
            if last or time.monotonic() - saved > self._course.save_seconds:
                self.save()
                saved = time.monotonic()

    def _learn_chunk(self) -> float:
        chance = np.random.default_rng([self._course.seed, self.chunk])
        torch.manual_seed(self._course.seed + self.chunk)
        rows = self._deck.deal(self.chunk)
        bare = chance.random(len(rows)) < 0.5
        marked = [self._material.take(row, bare=flip) for row, flip in zip(rows.tolist(), bare.tolist(), strict=True)]
        self.encoder.train()
        losses = []
        lengths = np.array([len(text) for text, _ in marked])
        for batch in cut_batches(lengths, self._course.budget, chance):
            losses.append(self._step([self._blur(marked[place], chance) for place in batch], rows[batch]))
        self.chunk += 1
        return float(np.mean(losses))

    def _blur(self, marked: tuple[list[int], list[int]], chance: np.random.Generator) -> list[int]:
        """Some pieces become unknown, so that no single word decides, and that rules are not just learnt by heart."""
        (text, cues), course = marked, self._course
        gone = chance.random(len(text)) < course.forget
        if cues and chance.random() < course.cue_texts:
            gone[cues] |= chance.random(len(cues)) < course.cue_forget
        gone[[0, -1]] = False
        if self.encoder.shape.own > 0:  # the marks are the last pieces
            gone &= np.array(text) < self.encoder.shape.own
        return [UNKNOWN if lost else piece for piece, lost in zip(text, gone.tolist(), strict=True)]

    def _step(self, texts: Sequence[Sequence[int]], rows: npt.NDArray[np.int64]) -> float:
        share = self._course.rate_at(self.seen)
        for group in self._optimiser.param_groups:
            group["lr"] = group["peak"] * share
        with short_numbers(self._device):
            outputs = self.encoder(*(table.to(self._device) for table in pad(texts)))
        tables = (self._material.targets, self._material.known, self._material.polar)
        targets, known, polar = (torch.from_numpy(table[rows]).to(self._device) for table in tables)
        loss = measure_loss(outputs.float(), targets, known, polar, self._course)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([p for p in self.encoder.parameters() if p.requires_grad], 1.0)
        self._optimiser.step()
        self.seen += len(texts)
        return float(loss.detach())

    def save(self) -> None:
        """The checkpoint replaces the one before in one move."""
        state = {
            "chunk": self.chunk,
            "seen": self.seen,
            "attention": self.encoder.shape.attention,
            "encoder": self.encoder.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        fresh = self._folder / (CHECKPOINT + ".new")
        torch.save(state, fresh)
        fresh.replace(self._folder / CHECKPOINT)

    def _restore(self, state: Mapping[str, object]) -> None:
        self.chunk, self.seen = int(state["chunk"]), int(state["seen"])  # type: ignore[call-overload]
        self.encoder.load_state_dict(state["encoder"])  # type: ignore[arg-type]
        self._optimiser.load_state_dict(state["optimiser"])  # type: ignore[arg-type]
