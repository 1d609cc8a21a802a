"""`tingfeng up`."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from flows.console import print_note

SERVER_PORT = 4200
PATIENCE_SECONDS = 180
PR_SET_PDEATHSIG = 1  # prctl(2)


@click.command("up")
@click.option("--prefect-port", default=SERVER_PORT, show_default=True, type=click.IntRange(1, 65535), help="Prefect 服务的端口(只在本机)。")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="网页端口,只这一次;默认(通知里的链接也)用配置。")
def command(prefect_port: int, port: int | None) -> None:
    """持续运行:Prefect 服务、按 [schedule] every_minutes 定时完整跑一遍、网页。Ctrl-C 全部停下。

    状态都在状态目录(TINGFENG_HOME,默认 ./var)里;再次启动会接着来。
    """
    from flows.machine import lock_file
    from flows.prefect_home import prepare_environment
    from flows.serve import check_port, serve_pages
    from flows.wiring import open_wiring

    with open_wiring() as wiring:
        if not wiring.sources:
            print_note("提醒:还没有来源,网页可以看,但不会有新数据;见 tingfeng init")
        wiring.check_channels()
        web = wiring.settings.web
        chosen = web.port if port is None else port
        check_port(web.host, chosen)
        check_port("127.0.0.1", prefect_port, "--prefect-port")
        prepare_environment(wiring.home, f"http://127.0.0.1:{prefect_port}/api")
        server = [
            sys.executable,
            "-m",
            "prefect",
            "server",
            "start",
            "--host",
            "127.0.0.1",
            "--port",
            str(prefect_port),
            "--no-ui",
        ]
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # an orderly end by a supervisor is one by Ctrl-C
        with lock_file(wiring.home, "up"), run_child(server, wiring.home / "prefect-server.log") as child:
            wait_for_server(prefect_port, child)
            with run_child([sys.executable, "-m", "flows.monitor"], wiring.home / "schedule.log"):
                every = wiring.settings.schedule.every_minutes
                print_note(f"Prefect:http://127.0.0.1:{prefect_port};每 {every} 分钟跑一遍")
                print_note(f"网页:http://{web.host}:{chosen}  (Ctrl-C 停)")
                serve_pages(wiring, port=port)


@contextmanager
def run_child(command: list[str], log: object) -> Iterator[subprocess.Popen[bytes]]:
    """A child process and its children, which end with us even when we are killed; what they say goes into a log file."""
    with open(str(log), "ab") as stream:
        child = subprocess.Popen(
            command, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=end_with_parent
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def end_with_parent() -> None:
    """Asks Linux for a SIGTERM when the parent dies; other systems have no such thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_for_server(port: int, server: subprocess.Popen[bytes]) -> None:
    """Until the server answers. Raises UnreachableError when it has ended, or after three minutes."""
    import httpx

    from tingfeng.errors import UnreachableError

    print_note("正在启动 Prefect 服务(第一次约半分钟)…")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/api/health", timeout=2).is_success:
                return
        time.sleep(0.5)
    raise UnreachableError(
        "Prefect 服务没有起来", where=f"127.0.0.1:{port}", hint="看状态目录里的 prefect-server.log,或换 --prefect-port"
    )
