"""Serves the pages of a wiring until it is interrupted."""

from __future__ import annotations

import socket
from typing import NoReturn

from flows.wiring import Wiring
from tingfeng.errors import BusyError, UsageError


def check_port(host: str, port: int, option: str = "--port") -> None:
    """Before anything is begun. Raises BusyError when the port is taken, UsageError when the address is none."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == 98:
                raise BusyError(
                    f"端口 {port} 已被占用", where=host, hint=f"换一个,例如 {option} {port + 1},或先停掉另一个"
                ) from error
            raise UsageError(
                f"地址用不了({error.strerror})", where=f"{host}:{port}", hint="请检查 [web] host 与 port"
            ) from error


def serve_pages(wiring: Wiring, host: str = "", port: int | None = None) -> NoReturn:
    """Blocks until it is interrupted, then raises KeyboardInterrupt. Raises BusyError, UsageError like check_port."""
    import uvicorn

    from web.app import create_app

    host = host or wiring.settings.web.host
    port = wiring.settings.web.port if port is None else port
    check_port(host, port)
    names = ["127.0.0.1", "localhost", "[::1]", host] if host not in ("0.0.0.0", "::") else ["*"]
    app = create_app(wiring.posts, wiring.desk, wiring.subjects, wiring.clock, names)
    uvicorn.run(app, host=host, port=port, log_level="critical", lifespan="off")
    raise KeyboardInterrupt  # uvicorn ends only when it is told to, and keeps that to itself
