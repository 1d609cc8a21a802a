"""A Prefect server on PostgreSQL and workers, started by deploy/start with the variables of compose.yaml: for tests and measurements."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks.postgres import free_port
from flows.prefect_home import prefect_environment

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 170


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


@contextmanager
def open_orchestra(folder: Path, database_url: str, variables: Mapping[str, str]) -> Iterator[Orchestra]:
    """A healthy server on an empty database, its schedules standing still."""
    port = free_port()
    database = urlsplit(database_url)
    (folder / "password").write_text(database.password or "", "utf-8")
    (folder / "logs").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TINGFENG_"))}
    environ = {
        **kept, **prefect_environment(folder / "var"), **variables, "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_API_HOST": "127.0.0.1", "PREFECT_SERVER_API_PORT": str(port), "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_DATABASE_DRIVER": "postgresql+asyncpg", "PREFECT_SERVER_DATABASE_HOST": database.hostname or "",
        "PREFECT_SERVER_DATABASE_PORT": str(database.port), "PREFECT_SERVER_DATABASE_USER": database.username or "",
        "PREFECT_SERVER_DATABASE_NAME": database.path[1:], "POSTGRES_PASSWORD_FILE": str(folder / "password"),
        "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false", "PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_LOGGING_LEVEL": "INFO",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(folder), "PYTHONUTF8": "1",
    }  # fmt: skip
    found = Orchestra(environ["PREFECT_API_URL"], environ, folder / "logs")
    with found.running("server", "server"):
        found.wait(found.is_healthy)
        yield found
