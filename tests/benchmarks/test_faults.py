"""Killed workers and a restarting PostgreSQL lose nothing and double nothing; the checker that says so can say the opposite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.desk_faults import Crew, check, kill_workers, restart_under_load
from benchmarks.judge_faults import kill_judges
from benchmarks.postgres import PrivateCluster
from store.desk import WatchCommit, open_desk
from tingfeng.labels import AlertState, Level
from tingfeng.records import Alert, AlertChange, Notification

NOW = datetime(2026, 11, 14, 10, tzinfo=UTC)


@pytest.mark.slow
def test_hard_restarts_of_postgresql_under_load(private_cluster: PrivateCluster, tmp_path: Path) -> None:
    verdict = restart_under_load(private_cluster, private_cluster.new_database(), tmp_path, times=3, pause=0.5)
    assert (verdict.lost, verdict.doubled, verdict.errors) == (0, 0, ())
    assert verdict.acknowledged > 50


@pytest.mark.slow
def test_workers_killed_twenty_times(desk_url: str, tmp_path: Path) -> None:
    journals = tmp_path / "journals"
    journals.mkdir()
    verdict = kill_workers(desk_url, journals, times=20, pause=0.2)
    assert (verdict.lost, verdict.doubled, verdict.errors) == (0, 0, ())
    assert verdict.delivered > 0


@pytest.mark.slow
def test_judges_killed_twenty_times(tmp_path: Path) -> None:
    verdict = kill_judges(tmp_path, times=20, count=6000)
    assert (verdict.lost, verdict.doubled, verdict.times) == (0, 0, 20)


def test_four_processes_claim_disjoint_parts_of_the_whole(desk_url: str, tmp_path: Path) -> None:
    desk = open_desk(desk_url)
    ids = {f"n{n}" for n in range(600)}
    desk.commit_watch(WatchCommit(notifications=[Notification(id, "a", "open", "main", "first", NOW, NOW) for id in ids]), NOW)
    desk.close()
    journals = tmp_path / "journals"
    journals.mkdir()
    crew = Crew(desk_url, journals)
    for _ in range(4):
        crew.start("claim")
    assert crew.wait() == [0, 0, 0, 0]
    claimed = [rest for _, word, rest in crew.lines() if word == "claim"]
    assert sorted(claimed) == sorted(ids)


Line = tuple[float, str, str]


@pytest.fixture
def verdict_on(desk_url: str) -> Callable[..., tuple[int, int]]:
    """(lost, doubled) for a Desk with one alert told and sent, and what the journals say."""
    desk = open_desk(desk_url)
    alert = Alert("x", "spike", "暖芽", AlertState.FIRING, Level.RED, Level.RED, NOW, NOW)
    change = AlertChange("x", "open", NOW, Level.RED, AlertState.FIRING, "暖芽")
    told = Notification("x", "x", "open", "main", "first", NOW, NOW)
    desk.commit_watch(WatchCommit([alert], [change], notifications=[told]), NOW)
    desk.finish_notification("x", "delivered", NOW)
    desk.close()

    def judge(*lines: str) -> tuple[int, int]:
        said: list[Line] = [(0.0, line.split()[0], line.split()[1]) for line in lines]
        verdict = check("试", 1, desk_url, said)
        return verdict.lost, verdict.doubled

    return judge


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (("write x", "send x", "done x"), (0, 0)),
        (("write x", "write y", "send x"), (1, 0)),  # y was acknowledged and is not there
        (("run r", "send x"), (1, 0)),
        (("write x",), (1, 0)),  # delivered, says the Desk, but nothing was sent
        (("write x", "send x", "send x"), (0, 1)),
    ],
)
def test_the_checker_finds_what_is_lost_and_what_is_doubled(
    verdict_on: Callable[..., tuple[int, int]], lines: tuple[str, ...], found: tuple[int, int]
) -> None:
    assert verdict_on(*lines) == found
