"""A retrained model is let in when it is not worse, and refused with the figure that is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nlp.evaluate import EvaluationReport, Score, SetReport
from nlp.gate import LEAST_CORRECTIONS, compare_corrections, compare_reports
from nlp.labelled import CORRECTIONS, Labelled
from nlp.sentiment import LinearSentiment
from nlp.train import TrainResult, learn_sentiment

SET = SetReport(
    "家居", 1000, 0.9, 0.5, 0.6, {"negative": Score(0.9, 0.9, 0.9, 500), "positive": Score(0.9, 0.9, 0.9, 500)}, 0.02, 0.05,
    Score(0.9, 0.9, 0.9, 500), True, (0.4, 0.9), 0.01,
)  # fmt: skip
OLD = EvaluationReport("old", {}, (SET, replace(SET, name="外卖"), replace(SET, name="酒店")))


def changed(**changes: Any) -> EvaluationReport:
    """The same, but for one set."""
    return replace(OLD, model="new", sets=(*OLD.sets[:2], replace(OLD.sets[2], **changes)))


def refused(new: EvaluationReport) -> list[str]:
    return [one.what for one in compare_reports(OLD, new) if one.is_worse]


def test_an_equal_model_is_let_in() -> None:
    assert refused(OLD) == []


def test_a_better_model_is_let_in() -> None:
    assert refused(changed(alarm=Score(0.9, 0.99, 0.94, 500), ece=0.0)) == []


def test_less_negative_recall_in_the_mean_is_refused() -> None:
    assert refused(changed(alarm=Score(0.9, 0.88, 0.89, 500))) == ["负面查全(3 个集合平均)"]


def test_one_set_that_falls_far_is_refused_even_when_the_others_make_up_for_it() -> None:
    better = [replace(one, alarm=Score(0.9, 0.99, 0.94, 500)) for one in OLD.sets[:2]]
    assert refused(replace(OLD, sets=(*better, replace(SET, name="酒店", alarm=Score(0.9, 0.85, 0.87, 500))))) == ["负面查全(酒店,变化最差)"]


def test_lower_f1_is_refused() -> None:
    classes = {"negative": Score(0.9, 0.9, 0.9, 500), "positive": Score(0.7, 0.7, 0.7, 500)}
    assert refused(changed(classes=classes)) == ["宏 F1(3 个集合平均)", "宏 F1(酒店,变化最差)"]


def test_worse_calibration_is_refused_and_said_with_numbers() -> None:
    new = changed(ece=0.08)
    assert refused(new) == ["ECE(3 个集合平均)"]
    assert "0.0200 → 0.0400(变差了,最多容许 0.002)" in "".join(one.words for one in compare_reports(OLD, new))


def test_what_chance_does_is_allowed() -> None:
    assert refused(changed(alarm=Score(0.9, 0.896, 0.9, 500), ece=0.024)) == []


def test_corrections_teach_what_the_base_rows_do_not_say(labelled_folder: Path, trained: TrainResult) -> None:
    rows = [Labelled(CORRECTIONS, 0, "", f"真是谢谢你们全家,第{n}次") for n in range(LEAST_CORRECTIONS * 2)]
    old = LinearSentiment.load(trained.folder)
    learnt = learn_sentiment(labelled_folder, rows[::2], rounds=12)
    [one] = compare_corrections(old, learnt.fitted.judge, rows[1::2])
    assert (one.new, one.is_worse) == (1, False)
    assert one.old < 1
    assert learnt.facts.rows["corrections/negative"] == LEAST_CORRECTIONS


def test_a_few_corrections_prove_nothing(trained: TrainResult) -> None:
    judge = LinearSentiment.load(trained.folder)
    assert compare_corrections(judge, judge, [Labelled(CORRECTIONS, 0, "", "气人")] * (LEAST_CORRECTIONS - 1)) == []


def test_texts_that_are_measured_on_are_not_taught(labelled_folder: Path) -> None:
    from nlp.labelled import read_split

    known = read_split(labelled_folder, "test")[0]
    learnt = learn_sentiment(labelled_folder, [replace(known, source=CORRECTIONS)], rounds=2)
    assert not [name for name in learnt.facts.rows if name.startswith(CORRECTIONS)]


@pytest.mark.parametrize("label", [0, 2])
def test_corrections_without_a_neutral_one_still_teach_against_neutral(labelled_folder: Path, label: int) -> None:
    rows = [Labelled(CORRECTIONS, label, "", f"门店陈列的说明书,第{n}次") for n in range(40)]
    judge = learn_sentiment(labelled_folder, rows, rounds=12).fitted.judge
    row = judge.judge(["门店陈列的说明书"])[0]
    assert row["neutral"] < 0.5
