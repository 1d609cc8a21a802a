"""`tingfeng ack`."""

from __future__ import annotations

import click

from flows.console import print_json, print_note


@click.command("ack")
@click.argument("id")
@click.option("--user", default="", help="谁确认的;默认当前系统用户。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(id: str, user: str, as_json: bool) -> int:
    """确认一个事件(或预警):有人在处理了,不再重复提醒;升级与解除照样通知。记入审计。"""
    from flows.machine import name_person
    from flows.people import acknowledge
    from flows.wiring import open_wiring

    with open_wiring() as wiring:
        done = acknowledge(wiring, id, user or name_person())
    if as_json:
        print_json({"acknowledged": done})
    else:
        print_note(f"已确认 {len(done)} 个预警")
    return 0
