"""A workplace of its own for each test: folder, configuration, environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.wiring import Wiring
from tingfeng.clock import Clock
from tingfeng.settings import find_paths, load_settings

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
[[subjects]]
name = "暖芽"
[[subjects]]
name = "橙屿"
competitor = true
[sources.inbox]
uses = "files"
targets = ["inbox"]
[[channels]]
kind = "file"
name = "main"
"""


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with spaces and Chinese characters in its name, and an unwritable HOME."""
    folder = tmp_path / "我的 听风"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "tingfeng.toml").write_text(CONFIG, "utf-8")
    (folder / "var" / "inbox").mkdir(parents=True)
    return folder


@pytest.fixture
def tingfeng(place: Path) -> Run:
    """Runs a command as a person would, in a process of its own."""

    def run(*args: str, stdin: str = "", **environ: str) -> Result:
        env = {
            name: value for name, value in os.environ.items() if not name.startswith(("TINGFENG_", "DEMO_", "PREFECT_"))
        }
        env |= {"PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "PYTHONUTF8": "1", **environ}
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *args],
            cwd=place,
            env=env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


OpenPlace = Callable[..., Wiring]


@pytest.fixture
def open_place(place: Path) -> Iterator[OpenPlace]:
    """Wirings in this process: of the place, or of another machine (another state folder) with the same variables."""
    opened: list[Wiring] = []

    def build(machine: str = "var", clock: Clock | None = None, **environ: str) -> Wiring:
        values: Mapping[str, str] = {"TINGFENG_HOME": str(place / machine), **environ}
        paths = find_paths(values, place)
        opened.append(Wiring(paths, load_settings(paths, values), values, clock))
        return opened[-1]

    yield build
    for wiring in opened:
        wiring.close()
