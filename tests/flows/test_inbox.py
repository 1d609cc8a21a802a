"""The watched folder and `import`: one bad file stops nothing, what is left or lost is said, and the exit code tells."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from flows.collect import CollectReport, collect_sources, is_out_of_reach
from flows.commands.export_command import defuse
from flows.inbox import SETTLED_SECONDS
from flows.passes import run_pass
from flows.wiring import Wiring
from tingfeng.labels import Outcome

LINE = '{"id": "%s", "text": "暖芽漏水%s", "time": "2026-11-01"}\n'


def look(wiring: Wiring) -> CollectReport:
    return collect_sources(wiring, only="inbox")[0]


@pytest.fixture
def inbox(place: Path) -> Path:
    return place / "var" / "inbox"


def make_older(file: Path, seconds: int = SETTLED_SECONDS + 60) -> None:
    at = file.stat().st_mtime - seconds
    os.utime(file, (at, at))


def test_bad_files_stop_neither_the_others_nor_the_pass(open_place: Any, inbox: Path) -> None:
    (inbox / "a.jsonl.gz").write_bytes(b"no gzip")
    (inbox / "b.xlsx").write_bytes(b"no zip")
    (inbox / "c.jsonl").write_text('{"id": "1\\ud800", "text": "暖芽\\udc00漏水", "time": "2026-11-01"}\n')
    (inbox / "d.json").write_text(f"[{LINE % (2, 2)}, {{", "utf-8")
    report = run_pass(open_place())
    run = report.collect[0].run
    assert (run.outcome, run.posts_new, run.rejected) == (Outcome.SCHEMA_CHANGED, 2, 1)
    assert all(words in run.detail for words in ("a.jsonl.gz", "不是完好的 gzip", "b.xlsx", "不是完整的 XLSX", "d.json:第 2 项"))
    assert report.analyse.judged == 2


def test_a_bad_file_is_named_every_time_until_it_is_changed(open_place: Any, inbox: Path) -> None:
    wiring = open_place()
    (inbox / "a.json").write_text(f"[{LINE % (1, 1)}, {{", "utf-8")
    first, second = look(wiring).run, look(wiring).run
    assert (first.posts_new, second.posts_seen) == (1, 0)
    assert first.detail == second.detail != ""
    (inbox / "a.json").write_text(f"[{LINE % (1, 1)}, {LINE % (2, 2)}]", "utf-8")
    assert (look(wiring).run.outcome, look(wiring).run.outcome) == (Outcome.OK, Outcome.EMPTY)


def test_a_half_written_row_is_stored_once_when_it_is_complete(open_place: Any, inbox: Path) -> None:
    wiring = open_place()
    text = "text,time\n暖芽漏水,2026-11-01\n暖芽又漏水了,2026-11-02\n"
    (inbox / "a.csv").write_text(text[:-9], "utf-8")
    first = look(wiring)
    assert (first.run.posts_new, first.unfinished) == (1, 1)
    assert look(wiring).run.detail == first.run.detail == "1 行还没写完,下次再读"
    (inbox / "a.csv").write_text(text, "utf-8")
    assert (look(wiring).run.posts_new, wiring.posts.health().posts) == (1, 2)


def test_a_last_line_without_an_end_is_taken_when_the_file_stands_still(open_place: Any, inbox: Path) -> None:
    wiring = open_place()
    (inbox / "a.csv").write_text("text,time\n暖芽漏水,2026-11-01\n暖芽又漏水了,2026-11-02", "utf-8")
    assert look(wiring).unfinished == 1
    make_older(inbox / "a.csv")
    assert (look(wiring).unfinished, wiring.posts.health().posts) == (0, 2)


def test_a_missing_inbox_is_made_and_a_file_with_only_a_header_is_no_alarm(open_place: Any, inbox: Path) -> None:
    inbox.rmdir()
    wiring = open_place()
    assert (look(wiring).run.outcome, inbox.is_dir()) == (Outcome.EMPTY, True)
    (inbox / "a.csv").write_text("id,text,time\n")
    (inbox / "b.csv").write_bytes(b"")
    report = run_pass(wiring)
    assert (report.failed, report.watch.findings) == ([], [])


def test_a_folder_elsewhere_that_is_missing_is_out_of_reach(open_place: Any, place: Path, tmp_path: Path) -> None:
    config = place / "config" / "tingfeng.toml"
    config.write_text(config.read_text("utf-8").replace('["inbox"]', f'["{tmp_path}/gone"]'), "utf-8")
    run = look(open_place()).run
    assert (run.outcome, "请建好它" in run.detail) == (Outcome.UNREACHABLE, True)


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ([("unreachable", 0), ("empty", 0)], True), ([("empty", 0)], False), ([], False), ([("unreachable", 0), ("empty", 1)], False),
        ([("unreachable", 0), ("ok", 1)], False), ([("unreachable", 0), ("blocked", 0)], False),
    ],
)  # fmt: skip
def test_an_empty_inbox_does_not_count_as_reached(rows: list[tuple[str, int]], answer: bool) -> None:
    assert is_out_of_reach([{"outcome": outcome, "pages": pages} for outcome, pages in rows]) is answer


def test_a_run_with_every_site_out_of_reach_is_exit_code_3(tingfeng: Any, place: Path) -> None:
    config = place / "config" / "tingfeng.toml"
    source = '[sources.news]\nuses = "feed"\ntargets = ["http://127.0.0.1:9/rss"]\npace_seconds = 0\n'
    config.write_text(config.read_text("utf-8") + source, "utf-8")
    assert tingfeng("collect", "--json").code == 3
    assert tingfeng("run", "--direct", "--json").code == 3


def test_rows_are_what_became_of_them(tingfeng: Any, place: Path) -> None:
    rows = [LINE % (1, "a"), LINE % (2, "b"), LINE % (1, "c"), LINE % (1, "c"), '{"text": ""}\n']
    (place / "a.jsonl").write_text("".join(rows), "utf-8")
    for _ in range(2):
        one = tingfeng("import", "a.jsonl", "--json").json[0]
        assert one["rows"] == 5 == one["new"] + one["changed"] + one["seen"] + one["rejected"]


def test_import_tells_by_its_exit_code_what_became_of_the_files(tingfeng: Any, place: Path) -> None:
    (place / "good.jsonl").write_text(LINE % (1, 1) + '{"text": ""}\n', "utf-8")
    (place / "none.jsonl").write_text('{"text": "漏", "time": "昨晚吧"}\n' * 3, "utf-8")
    (place / "bad.csv.gz").write_bytes(b"no gzip")
    (place / "empty.csv").write_text("id,text,time\n")
    assert tingfeng("import", "good.jsonl", "empty.csv").code == 0
    none = tingfeng("import", "none.jsonl")
    assert (none.code, "3 行全部拒收" in none.err) == (1, True)
    bad = tingfeng("import", "bad.csv.gz", "good.jsonl", "--json")
    assert (bad.code, bad.json[0]["seen"], "bad.csv.gz" in bad.err, "None" in bad.err) == (1, 1, True, False)


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_begins_like_a_formula(first: str) -> None:
    assert defuse(f"{first}cmd()") == f"'{first}cmd()"
    assert defuse(json.dumps({})) == "{}"
