from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.docs import PAGES
from nlp.evaluate import EvaluationReport, Score, SetReport, read_report
from nlp.evaluation_page import (
    render_evaluation,
    render_origins,
    render_pairs,
    render_results,
    render_table,
    show_score,
)
from nlp.sentiment import FOLDER

ROOT = Path(__file__).resolve().parents[2]
SET = SetReport(
    name="家居",
    n=10,
    accuracy=0.9,
    majority=0.6,
    words=0.7,
    classes={"negative": Score(0.8, 1.0, 0.8889, 4), "positive": Score(1.0, 0.8333, 0.9091, 6)},
    ece=0.05,
    uncertain=0.1,
    alarm=Score(0.75, 0.5, 0.6, 4),
    seen=True,
    wanted=(0.1937, 0.61),
    ece_by_chance=0.021,
)


def test_page_in_the_docs_is_the_one_made_from_the_stored_report() -> None:
    assert (ROOT / "docs" / "evaluation.md").read_text("utf-8") == PAGES["evaluation.md"]()


def test_shipped_card_shows_the_stored_report() -> None:
    assert (FOLDER / "MODEL_CARD.md").read_text("utf-8").endswith(render_results(read_report(FOLDER)))


def test_row_shows_every_measure_and_a_dash_for_a_class_that_is_not_there() -> None:
    row = render_table([SET]).splitlines()[-1]
    assert row == (
        "| 家居 | 10 | 0.900 | 0.899 | 0.600 | 0.700 | 0.80 / 1.00 / 0.89(4) | – "
        "| 1.00 / 0.83 / 0.91(6) | 0.75 / 0.50 | **P 0.61(≥ 0.19,全报 0.40)** | 0.050(0.021) | 10.0% |"
    )


def test_rows_have_as_many_cells_as_the_head() -> None:
    assert {line.count("|") for line in render_table([SET]).splitlines()} == {14}


def test_models_stand_side_by_side_on_the_sets_that_both_have() -> None:
    other = EvaluationReport("linear-x", {}, (replace(SET, accuracy=0.8, ece=0.01),))
    table = render_pairs(EvaluationReport("encoder-x", {}, (SET, replace(SET, name="课程"))), other)
    assert table.splitlines()[2:] == [
        "| 家居 | 10 | 0.900 / 0.800 | 0.899 / 0.899 | 0.75 / 0.75 | 0.50 / 0.50 | 0.050 / 0.010 | 10.0% / 10.0% |"
    ]


def test_seen_and_unseen_stand_apart() -> None:
    text = render_results(EvaluationReport("linear-x", {}, (SET, replace(SET, name="课程", seen=False))))
    assert text.index("家居") < text.index("### 陌生文本") < text.index("课程")


def test_limit_is_bold_only_where_the_own_one_finds_too_few() -> None:
    assert "| P 0.61(≥ 0.19,全报 0.40) |" in render_table([replace(SET, alarm=Score(0.7, 0.92, 0.8, 4))])


def test_errors_of_all_texts_stand_below_the_tables() -> None:
    report = EvaluationReport("linear-x", {}, (SET,), ((0.0123, 10), (0.0, 0)))
    assert "ECE:同源的留出集 0.012(10 条)。" in render_results(report)


def test_no_unseen_sets_no_heading() -> None:
    assert "### 陌生文本" not in render_results(EvaluationReport("linear-x", {}, (SET,)))


def test_page_names_model_and_hashes() -> None:
    report = EvaluationReport("encoder-x", {"b.gz": "22", "a.gz": "11"}, (SET,))
    text = render_evaluation(report, EvaluationReport("linear-x", {}, ()))
    assert "`encoder-x`" in text
    assert "`linear-x`" in text
    assert text.index("`a.gz` sha256 `11`") < text.index("`b.gz` sha256 `22`")


def test_origins_count_classes_and_tell_licences() -> None:
    rows = render_origins({"resto/negative": 3, "resto/positive": 5, "mine/neutral": 1}).splitlines()[2:]
    assert rows[0] == "| mine | 自备数据 | – | – | 0 | 1 | 0 |"
    assert rows[1].endswith("| MIT | 3 | 0 | 5 |")


def test_missing_score_is_a_dash() -> None:
    assert show_score(None) == "–"
