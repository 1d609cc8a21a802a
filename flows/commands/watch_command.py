"""`tingfeng watch`."""

from __future__ import annotations

import click

from flows.console import print_json, print_line, print_table


@click.command("watch")
@click.option("--at", default="", help="按这个时刻判断(ISO);默认现在。用来补跑或回放。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(at: str, as_json: bool) -> int:
    """按计数更新预警:突增、占比、来源中断;变化写进待发通知,由 deliver 送出。"""
    from flows.watch import watch_counts
    from flows.wiring import open_wiring
    from tingfeng.clock import parse_iso
    from tingfeng.errors import UsageError

    try:
        instant = parse_iso(at) if at else None
    except ValueError as error:
        raise UsageError(f"时间读不懂:{at}", where="--at", hint="例如 2026-11-14T18:00") from error
    with open_wiring() as wiring:
        values = watch_counts(wiring, instant).to_dict()
    if as_json:
        print_json(values)
        return 0
    print_line(
        f"新开 {values['opened']},变化 {values['changed']},解除 {values['resolved']};待发通知 {values['notifications']}"
    )
    findings = values["findings"]
    assert isinstance(findings, list)
    print_table(
        "发现",
        ("级别", "对象", "时间", "理由"),
        [(f["level"], f["subject"], f["at"][:16], ";".join(f["reasons"])) for f in findings[-30:]],
    )
    return 0
