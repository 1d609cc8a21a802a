"""`tingfeng demo`."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

import click

from flows.console import print_line, print_note, print_table, show_progress
from tingfeng.clock import SHANGHAI, show_time
from tingfeng.labels import Level

STARTED = time.perf_counter()


@click.command("demo")
@click.option("--serve/--no-serve", default=None, help="放完后是否开网页;也可以用变量 DEMO_SERVE=0 关掉。")
@click.option("--json", "as_json", is_flag=True, help="只在标准输出打印一个 JSON。")
def command(serve: bool | None, as_json: bool) -> None:
    """放一遍演示:虚构品牌“暖芽”与两个竞品的五周,五种来源。

    回放的是录好的原始响应,走的是真实的采集、判断、计数、预警与通知;不需要网络、密钥或 Docker。
    数据放在 <状态目录>/demo,每次重新开始。
    """
    from flows.demo import list_all_incidents, open_demo, play_demo
    from tingfeng.settings import find_paths

    if serve is None:
        serve = os.environ.get("DEMO_SERVE", "1") != "0"
    wiring, clock, replay = open_demo(find_paths(os.environ, Path.cwd()), os.environ)
    try:
        with show_progress() as progress:
            task = progress.add_task("回放", total=len(replay.passes))

            def show(number: int, total: int, at: datetime, worst: Level | None) -> None:
                level = f" 最高级别 {worst.title_zh}" if worst else ""
                progress.update(task, completed=number, description=f"{at.astimezone(SHANGHAI):%m-%d %H:%M}{level}")

            loading = time.perf_counter() - STARTED
            report = play_demo(wiring, clock, replay, show)
        incidents = list_all_incidents(wiring)
        if as_json:
            from flows.console import print_json

            print_json(
                report.__dict__
                | {
                    "incidents": [
                        {"title": i.title, "level": str(i.peak_level), "started_at": show_time(i.started_at)}
                        for i in incidents
                    ]
                }
            )
        else:
            from web.views.home import count_figures

            figures = count_figures(wiring.posts, wiring.subjects[0].name, clock.now())
            print_line(
                f"\n采集 {report.passes} 轮:{report.new} 条帖子,{report.mentions} 条提及,折叠 {report.folded} 条重复,遮盖 {report.masked} 条里的个人号码"
            )
            net = "–" if figures.net is None else f"{figures.net:+.2f}"
            print_line(
                f"{wiring.subjects[0].name} 最近 24 小时:声量 {figures.mentions},负面 {figures.negative},净情感度 {net}(n = {figures.judged})"
            )
            rows = [
                (i.peak_level.title_zh, i.title, show_time(i.started_at)[5:16], i.state.title_zh) for i in incidents
            ]
            print_table(f"事件 {len(incidents)} 个", ("级别", "事件", "开始", "状态"), rows)
            red = (
                "没有红色事件"
                if report.seconds_to_red is None
                else f"第一个红色事件用时 {report.seconds_to_red + loading:.1f} 秒(模拟时间 {show_time(report.red_at)[5:16]})"
            )
            print_line(
                f"{red};全部用时 {report.seconds:.1f} 秒;送出通知 {report.delivered} 条 → {wiring.home / 'demo.jsonl'}"
            )
        if serve:
            from flows.serve import serve_pages

            print_note(f"网页:{wiring.link}  (Ctrl-C 停)")
            serve_pages(wiring)
    finally:
        wiring.close()
