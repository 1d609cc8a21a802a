"""`tingfeng up` and its children: they end together, whatever ends the parent; what cannot work is said before anything starts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 150


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=2).status_code > 0
    except httpx.HTTPError:
        return False


def wait_until(holds: Any) -> bool:
    for _ in range(PATIENCE * 4):
        if holds():
            return True
        time.sleep(0.25)
    return False


@pytest.fixture
def running(place: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """(process, web port, Prefect port), when the pages are there."""
    web, prefect = free_port(), free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TINGFENG_", "PREFECT_"))}
    env |= {"PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "flows.cli", "up", "--port", str(web), "--prefect-port", str(prefect)]
    process = subprocess.Popen(command, cwd=place, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: process.poll() is not None or answers(web))
        assert process.poll() is None
        yield process, web, prefect
    finally:
        process.kill()
        process.wait()
        wait_until(lambda: not answers(prefect))


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running(running: tuple[subprocess.Popen[bytes], int, int], how: signal.Signals, place: Path) -> None:
    process, web, prefect = running
    process.send_signal(how)
    assert process.wait(PATIENCE) == (-how if how is signal.SIGKILL else 130)
    assert wait_until(lambda: not answers(web) and not answers(prefect))
    assert wait_until(lambda: not [one for one in list_commands() if str(place) in one or f"--port {prefect}" in one])


def list_commands() -> list[str]:
    """Working folder and command line of every process that can be read."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            found.append(f"{(folder / 'cwd').readlink()} {words}")
        except OSError:
            continue
    return found


def test_a_taken_port_is_said_before_anything_starts(tingfeng: Any, place: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for command in (("up", "--port", port), ("up", "--prefect-port", port, "--port", str(free_port())), ("demo", "--port", port)):
            result = tingfeng(*command)
            assert (result.code, port in result.err) == (4, True)
    assert not (place / "var" / "prefect-server.log").exists()
    assert not (place / "var" / "demo").exists()


@pytest.mark.parametrize("command", [("up",), ("run", "--direct"), ("run",)])
def test_a_missing_secret_stops_the_start(tingfeng: Any, place: Path, command: tuple[str, ...]) -> None:
    with (place / "config" / "tingfeng.toml").open("a", encoding="utf-8") as file:
        file.write('[[channels]]\nkind = "dingtalk"\nname = "pr"\n')
    result = tingfeng(*command)
    assert (result.code, "TINGFENG_CHANNEL_PR_URL" in result.err) == (2, True)
    assert not (place / "var" / "posts.db").exists()


def test_two_demos_at_once_are_refused(tingfeng: Any, place: Path) -> None:
    import fcntl

    with (place / "var" / "demo.lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert tingfeng("demo", "--no-serve").code == 4
