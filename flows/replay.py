"""Answers requests from a pack of recorded responses, so that a demo runs the real collectors without a network.

The pack is made by benchmarks/demo_pack.py; its format is described there. Time moves forward only.
"""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from tingfeng.clock import Clock
from tingfeng.errors import UsageError

# parts of a request that change from call to call and say nothing about what is asked for
PASSING = frozenset({"ts", "rs", "signature", "type", "page_size", "_", "field"})


@dataclass(frozen=True)
class Recorded:
    """One response as it was."""

    status: int
    type: str
    body: bytes


class Replay(httpx.BaseTransport):
    """Serves for each address the newest response that is not later than the clock; 404 for what was never recorded.

    `inbox`: folder into which recorded exports grow as time passes. Raises UsageError when the pack cannot be read.
    """

    def __init__(self, pack: Path, clock: Clock, inbox: Path) -> None:
        try:
            self._lines = iter(lzma.decompress(pack.read_bytes()).decode("utf-8").splitlines())
            self.passes = [datetime.fromisoformat(at) for at in json.loads(next(self._lines))["passes"]]
        except (OSError, lzma.LZMAError, UnicodeDecodeError, ValueError, KeyError, StopIteration) as error:
            raise UsageError(f"演示数据读不了({error})", where=str(pack), hint="请重新取一份完整的代码") from error
        self._clock, self._inbox = clock, inbox
        self._held: tuple[datetime, dict[str, str]] | None = None
        self._now: dict[str, Recorded] = {}

    def catch_up(self) -> None:
        """Takes in everything recorded up to the clock's time; exports gain their lines."""
        now = self._clock.now()
        for at, row in self._ahead():
            if at > now:
                self._held = (at, row)
                return
            body = base64.b64decode(row["body64"]) if "body64" in row else row["body"].encode()
            if row["key"].startswith("inbox "):
                self._grow_export(row["key"].removeprefix("inbox "), body)
            else:
                self._now[row["key"]] = Recorded(int(row["status"]), row["type"], body)

    def _ahead(self) -> Iterator[tuple[datetime, dict[str, str]]]:
        if self._held:
            held, self._held = self._held, None
            yield held
        for line in self._lines:
            row = json.loads(line)
            yield datetime.fromisoformat(row["at"]), row

    def _grow_export(self, name: str, lines: bytes) -> None:
        file = self._inbox / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as stream:
            stream.write(lines)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.catch_up()
        found = self._now.get(name_request(request.url))
        if found is None:
            return httpx.Response(404, request=request)
        etag = f'"{hashlib.blake2b(found.body, digest_size=8).hexdigest()}"'
        if request.headers.get("if-none-match") == etag:
            return httpx.Response(304, headers={"etag": etag}, request=request)
        return httpx.Response(
            found.status, headers={"content-type": found.type, "etag": etag}, content=found.body, request=request
        )


def name_request(url: httpx.URL) -> str:
    """Host, path and the query without its passing parts, in order of name."""
    kept = sorted((key, value) for key, value in url.params.multi_items() if key not in PASSING)
    query = "&".join(f"{key}={value}" for key, value in kept)
    return f"{url.host}{url.path}" + (f"?{query}" if query else "")
