"""Teaches the heads from invented posts, and sets their last word on posts that the network did not read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nlp.calibrate_heads import fit_head_limits
from nlp.evaluate import score_class
from nlp.evaluate_heads import HeadReport
from nlp.gram_heads import GramHeads
from nlp.invented import Case
from nlp.lessons import digest
from nlp.mention_heads import decide, select_heads
from nlp.onnx_model import OnnxModel
from nlp.outputs import ACTS, OPINIONS, OUTPUTS, SIZES, TOWARD, Lesson
from nlp.stack import HEADS, Stack, Table, pack_heads, to_probabilities
from nlp.tokens import PieceReader

if TYPE_CHECKING:
    from nlp.torch_encoder import Encoder
    from nlp.torch_tuning import Start

# one post in so many is kept from the network: on these the stack and the limits are fitted
HELD = 7
FOLDS = 5
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Tuning:
    """How the heads are taught: `lessons` in all, those of old sets between them included. `folder`: where the run lies.

    `network`: stays as it is, without lessons; what lies beside it is fitted to its own outputs.
    """

    folder: Path
    lessons: int
    seed: int
    network: OnnxModel | None = None


@dataclass(frozen=True)
class Tuned:
    """The encoder (None when it stays as it was), the grams beside it, what weighs their word against the rules', the limits, and what was
    right on posts kept apart."""

    encoder: Encoder | None
    reader: PieceReader
    grams: GramHeads
    stack: Stack
    limits: Mapping[str, Mapping[str, float]]
    reports: tuple[HeadReport, ...]


@dataclass(frozen=True)
class Tables:
    """Rows for the cases kept apart: outputs of network and grams together, hints, truth, which heads are known, and the fold of the post."""

    network: Table
    hints: Table
    wanted: Table
    known: npt.NDArray[np.bool_]
    folds: npt.NDArray[np.int64]

    def only(self, rows: npt.NDArray[np.bool_]) -> Tables:
        """Some of the rows."""
        return Tables(self.network[rows], self.hints[rows], self.wanted[rows], self.known[rows], self.folds[rows])


def tune_heads(start: Start, cases: Sequence[Case], old: Sequence[Lesson], tuning: Tuning, progress: Progress) -> Tuned:
    """Trains, or goes on where the run was cut off, on all posts but those kept apart; a finished run is taken as it is."""
    from nlp.torch_grams import fit_gram_heads
    from nlp.torch_tuning import ask, mix_lessons, tune

    reader = start.reader()
    held = [case for case in cases if digest(case.post.post.native_id) % HELD == 0]
    kept = [case for case in cases if digest(case.post.post.native_id) % HELD]
    parts, marked = texts_of(held)
    rows = reader.read(marked, start.positions)
    if tuning.network is None:
        lessons = mix_lessons(old, [case.lesson for case in kept])
        encoder = tune(start, lessons, tuning.folder, total=tuning.lessons, seed=tuning.seed, progress=progress)
        outputs = ask(encoder, rows)
    else:
        encoder, outputs = None, tuning.network.run(rows)
    progress("字元组", 0.0)
    grams = fit_gram_heads(*texts_of(kept), *pack_heads([case.lesson for case in kept]))
    tables = collect_tables(held, grams.join(select_heads(outputs), parts, marked))
    stack, limits = fit(tables)
    return Tuned(encoder, reader, grams, stack, limits, cross_validate(tables))


def texts_of(cases: Sequence[Case]) -> tuple[list[str], list[str]]:
    """Their clauses about the subject, and their texts with the names marked."""
    return [case.about.part for case in cases], [case.lesson.text for case in cases]


def collect_tables(cases: Sequence[Case], network: Table) -> Tables:
    """With the truth in the order of the stack's heads."""
    wanted, known = pack_heads([case.lesson for case in cases])
    folds = np.array([digest(case.post.post.native_id) // HELD % FOLDS for case in cases])
    return Tables(network, np.array([case.hints for case in cases]), wanted, known, folds)


def fit(tables: Tables) -> tuple[Stack, dict[str, dict[str, float]]]:
    """The stack of all rows; the limits on probabilities of stacks that did not see the row's fold."""
    from nlp.torch_stack import fit_stack

    scores = np.zeros_like(tables.network)
    for fold in set(tables.folds.tolist()):
        out = tables.folds == fold
        rest = tables.only(~out)
        scores[out] = fit_stack(rest.network, rest.hints, rest.wanted, rest.known).weigh(tables.network[out], tables.hints[out])
    limits = fit_head_limits(to_probabilities(scores), cut_all(tables.wanted))
    return fit_stack(tables.network, tables.hints, tables.wanted, tables.known), limits


def cross_validate(tables: Tables) -> tuple[HeadReport, ...]:
    """What would be said of each fold with a stack and limits that know nothing of its posts."""
    said = np.zeros_like(tables.wanted, dtype=np.int64)
    for fold in set(tables.folds.tolist()):
        out = tables.folds == fold
        stack, limits = fit(tables.only(~out))
        found = to_probabilities(stack.weigh(tables.network[out], tables.hints[out]))
        said[out] = [say({head: found[head][row] for head in HEADS}, limits) for row in range(int(out.sum()))]
    wanted = cut_all(tables.wanted.round().astype(np.int64).astype(np.float64))
    told = cut_all(said.astype(np.float64))
    return tuple(
        report_head(head, told[head][known].astype(np.int64), wanted[head][known].astype(np.int64))
        for head, known in zip(HEADS, tables.known.T, strict=True)
    )


def say(row: Mapping[str, Table], limits: Mapping[str, Mapping[str, float]]) -> list[int]:
    """The labels of one subject as a row of 0 and 1."""
    word = decide(row, limits)
    opinions = {(one.topic, one.polarity) for one in word.opinions}
    return [
        *(int(word.sentiment is label) for label in TOWARD),
        *(int(act in word.acts) for act in ACTS),
        *(int(one in opinions) for one in OPINIONS),
        *(int(str(word.severity) == label) for label in OUTPUTS["severity"]),
        *(int(str(word.owner) == label) for label in OUTPUTS["owner"]),
        *(int(str(word.stage) == label) for label in OUTPUTS["stage"]),
        int(row["spam"][0] >= limits["spam"]["spam"]),
    ]


def cut_all(table: Table) -> dict[str, Table]:
    """Columns by head."""
    found, at = {}, 0
    for head in HEADS:
        found[head], at = table[:, at : at + SIZES[head]], at + SIZES[head]
    return found


def report_head(head: str, told: npt.NDArray[np.int64], real: npt.NDArray[np.int64]) -> HeadReport:
    """Scores of each output that occurs, and of all together."""
    present = [place for place in range(real.shape[1]) if real[:, place].any()]
    outputs = {OUTPUTS[head][place]: score_class(told[:, place], real[:, place], 1) for place in present}
    every = score_class(told.reshape(-1), real.reshape(-1), 1)
    macro = sum(one.f1 for one in outputs.values()) / max(1, len(outputs))
    return HeadReport(head, len(real), every.f1, round(macro, 4), outputs)
