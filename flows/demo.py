"""The demo: an invented brand's five weeks, replayed through the real path at a simulated pace."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from flows.passes import run_pass
from flows.replay import Replay
from flows.wiring import Wiring
from tingfeng.clock import SimulatedClock
from tingfeng.errors import UsageError
from tingfeng.labels import Level
from tingfeng.records import Incident
from tingfeng.settings import Paths, load_settings

MARK = ".tingfeng-demo"


@dataclass
class DemoReport:
    """What happened; `seconds_to_red` is real time from the start to the first red incident, None when there was none."""

    passes: int = 0
    new: int = 0
    mentions: int = 0
    folded: int = 0
    masked: int = 0
    delivered: int = 0
    seconds: float = 0.0
    seconds_to_red: float | None = None
    red_at: datetime | None = None


def clear_home(home: Path) -> None:
    """Starts anew; only ever removes a folder that an earlier demo has made. Raises UsageError."""
    if home.exists() and any(home.iterdir()) and not (home / MARK).exists():
        raise UsageError(
            "文件夹里已有别的东西", where=str(home), hint="演示只会清空自己建的文件夹,请换一个 TINGFENG_HOME"
        )
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / MARK).write_text("演示数据,可以整个删除\n", "utf-8")


def open_demo(paths: Paths, environ: Mapping[str, str]) -> tuple[Wiring, SimulatedClock, Replay]:
    """Wiring over the recorded responses, in `<home>/demo`."""
    folder = paths.config_folder / "demo"
    home = paths.home / "demo"
    clear_home(home)
    own = Paths(home=home, config_folder=paths.config_folder, config_file=folder / "demo.toml")
    plain = {name: value for name, value in environ.items() if not name.startswith("TINGFENG_")}
    clock = SimulatedClock(datetime.fromisoformat("2026-10-12T00:00:00+08:00"))
    replay = Replay(folder / "responses.jsonl.xz", clock, home / "inbox")
    (home / "inbox").mkdir()
    # one transport for all clients: closing a client must not forget what was recorded
    wiring = Wiring(own, load_settings(own, plain), plain, clock, lambda: httpx.Client(transport=Unclosed(replay)))
    return wiring, clock, replay


class Unclosed(httpx.BaseTransport):
    """Hands requests on; closing it leaves the replay open."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(request)


def play_demo(
    wiring: Wiring, clock: SimulatedClock, replay: Replay, progress: Callable[[int, int, datetime, Level | None], None]
) -> DemoReport:
    """Every recorded pass, with the code that a live installation runs."""
    report = DemoReport()
    started = time.perf_counter()
    worst: Level | None = None
    for number, at in enumerate(replay.passes, 1):
        clock.move_to(at)
        replay.catch_up()
        result = run_pass(wiring)
        report.passes = number
        report.new += sum(one.run.posts_new for one in result.collect)
        report.mentions += result.analyse.mentions
        report.folded += result.analyse.folded
        report.masked += result.analyse.masked
        report.delivered += sum(outcome == "delivered" for _, outcome, _ in result.deliver.attempts)
        levels = [change.level for change in result.watch.changes if change.edge in ("open", "upgrade", "reopen")]
        worst = max([worst, *levels] if worst else levels, key=lambda level: level.rank, default=None)
        if Level.RED in levels and report.seconds_to_red is None:
            report.seconds_to_red, report.red_at = round(time.perf_counter() - started, 1), at
        progress(number, len(replay.passes), at, worst)
    report.seconds = round(time.perf_counter() - started, 1)
    return report


def list_all_incidents(wiring: Wiring) -> list[Incident]:
    """Oldest first."""
    return wiring.desk.incidents(since=wiring.clock.now() - timedelta(days=60))[::-1]
