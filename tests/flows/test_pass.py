"""The whole path in one process: what is collected is judged, counted, told; what is killed or repeated loses and doubles nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.demo import open_demo
from flows.passes import run_pass
from tingfeng.clock import parse_iso
from tingfeng.errors import BusyError, UsageError
from tingfeng.labels import AlertState, Level, Outcome
from tingfeng.settings import find_paths

ROOT = Path(__file__).resolve().parents[2]


def test_demo_of_ten_days_runs_through_real_collectors(tmp_path: Path) -> None:
    wiring, clock, replay = open_demo(find_paths({}, tmp_path), {})
    for at in replay.passes[:12]:
        clock.move_to(at)
        replay.catch_up()
        report = run_pass(wiring)
    assert report.failed == []
    assert {one.run.source for one in report.collect} == {"heimao", "appstore", "news", "forum", "inbox"}
    health = wiring.posts.health()
    assert health.posts > 300
    assert health.unjudged == 0
    again = run_pass(wiring)
    assert sum(one.run.posts_new for one in again.collect) == 0
    assert wiring.posts.health().posts == health.posts
    wiring.close()


@pytest.mark.slow
def test_demo_ends_with_one_red_incident_and_little_else(tmp_path: Path) -> None:
    from flows.demo import list_all_incidents, play_demo

    wiring, clock, replay = open_demo(find_paths({}, tmp_path), {})
    report = play_demo(wiring, clock, replay, lambda number, total, at, worst: None)
    incidents = list_all_incidents(wiring)
    red = [one for one in incidents if one.peak_level is Level.RED]
    assert [one.subject for one in red] == ["暖芽"]
    assert parse_iso("2026-11-14T13:00") <= red[0].started_at <= parse_iso("2026-11-14T16:00")
    assert report.red_at is not None
    assert report.red_at <= parse_iso("2026-11-14T18:00")
    loud = [one for one in incidents if one.peak_level.rank >= Level.YELLOW.rank and one is not red[0]]
    assert {one.subject for one in loud} <= {"source:forum"}
    festival = [
        one for one in incidents if parse_iso("2026-11-10T18:00") <= one.started_at <= parse_iso("2026-11-12T06:00")
    ]
    assert all(one.peak_level is Level.BLUE for one in festival)
    assert next(one for one in incidents if one.subject == "source:forum").state is AlertState.RESOLVED
    told = [json.loads(line) for line in (wiring.home / "demo.jsonl").read_text("utf-8").splitlines()]
    assert len({one["key"] for one in told}) == len(told)
    assert any(one["level"] == "red" for one in told)
    wiring.close()


def test_demo_never_clears_a_folder_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "var" / "demo").mkdir(parents=True)
    (tmp_path / "var" / "demo" / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="别的东西"):
        open_demo(find_paths({}, tmp_path), {})
    assert (tmp_path / "var" / "demo" / "mine.txt").exists()


def test_two_passes_at_once_are_refused(tmp_path: Path) -> None:
    wiring, _, _ = open_demo(find_paths({}, tmp_path), {})
    with wiring.lock("pass"), pytest.raises(BusyError, match="已经在运行"):
        run_pass(wiring)
    wiring.close()


def test_replay_is_404_for_what_was_never_recorded_and_304_when_nothing_changed(tmp_path: Path) -> None:
    wiring, clock, replay = open_demo(find_paths({}, tmp_path), {})
    clock.move_to(replay.passes[0])
    with wiring.open_http() as http:
        assert http.get("https://nowhere.example/").status_code == 404
        first = http.get("https://news.example/rss.xml")
        assert (
            http.get("https://news.example/rss.xml", headers={"If-None-Match": first.headers["etag"]}).status_code
            == 304
        )
    wiring.close()


def test_a_growing_export_is_read_again_and_only_new_rows_are_new(tingfeng: Any, place: Path) -> None:
    file = place / "var" / "inbox" / "a.jsonl"
    file.write_text('{"id":"1","text":"暖芽漏水","time":"2026-11-14"}\n', "utf-8")
    first = tingfeng("collect", "--json").json[0]
    assert (first["outcome"], first["posts"]["new"]) == ("ok", 1)
    assert tingfeng("collect", "--json").json[0]["outcome"] == "empty"
    file.write_text(file.read_text("utf-8") + '{"id":"2","text":"暖芽不加热","time":"2026-11-14"}\n', "utf-8")
    assert tingfeng("collect", "--json").json[0]["posts"] == {"new": 1, "changed": 0, "seen": 1}


def test_a_direct_run_tells_about_a_spike_once(tingfeng: Any, place: Path) -> None:
    now = datetime.now().astimezone()
    rows = [
        {"id": f"b{n}", "text": f"第{n}天暖芽还行", "time": (now - timedelta(hours=6 * n + 5)).isoformat()}
        for n in range(1, 100)
    ]
    rows += [
        {
            "id": f"c{n}",
            "text": f"暖芽水壶起火了,{n}号楼,要求赔偿{n * 37}元",
            "time": (now - timedelta(minutes=20 + n)).isoformat(),
        }
        for n in range(120)
    ]
    (place / "var" / "inbox" / "a.jsonl").write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8"
    )
    first = tingfeng("run", "--direct", "--json")
    assert first.code == 0, first.err
    assert first.json["watch"]["opened"] == 1
    incidents = tingfeng("incidents", "--json").json
    assert [(one["subject"], one["state"]) for one in incidents] == [("暖芽", "firing")]
    assert tingfeng("run", "--direct", "--json").json["watch"]["opened"] == 0
    lines = (place / "var" / "main.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 1


def test_a_killed_analysis_is_taken_up_again(tingfeng: Any, place: Path) -> None:
    rows = [
        {"id": str(n), "text": f"暖芽第{n}个水壶漏水,客服不处理,要求退款{n}元", "time": "2026-11-14"}
        for n in range(4000)
    ]
    (place / "big.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    assert tingfeng("import", "big.jsonl").code == 0
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TINGFENG_HOME": str(place / "var")}
    child = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "analyse"],
        cwd=place,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(2.0)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    from store.sqlite import SQLitePostStore

    store = SQLitePostStore(place / "var" / "posts.db")
    left = store.health().unjudged
    found = [post.id for post in store.claim_posts("later", 9999, datetime.now().astimezone() + timedelta(hours=1))]
    store.close()
    assert len(found) == left


def test_a_source_that_is_away_is_an_outcome_and_exit_code_3(tingfeng: Any, place: Path) -> None:
    file = place / "config" / "tingfeng.toml"
    text = '[[subjects]]\nname = "暖芽"\n[sources.news]\nuses = "feed"\npace_seconds = 0\nbase_url = "http://127.0.0.1:9"\ntargets = ["/rss"]\n'
    file.write_text(text, "utf-8")
    result = tingfeng("collect", "--json")
    assert result.json[0]["outcome"] == Outcome.UNREACHABLE  # robots.txt is out of reach: not now
    assert result.code == 3
    assert "robots.txt" in result.json[0]["detail"]


def test_transport_of_the_demo_survives_its_clients(tmp_path: Path) -> None:
    wiring, clock, replay = open_demo(find_paths({}, tmp_path), {})
    clock.move_to(replay.passes[0])
    for _ in range(2):
        with wiring.open_http() as http:
            assert isinstance(http, httpx.Client)
            assert http.get("https://news.example/rss.xml").status_code == 200
    wiring.close()
