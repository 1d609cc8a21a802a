from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from nlp.evaluate import (
    Answers,
    calibration_error,
    error_by_chance,
    evaluate,
    find_wanted,
    judge_by_words,
    measure,
    pool,
    read_report,
    score_class,
)
from nlp.heads import Heads
from nlp.labelled import Labelled
from nlp.sentiment import FOLDER, LinearSentiment, choose_label
from nlp.train import TrainResult
from tingfeng.errors import ModelError, UsageError
from tingfeng.labels import Sentiment

NEGATIVE, NEUTRAL, POSITIVE = range(3)


class Scripted:
    """A judge that gives the probabilities written down for a text, and refuses any other."""

    name = engine = "scripted"
    heads: Heads | None = None

    def __init__(self, answers: Mapping[str, tuple[float, float, float]]) -> None:
        self.answers = answers

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        return [dict(zip(("negative", "neutral", "positive"), self.answers[text], strict=True)) for text in texts]

    def label(self, probabilities: Mapping[str, float]) -> Sentiment:
        return choose_label(probabilities, 0.6)


def rows(*pairs: tuple[str, int]) -> list[Labelled]:
    return [Labelled("invented", label, "", text) for text, label in pairs]


def test_precision_recall_and_f1_of_a_class() -> None:
    told, gold = np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 0, 0])
    score = score_class(told, gold, NEGATIVE)
    assert (score.precision, score.recall, score.f1, score.n) == (0.6667, 0.5, 0.5714, 4)


def test_class_never_said_scores_zero() -> None:
    score = score_class(np.array([0, 0]), np.array([2, 0]), POSITIVE)
    assert (score.precision, score.recall, score.f1, score.n) == (0.0, 0.0, 0.0, 1)


def test_limit_for_the_wanted_recall_is_the_highest_that_finds_it() -> None:
    negative, real = np.arange(100) / 100, np.arange(100) >= 50
    limit, precision = find_wanted(negative, real)
    assert (real & (negative >= limit)).sum() >= 0.92 * real.sum() > (real & (negative > limit + 0.01)).sum()
    assert precision == 1.0
    assert find_wanted(negative, np.arange(100) % 2 == 0) == (0.06, 0.5)


def test_few_texts_alone_bring_about_an_error() -> None:
    few, many = (error_by_chance(np.full(n, 0.8)) for n in (50, 5000))
    assert few == pytest.approx((2 / np.pi * 0.16 / 50) ** 0.5, rel=0.2)
    assert many < few / 5


def test_texts_of_several_sets_are_pooled() -> None:
    judge = Scripted({"甲": (0.9, 0.0, 0.1), "乙": (0.7, 0.0, 0.3)})
    sets = [Answers.ask(judge, rows(("甲", NEGATIVE), ("乙", POSITIVE))), Answers.ask(judge, rows(("甲", NEGATIVE)))]
    error, n = pool(sets)
    assert error == pytest.approx((0.1 + 0.7) / 3, abs=1e-4)
    assert n == 3
    assert pool([]) == (0.0, 0)


def test_calibration_error_is_the_gap_of_confidence_and_accuracy() -> None:
    assert calibration_error(np.full(10, 0.9), np.arange(10) < 6) == pytest.approx(0.3)
    assert calibration_error(np.full(10, 1.0), np.full(10, True)) == 0.0


def test_set_without_neutral_is_scored_between_the_poles() -> None:
    judge = Scripted({"甲": (0.3, 0.6, 0.1), "乙": (0.1, 0.5, 0.4)})
    report = measure(judge, "两类", rows(("甲", NEGATIVE), ("乙", POSITIVE)))
    assert report.accuracy == 1.0
    assert set(report.classes) == {"negative", "positive"}


def test_set_with_neutral_is_scored_over_three() -> None:
    judge = Scripted({"甲": (0.3, 0.6, 0.1), "乙": (0.1, 0.5, 0.4), "丙": (0.1, 0.8, 0.1)})
    report = measure(judge, "三类", rows(("甲", NEGATIVE), ("乙", POSITIVE), ("丙", NEUTRAL)))
    assert report.accuracy == 0.3333
    assert report.classes["neutral"].recall == 1.0
    assert report.macro_f1 == pytest.approx(0.5 / 3, abs=1e-4)


def test_uncertain_share_uses_the_judges_own_threshold() -> None:
    judge = Scripted({"甲": (0.9, 0.05, 0.05), "乙": (0.5, 0.4, 0.1)})
    assert measure(judge, "未定", rows(("甲", NEGATIVE), ("乙", NEGATIVE))).uncertain == 0.5


