"""`tingfeng analyse`."""

from __future__ import annotations

from dataclasses import asdict

import click

from flows.console import print_json, print_line, print_note, show_progress


@click.command("analyse")
@click.option("--again", is_flag=True, help="把已经判断过的也重判一遍,重复也重新折叠(换了监测对象之后;只换模型用 tingfeng rejudge)。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(again: bool, as_json: bool) -> int:
    """判断还没有判断的帖子:匹配监测对象、行为、情感、伤害词,折叠重复。可以多个进程同时跑,中断后接着来。"""
    from flows.analyse import analyse_posts
    from flows.wiring import open_wiring

    with open_wiring() as wiring, show_progress() as progress:
        if not wiring.subjects:
            print_note("还没有监测对象:用 tingfeng init 写一份配置,或在配置里加 [[subjects]]")
        if again:
            wiring.posts.mark_unjudged()
        task = progress.add_task("判断", total=wiring.posts.health().unjudged)
        report = analyse_posts(wiring, progress=lambda judged: progress.update(task, completed=judged))
        waiting = wiring.posts.health().unjudged - report.failed
    if as_json:
        print_json(asdict(report) | {"waiting": waiting})
    else:
        print_line(
            f"判断 {report.judged} 条,{report.mentions} 条提及,折叠 {report.folded},遮盖 {report.masked},失败 {report.failed},{report.seconds} 秒"
        )
    if waiting > 0:
        print_note(f"还有 {waiting} 条在别的进程手里;那个进程若已中断,最多十分钟后它们会被重新判断,请到时再运行一次")
    for post_id, reason in report.failures:
        print_note(f"失败:{post_id} {reason}")
    return 1 if report.failed else 0
