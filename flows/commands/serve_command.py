"""`tingfeng serve`."""

from __future__ import annotations

import click

from flows.console import print_note


@click.command("serve")
@click.option("--host", default="", help="监听的地址;默认用配置,通常是 127.0.0.1(只有本机能打开)。")
@click.option("--port", type=int, default=None, help="端口;默认用配置,通常是 8600。")
def command(host: str, port: int | None) -> None:
    """只开网页:事件与证据、每小时声量、最新提及与搜索。"""
    from flows.serve import serve_pages
    from flows.wiring import open_wiring

    with open_wiring() as wiring:
        print_note(
            f"网页:http://{host or wiring.settings.web.host}:{wiring.settings.web.port if port is None else port}  (Ctrl-C 停)"
        )
        serve_pages(wiring, host, port)