def test_alarm_counts_what_the_judge_itself_calls_negative() -> None:
    judge = Scripted({"甲": (0.9, 0.05, 0.05), "乙": (0.5, 0.4, 0.1), "丙": (0.7, 0.2, 0.1)})
    report = measure(judge, "报出", rows(("甲", NEGATIVE), ("乙", NEGATIVE), ("丙", POSITIVE)))
    assert (report.alarm.precision, report.alarm.recall, report.alarm.n) == (0.5, 0.5, 2)


def test_sure_neutral_in_a_set_without_neutral_does_not_divide_by_zero() -> None:
    judge = Scripted({"甲": (0.0, 1.0, 0.0), "乙": (0.0, 0.0, 1.0)})
    assert measure(judge, "零", rows(("甲", NEGATIVE), ("乙", POSITIVE))).ece <= 1


def test_emoticons_are_taken_away_before_judging() -> None:
    judge = Scripted({"好吧": (0.5, 0.0, 0.5)})
    assert measure(judge, "去表情", rows(("[泪]好吧[泪]", NEGATIVE)), without_emoticons=True).n == 1


def test_majority_is_the_share_of_the_commonest_class() -> None:
    judge = Scripted(dict.fromkeys("甲乙丙丁", (1.0, 0.0, 0.0)))
    group = rows(("甲", NEGATIVE), ("乙", POSITIVE), ("丙", POSITIVE), ("丁", POSITIVE))
    assert measure(judge, "多数", group).majority == 0.75


def test_word_lists_judge_by_balance_and_a_draw_is_neutral_where_there_is_neutral() -> None:
    assert judge_by_words("很满意,推荐", (0, 2)) == POSITIVE
    assert judge_by_words("垃圾,后悔", (0, 2)) == NEGATIVE
    assert judge_by_words("周五发布", (0, 1, 2)) == NEUTRAL
    assert judge_by_words("周五发布", (0, 2)) == NEGATIVE


def test_evaluation_covers_each_source_and_the_unseen_ones(labelled_folder: Path, trained: TrainResult) -> None:
    names = {row.name: row.seen for row in trained.report.sets}
    assert names == {"osh": True, "smp_u": True, "apc/mooc": False, "osh/酒店": False}


def test_evaluation_names_model_and_data(labelled_folder: Path, trained: TrainResult) -> None:
    assert trained.report.model == trained.name
    assert set(trained.report.files) == {f"sentiment_{split}.tsv.gz" for split in ("train", "dev", "test")}


def test_evaluation_without_data_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="没有训练数据"):
        evaluate(Scripted({}), tmp_path)


def test_report_survives_its_file(trained: TrainResult) -> None:
    assert read_report(trained.folder) == trained.report


@pytest.mark.parametrize(
    "content", ["", "[]", '{"model": "x"}', '{"model": "x", "files": {}, "sets": [{"classes": 1}]}']
)
def test_damaged_report_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "evaluation.json").write_text(content, "utf-8")
    with pytest.raises(ModelError, match=r"evaluation\.json.*tingfeng train"):
        read_report(tmp_path)


# floors a little under what was measured when the weights were made; a retraining that falls below is a step back
FLOORS = {"osh": (0.92, 0.92), "weibo2018": (0.83, 0.85), "smp_v": (0.77, 0.75), "wb100k 去表情": (0.69, 0.68)}


@pytest.mark.parametrize("name", FLOORS)
def test_shipped_model_keeps_its_floors(name: str) -> None:
    found = {row.name: row for row in read_report(FOLDER).sets}[name]
    assert found.accuracy >= FLOORS[name][0]
    assert found.classes["negative"].recall >= FLOORS[name][1]


def test_shipped_model_beats_both_baselines_on_every_set_but_the_car_forum() -> None:
    beaten = {row.name for row in read_report(FOLDER).sets if row.accuracy <= max(row.majority, row.words)}
    assert beaten == {"ccf"}


def test_stored_report_belongs_to_the_shipped_weights() -> None:
    settings = json.loads((FOLDER / "model.json").read_text("utf-8"))
    assert read_report(FOLDER).model == f"linear-{settings['version']}"


@pytest.mark.shared
def test_shipped_weights_give_the_stored_report() -> None:
    data = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "nlp"
    if not data.is_dir():
        pytest.skip("没有 ../shared/data/nlp")
    stored = {row.name: row.accuracy for row in read_report(FOLDER).sets}
    for row in evaluate(LinearSentiment.load(), data).sets:
        assert row.accuracy == pytest.approx(stored[row.name], abs=1e-3), row.name
