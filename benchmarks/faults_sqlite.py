"""`make faults`: kills, fills and freezes a SQLite store many times over and asks a checker that knows every acknowledged post.

Writes benchmarks/faults_sqlite.json. Disk full and read-only need root and mount namespaces: they run in faults_mounts.py.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.faults_workers import BATCH, make_batch
from benchmarks.store_corpus import NOW
from store.sqlite import SQLitePostStore
from tingfeng.labels import Content
from tingfeng.query import parse_query
from tingfeng.records import JudgedPost, Mention

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "faults_sqlite.json"
CONFIG = '[[subjects]]\nname = "暖芽"\n'


@dataclass
class Outcome:
    """What a fault did, over all its repetitions. `damage`: what find_damage said."""

    name: str
    times: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    damage: list[str] = field(default_factory=list)
    recovery_ms: list[float] = field(default_factory=list)
    note: str = ""

    def check(self, store: SQLitePostStore, acknowledged: set[str]) -> None:
        """Each acknowledged post stands exactly once, is found by its words, and the file is whole."""
        kept = store.known_ids(sorted(acknowledged))
        self.acknowledged, self.lost = len(acknowledged), len(acknowledged - kept)
        found: list[str] = []
        cursor = ""
        while cursor or not found:
            page = store.search(parse_query("暖芽"), limit=2000, cursor=cursor, with_unmatched=True, count_up_to=0)
            found += [hit.post.id for hit in page.hits]
            cursor = page.next_cursor
            if not page.hits:
                break
        self.lost = max(self.lost, len(acknowledged - set(found)))
        self.doubled = len(found) - len(set(found))
        self.damage = store.find_damage()

    def summary(self) -> dict[str, object]:
        """For the JSON and the table."""
        values = asdict(self) | {"recovery_ms": round(statistics.median(self.recovery_ms or [0]), 1)}
        return values | {"recovery_worst_ms": round(max(self.recovery_ms or [0]), 1)}


@contextmanager
def working_folder() -> Iterator[Path]:
    """Gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tingfeng-faults-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def start(*args: object) -> subprocess.Popen[str]:
    """A process of faults_workers.py."""
    command = [sys.executable, "-m", "benchmarks.faults_workers", *map(str, args)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def kill_after(process: subprocess.Popen[str], lines: int, rng: random.Random) -> list[str]:
    """Reads some lines, waits a moment, kills -9; all lines that were printed."""
    assert process.stdout
    told = [process.stdout.readline() for _ in range(lines)]
    time.sleep(rng.random() * 0.03)
    os.kill(process.pid, signal.SIGKILL)
    told += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    return [line.strip() for line in told if line.endswith("\n")]


def timed_open(file: Path, outcome: Outcome) -> SQLitePostStore:
    """Opens after a fault and reads; how long that took is the time to recover."""
    started = time.perf_counter()
    store = SQLitePostStore(file)
    store.search(limit=1, with_unmatched=True)
    outcome.recovery_ms.append((time.perf_counter() - started) * 1000)
    return store


def kill_writer(times: int, rng: random.Random) -> Outcome:
    """kill -9 while posts are added; the next writer sends again what was not acknowledged."""
    outcome = Outcome("kill -9 写入进程", times, note="下一个进程从没有确认的那一批重发")
    with working_folder() as folder:
        file, following, acknowledged = folder / "posts.db", 0, set[str]()
        for _ in range(times):
            told = kill_after(start("write", file, following), rng.randint(3, 25), rng)
            acknowledged |= {post.id for line in told for post in make_batch(int(line))}
            following = int(told[-1]) + 1
            timed_open(file, outcome).close()
        store = SQLitePostStore(file)
        store.add_posts(make_batch(following))
        outcome.check(store, acknowledged | {post.id for post in make_batch(following)})
        store.close()
    return outcome


def kill_worker(times: int, rng: random.Random) -> Outcome:
    """kill -9 of a process that judges with the real pipeline; its lease runs out, another one takes over."""
    outcome = Outcome("kill -9 判断进程", times, note="真实流水线,每批 50 条;租约 10 分钟后由别人接手(时钟拨快)")
    with working_folder() as home:
        (home / "tingfeng.toml").write_text(CONFIG, "utf-8")
        file, acknowledged = home / "posts.db", set[str]()
        for number in range(times):
            store = timed_open(file, outcome) if file.exists() else SQLitePostStore(file)
            for batch in range(number * 15, number * 15 + 15):
                store.add_posts(make_batch(batch))
                acknowledged |= {post.id for post in make_batch(batch)}
            store.close()
            kill_after(start("analyse", home, number), rng.randint(1, 5), rng)
        process = start("analyse", home, times)
        assert process.communicate()[0].endswith("done\n")
        store = SQLitePostStore(file)
        outcome.check(store, acknowledged)
        health = store.health()
        outcome.lost = max(outcome.lost, health.unjudged, health.posts - health.mentions)
        outcome.doubled = max(outcome.doubled, health.mentions - health.posts)
        store.close()
    return outcome


def kill_reader(times: int, rng: random.Random) -> Outcome:
    """kill -9 of a process that serves pages while another one writes; the writer must not notice, the log must not stay locked."""
    outcome = Outcome("kill -9 网页进程", times, note="另一进程一直在写;杀后日志可以收回")
    with working_folder() as folder:
        file = folder / "posts.db"
        SQLitePostStore(file).close()
        writer = start("write", file, 0)
        for _ in range(times):
            kill_after(start("read", file), rng.randint(1, 4), rng)
            timed_open(file, outcome).close()
        told = kill_after(writer, 1, rng)
        store = SQLitePostStore(file)
        store.checkpoint()
        outcome.check(store, {post.id for line in told for post in make_batch(int(line))})
        if (folder / "posts.db-wal").stat().st_size:
            outcome.damage.append("日志没有收回")
        store.close()
    return outcome


def jump_clock(times: int, rng: random.Random) -> Outcome:
    """Workers whose clock jumps by up to two days either way claim and judge; some die with their lease."""
    outcome = Outcome("时钟跳变(租约)", times, note="每次前后跳最多两天,三分之一的工作进程带着租约消失")
    with working_folder() as folder:
        store = SQLitePostStore(folder / "posts.db")
        acknowledged = set[str]()
        now = NOW
        for number in range(times):
            for batch in range(number * 5, number * 5 + 5):
                store.add_posts(make_batch(batch))
                acknowledged |= {post.id for post in make_batch(batch)}
            now += timedelta(seconds=rng.randint(-172_800, 172_800))
            for worker in range(3):
                posts = store.claim_posts(f"{number}-{worker}", 40, now)
                if rng.random() > 1 / 3:
                    store.save_judged([JudgedPost(one.id, Content.OK, (Mention(one.id, "暖芽"),)) for one in posts], now)
        started = time.perf_counter()
        now += timedelta(seconds=661)  # the longest that a lease may hold anybody up, wherever the clock stands
        while posts := store.claim_posts("last", 500, now):
            store.save_judged([JudgedPost(one.id, Content.OK, (Mention(one.id, "暖芽"),)) for one in posts], now)
        outcome.recovery_ms.append((time.perf_counter() - started) * 1000)
        outcome.check(store, acknowledged)
        health = store.health()
        outcome.lost = max(outcome.lost, health.unjudged)
        outcome.doubled = max(outcome.doubled, health.mentions - health.posts)
        store.close()
    return outcome


def run_mounts(times: int) -> list[dict[str, object]]:
    """The faults that need mounts, in a mount namespace of their own; [] where that is not allowed."""
    command = ["unshare", "-m", sys.executable, "-m", "benchmarks.faults_mounts", str(times)]
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        return []
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


FAULTS: tuple[Callable[[int, random.Random], Outcome], ...] = (kill_writer, kill_worker, kill_reader, jump_clock)


def main() -> None:
    """All faults; some minutes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("times", nargs="?", type=int, default=25)
    times = parser.parse_args().times
    rows: list[dict[str, object]] = []
    for fault in FAULTS:
        rows.append(fault(times, random.Random(times)).summary())
        sys.stderr.write(f"{rows[-1]}\n")
    rows += run_mounts(times)
    values = {
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python -m benchmarks.faults_sqlite {times}",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "sqlite": sqlite3.sqlite_version},
        "load": round(os.getloadavg()[0], 1),
        "batch": BATCH,
        "rows": rows,
    }
    RESULTS.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
