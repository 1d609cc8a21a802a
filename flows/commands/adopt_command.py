"""`tingfeng adopt`."""

from __future__ import annotations

import click

from flows.console import print_json, print_note, print_table


@click.command("adopt")
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(url: str, as_json: bool) -> int:
    """把另一个工作台(预警、事件、通知、静默、审计、采集台账、检测器状态)整个搬进现在配置的这个,逐行核对。

    先停掉所有进程。原来的库不会改动;中途被打断,再执行一次就会接着来。目标要是空的,或是上次没搬完的。

    \b
    例:TINGFENG_DESK_URL=postgresql://… tingfeng adopt sqlite:///var/desk.db
    地址里需要密码时写进 ~/.pgpass,不要写在命令里。
    """
    from flows.wiring import open_wiring
    from store.desk import open_desk
    from store.desk_copy import copy_desk
    from tingfeng.errors import UsageError

    with open_wiring() as wiring:
        old = open_desk(url, must_exist=True)
        try:
            if old.place == wiring.desk.place:
                raise UsageError("两个地址是同一个库", where=old.place, hint="先把 TINGFENG_DESK_URL 设成新的库")
            with wiring.lock("pass"):
                copied = copy_desk(old, wiring.desk)
        finally:
            old.close()
    if as_json:
        print_json(copied)
    else:
        print_table("搬了", ("表", "行"), list(copied.items()))
        print_note("已逐行核对;确认无误后可以删掉原来的库")
    return 0
