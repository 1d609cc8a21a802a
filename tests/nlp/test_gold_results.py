"""What was measured on the gold set is stored whole, and belongs to the gold set and the word lists that lie here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nlp.gold_page import FIELD_NAMES, TITLES, render_gold, scores_of
from nlp.gold_results import GoldResults, hash_files, read_results, write_results
from tingfeng.errors import ModelError

ROOT = Path(__file__).resolve().parents[2]
AGAIN = "标注集、词表或模型改过了:请运行 tingfeng evaluate --gold --write"


@pytest.fixture(scope="module")
def stored() -> GoldResults:
    return read_results()


def test_stored_results_were_measured_on_this_gold_set(stored: GoldResults) -> None:
    assert stored.files == hash_files(ROOT / "tests" / "nlp" / "gold", "*.jsonl"), AGAIN


def test_stored_results_were_measured_with_these_word_lists(stored: GoldResults) -> None:
    config = ROOT / "config"
    assert stored.words == hash_files(config, "lexicon/*") | hash_files(config, "aspects.toml"), AGAIN


def test_results_survive_their_file(stored: GoldResults, tmp_path: Path) -> None:
    write_results(stored, tmp_path / "gold.json")
    assert read_results(tmp_path / "gold.json") == stored


def test_a_changed_text_changes_its_hash_and_line_ends_do_not(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"x\n")
    first = hash_files(tmp_path, "*.jsonl")
    (tmp_path / "a.jsonl").write_bytes(b"x\r\n")
    assert hash_files(tmp_path, "*.jsonl") == first
    (tmp_path / "a.jsonl").write_bytes(b"y\n")
    assert hash_files(tmp_path, "*.jsonl") != first


@pytest.mark.parametrize("content", ["", "[]", '{"reports": {}}', '{"reports": {"a": {"acts": 1}}, "files": {}}'])
def test_a_damaged_file_is_named_with_the_command_that_restores_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "gold.json").write_text(content, "utf-8")
    with pytest.raises(ModelError, match=r"gold\.json.*tingfeng evaluate --gold --write"):
        read_results(tmp_path / "gold.json")


def test_page_shows_every_class_of_every_field_for_every_judge(stored: GoldResults) -> None:
    rows = {line.split(" | ")[0].removeprefix("| "): line.count("(") for line in render_gold(stored).splitlines() if line.startswith("| ")}
    report = stored.reports[stored.judge]
    wanted = {TITLES[field].get(name, name) for field in FIELD_NAMES for name in scores_of(report, field)}
    assert {name: rows.get(name) for name in wanted} == dict.fromkeys(wanted, len(stored.reports))


def test_page_has_a_column_for_each_judge(stored: GoldResults) -> None:
    one = GoldResults("2026-01-01", {"a.jsonl": "1"}, {}, {"linear-x+rules-2": next(iter(stored.reports.values()))})
    two = replace(one, reports={**one.reports, "majority": stored.reports["majority"]})
    assert "| 全体 | `linear-x+rules-2` |\n" in render_gold(one)
    assert "| 全体 | `linear-x+rules-2` | 多数类 |\n" in render_gold(two)
