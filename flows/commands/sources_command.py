"""`tingfeng sources`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flows.console import print_json, print_table

if TYPE_CHECKING:
    from tingfeng.records import CaptureRun


@click.command("sources")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(as_json: bool) -> int:
    """列出配置的来源与最近一次采集:结果、时间、覆盖到哪里。"""
    from flows.wiring import open_wiring
    from tingfeng.labels import Outcome

    with open_wiring() as wiring:
        runs = {(run.source, run.query): run for run in wiring.desk.last_runs()}
        rows = []
        for source in wiring.sources:
            for target in source.settings.targets or ("",):
                run = runs.get((source.name, target))
                rows.append(describe_run(source.name, target, source.info.title, str(source.info.kind), run))
    if as_json:
        print_json(rows)
    else:
        names = ("source", "target", "title", "outcome", "last_run", "covered_until", "detail")
        shown = [
            [Outcome(row[n] or "").title_zh if n == "outcome" and row[n] else row[n] or "–" for n in names]
            for row in rows
        ]
        columns = ("来源", "对象", "采集器", "结果", "最近一次", "覆盖到", "说明")
        print_table("来源", columns, shown, "还没有,见 tingfeng init")
    return 0


def describe_run(name: str, target: str, title: str, kind: str, run: CaptureRun | None) -> dict[str, str | None]:
    """One source and target with its latest run."""
    from tingfeng.clock import show_time

    return {
        "source": name,
        "target": target,
        "title": title,
        "kind": kind,
        "outcome": str(run.outcome) if run else None,
        "detail": run.detail if run else "",
        "last_run": show_time(run.started_at) if run else None,
        "covered_until": show_time(run.covers_until) if run and run.covers_until else None,
    }
