"""`tingfeng demo`."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

import click

from flows.console import print_json, print_line, print_note, print_table, show_progress
from tingfeng.clock import SHANGHAI, SimulatedClock, show_time
from tingfeng.labels import Level

if TYPE_CHECKING:
    from flows.demo import DemoReport
    from flows.replay import Replay
    from flows.wiring import Wiring

STARTED = time.perf_counter()


@click.command("demo")
@click.option(
    "--serve/--no-serve", default=True, envvar="DEMO_SERVE", help="放完后是否开网页;也可以用变量 DEMO_SERVE=0 关掉。"
)
@click.option("--port", default=8600, show_default=True, type=click.IntRange(1, 65535), help="网页端口。")
@click.option("--json", "as_json", is_flag=True, help="只在标准输出打印一个 JSON。")
def command(serve: bool, port: int, as_json: bool) -> None:
    """放一遍演示:虚构品牌“暖芽”与两个竞品的五周,五种来源。

    回放的是录好的原始响应,走的是真实的采集、判断、计数、预警与通知;不需要网络、密钥或 Docker。
    数据放在 <状态目录>/demo,每次重新开始。
    """
    from flows.demo import open_demo
    from flows.machine import lock_file
    from flows.serve import check_port, serve_pages
    from flows.wiring import read_environment

    if serve:
        check_port("127.0.0.1", port)
    paths, environ = read_environment()
    paths.home.mkdir(parents=True, exist_ok=True)
    with lock_file(paths.home, "demo"):
        wiring, clock, replay = open_demo(paths, environ)
        try:
            report = play(wiring, clock, replay)
            show(wiring, report, as_json)
            if serve:
                print_note(f"网页:http://127.0.0.1:{port}  (Ctrl-C 停)")
                serve_pages(wiring, "127.0.0.1", port)
        finally:
            wiring.close()


def play(wiring: Wiring, clock: SimulatedClock, replay: Replay) -> DemoReport:
    """Runs the passes under a progress bar; the time to red counts from the start of this process."""
    from flows.demo import play_demo

    loading = time.perf_counter() - STARTED
    with show_progress() as progress:
        task = progress.add_task("回放", total=len(replay.passes))

        def step(number: int, total: int, at: datetime, worst: Level | None) -> None:
            level = f" 最高级别 {worst.title_zh}" if worst else ""
            progress.update(task, completed=number, description=f"{at.astimezone(SHANGHAI):%m-%d %H:%M}{level}")

        report = play_demo(wiring, clock, replay, step)
    if report.seconds_to_red is not None:
        report.seconds_to_red = round(report.seconds_to_red + loading, 1)
    return report


def show(wiring: Wiring, report: DemoReport, as_json: bool) -> None:
    """The summary: posts, mentions, net sentiment, incidents, where to look."""
    from flows.demo import list_all_incidents
    from web.views.home import count_figures

    incidents = list_all_incidents(wiring)
    if as_json:
        listed = [
            {"title": i.title, "level": str(i.peak_level), "state": str(i.state), "started_at": show_time(i.started_at)}
            for i in incidents
        ]
        print_json(report.__dict__ | {"red_at": show_time(report.red_at), "incidents": listed})
        return
    brand = wiring.subjects[0].name
    figures = count_figures(wiring.posts, brand, wiring.clock.now())
    net = "–" if figures.net is None else f"{figures.net:+.2f}"
    counts = (
        f"{report.new} 条帖子,{report.mentions} 条提及,折叠 {report.folded} 条重复,遮盖 {report.masked} 条里的个人号码"
    )
    print_line(f"\n采集 {report.passes} 轮:{counts}")
    print_line(
        f"{brand} 最近 24 小时:声量 {figures.mentions},负面 {figures.negative},净情感度 {net}(n = {figures.judged})"
    )
    rows = [(i.peak_level.title_zh, i.title, show_time(i.started_at)[5:16], i.state.title_zh) for i in incidents]
    print_table(f"事件 {len(incidents)} 个", ("级别", "事件", "开始", "状态"), rows)
    when = show_time(report.red_at)[5:16]
    red = (
        "没有红色事件"
        if report.seconds_to_red is None
        else f"第一个红色事件用时 {report.seconds_to_red} 秒(模拟时间 {when})"
    )
    print_line(f"{red};全部用时 {report.seconds} 秒;送出通知 {report.delivered} 条 → {wiring.home / 'demo.jsonl'}")
