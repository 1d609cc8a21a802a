"""Whole posts with their judgements, for moving them to another engine."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from store.posts import StoredPost
from store.sqlite_rows import MENTION_COLUMNS, from_signed, read_mention, read_post
from store.sqlite_write import select_in
from tingfeng.labels import Content
from tingfeng.records import JudgedPost, Mention


def read_stored(db: sqlite3.Connection, after: str, limit: int) -> list[StoredPost]:
    """The next posts in the order of their ids."""
    return add_judgements(db, db.execute("SELECT * FROM posts WHERE id > ? ORDER BY id LIMIT ?", (after, limit)).fetchall())


def get_posts(db: sqlite3.Connection, ids: Sequence[str]) -> list[StoredPost]:
    """See PostStore.get_posts."""
    found = {one.post.id: one for one in add_judgements(db, select_in(db, "SELECT * FROM posts WHERE id IN", list(dict.fromkeys(ids))))}
    return [found[id] for id in dict.fromkeys(ids) if id in found]


def get_group(db: sqlite3.Connection, groups: Sequence[str], since_ms: int) -> list[StoredPost]:
    """See PostStore.get_group."""
    where = f"SELECT * FROM posts WHERE judged_ms IS NOT NULL AND counted_ms >= {since_ms} AND"
    copies = select_in(db, f"{where} is_copy = 1 AND grp IN", list(groups))
    firsts = select_in(db, f"{where} is_copy = 0 AND id IN", list(groups))
    return add_judgements(db, sorted([*firsts, *copies], key=lambda row: (row["counted_ms"], row["id"])))


def add_judgements(db: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[StoredPost]:
    """Rows of `posts` with their mentions."""
    ids = {row["row"]: row["id"] for row in rows}
    mentions: dict[str, list[Mention]] = {id: [] for id in ids.values()}
    for found in select_in(db, f"SELECT {','.join(MENTION_COLUMNS)} FROM mentions WHERE post_row IN", list(ids)):
        id = ids[found["post_row"]]
        mentions[id].append(read_mention(found, id))
    return [StoredPost(read_post(row), read_judgement(row, mentions[row["id"]]), row["judged_ms"] is not None) for row in rows]


def read_judgement(row: sqlite3.Row, mentions: list[Mention]) -> JudgedPost | None:
    """What was judged last; None for a post that never was."""
    if not row["content"]:
        return None
    return JudgedPost(
        row["id"], Content(row["content"]), tuple(mentions), row["grp"], bool(row["is_copy"]), from_signed(row["signature"]),
        tuple(map(int, row["bands"].split())), tuple(row["words"].split()),
    )  # fmt: skip
