from __future__ import annotations

import json
from pathlib import Path

import pytest

import benchmarks.unseen_domains as unseen
from nlp.labelled import HELD_OUT, Labelled


def rows(split: str) -> list[Labelled]:
    return [
        Labelled(source, n % 3, category, f"{split}{source}{category}{n}")
        for source, category in (("osh", "家居"), ("osh", "水果"), ("osh", HELD_OUT), ("smp_u", ""))
        for n in range(6)
    ]


SPLITS = {split: rows(split) for split in ("train", "dev", "test")}


def test_there_is_a_fold_for_each_source_and_each_shopping_category() -> None:
    assert unseen.list_folds(SPLITS) == ["osh", "smp_u", "osh/家居", "osh/水果", f"osh/{HELD_OUT}"]


@pytest.mark.parametrize("name", ["osh", "smp_u", "osh/水果", f"osh/{HELD_OUT}"])
def test_what_is_left_out_is_neither_trained_nor_calibrated_on_and_all_that_is_measured(name: str) -> None:
    fold = unseen.make_fold(SPLITS, name, 0)
    assert not any(unseen.belongs(row, name) or row.category == HELD_OUT for row in [*fold.train, *fold.dev])
    assert fold.test
    assert all(unseen.belongs(row, name) for row in fold.test)


def test_every_model_gets_the_same_rows() -> None:
    first, second = (unseen.make_fold(SPLITS, "smp_u", 5) for _ in range(2))
    assert first.train == second.train
    assert len(first.train) == 5


def test_section_shows_a_dash_where_a_model_was_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unseen, "FILE", tmp_path / "unseen.json")
    assert unseen.render_unseen() == ""
    row = {"name": "osh", "n": 6, "majority": 0.5, "accuracy": 0.8, "macro_f1": 0.7, "alarm": {"recall": 0.9}}
    found = [{**row, "model": "linear", "lessons": 20000}, {**row, "name": "ccf", "model": "encoder", "lessons": 20000}]
    unseen.FILE.write_text(json.dumps({"date": "2026-01-01", "rows": found}), "utf-8")
    assert "| osh | 6 | 0.500 | – | 0.800 / 0.700 / 0.90 |" in unseen.render_unseen()
