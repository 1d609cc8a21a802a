"""`tingfeng silence`."""

from __future__ import annotations

import click

from flows.console import print_json, print_note, print_table


@click.command("silence")
@click.option("--subject", default="", help="静默这个监测对象的通知。")
@click.option("--rule", default="", help="静默这条规则的通知,如 spike、volume、source。")
@click.option("--hours", default=4.0, show_default=True, type=click.FloatRange(0.1, 24 * 90), help="静默几小时。")
@click.option("--reason", default="", help="为什么,给同事看。")
@click.option("--end", default="", metavar="ID", help="提前结束一条静默。")
@click.option("--user", default="", help="谁;默认当前系统用户。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(subject: str, rule: str, hours: float, reason: str, end: str, user: str, as_json: bool) -> int:
    """静默通知一段时间(预警照样记录,通知写明“已静默”)。不带参数列出正在生效的。记入审计。

    \b
    例:tingfeng silence --subject 某品牌 --hours 8 --reason 演练
    """
    from flows.machine import name_person
    from flows.people import silence
    from flows.wiring import open_wiring
    from tingfeng.clock import show_time
    from tingfeng.errors import UsageError

    with open_wiring() as wiring:
        who = user or name_person()
        if end:
            if not wiring.desk.end_silence(end, who, wiring.clock.now()):
                raise UsageError("没有这条静默,或已经结束", where=end, hint="编号见 tingfeng silence --json")
        elif subject or rule:
            silence(wiring, who, subject=subject, rule=rule, hours=hours, reason=reason)
        standing = wiring.desk.silences(wiring.clock.now())
    rows = [
        {"id": s.id, "subject": s.subject, "rule": s.rule, "until": show_time(s.until), "user": s.user, "reason": s.reason}
        for s in standing
    ]
    if as_json:
        print_json(rows)
    else:
        print_table("静默", ("编号", "对象", "规则", "到", "谁", "理由"), [tuple(row.values()) for row in rows])
        print_note("结束一条:tingfeng silence --end 编号")
    return 0
