"""Zones: for each 4096 rows of posts, between which times they lie. What is asked about a time need not look at other zones."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

ZONE_BITS = 12
LAST_ROW = (1 << 62) - 1


@dataclass(frozen=True)
class Span:
    """Milliseconds; None is open."""

    since: int | None
    until: int | None

    def sql(self, column: str) -> str:
        """` AND …` with :since and :until."""
        return (f" AND {column} >= :since" if self.since is not None else "") + (
            f" AND {column} < :until" if self.until is not None else ""
        )


def find_zones(db: sqlite3.Connection, span: Span, before: int | None = None) -> list[tuple[int, int]]:
    """(newest_ms, zone) of the zones that may hold posts of the span, at or before a time; the newest first."""
    wanted = {"since": span.since, "until": span.until, "before": before}
    sql = "SELECT newest_ms, zone FROM zones WHERE 1"
    sql += " AND newest_ms >= :since" if span.since is not None else ""
    sql += " AND oldest_ms < :until" if span.until is not None else ""
    sql += " AND oldest_ms <= :before" if before is not None else ""
    return [tuple(row) for row in db.execute(f"{sql} ORDER BY newest_ms DESC, zone DESC", wanted)]


def find_rows(db: sqlite3.Connection, span: Span) -> tuple[int, int]:
    """First and last row of posts that may lie in the span."""
    if span.since is None and span.until is None:
        return -LAST_ROW, LAST_ROW
    zones = [zone for _, zone in find_zones(db, span)]
    return (min(zones) << ZONE_BITS, (max(zones) + 1 << ZONE_BITS) - 1) if zones else (0, -1)


def merge_zones(zones: Iterable[int]) -> list[tuple[int, int]]:
    """Ranges of rows; neighbours become one."""
    ranges: list[tuple[int, int]] = []
    for zone in sorted(zones):
        low, high = zone << ZONE_BITS, (zone + 1 << ZONE_BITS) - 1
        if ranges and ranges[-1][1] + 1 == low:
            ranges[-1] = (ranges[-1][0], high)
        else:
            ranges.append((low, high))
    return ranges


def zone_starts(db: sqlite3.Connection, low: int, high: int) -> list[int]:
    """First rows of the zones between two rows, the last zone first."""
    span = (low >> ZONE_BITS, high >> ZONE_BITS)
    rows = db.execute("SELECT zone FROM zones WHERE zone BETWEEN ? AND ? ORDER BY zone DESC", span)
    return [row[0] << ZONE_BITS for row in rows]


def widen_zones(db: sqlite3.Connection, added: Iterable[tuple[int, int]]) -> None:
    """(row, counted_ms) of new posts."""
    zones: dict[int, list[int]] = {}
    for row, at in added:
        zones.setdefault(row >> ZONE_BITS, []).append(at)
    db.executemany(
        "INSERT INTO zones VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "oldest_ms = min(oldest_ms, excluded.oldest_ms), newest_ms = max(newest_ms, excluded.newest_ms), n = n + excluded.n",
        [(zone, min(times), max(times), len(times)) for zone, times in zones.items()],
    )


def stretch_zone(db: sqlite3.Connection, row: int, counted_ms: int) -> None:
    """A post of the zone has moved in time."""
    db.execute(
        "UPDATE zones SET oldest_ms = min(oldest_ms, ?), newest_ms = max(newest_ms, ?) WHERE zone = ?",
        (counted_ms, counted_ms, row >> ZONE_BITS),
    )


def shrink_zones(db: sqlite3.Connection, deleted: Iterable[int]) -> None:
    """Rows that went; the times of a zone stay, for they only have to be wide enough."""
    db.executemany("UPDATE zones SET n = n - 1 WHERE zone = ?", [(row >> ZONE_BITS,) for row in deleted])
    db.execute("DELETE FROM zones WHERE n <= 0")
