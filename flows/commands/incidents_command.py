"""`tingfeng incidents`."""

from __future__ import annotations

from datetime import timedelta

import click

from flows.console import print_json, print_table


@click.command("incidents")
@click.option(
    "--days", default=30, show_default=True, type=click.IntRange(1, 3650), help="最近几天有变化的,未解除的总是列出。"
)
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(days: int, as_json: bool) -> int:
    """列出事件:级别、标题、起止、理由。"""
    from flows.wiring import open_wiring
    from tingfeng.clock import show_time

    with open_wiring() as wiring:
        incidents = wiring.desk.incidents(since=wiring.clock.now() - timedelta(days=days))
        alerts = {one.id: [alert for id in one.alert_ids if (alert := wiring.desk.alert(id))] for one in incidents}
    rows = []
    for one in incidents:
        reasons = [reason for alert in alerts[one.id] if alert.last_finding for reason in alert.last_finding.reasons]
        rows.append(
            {
                "id": one.id, "subject": one.subject, "title": one.title, "level": str(one.level), "peak_level": str(one.peak_level),
                "state": str(one.state), "started_at": show_time(one.started_at), "resolved_at": show_time(one.resolved_at) or None,
                "alerts": list(one.alert_ids), "reasons": reasons,
            }
        )  # fmt: skip
    if as_json:
        print_json(rows)
    else:
        shown = []
        for one in incidents:
            reasons = [
                reason for alert in alerts[one.id] if alert.last_finding for reason in alert.last_finding.reasons
            ]
            shown.append(
                (
                    one.peak_level.title_zh,
                    one.title,
                    show_time(one.started_at)[:16],
                    one.state.title_zh,
                    ";".join(reasons),
                )
            )
        print_table("事件", ("最高级别", "事件", "开始", "状态", "理由"), shown)
    return 0
