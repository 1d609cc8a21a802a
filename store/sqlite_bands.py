"""Band keys: which posts may be copies of each other. One number names the part of the file, the key and the post.

Keys are as good as random. Within parts of 65,536 posts their inserts meet few pages of the file, however large it is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from store.posts import NearPost
from store.sqlite_rows import from_signed

PART_BITS, KEY_BITS = 16, 24
IN_PART, IN_KEY = (1 << PART_BITS) - 1, (1 << KEY_BITS) - 1


def pack_band(key: int, row: int) -> int:
    """Part, key, row within the part. Keys beyond 24 bits share places; find_near looks at the key that the post names."""
    return (row >> PART_BITS) << (PART_BITS + KEY_BITS) | (key & IN_KEY) << PART_BITS | row & IN_PART


def add_bands(db: sqlite3.Connection, posts: Iterable[tuple[int, Sequence[int]]]) -> None:
    """(row, keys) of judged posts."""
    places = sorted(pack_band(key, row) for row, keys in posts for key in keys)
    db.executemany("INSERT OR IGNORE INTO bands VALUES (?)", zip(places))


def drop_bands(db: sqlite3.Connection, posts: Iterable[tuple[int, str]]) -> None:
    """(row, its own list of keys)."""
    places = [(pack_band(int(key), row),) for row, keys in posts for key in keys.split()]
    db.executemany("DELETE FROM bands WHERE place = ?", places)


def find_near(db: sqlite3.Connection, keys: Sequence[int], since_ms: int, first: int, last: int) -> list[NearPost]:
    """Posts of rows first … last that share a key, oldest first."""
    wanted = {str(key) for key in keys}
    found: dict[str, tuple[int, NearPost]] = {}
    for part in range(first >> PART_BITS, (last >> PART_BITS) + 1):
        starts = json.dumps(sorted({pack_band(key, part << PART_BITS) for key in keys}))
        for row in db.execute(
            "SELECT p.id, p.signature, p.grp, p.counted_ms, p.bands FROM json_each(:starts) k "
            f"CROSS JOIN bands b ON b.place BETWEEN k.value AND k.value + {IN_PART} "
            f"CROSS JOIN posts p ON p.row = (:part << {PART_BITS}) + (b.place & {IN_PART}) "
            "WHERE p.row >= :first AND p.counted_ms >= :since",
            {"starts": starts, "part": part, "first": first, "since": since_ms},
        ):
            if not wanted.isdisjoint(row["bands"].split()):
                near = NearPost(row["id"], from_signed(row["signature"]), row["grp"])
                found[row["id"]] = (row["counted_ms"], near)
    return [near for _, near in sorted(found.values(), key=lambda pair: (pair[0], pair[1].post_id))]
