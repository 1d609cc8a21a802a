"""The clock is a parameter: aware UTC inside, Asia/Shanghai at the edges."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Waits, or moves a simulated clock on."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class SimulatedClock:
    """Stands still until told to move; sleeping costs no real time and does not advance it."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def sleep(self, seconds: float) -> None:
        return None

    def advance(self, delta: timedelta) -> None:
        self._at += delta

    def move_to(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)


def floor_time(at: datetime, seconds: int) -> datetime:
    """The start of the interval of `seconds` that holds `at`; days begin at midnight in Asia/Shanghai."""
    offset = 8 * 3600 if seconds % 86400 == 0 else 0
    epoch = int(at.timestamp()) + offset
    return datetime.fromtimestamp(epoch - epoch % seconds - offset, UTC)


def parse_iso(text: str) -> datetime:
    """ISO 8601 to aware UTC; a date or a time without offset is read as Asia/Shanghai. Raises ValueError."""
    at = datetime.fromisoformat(text.strip())
    return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def show_time(at: datetime | None) -> str:
    """ISO 8601 with the offset of Asia/Shanghai, to the second; '' for None."""
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds") if at else ""
