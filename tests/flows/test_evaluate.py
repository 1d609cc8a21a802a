"""`tingfeng evaluate`: what is stored is what today's judge reaches, and a gold set of one's own can be measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.evaluate import GOLD_FOLDER, open_judge
from flows.wiring import Wiring
from nlp.gold import macro_f1, read_gold, score_gold
from nlp.gold_page import FIELD_NAMES, scores_of
from nlp.gold_results import read_results
from nlp.sentiment import load_sentiment

AGAIN = "规则或模型改过了:请运行 tingfeng evaluate --gold --write"
SMALL: dict[str, object] = {
    "id": "x1", "kind": "original", "title": "", "text": "暖芽水壶漏水,客服不管,要求退款", "rating": None, "slices": ["irony"],
    "subjects": [{"name": "暖芽", "aliases": [], "sentiment": "negative"}], "acts": ["complaint"],
    "aspects": [{"topic": "quality", "polarity": "negative", "subject": "暖芽"}], "severity": "money", "demands": ["退款"], "effort": {},
    "owner": "product", "stage": "using", "competitor_switch": None, "spam": False,
}  # fmt: skip


def test_the_configured_judge_is_the_one_that_was_measured(open_place: Any) -> None:
    wiring: Wiring = open_place()
    assert open_judge(wiring, load_sentiment(wiring.settings.nlp.model))[0] == read_results().judge, AGAIN


@pytest.mark.slow
def test_todays_judge_scores_on_the_gold_set_what_is_stored(open_place: Any) -> None:
    wiring: Wiring = open_place()
    _, judge = open_judge(wiring, load_sentiment(wiring.settings.nlp.model))
    report, stored = score_gold(read_gold(GOLD_FOLDER), judge), read_results()
    for field in FIELD_NAMES:
        then = macro_f1(scores_of(stored.reports[stored.judge], field))
        assert macro_f1(scores_of(report, field)) == pytest.approx(then, abs=0.01), f"{field}: {AGAIN}"


def test_stored_results_are_printed_without_measuring(tingfeng: Any) -> None:
    found = tingfeng("evaluate", "--json").json
    assert found["sets"]
    assert list(found["gold"]["reports"]) == list(read_results().reports)
    assert "| 反话 |" in tingfeng("evaluate").out


def test_a_gold_set_of_ones_own_is_measured(tingfeng: Any, place: Path) -> None:
    (place / "mine").mkdir()
    (place / "mine" / "a.jsonl").write_text(json.dumps(SMALL), "utf-8")
    result = tingfeng("evaluate", "--gold", "mine", "--json")
    reports = result.json["gold"]["reports"]
    assert [reports[name]["n"] for name in reports] == [1] * len(reports)
    assert reports["rules"]["demands"]["退款"]["recall"] == 1


def test_results_of_another_gold_set_are_not_stored(tingfeng: Any, place: Path) -> None:
    (place / "mine").mkdir()
    result = tingfeng("evaluate", "--gold", "mine", "--write")
    assert (result.code, "--write" in result.err) == (2, True)
    assert tingfeng("evaluate", "--gold", "gone").code == 2
