"""`python -m benchmarks.workers`: 1, 2 and 4 processes that judge and store the same posts, on SQLite and on one node of Elasticsearch.

Also what the machinery around judging costs in one process: everything in `analyse_posts` that is neither the pipeline nor saving what it
said (claiming, leases, counting), measured inside the same run, so that the load of the machine does not matter. Writes
benchmarks/results_workers.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.real_elasticsearch import NoServer, Server
from benchmarks.store_corpus import SUBJECTS, Corpus
from flows.analyse import analyse_posts
from flows.wiring import Wiring, open_wiring
from tingfeng.settings import Paths, config_folder, load_settings

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results_workers.json"
COUNT, BATCH = 8000, 1000
PROCESSES = (1, 2, 4)
CONFIG = "".join(f'[[subjects]]\nname = "{name}"\n' for name in SUBJECTS)


@dataclass(frozen=True)
class Row:
    """One run. `overhead`: time outside judging and saving ÷ time in them, of one process."""

    engine: str
    processes: int
    posts: int
    seconds: float
    per_second: int
    overhead: float | None
    load: float


def work() -> None:
    """A worker: says `ready` when its models are loaded, begins when it is told to, says how long the parts took."""
    with open_wiring() as wiring:
        wiring.pipeline.judge(Corpus(100, seed=9).batch(0, 100)[0], wiring.posts.near_posts)
        say("ready")
        sys.stdin.readline()
        parts = {"judge": 0.0, "save": 0.0}
        watch(wiring.pipeline, "judge", parts, "judge")
        watch(wiring.posts, "save_judged", parts, "save")
        started = time.perf_counter()
        report = analyse_posts(wiring)
        say(json.dumps({"judged": report.judged, "failed": report.failed, "seconds": time.perf_counter() - started, **parts}))


def watch(owner: Any, name: str, parts: dict[str, float], part: str) -> None:
    """Adds up the time that a method takes."""
    inner: Callable[..., Any] = getattr(owner, name)

    def timed(*args: Any, **more: Any) -> Any:
        started = time.perf_counter()
        try:
            return inner(*args, **more)
        finally:
            parts[part] += time.perf_counter() - started

    setattr(owner, name, timed)


def say(line: str) -> None:
    """One line for who started us."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run_workers(home: Path, environ: dict[str, str], processes: int) -> tuple[float, list[dict[str, float]]]:
    """(seconds from the word to begin until the last one is done, what each told)."""
    given = {**os.environ, **environ, "TINGFENG_HOME": str(home), "TINGFENG_CONFIG": str(home / "tingfeng.toml"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "benchmarks.workers", "--work"]
    children = [
        subprocess.Popen(command, cwd=ROOT, env=given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(processes)
    ]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    started = time.perf_counter()
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    told = []
    for child in children:
        assert child.stdout
        told.append(json.loads(child.stdout.readline()))
    seconds = time.perf_counter() - started
    for child in children:
        child.communicate()
    return seconds, told


def measure(engine: str, environ: dict[str, str], counts: Sequence[int], total: int) -> Iterator[Row]:
    """One engine; the posts are made unjudged again before each run."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "tingfeng.toml").write_text(CONFIG, "utf-8")
        for processes in counts:
            given = {name: f"{value}{processes}" if name == "TINGFENG_POSTS_URL" else value for name, value in environ.items()}
            fill(home, given, total)
            seconds, told = run_workers(home, given, processes)
            judged = sum(int(one["judged"]) for one in told)
            assert judged == total, f"{judged} of {total} judged, {told}"
            one = told[0]
            within = one["judge"] + one["save"]
            overhead = round((one["seconds"] - within) / within, 3) if processes == 1 else None
            yield Row(engine, processes, total, round(seconds, 2), round(total / seconds), overhead, round(os.getloadavg()[0], 1))
            for file in home.glob("posts.db*"):
                file.unlink()


def fill(home: Path, environ: dict[str, str], total: int) -> None:
    """Posts that nobody has judged."""
    paths = Paths(home=home, config_folder=config_folder(), config_file=home / "tingfeng.toml")
    wiring, corpus = Wiring(paths, load_settings(paths, environ), environ), Corpus(total)
    for start in range(0, total, BATCH):
        wiring.posts.add_posts(corpus.batch(start, BATCH)[0])
    wiring.close()


def main() -> None:
    """Both engines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", action="store_true")
    parser.add_argument("--count", type=int, default=COUNT)
    given = parser.parse_args()
    if given.work:
        work()
        return
    rows: list[Row] = []
    server = Server.unpack()
    try:
        node = server.start_node("workers")
        warm = {"TINGFENG_POSTS_URL": f"{node.url}warm"}
        list(measure("elasticsearch", warm, (1,), 2000))
        for engine, environ in (("sqlite", {}), ("elasticsearch", {"TINGFENG_POSTS_URL": f"{node.url}w"})):
            for row in measure(engine, environ, PROCESSES, given.count):
                rows.append(row)
                say(str(row))
    finally:
        server.close()
    values = {"date": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), "rows": [asdict(row) for row in rows]}
    RESULTS.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    try:
        main()
    except NoServer as reason:
        sys.exit(str(reason))
