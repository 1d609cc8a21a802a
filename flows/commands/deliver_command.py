"""`tingfeng deliver`."""

from __future__ import annotations

import click

from flows.console import print_json, print_table


@click.command("deliver")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(as_json: bool) -> int:
    """发送到期的通知。失败会按 10 秒、1 分、5 分、30 分、2 小时重试,之后记为失败;每条只送一次。"""
    from flows.deliver import deliver_notifications
    from flows.wiring import open_wiring

    with open_wiring() as wiring:
        report = deliver_notifications(wiring)
    if as_json:
        print_json(report.to_dict())
    else:
        rows = [(one.channel, one.level.title_zh, one.title, outcome, words) for one, outcome, words in report.attempts]
        print_table("通知", ("渠道", "级别", "标题", "结果", "说明"), rows, "没有到期的")
    return 1 if report.failed else 0
