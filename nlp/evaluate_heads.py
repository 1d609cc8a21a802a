"""Measures the heads that people have labels for, on texts that training has not seen: the ten aspects of the car forum."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nlp.encoder_judge import EncoderJudge
from nlp.evaluate import REPORT_FILE, Score, score_class
from nlp.outputs import OUTPUTS, SIZES, STARTS, Lesson, pack_targets
from tingfeng.errors import ModelError


@dataclass(frozen=True)
class HeadReport:
    """One head: `micro_f1` over all outputs, `macro_f1` their mean; `n` texts, `outputs` with n positive ones each."""

    head: str
    n: int
    micro_f1: float
    macro_f1: float
    outputs: Mapping[str, Score]


def read_heads(folder: Path) -> list[HeadReport]:
    """The reports that training stored in `folder`. Raises ModelError naming the file."""
    file = folder / REPORT_FILE
    try:
        rows = json.loads(file.read_text("utf-8")).get("heads", [])
        return [
            HeadReport(**{**row, "outputs": {name: Score(**score) for name, score in row["outputs"].items()}}) for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"评测结果缺失或损坏({error})", where=str(file), hint="请运行 tingfeng train") from error


def measure_head(judge: EncoderJudge, lessons: Sequence[Lesson], head: str) -> HeadReport | None:
    """What the head says at its thresholds against the lessons that know it; None when there are none."""
    own = [lesson for lesson in lessons if head in lesson.targets]
    if not own:
        return None
    place = slice(STARTS[head], STARTS[head] + SIZES[head])
    table = judge.weigh([lesson.text for lesson in own])[:, place].tolist()
    said = [judge.says(head, dict(zip(OUTPUTS[head], row, strict=True))) for row in table]
    told = np.array([[int(label in words) for label in OUTPUTS[head]] for words in said])
    real = pack_targets(own)[0][:, place].astype(np.int64)
    outputs = {label: score_class(told[:, number], real[:, number], 1) for number, label in enumerate(OUTPUTS[head])}
    every = score_class(told.reshape(-1), real.reshape(-1), 1)
    macro = sum(score.f1 for score in outputs.values()) / len(outputs)
    return HeadReport(head, len(own), every.f1, round(macro, 4), outputs)
