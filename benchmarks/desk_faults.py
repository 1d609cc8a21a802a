"""`python -m benchmarks.desk_faults`: PostgreSQL is restarted hard, and workers are killed, in the middle of their work – over and over.

A checker that knows every acknowledged id then says what was lost (acknowledged and not there, or neither delivered nor reported as
failed) and what was doubled (sent twice, audited twice). Figures go to benchmarks/desk_faults.json.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.desk_worker import LEASE_SECONDS, deliver, open_journal
from benchmarks.postgres import PrivateCluster, find_programs
from store.desk import open_desk

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "desk_faults.json"
ROLES = ("write", "write", "deliver", "deliver")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
DRAIN_SECONDS = 120


@dataclass(frozen=True)
class Verdict:
    """What the checker found. `unsure`: begun when its worker was killed, reported as failed; `errors`: messages of workers that gave up."""

    fault: str
    engine: str
    times: int
    acknowledged: int
    delivered: int
    unsure: int
    lost: int
    doubled: int
    errors: tuple[str, ...] = ()
    recovery_seconds: tuple[float, ...] = ()


class Crew:
    """Worker processes, each with its journal."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._children: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}
        self._started = 0

    def start(self, role: str) -> None:
        """One more worker."""
        self._started += 1
        command = [sys.executable, "-m", "benchmarks.desk_worker", role, str(self._folder / f"{self._started:03}.{role}")]
        environ = {**os.environ, "TINGFENG_DESK_URL": self._url, "PYTHONPATH": str(ROOT)}
        child = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._children[self._started] = (role, child)

    def kill_one(self, role: str, pick: random.Random) -> None:
        """kill -9 of a worker of a role; another takes its place."""
        number = pick.choice([number for number, (its, _) in self._children.items() if its == role])
        _, child = self._children.pop(number)
        child.send_signal(signal.SIGKILL)
        child.wait()
        self.start(role)

    def wait(self) -> list[int]:
        """Until all have ended by themselves; their exit codes."""
        return [child.wait(DRAIN_SECONDS) for _, child in self._children.values()]

    def kill_all(self) -> None:
        """kill -9 of everyone."""
        for _, child in self._children.values():
            child.send_signal(signal.SIGKILL)
        for _, child in self._children.values():
            child.wait()
        self._children.clear()

    def lines(self) -> list[tuple[float, str, str]]:
        """(time, word, rest) of all journals."""
        found = []
        for file in sorted(self._folder.glob("*.*")):
            for line in file.read_text("utf-8").splitlines():
                at, word, rest = [*line.split(" ", 2), ""][:3]
                found.append((float(at), word, rest))
        return found

    def wait_for(self, word: str, count: int) -> None:
        """Until so many lines of a word are there."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while sum(its == word for _, its, _ in self.lines()) < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not {count} × {word} in {DRAIN_SECONDS} s")
            time.sleep(0.1)


@contextmanager
def running_crew(url: str, folder: Path, roles: Sequence[str] = ROLES) -> Iterator[Crew]:
    """Workers that have begun."""
    crew = Crew(url, folder)
    try:
        for role in roles:
            crew.start(role)
        crew.wait_for("ready", len(roles))
        yield crew
    finally:
        crew.kill_all()


def drain(url: str, journal: Path) -> None:
    """After all is over: a last worker delivers what is left, once the leases of the dead have run out."""
    time.sleep(LEASE_SECONDS + 0.5)
    desk = open_desk(url)
    note = open_journal(journal)
    idle = 0

    def note_until_idle(line: str) -> None:
        nonlocal idle
        idle = idle + 1 if line == "idle" else 0
        if idle > 2:
            raise StopIteration
        note(line)

    try:
        deliver(desk, note_until_idle)
    except StopIteration:
        desk.close()


def check(fault: str, times: int, url: str, lines: Sequence[tuple[float, str, str]], recovery: Sequence[float] = ()) -> Verdict:
    """Compares what was acknowledged and what was sent with what the Desk says."""
    desk = open_desk(url)
    rows = {one.id: one for one in desk.notifications(LONG_AGO)}
    runs = {one.id for one in desk.runs(LONG_AGO)}
    audited = Counter(one.target for one in desk.audit(10**9))
    engine = desk.check_server()
    desk.close()
    said = {word: Counter(rest for _, its, rest in lines if its == word) for word in ("write", "run", "send", "done", "error")}
    outcomes = Counter(one.outcome for one in rows.values())
    gone = [id for id in said["write"] if id not in rows] + [id for id in said["run"] if id not in runs]
    gone += [id for id in said["done"] if rows[id].outcome != "delivered"]
    gone += [one.id for one in rows.values() if one.outcome not in ("delivered", "failed")]
    gone += [one.id for one in rows.values() if one.outcome == "delivered" and not said["send"][one.id]]
    gone += [id for id in rows if not audited[id]]
    twice = [id for id, n in said["send"].items() if n > 1] + [id for id, n in audited.items() if n > 1]
    acknowledged = sum(len(said[word]) for word in ("write", "run", "done"))
    return Verdict(
        fault, engine, times, acknowledged, outcomes["delivered"], outcomes["failed"], len(gone), len(twice),
        tuple(said["error"]), tuple(recovery),
    )  # fmt: skip


def restart_under_load(cluster: PrivateCluster, url: str, folder: Path, times: int, pause: float = 1.0) -> Verdict:
    """pg_ctl restart -m immediate, again and again; recovery is the longest pause between acknowledged writes."""
    ordered = []
    with running_crew(url, folder) as crew:
        crew.wait_for("done", 5)
        for _ in range(times):
            time.sleep(pause)
            ordered.append(time.time())
            cluster.restart_hard()
            crew.wait_for("write", sum(word == "write" for _, word, _ in crew.lines()) + 5)
        time.sleep(pause)
    written = sorted(when for when, word, _ in crew.lines() if word == "write")
    borders = [*ordered, time.time()]
    back = [longest_gap(written, at, until) for at, until in itertools.pairwise(borders)]
    drain(url, folder / "last.deliver")
    return check("PostgreSQL 立即重启", times, url, crew.lines(), back)


def longest_gap(written: Sequence[float], at: float, until: float) -> float:
    """Seconds without an acknowledged write around a restart."""
    near = [when for when in written if at - 1 <= when <= until]
    return round(max(after - before for before, after in itertools.pairwise(near)), 2)


def kill_workers(url: str, folder: Path, times: int, pause: float = 0.7) -> Verdict:
    """kill -9 of writers and deliverers in turn."""
    pick = random.Random(4)
    with running_crew(url, folder) as crew:
        crew.wait_for("done", 5)
        for number in range(times):
            crew.kill_one(("deliver", "write")[number % 2], pick)
            time.sleep(pause * pick.uniform(0.5, 1.5))
        time.sleep(pause)
    drain(url, folder / "last.deliver")
    return check("kill -9 工作进程", times, url, crew.lines())


def main() -> None:
    """Both faults on PostgreSQL, kills on SQLite too; a few minutes."""
    programs = find_programs()
    if programs is None:
        sys.exit("没有 PostgreSQL:apt-get install postgresql")
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    verdicts = []
    cluster = PrivateCluster(programs, durable=True)
    try:
        verdicts.append(restart_under_load(cluster, cluster.url(), Path(tempfile.mkdtemp()), times))
        sys.stderr.write(f"{verdicts[-1]}\n")
        cluster.stop()
        cluster = PrivateCluster(programs, durable=True)
        verdicts.append(kill_workers(cluster.url(), Path(tempfile.mkdtemp()), times))
        sys.stderr.write(f"{verdicts[-1]}\n")
    finally:
        cluster.stop()
    folder = Path(tempfile.mkdtemp())
    (folder / "journals").mkdir()
    verdicts.append(kill_workers(f"sqlite:///{folder / 'desk.db'}", folder / "journals", times))
    sys.stderr.write(f"{verdicts[-1]}\n")
    rows = [asdict(one) for one in verdicts]
    for row in rows:
        took = row.pop("recovery_seconds")
        row["recovery_median_seconds"] = round(statistics.median(took), 2) if took else None
        row["recovery_longest_seconds"] = max(took) if took else None
    values = {"date": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), "rows": rows}
    RESULTS.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")
    sys.exit(any(one.lost or one.doubled or one.errors for one in verdicts))


if __name__ == "__main__":
    main()
