"""One full pass: collect → analyse → watch → deliver. The plain function behind the flow `monitor`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from flows.analyse import AnalyseReport, analyse_posts
from flows.collect import FINE, CollectReport, collect_sources
from flows.deliver import DeliverReport, deliver_notifications
from flows.retention import drop_expired
from flows.watch import WatchReport, watch_counts
from flows.wiring import Wiring


@dataclass(frozen=True)
class PassReport:
    """What each step did."""

    collect: list[CollectReport]
    analyse: AnalyseReport
    watch: WatchReport
    deliver: DeliverReport
    expired: int = 0

    @property
    def failed(self) -> list[str]:
        """What did not work, by name; empty when all did."""
        names = [
            f"来源 {one.run.source}:{one.run.outcome.title_zh} {one.run.detail}".strip()
            for one in self.collect
            if one.run.outcome not in FINE
        ]
        if self.analyse.failed:
            names.append(f"{self.analyse.failed} 条帖子没有判断成功")
        if self.deliver.failed:
            names.append(f"{self.deliver.failed} 条通知没有送到")
        return names

    def to_dict(self) -> dict[str, object]:
        """For --json."""
        return {
            "collect": [one.to_dict() for one in self.collect],
            "analyse": asdict(self.analyse),
            "watch": self.watch.to_dict(),
            "deliver": self.deliver.to_dict(),
            "expired": self.expired,
            "failed": self.failed,
        }


def run_pass(wiring: Wiring, progress: Callable[[str], None] = lambda what: None) -> PassReport:
    """In this process, without Prefect. Raises BusyError when a pass is under way."""
    with wiring.lock("pass"):
        progress("采集")
        collected = collect_sources(wiring, progress=lambda what: progress(f"采集 {what}"))
        progress("判断")
        analysed = analyse_posts(wiring)
        progress("预警")
        watched = watch_counts(wiring)
        progress("通知")
        delivered = deliver_notifications(wiring)
        return PassReport(collected, analysed, watched, delivered, drop_expired(wiring))
