"""Prefect at scale, for real: a server on PostgreSQL, two process workers, every deployment of prefect.yaml once.

Started by deploy/start, with the variables of compose.yaml; only hosts and ports differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from benchmarks.postgres import free_port
from flows.prefect_home import prefect_environment
from flows.wiring import Wiring

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = {"dispatch", "collect", "analyse", "watch", "deliver", "monitor"}
DONE = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
PATIENCE_SECONDS = 170
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


@dataclass(frozen=True)
class Orchestra:
    """A running server and how to talk to it."""

    api: str
    environ: Mapping[str, str]
    logs: Path

    def ask(self, path: str, **body: Any) -> Any:
        """A POST of its API."""
        answer = httpx.post(f"{self.api}/{path}", json=body, timeout=30)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def start(self, *arguments: str) -> None:
        """A role that ends by itself."""
        done = subprocess.run(
            [ROOT / "deploy" / "start", *arguments], cwd="/", env=dict(self.environ), capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]

    @contextmanager
    def running(self, name: str, *arguments: str, **environ: str) -> Iterator[None]:
        """A role with a log of its own, ended with all its children."""
        with (self.logs / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(
                [ROOT / "deploy" / "start", *arguments], cwd="/", env={**self.environ, **environ}, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            try:
                yield
            finally:
                end_group(child)

    def told(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-2500:]}" for log in self.logs.glob("*.log"))

    def wait(self, ready: Callable[[], bool]) -> None:
        """Until it is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ready():
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.5)

    def is_healthy(self) -> bool:
        """Whether the server answers."""
        try:
            return httpx.get(f"{self.api}/health", timeout=5).is_success
        except httpx.HTTPError:
            return False


def end_group(child: subprocess.Popen[bytes]) -> None:
    """Asks politely, then insists."""
    for number in (15, 9):
        try:
            os.killpg(child.pid, number)
            child.wait(15)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    child.wait()


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
    port = free_port()
    database = urlsplit(new_postgres())
    (place / "password").write_text(database.password or "", "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TINGFENG_"))}
    environ = {
        **kept, **prefect_environment(place / "var"), **variables, "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_API_HOST": "127.0.0.1", "PREFECT_SERVER_API_PORT": str(port), "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_DATABASE_DRIVER": "postgresql+asyncpg", "PREFECT_SERVER_DATABASE_HOST": database.hostname or "",
        "PREFECT_SERVER_DATABASE_PORT": str(database.port), "PREFECT_SERVER_DATABASE_USER": database.username or "",
        "PREFECT_SERVER_DATABASE_NAME": database.path[1:], "POSTGRES_PASSWORD_FILE": str(place / "password"),
        "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false", "PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_LOGGING_LEVEL": "INFO",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(place), "PYTHONUTF8": "1",
    }  # fmt: skip
    (place / "logs").mkdir()
    found = Orchestra(environ["PREFECT_API_URL"], environ, place / "logs")
    with found.running("server", "server"):
        found.wait(found.is_healthy)
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
        for name in ("analyse", "watch", "deliver", "monitor", "collect"):
            orchestra.ask(f"deployments/{ids[name]}/create_flow_run")
        orchestra.wait(lambda: finished(orchestra, 8))
    ended = sorted((flows[run["flow_id"]], run["state_type"]) for run in runs_of(orchestra))
    assert ended == sorted((name, "COMPLETED") for name in [*DEPLOYMENTS, "collect", "collect"]), orchestra.told()
    wiring: Wiring = open_place(**variables)
    assert {run.source for run in wiring.desk.last_runs()} == {"east", "west"}
    health = wiring.posts.health()
    assert (health.posts, health.unjudged) == (2, 0)
