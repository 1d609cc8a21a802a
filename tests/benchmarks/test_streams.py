"""The measurement of streams: what it reads, and what it says of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

import benchmarks.streams as streams
from nlp.labelled import Labelled


def test_titles_of_the_month_come_in_their_order_with_repeats(tmp_path: Path) -> None:
    rows = [("2022-11-30", "旧"), ("2022-12-01", "甲"), ("2022-12-01", "乙"), ("2022-12-02", "甲")]
    with gzip.open(tmp_path / "a.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps({"date": date, "title": title}) + "\n" for date, title in rows)
    assert streams.read_stream(tmp_path) == ["甲", "乙", "甲"]


def test_every_title_is_a_post_about_the_subject() -> None:
    judged, seconds = streams.judge_all(streams.open_pipeline(), streams.make_posts(["周五开始下雨", "客服不理人,差评"]))
    assert [one.mentions[0].subject for one in judged] == ["暖芽", "暖芽"]
    assert seconds > 0


class Sure:
    def judge(self, texts: list[str]) -> list[dict[str, float]]:
        return [{"negative": 0.2, "neutral": 0.7, "positive": 0.1} for _ in texts]


@pytest.mark.parametrize(("labels", "right"), [((0, 0, 2, 0), 0.75), ((0, 1, 1, 2), 0.5)])
def test_neutral_counts_only_where_the_set_knows_it(labels: tuple[int, ...], right: float) -> None:
    assert streams.measure_set(Sure(), [Labelled("x", label, "", "甲") for label in labels]) == right  # type: ignore[arg-type]


def test_section_shows_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "RESULTS", tmp_path / "streams.json")
    assert streams.describe_streams() == ""
    row = {"name": "情感,fast", "texts": 9, "distinct": 9, "per_second": 1600, "right": 0.87654, "note": ""}
    values = {"date": "2026-11-25", "cores": 2, "load": [0.1, 1.9], "model": "encoder-1", "rows": [row]}
    streams.RESULTS.write_text(json.dumps(values), "utf-8")
    assert "| 情感,fast | 9 | 9 | 1600 | 0.8765 | – |" in streams.describe_streams()
