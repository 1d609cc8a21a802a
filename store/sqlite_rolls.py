"""Roll-ups of mentions, changed in the transaction that changes the mentions.

By hour; by hour and source; by day and source; by quarter of a day and label (act, topic, severity, stage). Boards read them, so their
time depends on the span that is asked for and not on how many mentions there are.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from store.sqlite_rows import MENTION_COLUMNS, split_marked

HOUR_MS = 3_600_000
DAY_SHIFT = 8  # hours; days begin at midnight in Asia/Shanghai, which has had no other offset since 1991
QUARTER_HOURS = 6
PLACE = {name: place for place, name in enumerate(MENTION_COLUMNS)}
LABELS = ("act", "topic", "severity", "stage")
LABEL_PLACES = (("act", PLACE["acts"]), ("topic", PLACE["topics"]), ("severity", PLACE["severity"]), ("stage", PLACE["stage"]))
S_AT, S_SUBJECT, S_SOURCE, S_SENTIMENT, S_COPY = (
    PLACE[name] for name in ("counted_ms", "subject", "source", "sentiment", "is_copy")
)
TABLES = {
    "hours": ("hour", "subject", "sentiment", "is_copy"),
    "hours_by_source": ("hour", "subject", "sentiment", "is_copy", "source"),
    "days_by_source": ("day", "subject", "sentiment", "is_copy", "source"),
    "quarters_by_label": ("dim", "quarter", "subject", "sentiment", "is_copy", "value"),
}
Cell = tuple[object, ...]


class Rolls:
    """Differences to the roll-ups, collected and then written at once."""

    def __init__(self) -> None:
        self._hours: Counter[tuple[int, str, str, int, str]] = Counter()
        self._labels: Counter[tuple[int, str, str, int, str, str, str, str]] = Counter()

    def add(self, mentions: Iterable[Sequence[object]], sign: int = 1) -> None:
        """Rows with the columns of MENTION_COLUMNS come (+1) or go (−1)."""
        hours, labels = self._hours, self._labels
        for row in mentions:
            hour: int = row[S_AT] // HOUR_MS  # type: ignore[operator]
            at: tuple[str, str, int] = (row[S_SUBJECT], row[S_SENTIMENT], row[S_COPY])  # type: ignore[assignment]
            hours[(hour, *at, row[S_SOURCE])] += sign  # type: ignore[index]
            labels[((hour + DAY_SHIFT) // QUARTER_HOURS, *at, *(row[place] for _, place in LABEL_PLACES))] += sign  # type: ignore[index]

    def write(self, db: sqlite3.Connection) -> None:
        """Adds the differences; cells that fall to nothing go."""
        hours: Counter[Cell] = Counter()
        days: Counter[Cell] = Counter()
        labels: Counter[Cell] = Counter()
        for (hour, subject, sentiment, is_copy, source), n in self._hours.items():
            hours[(hour, subject, sentiment, is_copy)] += n
            days[((hour + DAY_SHIFT) // 24, subject, sentiment, is_copy, source)] += n
        for (quarter, subject, sentiment, is_copy, *values), n in self._labels.items():
            for (dim, _), marked in zip(LABEL_PLACES, values, strict=True):
                for value in split_marked(marked) or [""]:
                    labels[(dim, quarter, subject, sentiment, is_copy, value)] += n
        for table, cells in (
            ("hours", hours),
            ("hours_by_source", self._hours),
            ("days_by_source", days),
            ("quarters_by_label", labels),
        ):
            write_cells(db, table, cells)


def write_cells(db: sqlite3.Connection, table: str, cells: Counter[Cell] | Counter[tuple[int, str, str, int, str]]) -> None:
    """Differences of one table."""
    names = TABLES[table]
    moved: list[tuple[*Cell, int]] = [(*key, n) for key, n in cells.items() if n]
    db.executemany(
        f"INSERT INTO {table} VALUES ({','.join('?' * (len(names) + 1))}) ON CONFLICT DO UPDATE SET n = n + excluded.n",
        moved,
    )
    where = " AND ".join(f"{name} = ?" for name in names)
    db.executemany(f"DELETE FROM {table} WHERE {where} AND n <= 0", [cell[:-1] for cell in moved if cell[-1] < 0])


def rebuild_rolls(db: sqlite3.Connection) -> None:
    """All roll-ups and zones anew from the rows, inside the running transaction."""
    for table in (*TABLES, "zones"):
        db.execute(f"DELETE FROM {table}")
    rolls = Rolls()
    rolls.add(db.execute(f"SELECT {','.join(MENTION_COLUMNS)} FROM mentions"))
    rolls.write(db)
    db.execute("INSERT INTO zones SELECT row >> 12, min(counted_ms), max(counted_ms), count(*) FROM posts GROUP BY row >> 12")
