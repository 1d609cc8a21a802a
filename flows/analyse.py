"""Analyse: claims unjudged posts in batches, judges them, stores the mentions. Runs without Prefect."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from flows.campaigns import widen_campaigns
from flows.machine import name_worker
from flows.wiring import Wiring

BATCH = 500
LEASE_SECONDS = 600


@dataclass
class AnalyseReport:
    """`folded`: posts that are copies of earlier ones; `masked`: posts in which personal numbers were covered."""

    judged: int = 0
    mentions: int = 0
    folded: int = 0
    masked: int = 0
    failed: int = 0
    seconds: float = 0.0
    failures: tuple[tuple[str, str], ...] = ()


def analyse_posts(
    wiring: Wiring,
    worker: str = "",
    progress: Callable[[int], None] = lambda judged: None,
    *,
    lease_seconds: int = LEASE_SECONDS,
) -> AnalyseReport:
    """Until nothing is left; several processes and machines may do it at once. A batch of a killed one is free again after its lease.

    A post that fails keeps its lease, so it is tried again later and not in a circle now.
    """
    started = time.perf_counter()
    report = AnalyseReport()
    failures: list[tuple[str, str]] = []
    worker = worker or name_worker()
    while posts := wiring.posts.claim_posts(worker, BATCH, wiring.clock.now(), lease_seconds):
        result = wiring.pipeline.judge(posts, wiring.posts.near_posts)
        wiring.posts.save_judged(widen_campaigns(wiring, posts, result.posts), wiring.clock.now())
        report.judged += len(result.posts)
        report.mentions += sum(len(one.mentions) for one in result.posts)
        report.folded += sum(one.is_copy for one in result.posts)
        report.masked += sum(
            "[手机号]" in post.text or "[编号]" in post.text or "[邮箱]" in post.text for post in posts
        )
        failures += result.failed
        progress(report.judged)
    report.failed, report.failures = len(failures), tuple(failures[:50])
    report.seconds = round(time.perf_counter() - started, 3)
    return report
