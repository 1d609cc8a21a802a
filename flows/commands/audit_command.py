"""`tingfeng audit`."""

from __future__ import annotations

import click

from flows.console import print_json, print_table


@click.command("audit")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="最近几条。")
@click.option("--target", default="", help="只看关于它的:预警、提及、静默、作者或来源。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(limit: int, target: str, as_json: bool) -> int:
    """审计:谁在什么时候改了什么,最近的在前。"""
    from flows.wiring import open_wiring
    from tingfeng.clock import show_time

    with open_wiring() as wiring:
        entries = wiring.desk.audit(limit, target=target)
    rows = [
        {"at": show_time(one.at), "user": one.user, "action": one.action, "target": one.target, "detail": one.detail}
        for one in entries
    ]
    if as_json:
        print_json(rows)
    else:
        print_table("审计", ("时间", "谁", "动作", "对象", "说明"), [tuple(row.values()) for row in rows])
    return 0
