"""`tingfeng serve`."""

from __future__ import annotations

import click

from flows.console import print_note


@click.command("serve")
@click.option("--host", default="", help="监听的地址;默认用配置,通常是 127.0.0.1(只有本机能打开)。")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="端口;默认用配置,通常是 8600。")
@click.option("--at", default="", help="把页面定在这个时刻看(ISO),用来回看历史;默认是现在。")
def command(host: str, port: int | None, at: str) -> None:
    """只开网页:事件与证据、每小时声量、最新提及与搜索。"""
    from flows.serve import serve_pages
    from flows.wiring import open_wiring
    from tingfeng.clock import SimulatedClock, parse_iso
    from tingfeng.errors import UsageError

    try:
        clock = SimulatedClock(parse_iso(at)) if at else None
    except ValueError as error:
        raise UsageError(f"时间读不懂:{at}", where="--at", hint="例如 2022-10-02T12:00") from error
    with open_wiring(clock) as wiring:
        print_note(
            f"网页:http://{host or wiring.settings.web.host}:{wiring.settings.web.port if port is None else port}  (Ctrl-C 停)"
        )
        serve_pages(wiring, host, port)
