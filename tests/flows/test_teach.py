"""What people corrected teaches the linear model; a better one is installed and used at once, a worse one is refused with numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows import teach_linear as lesson
from flows.analyse import analyse_posts
from flows.collect import Tally, store_file
from flows.models import find_installed
from flows.people import correct_mention
from flows.teach import Taught, is_held, teach
from flows.teach_linear import open_linear, read_corrections
from flows.wiring import Wiring
from nlp.evaluate import EvaluationReport
from nlp.gate import Comparison, compare_reports
from nlp.sentiment import LinearSentiment
from nlp.train import train_sentiment
from tingfeng.clock import SimulatedClock, parse_iso
from tingfeng.errors import ModelError, UsageError

NOW = parse_iso("2026-11-14T18:00")
ROWS = [{"id": f"p{n}", "text": f"暖芽水壶第{n}号,真是谢谢你们全家", "time": "2026-11-14 10:00"} for n in range(12)]
ROWS.append({"id": "two", "text": "暖芽做工不错。橙屿的盖子漏水,客服不管。", "time": "2026-11-14 10:00"})


@pytest.fixture
def wiring(open_place: Any, place: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Wiring:
    """Thirteen judged posts; the model that is there was trained on the same small data set."""
    config = place / "config" / "tingfeng.toml"
    config.write_text('[nlp]\nmodel = "linear"\n' + config.read_text("utf-8"), "utf-8")
    found: Wiring = open_place(clock=SimulatedClock(NOW))
    (place / "posts.jsonl").write_text("\n".join(map(json.dumps, ROWS)), "utf-8")
    store_file(found, place / "posts.jsonl", Tally(), source="forum")
    analyse_posts(found)
    before = train_sentiment(data, place / "before", rounds=12)
    load = LinearSentiment.load
    monkeypatch.setattr(LinearSentiment, "load", lambda path=None: load(path or before.folder))
    return found


def teach_linear(wiring: Wiring, data: Path) -> Taught:
    return teach(wiring, lambda: open_linear(wiring, data, rounds=12), "li")


def correct_all(wiring: Wiring) -> None:
    for hit in wiring.posts.search(limit=50).hits:
        if "全家" in hit.post.text:
            correct_mention(wiring, hit.post.id, "暖芽", "li", sentiment="negative")


def test_the_part_about_the_subject_is_what_is_learnt(wiring: Wiring) -> None:
    post = next(hit.post for hit in wiring.posts.search(limit=50).hits if "盖子" in hit.post.text)
    correct_mention(wiring, post.id, "橙屿", "li", sentiment="negative")
    correct_mention(wiring, post.id, "暖芽", "li", sentiment="mixed")
    rows, skipped = read_corrections(wiring)
    assert [(row.label, "漏水" in row.text, "做工" in row.text) for row in rows] == [(0, True, False)]
    assert skipped == 1


def test_a_correction_of_something_else_teaches_nothing(wiring: Wiring) -> None:
    hit = wiring.posts.search(limit=1).hits[0]
    correct_mention(wiring, hit.post.id, "暖芽", "li", severity="money")
    assert read_corrections(wiring) == ([], 0)


def test_a_model_that_is_not_worse_is_installed_and_judges_at_once(wiring: Wiring, data: Path, open_place: Any) -> None:
    correct_all(wiring)
    taught = teach_linear(wiring, data)
    assert taught.folder == wiring.home / "models" / taught.new == find_installed(wiring.home)
    assert (taught.used + taught.held, taught.skipped) == (12, 0)
    assert taught.new != taught.old
    again: Wiring = open_place(clock=SimulatedClock(NOW))
    assert again.pipeline.model.startswith(taught.new)
    texts = [row["text"] for row in ROWS if is_held(row["text"]) and "全家" in row["text"]]
    assert all(row["negative"] > 0.5 for row in LinearSentiment.load(taught.folder).judge(texts or ["真是谢谢你们全家"]))
    assert wiring.desk.audit(1)[0].action == "model.install"


def test_a_worse_model_is_refused_and_nothing_is_touched(wiring: Wiring, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    correct_all(wiring)

    def spoil(old: EvaluationReport, new: EvaluationReport) -> list[Comparison]:
        return compare_reports(old, replace(new, sets=tuple(replace(one, ece=one.ece + 0.1) for one in new.sets)))

    monkeypatch.setattr(lesson, "compare_reports", spoil)
    taught = teach_linear(wiring, data)
    assert taught.folder is None
    assert "ECE(1 个集合平均)" in [one.what for one in taught.refusals]
    assert not (wiring.home / "models").exists()
    assert "model.install" not in {one.action for one in wiring.desk.audit()}


def test_the_command_says_why_it_refused(capsys: pytest.CaptureFixture[str], wiring: Wiring, data: Path) -> None:
    from flows.commands.train_command import show_taught

    correct_all(wiring)
    taught: Taught = teach_linear(wiring, data)
    assert show_taught(replace(taught, folder=data)) == 0
    told = capsys.readouterr().out
    assert f"已装上 {taught.new}" in told
    assert "从下次启动起判断用它" in told
    assert show_taught(replace(taught, folder=data, in_use=False)) == 0
    assert "还没有用上" in capsys.readouterr().out
    refused = replace(taught, folder=None, comparisons=(replace(taught.comparisons[0], old=0.9, new=0.8),))
    assert show_taught(refused) == 1
    assert "0.9000 → 0.8000(变差了" in capsys.readouterr().out


def test_without_corrections_or_data_it_says_what_to_do(wiring: Wiring, data: Path, tingfeng: Any) -> None:
    with pytest.raises(UsageError, match="tingfeng correct"):
        teach_linear(wiring, data)
    result = tingfeng("train", "--with-corrections")
    assert (result.code, "--data" in result.err) == (2, True)
    assert tingfeng("train", "--with-corrections", "--out", str(data)).code == 2


def test_an_installed_model_that_is_gone_is_named(wiring: Wiring, open_place: Any) -> None:
    (wiring.home / "models").mkdir()
    (wiring.home / "models" / "installed.txt").write_text("linear-gone\n", "utf-8")
    with pytest.raises(ModelError, match=r"linear-gone.*installed\.txt"):
        open_place()


def test_a_model_in_a_folder_can_be_named_in_the_settings(wiring: Wiring, place: Path, tingfeng: Any) -> None:
    config = place / "config" / "tingfeng.toml"
    config.write_text(config.read_text("utf-8").replace('"linear"', f'"{place / "before"}"'), "utf-8")
    told = tingfeng("judge", stdin='{"id": "1", "text": "暖芽很满意,推荐"}').json
    assert told["model"].startswith(json.loads((place / "before" / "evaluation.json").read_text("utf-8"))["model"])
