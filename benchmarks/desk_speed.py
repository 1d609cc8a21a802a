"""`python -m benchmarks.desk_speed`: what the Desk and Prefect cost, for the arithmetic of docs/scale.md. Writes benchmarks/desk_speed.json."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.desk_faults import LONG_AGO, Crew
from benchmarks.orchestra import open_orchestra
from benchmarks.postgres import PrivateCluster, find_programs
from benchmarks.run import Row
from store.desk import Desk, WatchCommit, open_desk
from tingfeng.labels import AlertState, Level, Outcome
from tingfeng.records import Alert, AlertChange, CaptureRun, Notification

RESULTS = Path(__file__).resolve().parent / "desk_speed.json"
COUNT = 1000
RUNS = 5


def per_second(action: Callable[[], object]) -> int:
    """COUNT ÷ seconds of wall time."""
    started = time.perf_counter()
    action()
    return round(COUNT / (time.perf_counter() - started))


def measure_desk(name: str, url: str) -> Iterator[Row]:
    """One process: alerts written, notifications sent, runs noted; four processes: claims."""
    desk = open_desk(url)
    now = datetime.now(UTC)

    def watch() -> None:
        for n in range(COUNT):
            alert = Alert(f"a{n}", "spike", "暖芽", AlertState.FIRING, Level.RED, Level.RED, now, now)
            change = AlertChange(f"a{n}", "open", now, Level.RED, AlertState.FIRING, "暖芽:负面突增")
            note = Notification(f"a{n}", f"a{n}", "open", "main", "first", now, now, title="暖芽:负面突增")
            desk.commit_watch(WatchCommit([alert], [change], notifications=[note], token=f"t{n}", after=f"t{n - 1}" if n else ""), now)

    yield Row(f"{name}:预警写入", per_second(watch), "次/秒", "预警、变化、通知、审计一次提交;单进程")
    yield Row(f"{name}:通知收发", per_second(lambda: send_all(desk)), "条/秒", "领取、开始、完成;单进程,不含发送本身")
    notes = [CaptureRun(f"r{n}", "s", "", now, now, Outcome.OK) for n in range(COUNT)]
    yield Row(f"{name}:采集台账", per_second(lambda: [desk.add_run(run) for run in notes]), "次/秒", "单进程")
    queue = [Notification(f"n{n}", "a", "open", "main", "first", now, now) for n in range(COUNT)]
    desk.commit_watch(WatchCommit(notifications=queue), now)
    folder = Path(tempfile.mkdtemp())
    crew = Crew(url, folder)
    for _ in range(4):
        crew.start("claim")
    crew.wait()
    claims = sorted(at for at, word, _ in crew.lines() if word == "claim")
    owners = {one.id for one in desk.notifications(LONG_AGO) if one.id.startswith("n")}
    assert len(claims) == len(owners) == COUNT
    yield Row(f"{name}:四个进程领取", round(COUNT / (claims[-1] - claims[0])), "条/秒", "每次 7 条,互不重复")
    desk.close()


def send_all(desk: Desk) -> None:
    """The way of deliver, without sending."""
    now = datetime.now(UTC)
    while claimed := desk.claim_notifications("w", now):
        for one in claimed:
            desk.begin_attempt(one.id, "w", now)
            desk.finish_notification(one.id, "delivered", now, worker="w")


def measure_prefect(cluster: PrivateCluster) -> Iterator[Row]:
    """A flow run in a process of its own, as a process worker starts it, doing nothing of ours."""
    folder = Path(tempfile.mkdtemp())
    (folder / "var").mkdir()
    with open_orchestra(folder, cluster.url(), {"TINGFENG_HOME": str(folder / "var")}) as orchestra:
        code = "from flows.monitor import deliver; deliver()"
        before, started = os.times(), time.perf_counter()
        for _ in range(RUNS):
            subprocess.run([sys.executable, "-c", code], env=dict(orchestra.environ), cwd=folder, check=True, capture_output=True)
        after, wall = os.times(), time.perf_counter() - started
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        memory = subprocess.run(
            [sys.executable, "-c", f"{code}; print(open('/proc/self/status').read())"],
            env=dict(orchestra.environ), cwd=folder, check=True, capture_output=True, text=True,
        )  # fmt: skip
    peak = re.search(r"VmHWM:\s+(\d+) kB", memory.stdout)
    yield Row("一次流程运行:CPU", round(cpu / RUNS, 1), "秒", "进程从启动到结束,流程本身是空的")
    yield Row("一次流程运行:墙钟", round(wall / RUNS, 1), "秒", "同上")
    yield Row("一次流程运行:内存峰值", round(int(peak[1]) / 1024) if peak else 0, "MB", "同上")


def main() -> None:
    """Two minutes."""
    programs = find_programs()
    if programs is None:
        sys.exit("没有 PostgreSQL:apt-get install postgresql")
    rows = list(measure_desk("SQLite", f"sqlite:///{Path(tempfile.mkdtemp()) / 'desk.db'}"))
    for part in ("desk", "prefect"):
        cluster = PrivateCluster(programs, durable=True)
        try:
            rows += measure_desk("PostgreSQL", cluster.url()) if part == "desk" else measure_prefect(cluster)
        finally:
            cluster.stop()
    values = {
        "date": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
        "rows": [asdict(row) for row in rows],
    }  # fmt: skip
    RESULTS.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")
    sys.stderr.write("".join(f"{row.name} {row.value} {row.unit}\n" for row in rows))


if __name__ == "__main__":
    main()
