"""A TCP proxy on loopback that can misbehave: refuse, be slow, or swallow everything while its connections stay open."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress


class BadProxy:
    """Forwards to a port. `mode`: pass, refuse (new connections are closed at once), stall (nothing goes through), slow (`delay_seconds`)."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.mode, self.delay_seconds, self.accepted = "pass", 0.05, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                self.accepted += 1
                far = None if self.mode == "refuse" else self._reach()
                if far is None:
                    near.close()
                    continue
                self._ends += [near, far]
                for here, there in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=(here, there), daemon=True).start()

    def _reach(self) -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", self._target))
        except OSError:  # the server is down: so are we
            return None

    def _forward(self, here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while block := here.recv(65536):
                if self.mode == "slow":
                    time.sleep(self.delay_seconds)
                if self.mode != "stall":  # what is swallowed never comes again, as behind a dead middlebox
                    there.sendall(block)
        for end in (here, there):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Ends the connections that are open."""
        for end in list(self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends everything."""
        self._listener.close()
        self.cut()
        for end in self._ends:
            end.close()
