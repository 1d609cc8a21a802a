"""Serves the pages of a wiring until it is interrupted."""

from __future__ import annotations

import socket

from flows.wiring import Wiring
from tingfeng.errors import BusyError, UsageError


def serve_pages(wiring: Wiring, host: str = "", port: int | None = None) -> None:
    """Blocks. Raises BusyError when the port is taken, UsageError when the address is none."""
    import uvicorn

    from web.app import create_app

    host = host or wiring.settings.web.host
    port = wiring.settings.web.port if port is None else port
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == 98:
                raise BusyError(
                    f"端口 {port} 已被占用", where=host, hint="换一个:--port 8601,或先停掉另一个"
                ) from error
            raise UsageError(
                f"地址用不了({error.strerror})", where=f"{host}:{port}", hint="请检查 [web] host 与 port"
            ) from error
    names = ["127.0.0.1", "localhost", "[::1]", host] if host not in ("0.0.0.0", "::") else ["*"]
    app = create_app(wiring.posts, wiring.desk, wiring.subjects, wiring.clock, names)
    try:
        uvicorn.run(app, host=host, port=port, log_level="critical", lifespan="off")
    except KeyboardInterrupt:
        return  # Ctrl-C is how a person ends it
