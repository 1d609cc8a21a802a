"""Trains an encoder for one fold of benchmarks/unseen_domains.py: sentiment alone, from the pretrained weights, on the rows of the fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nlp.calibrate import fit_negative_from, fit_shares, weigh_sources
from nlp.e5_weights import E5File
from nlp.encoder_judge import EncoderJudge, EncoderSettings, combine
from nlp.labelled import Labelled
from nlp.lessons import Deck, to_lesson
from nlp.onnx_model import OnnxModel
from nlp.outputs import OUTPUTS, SIZES, Lesson, cut_head
from nlp.sentiment import CLASSES, SentimentJudge
from nlp.tokens import PieceReader
from nlp.train import LEAST_THRESHOLD, fit_judge, fit_threshold
from nlp.train_encoder import COURSE_LONGEST, LAYERS, LONGEST
from nlp.vocabulary import choose_pieces
from tingfeng.labels import Sentiment

WORD = "请看 benchmarks/unseen_domains.py"


def fit_encoder(train: Sequence[Labelled], dev: Sequence[Labelled], folder: Path, seed: int) -> SentimentJudge:
    """Every row once in the mean, sources in proportion to the root of their size; then weighed with the linear model of the same rows."""
    from nlp.torch_encoder import EncoderShape, start_encoder
    from nlp.torch_export import export
    from nlp.torch_training import Course, Material, Run

    lessons = make_lessons(train)
    file = E5File.load(None)
    scored = dict(zip(file.pieces, file.scores.tolist(), strict=True))
    chosen = choose_pieces(scored, [row.text for row in train])
    reader = PieceReader.build(chosen)
    big = file.shape
    shape = EncoderShape(len(chosen), SIZES, big.hidden, min(LAYERS, big.layers), big.heads, big.inner, min(LONGEST, big.positions))
    encoder = start_encoder(file, scored, list(chosen), shape, seed)
    course = Course(len(lessons), warmup=len(lessons) // 12, cooldown=len(lessons) // 2, seed=seed, longest=COURSE_LONGEST)
    Run(encoder, Material(lessons, reader, course.longest), Deck.shuffle(lessons, share_sources(train), seed), course, folder).go()
    export(encoder, folder / "model.onnx")
    linear = fit_judge(train, dev, seed=seed, rounds=80, progress=lambda what, done: None).judge
    model = OnnxModel.load(folder / "model.onnx", WORD)
    network = model.run(reader.read([row.text for row in dev], LONGEST)).astype(np.float64)
    scores, gold = linear.score([row.text for row in dev]), np.array([row.label for row in dev])
    sources = [row.source for row in dev]
    polar = np.array([lesson.polar for lesson in make_lessons(dev)])
    shares = fit_shares(cut_head("sentiment", network.astype(np.float32)), scores, gold, polar, weigh_sources(sources))
    draft = EncoderSettings(folder.name, linear.name, shares, {}, {}, 0.0, 1.0, 1.0, LONGEST, OUTPUTS)
    told = cut_head("sentiment", combine(network, scores, draft))
    settings = EncoderSettings(
        folder.name, linear.name, shares, {}, {}, max(LEAST_THRESHOLD, round(fit_threshold(told), 4)),
        fit_negative_from(told[:, 0], gold, sources), 1.0, LONGEST, OUTPUTS,
    )  # fmt: skip
    return EncoderJudge(model, reader, settings, linear)


def make_lessons(rows: Sequence[Labelled]) -> list[Lesson]:
    """Sentiment lessons; a source that never says neutral teaches mostly the poles."""
    lukewarm = {row.source for row in rows if CLASSES[row.label] is Sentiment.NEUTRAL}
    return [to_lesson(row, row.source not in lukewarm, None) for row in rows]


def share_sources(rows: Sequence[Labelled]) -> Mapping[str, float]:
    """Each source's share of what is dealt."""
    counts = {source: sum(row.source == source for row in rows) for source in sorted({row.source for row in rows})}
    return {source: count**0.5 for source, count in counts.items()}
