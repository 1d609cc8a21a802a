"""A workplace of its own for each test: folder, configuration, environment."""

from __future__ import annotations

import gzip
import json
import os
import random
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

SAYINGS = {
    "negative": ("裂了", "气人", "没人处理", "后悔", "味道刺鼻", "漏水", "推来推去", "退货", "太差", "做工粗糙"),
    "neutral": ("周五开始销售", "说明书共八页", "三种颜色", "在门店陈列", "容量一升", "产地杭州", "附一张卡片", "下月到货", "编号在底部", "分两批发出"),
    "positive": ("很满意", "推荐", "好用", "漂亮", "送得快", "家人喜欢", "做工细致", "轻巧", "值这个价", "还会再买"),
}


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


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small invented data set in the published form."""
    folder, chance = tmp_path_factory.mktemp("data"), random.Random(3)
    for split, count in (("train", 900), ("dev", 300), ("test", 300)):
        labels = [chance.choice(list(SAYINGS)) for _ in range(count)]
        rows = [f"smp_u\t{label}\t\t{split}{n}的水壶{','.join(say(chance, label))}" for n, label in enumerate(labels)]
        with gzip.open(folder / f"sentiment_{split}.tsv.gz", "wt", encoding="utf-8") as stream:
            stream.write("\n".join(["src\tlabel\tcat\ttext", *rows]) + "\n")
    return folder


def say(chance: random.Random, label: str) -> list[str]:
    """One to four things of the kind, and now and then one of another."""
    return [chance.choice(SAYINGS[label if chance.random() < 0.85 else chance.choice(list(SAYINGS))]) for _ in range(chance.randint(1, 4))]
