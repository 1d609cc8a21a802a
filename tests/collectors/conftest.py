"""A site on loopback that answers what it is told, and a memory that lives as long as the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from collectors.client import Limits, PoliteClient
from tingfeng.clock import SimulatedClock, parse_iso

NOW = parse_iso("2026-11-20T12:00")


@dataclass
class Answer:
    """One response; `delay` in seconds before it."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0


@dataclass
class Site:
    """`pages`: path with query → Answer or a function of the request's headers."""

    url: str = ""
    pages: dict[str, Answer | Callable[[dict[str, str]], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        """What was asked for, robots.txt left out."""
        return [path for path, _ in self.asked if path != "/robots.txt"]


class Memory:
    """Kept values in a dict."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str] = {}

    def get_value(self, kind: str, name: str) -> str | None:
        return self.values.get((kind, name))

    def set_value(self, kind: str, name: str, value: str, now: datetime) -> None:
        self.values[(kind, name)] = value


class PacingClock(SimulatedClock):
    """Sleeping moves it on, and it remembers for how long."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        from datetime import timedelta

        self.slept.append(seconds)
        self.advance(timedelta(seconds=seconds))


@pytest.fixture
def site() -> Iterator[Site]:
    told = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.asked.append((self.path, headers))
            found = told.pages.get(self.path) or told.pages.get(self.path.split("?")[0]) or Answer(status=404)
            answer = found(headers) if callable(found) else found
            if answer.delay:
                time.sleep(answer.delay)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "content-length" not in answer.headers:
                self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def clock() -> PacingClock:
    return PacingClock(NOW)


@pytest.fixture
def client(clock: PacingClock, memory: Memory) -> Iterator[PoliteClient]:
    with httpx.Client(trust_env=False) as http:
        yield PoliteClient(http, clock, memory, Limits(timeout_seconds=0.5, max_bytes=100_000))


@pytest.fixture
def answer() -> type[Answer]:
    return Answer
