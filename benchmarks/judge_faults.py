"""`python -m benchmarks.judge_faults`: workers that judge posts are killed in the middle, over and over; then every post must be judged once.

Figures go to benchmarks/judge_faults.json. The store is the one TINGFENG_POSTS_URL names, else SQLite in a folder of its own.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.analyse import analyse_posts
from flows.wiring import Wiring, open_wiring
from store.posts import Dim
from tingfeng.labels import PostKind
from tingfeng.records import Post
from tingfeng.settings import Paths, config_folder, load_settings

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "judge_faults.json"
LEASE_SECONDS = 3
START = datetime(2026, 11, 1, tzinfo=UTC)
CONFIG = '[[subjects]]\nname = "暖芽"\n'


@dataclass(frozen=True)
class Verdict:
    """`lost`: posts without their judgement; `doubled`: mentions more than posts, or counted more than once in the roll-up."""

    fault: str
    engine: str
    times: int
    posts: int
    lost: int
    doubled: int


def work() -> None:
    """A worker: judges until nothing is left. Says `ready` when its model is loaded."""
    with open_wiring() as wiring:
        wiring.pipeline.judge([], wiring.posts.near_posts)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        analyse_posts(wiring, lease_seconds=LEASE_SECONDS)


def start_worker(home: Path) -> subprocess.Popen[str]:
    """A process that has begun."""
    environ = {**os.environ, "TINGFENG_HOME": str(home), "TINGFENG_CONFIG": str(home / "tingfeng.toml"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "benchmarks.judge_faults", "work"]
    child = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    return child


def open_home(home: Path) -> Wiring:
    """The wiring of the workers, in this process."""
    (home / "tingfeng.toml").write_text(CONFIG, "utf-8")
    paths = Paths(home=home, config_folder=config_folder(), config_file=home / "tingfeng.toml")
    return Wiring(paths, load_settings(paths, os.environ), os.environ)


def end(child: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    """Kills and clears away."""
    child.send_signal(number)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def kill_judges(home: Path, times: int, count: int) -> Verdict:
    """Two workers at a time; one is killed at a random moment, and another takes its place."""
    pick = random.Random(7)
    wiring = open_home(home)
    texts = (f"暖芽水壶第{n}次漏水,客服不处理,要求退款{n}元" for n in range(count))
    posts = [
        Post("forum", str(n), PostKind.ORIGINAL, text, START, published_at=START + timedelta(seconds=n))
        for n, text in enumerate(texts)
    ]
    for first in range(0, count, 2000):
        wiring.posts.add_posts(posts[first : first + 2000])
    children = [start_worker(home), start_worker(home)]
    killed = 0
    while killed < times:
        time.sleep(pick.uniform(0.0, 0.4))
        victim = children.pop(0)
        killed += victim.poll() is None  # one that was done already is no kill
        end(victim)
        if not wiring.posts.health().unjudged:
            wiring.posts.mark_unjudged()
        children.append(start_worker(home))
    for child in children:
        end(child)
    time.sleep(LEASE_SECONDS + 0.5)
    analyse_posts(wiring, lease_seconds=LEASE_SECONDS)
    health = wiring.posts.health()
    rolled = sum(row.mentions for row in wiring.posts.count([Dim.SOURCE]))
    wiring.close()
    lost = health.unjudged + max(0, count - health.posts) + max(0, count - health.mentions) + max(0, count - rolled)
    doubled = max(0, health.mentions - count) + max(0, rolled - count)
    return Verdict("kill -9 判断进程", health.engine, killed, count, lost, doubled)


def main() -> None:
    """A minute or two."""
    if sys.argv[1:] == ["work"]:
        work()
        return
    home = Path(tempfile.mkdtemp())
    verdict = kill_judges(home, int(sys.argv[1]) if len(sys.argv) > 1 else 25, 20_000)
    values = {"date": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), "rows": [asdict(verdict)]}
    RESULTS.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")
    sys.stderr.write(f"{verdict}\n")
    sys.exit(bool(verdict.lost or verdict.doubled))


if __name__ == "__main__":
    main()
