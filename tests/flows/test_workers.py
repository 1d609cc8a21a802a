"""Prefect at scale, for real: a server on PostgreSQL, two process workers, every deployment of prefect.yaml once.

Started by deploy/start, with the variables of compose.yaml; only hosts and ports differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks.orchestra import Orchestra, open_orchestra
from benchmarks.postgres import free_port
from flows.wiring import Wiring

DEPLOYMENTS = {"dispatch", "collect", "analyse", "watch", "deliver", "retention", "monitor"}
DONE = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
CONFIG = """
[[subjects]]
name = "暖芽"
[sources.east]
uses = "files"
targets = ["east"]
[sources.west]
uses = "files"
targets = ["west"]
[[channels]]
kind = "file"
name = "main"
"""


@pytest.fixture
def variables(place: Path, new_postgres: Callable[[], str]) -> dict[str, str]:
    """What a worker needs to know of us: the Desk on PostgreSQL, by a file."""
    (place / "config" / "tingfeng.toml").write_text(CONFIG, "utf-8")
    (place / "desk_url").write_text(new_postgres(), "utf-8")
    for side in ("east", "west"):
        (place / "var" / side).mkdir()
        row = {"id": side, "text": f"暖芽水壶在{side}漏水,要求退款", "time": "2026-11-14"}
        (place / "var" / side / "a.jsonl").write_text(json.dumps(row), "utf-8")
    return {
        "TINGFENG_HOME": str(place / "var"), "TINGFENG_CONFIG": str(place / "config" / "tingfeng.toml"),
        "TINGFENG_DESK_URL_FILE": str(place / "desk_url"), "TINGFENG_SALT": "ab" * 32,
    }  # fmt: skip


@pytest.fixture
def orchestra(place: Path, variables: dict[str, str], new_postgres: Callable[[], str]) -> Iterator[Orchestra]:
    """A server whose schedules stand still, the pool, and the deployments."""
    with open_orchestra(place, new_postgres(), variables) as found:
        found.start("deploy")
        found.start("deploy")  # a second time changes nothing
        yield found


def runs_of(orchestra: Orchestra) -> list[Any]:
    """The runs that workers were given; flows that `monitor` runs inside itself are not among them."""
    found: list[Any] = orchestra.ask("flow_runs/filter", limit=200)
    return [run for run in found if run["deployment_id"] and not run["parent_task_run_id"]]


def finished(orchestra: Orchestra, count: int) -> bool:
    return sum(run["state_type"] in DONE for run in runs_of(orchestra)) >= count


@pytest.mark.slow
def test_two_workers_run_every_deployment_to_its_end(
    orchestra: Orchestra, variables: dict[str, str], open_place: Any
) -> None:
    flows = {flow["id"]: flow["name"] for flow in orchestra.ask("flows/filter")}
    ids = {flows[one["flow_id"]]: one["id"] for one in orchestra.ask("deployments/filter")}
    assert set(ids) == DEPLOYMENTS
    with ExitStack() as workers:
        for name in ("east", "west"):
            own = str(free_port())
            workers.enter_context(
                orchestra.running(name, "worker", "--name", name, "--limit", "1", PREFECT_WORKER_WEBSERVER_PORT=own)
            )
        orchestra.ask(f"deployments/{ids['dispatch']}/create_flow_run")
        orchestra.wait(lambda: finished(orchestra, 3))  # itself and a run for each source
        for name in ("analyse", "watch", "deliver", "retention", "monitor", "collect"):
            orchestra.ask(f"deployments/{ids[name]}/create_flow_run")
        orchestra.wait(lambda: finished(orchestra, 9))
    ended = sorted((flows[run["flow_id"]], run["state_type"]) for run in runs_of(orchestra))
    assert ended == sorted((name, "COMPLETED") for name in [*DEPLOYMENTS, "collect", "collect"]), orchestra.told()
    wiring: Wiring = open_place(**variables)
    assert {run.source for run in wiring.desk.last_runs()} == {"east", "west"}
    health = wiring.posts.health()
    assert (health.posts, health.unjudged) == (2, 0)
