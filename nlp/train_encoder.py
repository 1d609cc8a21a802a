"""Trains the encoder from the data folder to the files of a model. torch is imported only when training begins."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nlp.calibrate import fit_negative_from, fit_other_heads, fit_shares, fit_sure_from, weigh_sources
from nlp.e5_weights import E5File
from nlp.encoder_judge import (
    MODEL_FILE,
    PIECES_FILE,
    RESTORE,
    SETTINGS_FILE,
    EncoderJudge,
    EncoderSettings,
    combine,
    describe_settings,
    hash_network,
)
from nlp.encoder_page import CARD_FILE, EncoderFacts, render_encoder_card
from nlp.evaluate import REPORT_FILE, evaluate
from nlp.evaluate_heads import measure_head
from nlp.gram_heads import GRAMS_FILE
from nlp.invented import Case, FindAbouts, read_cases
from nlp.lessons import MIX, Deck, WeakJudge, add_weak_labels, read_lessons, read_unlabelled
from nlp.onnx_model import OnnxModel
from nlp.outputs import OUTPUTS, SIZES, Lesson, cut_head, pack_targets
from nlp.sentiment import LinearSentiment, softmax
from nlp.stack import STACK_FILE
from nlp.tokens import PieceReader
from nlp.train import LEAST_THRESHOLD, TrainResult, fit_threshold, write_json
from nlp.train_heads import Tuned, Tuning, tune_heads
from nlp.vocabulary import choose_pieces
from tingfeng.errors import UsageError

if TYPE_CHECKING:
    from nlp.torch_tuning import Start

Progress = Callable[[str, float], None]
LAYERS = 12
# pieces of a text that are read, in judging and in training
LONGEST, COURSE_LONGEST = 128, 96
# dev texts on which the exported network is compared with the full one
AGREEMENT_TEXTS = 1000
NOTES_FILE, TUNING_FOLDER = "notes.md", "heads"
# lessons of the second part for each subject in the invented posts: five times round, old lessons in between
ROUNDS = 7


@dataclass(frozen=True)
class Plan:
    """What to train: `lessons` in all, the last `cooldown` of them at a falling rate. `run`: where checkpoints and curve go.

    `start`: a checkpoint, or the folder of an exported model, that takes the place of the first part.
    `invented`: labelled posts for the second part, with `tuning` lessons (None: as many as usual); with none of them the network of the
    folder stays as it is, and only what lies beside it is fitted anew.
    """

    data: Path
    out: Path
    run: Path
    lessons: int
    cooldown: int
    encoder_file: Path | None = None
    layers: int = LAYERS
    seed: int = 7
    more_texts: tuple[Path, ...] = ()
    start: Path | None = None
    invented: Path | None = None
    tuning: int | None = None

    @property
    def keeps_network(self) -> bool:
        """Whether the network is not trained at all."""
        return self.tuning == 0 and self.start is not None and self.start.is_dir()


@dataclass(frozen=True)
class Teachers:
    """Who says what is right, or what stands where: the rules as weak labels, and the subjects of a post."""

    weak: WeakJudge
    find: FindAbouts


def train_encoder(plan: Plan, teachers: Teachers, linear: LinearSentiment, progress: Progress) -> TrainResult:
    """Trains, or goes on where the run was cut off; then exports, calibrates, measures and writes the model's files.

    Raises UsageError for missing data, ModelError without torch or the encoder's weights.
    """
    from nlp.torch_export import export, measure_agreement

    progress("读取", 0.0)
    start = find_start(plan.start) if plan.start else learn(plan, teachers.weak, progress)
    tuned = teach_heads(plan, start, read_cases(plan.invented, teachers.find, linear), progress) if plan.invented else None
    encoder, reader = (tuned.encoder, tuned.reader) if tuned else (start.build(), start.reader())
    agreement = None
    progress("导出", 0.0)
    plan.out.mkdir(parents=True, exist_ok=True)
    if encoder is None and plan.start:
        keep_network(plan.start, plan.out)
    elif encoder is not None:
        reader.save(plan.out / PIECES_FILE)
        export(encoder, plan.out / MODEL_FILE)
        dev = [lesson.text for lesson in read_lessons(plan.data, "dev")]
        sample = reader.read(dev[:: len(dev) // AGREEMENT_TEXTS + 1], LONGEST)
        agreement = measure_agreement(encoder, OnnxModel.load(plan.out / MODEL_FILE, RESTORE), sample)
    for name in (STACK_FILE, GRAMS_FILE):
        (plan.out / name).unlink(missing_ok=True)
    if tuned:
        tuned.stack.save(plan.out / STACK_FILE)
        tuned.grams.save(plan.out / GRAMS_FILE)
    settings = calibrate(plan, reader, linear)
    if tuned:
        settings = replace(settings, stacked=True, thresholds={**settings.thresholds, **tuned.limits})
    write_json(plan.out / SETTINGS_FILE, describe_settings(settings))
    progress("评测", 0.0)
    judge = EncoderJudge.load(plan.out, linear)
    report = evaluate(judge, plan.data)
    car = measure_head(judge, read_lessons(plan.data, "test"), "car")
    heads = [*([car] if car else []), *(tuned.reports if tuned else ())]
    write_json(plan.out / REPORT_FILE, report.to_dict() | {"heads": [asdict(head) for head in heads]})
    facts = EncoderFacts(
        plan.seed, plan.lessons, plan.cooldown, plan.tuning or 0, plan.layers, reader.count(), agreement, MIX, read_notes(plan.run)
    )
    (plan.out / CARD_FILE).write_text(render_encoder_card(settings, facts, report, heads), "utf-8")
    progress("评测", 1.0)
    return TrainResult(plan.out, judge.name, report)


def keep_network(old: Path, new: Path) -> None:
    """The same files, byte for byte."""
    for name in (MODEL_FILE, PIECES_FILE):
        if old.resolve() != new.resolve():
            shutil.copyfile(old / name, new / name)


def find_start(path: Path) -> Start:
    """An exported model when it is a folder, else a checkpoint. Raises UsageError."""
    from nlp.torch_import import read_exported
    from nlp.torch_tuning import read_start

    return read_exported(path) if path.is_dir() else read_start(path)


def learn(plan: Plan, weak: WeakJudge, progress: Progress) -> Start:
    """The first part of training: sentiment, and the rules as weak labels."""
    from nlp.torch_encoder import EncoderShape, start_encoder
    from nlp.torch_training import Course, Material, Run
    from nlp.torch_tuning import Start

    lessons = add_weak_labels(read_training(plan), plan.data, weak)
    file = E5File.load(plan.encoder_file)
    scored = dict(zip(file.pieces, file.scores.tolist(), strict=True))
    chosen = find_pieces(plan, scored, [lesson.text for lesson in lessons])
    reader = PieceReader.build(chosen)
    big = file.shape
    layers, places = min(plan.layers, big.layers), min(LONGEST, big.positions)
    shape = EncoderShape(len(chosen), SIZES, big.hidden, layers, big.heads, big.inner, places)
    encoder = start_encoder(file, scored, list(chosen), shape, plan.seed)
    course = Course(plan.lessons, cooldown=plan.cooldown, seed=plan.seed, longest=min(COURSE_LONGEST, places))
    deck = Deck.shuffle(lessons, MIX, plan.seed)
    Run(encoder, Material(lessons, reader, course.longest), deck, course, plan.run).go(progress=progress)
    return Start(encoder.cpu().state_dict(), chosen, big.heads)


def read_training(plan: Plan) -> list[Lesson]:
    """The labelled lessons. Raises UsageError when there are none."""
    lessons = read_lessons(plan.data, "train")
    if not lessons:
        raise UsageError("训练数据是空的", where=str(plan.data), hint="至少各要几句")
    return lessons


def teach_heads(plan: Plan, start: Start, cases: Sequence[Case], progress: Progress) -> Tuned:
    """The second part: everything about a subject, from invented posts."""
    if plan.tuning == 0 and not plan.keeps_network:
        raise UsageError("没有说网络从哪里来", where="train --tuning 0", hint="另给 --start 与写出的模型文件夹,如 nlp/weights/encoder")
    lessons = len(cases) * ROUNDS if plan.tuning is None else plan.tuning
    network = OnnxModel.load(plan.start / MODEL_FILE, RESTORE) if plan.keeps_network and plan.start else None
    tuning = Tuning(plan.run / TUNING_FOLDER, lessons, plan.seed, network)
    return tune_heads(start, cases, read_training(plan), tuning, progress)


def read_notes(run: Path) -> str:
    """What a person wrote of the run into its folder, for the card."""
    file = run / NOTES_FILE
    return f"{file.read_text('utf-8').strip()}\n\n" if file.is_file() else ""


def find_pieces(plan: Plan, scored: Mapping[str, float], texts: Sequence[str]) -> dict[str, float]:
    """The pieces of this run: those it began with, else chosen from all texts at hand and written into its folder."""
    file = plan.run / PIECES_FILE
    if file.is_file():
        found: dict[str, float] = json.loads(file.read_text("utf-8"))
        return found
    more = [text for _, _, text in read_unlabelled(plan.data)]
    for path in plan.more_texts:
        more += path.read_text("utf-8").splitlines()
    chosen = choose_pieces(scored, [*texts, *more])
    plan.run.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(chosen, ensure_ascii=False), "utf-8")
    return chosen


def calibrate(plan: Plan, reader: PieceReader, linear: LinearSentiment) -> EncoderSettings:
    """Measures the exported network on the dev split and sets shares, temperatures and thresholds there."""
    dev = read_lessons(plan.data, "dev")
    network = OnnxModel.load(plan.out / MODEL_FILE, RESTORE).run(reader.read([one.text for one in dev], LONGEST))
    targets, known = pack_targets(dev)
    temperatures, limits = fit_other_heads(network, targets, known)
    judged = known[:, list(SIZES).index("sentiment")] > 0
    own = [lesson for lesson, known_one in zip(dev, judged.tolist(), strict=True) if known_one]
    scores = linear.score([lesson.text for lesson in own])
    gold = cut_head("sentiment", targets)[judged].argmax(axis=1)
    sources = [lesson.source for lesson in own]
    polar = np.array([one.polar for one in own])
    shares = fit_shares(cut_head("sentiment", network)[judged], scores, gold, polar, weigh_sources(sources))
    draft = EncoderSettings(
        hash_network(plan.out), linear.name, shares, temperatures, limits, 0.0, 1.0, 1.0, LONGEST, OUTPUTS
    )
    probabilities = cut_head("sentiment", combine(network[judged].astype(np.float64), scores, draft))
    sure_from = fit_sure_from(softmax(scores / linear.temperature), probabilities, gold, polar, sources)
    return replace(
        draft,
        threshold=max(LEAST_THRESHOLD, round(fit_threshold(probabilities), 4)),
        negative_from=fit_negative_from(probabilities[:, 0], gold, sources),
        sure_from=sure_from,
    )
