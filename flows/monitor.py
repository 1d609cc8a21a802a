"""The Prefect flows: the sentence collect → analyse → watch → deliver, one task a source or batch, never a post."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from prefect import flow, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.deployments import run_deployment

from flows.analyse import analyse_posts
from flows.collect import FINE, collect_sources
from flows.deliver import deliver_notifications
from flows.retention import drop_expired
from flows.watch import watch_counts
from flows.wiring import open_wiring
from tingfeng.errors import BusyError

WATCH_PATIENCE_SECONDS = 120


@task(cache_policy=NO_CACHE)
def collect_source(name: str) -> list[dict[str, object]]:
    """One source; its refusals are part of the answer, not an error. [] when another worker is at it."""
    with open_wiring() as wiring:
        try:
            return [report.to_dict() for report in collect_sources(wiring, only=name)]
        except BusyError:
            return []


@flow
def collect(source: str = "") -> list[dict[str, object]]:
    """One source, or every configured one after another: the pace is kept per host."""
    with open_wiring() as wiring:
        names = [source] if source else [one.name for one in wiring.sources]
    return [row for name in names for row in collect_source(name)]


@flow
def dispatch() -> list[str]:
    """Asks for one run of `collect` for each source, for the workers of the pool to share. Needs deployments (prefect.yaml)."""
    with open_wiring() as wiring:
        names = [source.name for source in wiring.sources]
    target = f"collect/{runtime.deployment.name or 'workers'}"
    for name in names:
        run_deployment(
            target, parameters={"source": name}, timeout=0, as_subflow=False, flow_run_name=f"collect-{name}",
            idempotency_key=f"{runtime.flow_run.id}-{name}",
        )  # fmt: skip
    return names


@flow
def analyse() -> dict[str, object]:
    """Judges what is unjudged."""
    with open_wiring() as wiring:
        return asdict(analyse_posts(wiring))


@flow
def watch() -> dict[str, object]:
    """Counts → alerts."""
    with open_wiring() as wiring:
        return watch_counts(wiring, wait_seconds=WATCH_PATIENCE_SECONDS).to_dict()


@flow
def deliver() -> dict[str, object]:
    """Outbox → channels."""
    with open_wiring() as wiring:
        return deliver_notifications(wiring).to_dict()


@flow
def retention() -> int:
    """Deletes what the settings do not keep any longer; how many posts."""
    with open_wiring() as wiring:
        return drop_expired(wiring)


@flow
def monitor() -> dict[str, object]:
    """One full pass. Raises BusyError when another is under way."""
    with open_wiring() as wiring, wiring.lock("pass"):
        collected, analysed, watched, delivered, expired = collect(), analyse(), watch(), deliver(), retention()
    fine = {str(outcome) for outcome in FINE}
    failed = [
        f"来源 {row['source']}:{row['outcome']} {row['detail']}".strip()
        for row in collected
        if row["outcome"] not in fine
    ]
    failed += [f"{analysed['failed']} 条帖子没有判断成功"] if analysed["failed"] else []
    failed += [f"{delivered['failed']} 条通知没有送到"] if delivered["failed"] else []
    return {"collect": collected, "analyse": analysed, "watch": watched, "deliver": delivered, "expired": expired, "failed": failed}


def serve_schedule(minutes: int) -> None:
    """Runs `monitor` on its schedule until interrupted; needs a Prefect server (PREFECT_API_URL)."""
    monitor.serve(name="tingfeng", interval=timedelta(minutes=minutes), limit=1, pause_on_shutdown=False, print_starting_message=False)


if __name__ == "__main__":
    with open_wiring() as at_start:
        every = at_start.settings.schedule.every_minutes
    serve_schedule(every)
