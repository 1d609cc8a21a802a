from __future__ import annotations

import json
from pathlib import Path

import pytest

import benchmarks.sentiment_peers as peers
from nlp.labelled import Labelled


def test_each_peer_is_scored_on_the_same_rows() -> None:
    rows = [Labelled("x", 0, "", "甲"), Labelled("x", 0, "", "乙"), Labelled("x", 2, "", "丙"), Labelled("x", 2, "", "丁")]
    found = peers.measure_peer("总说负面", lambda texts: [0] * len(texts), "x", rows)
    assert (found.n, found.accuracy, found.negative_recall) == (4, 0.5, 1.0)
    assert found.macro_f1 == pytest.approx(1 / 3, abs=1e-3)


def test_neutral_rows_are_left_out_and_hotels_stand_apart(labelled_data: Path) -> None:
    sets = peers.read_sets(labelled_data)
    assert set(sets) == {"osh", "osh/酒店", "wb100k", "wb100k 去表情"}
    assert [row.text for row in sets["wb100k 去表情"]] == [row.text.replace("[泪]", "") for row in sets["wb100k"]]


@pytest.fixture
def labelled_data(tmp_path: Path) -> Path:
    import gzip

    head = "src\tlabel\tcat\ttext"
    test = ["osh\tnegative\t家居\t裂了", "osh\tpositive\t酒店\t干净", "wb100k\tnegative\t\t唉[泪]", "wb100k\tneutral\t\t周五开始"]
    for name, rows in (("train", []), ("dev", []), ("test", test)):
        with gzip.open(tmp_path / f"sentiment_{name}.tsv.gz", "wt", encoding="utf-8") as stream:
            stream.write("\n".join([head, *rows]) + "\n")
    return tmp_path


def test_section_shows_every_peer_and_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"peer": "词表", "dataset": "osh", "n": 4, "accuracy": 0.5, "macro_f1": 0.4, "negative_recall": 1.0, "seconds": 0.5}
    monkeypatch.setattr(peers, "FILE", tmp_path / "peers.json")
    assert peers.render_peers() == ""
    peers.FILE.write_text(json.dumps({"date": "2026-01-01", "model": "m", "sample": 4, "rows": [row]}), "utf-8")
    assert "| 词表 | 0.500 / 0.400 / 1.00 | 8 |" in peers.render_peers()
