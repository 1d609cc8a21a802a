"""`tingfeng watch`."""

from __future__ import annotations

import click

from flows.console import print_json, print_line, print_table, show_progress


@click.command("watch")
@click.option("--at", default="", help="按这个时刻判断(ISO);默认现在。用来补跑或回放。")
@click.option("--since", default="", help="从这个时间起一步一步回放到 --at,看历史上会怎样预警。")
@click.option("--every", "hours", default=24, show_default=True, type=click.IntRange(1, 168), help="回放一步几小时。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(at: str, since: str, hours: int, as_json: bool) -> int:
    """按计数更新预警:突增、占比、来源中断;变化写进待发通知,由 deliver 送出。

    \b
    例:tingfeng watch
        tingfeng watch --since 2022-01-01 --at 2022-12-31   按天回放一年
    """
    from flows.watch import replay_watches, watch_counts
    from flows.wiring import open_wiring
    from tingfeng.clock import parse_iso
    from tingfeng.errors import UsageError
    from tingfeng.labels import Level

    try:
        instant, start = (parse_iso(text) if text else None for text in (at, since))
    except ValueError as error:
        raise UsageError(f"时间读不懂:{at}", where="--at/--since", hint="例如 2026-11-14T18:00") from error
    with open_wiring() as wiring:
        if start:
            with show_progress() as progress:
                end = instant or wiring.clock.now()
                task = progress.add_task("回放", total=max(1, int((end - start).total_seconds() // (hours * 3600))))
                report = replay_watches(wiring, start, end, hours, lambda: progress.advance(task))
        else:
            report = watch_counts(wiring, instant)
        values = report.to_dict()
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
        [(Level(f["level"]).title_zh, f["subject"], f["at"][:16], ";".join(f["reasons"])) for f in findings[-30:]],
    )
    return 0
