"""What changes posts and mentions. Each function runs inside a transaction of the caller and keeps index, zones and roll-ups right."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from store.correcting import Correction, correct, keep_labels
from store.posts import AddResult
from store.sqlite_bands import add_bands, drop_bands
from store.sqlite_rolls import Rolls
from store.sqlite_rows import (
    MENTION_COLUMNS,
    POST_COLUMNS,
    dump,
    index_text,
    join_marked,
    pack_details,
    post_row,
    read_mention,
    to_ms,
    to_signed,
)
from store.sqlite_zones import shrink_zones, stretch_zone, widen_zones
from tingfeng.errors import StoreError
from tingfeng.records import JudgedPost, Mention, Post

CHUNK = 500
INSERT = f"INSERT INTO posts (row,{','.join(POST_COLUMNS)}) VALUES ({','.join('?' * (len(POST_COLUMNS) + 1))})"
# what a later sight of a post may change; first_seen_ms and the judgement stay
CHANGING = tuple(name for name in POST_COLUMNS if name not in ("id", "source", "native_id", "first_seen_ms"))
KNOWN = "SELECT row, id, text_hash, state_hash, title, text, published_ms, first_seen_ms, counted_ms, judged_ms FROM posts WHERE id IN"
MENTIONS_OF = f"SELECT {','.join(MENTION_COLUMNS)} FROM mentions WHERE post_row IN"
INSERT_MENTION = f"INSERT INTO mentions ({','.join(MENTION_COLUMNS)}) VALUES ({','.join('?' * len(MENTION_COLUMNS))})"
INDEX = "INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)"
UNINDEX = "INSERT INTO search (search, rowid, title, body) VALUES ('delete', ?, ?, ?)"
JUDGE = (
    "UPDATE posts SET judged_ms = ?, content = ?, grp = ?, is_copy = ?, signature = ?, words = ?, bands = ?, "
    "lease_owner = '', lease_ms = 0 WHERE row = ?"
)


def add_posts(db: sqlite3.Connection, posts: Iterable[Post]) -> AddResult:
    """See PostStore.add_posts."""
    latest = {post.id: post for post in posts}
    known = {row["id"]: row for row in select_in(db, KNOWN, list(latest))}
    fresh = [(post, post_row(post, id)) for id, post in latest.items() if id not in known]
    row = (db.execute("SELECT max(row) FROM posts").fetchone()[0] or 0) + 1
    db.executemany(INSERT, [(row + n, *values) for n, (_, values) in enumerate(fresh)])
    changed = [id for id in latest if id in known and update_post(db, known[id], latest[id])]
    db.executemany(
        INDEX, [(row + n, index_text(post.title), index_text(post.text)) for n, (post, _) in enumerate(fresh)]
    )
    widen_zones(db, [(row + n, to_ms(post.counted_at)) for n, (post, _) in enumerate(fresh)])
    seen = set(known) - set(changed)
    return AddResult(
        tuple(id for id in latest if id not in known), tuple(changed), tuple(id for id in latest if id in seen)
    )


def update_post(db: sqlite3.Connection, old: sqlite3.Row, post: Post) -> bool:
    """Writes what changed; the index and the judgement are touched only when the text did."""
    row: dict[str, Any] = dict(zip(POST_COLUMNS, post_row(post, old["id"]), strict=True))
    text_changed = row["text_hash"] != old["text_hash"]
    if not text_changed and row["state_hash"] == old["state_hash"]:
        return False
    published = row["published_ms"] if row["published_ms"] is not None else old["published_ms"]
    row["counted_ms"] = published if published is not None else old["first_seen_ms"]
    names = [name for name in CHANGING if row[name] is not None]
    unjudge = ", judged_ms = NULL, lease_ms = 0" if text_changed else ""
    db.execute(
        f"UPDATE posts SET {', '.join(f'{name} = ?' for name in names)}{unjudge} WHERE row = ?",
        (*(row[name] for name in names), old["row"]),
    )
    if text_changed:
        db.execute(UNINDEX, (old["row"], index_text(old["title"]), index_text(old["text"])))
        db.execute(INDEX, (old["row"], index_text(post.title), index_text(post.text)))
    if row["counted_ms"] != old["counted_ms"]:
        move_post(db, old["row"], row["counted_ms"])
    return True


def move_post(db: sqlite3.Connection, row: int, counted_ms: int) -> None:
    """Counts the mentions of a post under another time."""
    rolls = Rolls()
    rolls.add(select_in(db, MENTIONS_OF, [row]), -1)
    db.execute("UPDATE mentions SET counted_ms = ? WHERE post_row = ?", (counted_ms, row))
    rolls.add(select_in(db, MENTIONS_OF, [row]))
    rolls.write(db)
    stretch_zone(db, row, counted_ms)


def save_judged(db: sqlite3.Connection, judged: Sequence[JudgedPost], now: datetime) -> None:
    """See PostStore.save_judged."""
    by_id = {one.post_id: one for one in judged}
    sql = "SELECT row, id, counted_ms, source, author_key, judged_ms, bands FROM posts WHERE id IN"
    found = sorted(select_in(db, sql, list(by_id)), key=lambda row: row["row"])
    pairs = [(post, by_id[post["id"]]) for post in found]
    rolls = Rolls()
    old = select_in(db, MENTIONS_OF, [post["row"] for post in found])
    rolls.add(old, -1)
    kept = {row["id"]: row for row in old if row["corrected_by"]}
    if old:
        run_in(db, "DELETE FROM mentions WHERE post_row IN", [post["row"] for post in found])
    drop_bands(db, [(row["row"], row["bands"]) for row in found])
    mentions = [mention_row(post, one, mention, kept) for post, one in pairs for mention in one.mentions]
    db.executemany(INSERT_MENTION, mentions)
    rolls.add(mentions)
    add_bands(db, [(post["row"], one.band_keys) for post, one in pairs])
    at = to_ms(now)
    db.executemany(
        JUDGE,
        [
            (
                at,
                str(one.content),
                one.duplicate_group or one.post_id,
                int(one.is_copy),
                to_signed(one.signature),
                " ".join(one.words),
                " ".join(map(str, one.band_keys)),
                post["row"],
            )
            for post, one in pairs
        ],
    )
    rolls.write(db)


def mention_row(
    post: sqlite3.Row, one: JudgedPost, mention: Mention, kept: Mapping[str, sqlite3.Row]
) -> tuple[object, ...]:
    """Values in the order of MENTION_COLUMNS; a person's label stands."""
    id = mention.id
    if id in kept:
        mention = keep_labels(mention, read_mention(kept[id], one.post_id))
    return (
        id, post["row"], mention.subject, post["counted_ms"], post["source"], post["author_key"],
        str(mention.sentiment), join_marked(mention.acts), dump(dict(mention.probabilities)),
        join_marked(mention.harm_words), int(bool(mention.harm_words)), int(one.is_copy), mention.model, mention.corrected_by,
        join_marked(sorted({str(opinion.topic) for opinion in mention.opinions})), str(mention.severity or ""), str(mention.stage or ""),
        pack_details(mention),
    )  # fmt: skip


def correct_mention(db: sqlite3.Connection, mention_id: str, correction: Correction, user: str) -> Mention:
    """See PostStore.correct_mention."""
    one = f"SELECT {','.join(MENTION_COLUMNS)} FROM mentions WHERE id = ?"
    row = db.execute(one, (mention_id,)).fetchone()
    if row is None:
        raise StoreError("没有这条提及", where=mention_id, hint="可能已经删除或重新判断")
    post_id = db.execute("SELECT id FROM posts WHERE row = ?", (row["post_row"],)).fetchone()["id"]
    mention = correct(read_mention(row, post_id), correction, user)
    rolls = Rolls()
    rolls.add([row], -1)
    db.execute(
        "UPDATE mentions SET sentiment = ?, acts = ?, severity = ?, corrected_by = ?, details = ? WHERE id = ?",
        (str(mention.sentiment), join_marked(mention.acts), str(mention.severity or ""), user, pack_details(mention), mention_id),
    )
    rolls.add([db.execute(one, (mention_id,)).fetchone()])
    rolls.write(db)
    return mention


def delete_rows(db: sqlite3.Connection, where: str, parameters: Sequence[object], numbers: Sequence[int]) -> int:
    """Those of the rows that (still) meet the condition, with their mentions and index entries."""
    rows = db.execute(
        f"SELECT row, title, text, bands FROM posts WHERE row IN ({','.join(map(str, numbers))}) AND {where} ORDER BY row",
        parameters,
    ).fetchall()
    doomed = [row["row"] for row in rows]
    rolls = Rolls()
    rolls.add(select_in(db, MENTIONS_OF, doomed), -1)
    run_in(db, "DELETE FROM mentions WHERE post_row IN", doomed)
    drop_bands(db, [(row["row"], row["bands"]) for row in rows])
    db.executemany(UNINDEX, [(row["row"], index_text(row["title"]), index_text(row["text"])) for row in rows])
    run_in(db, "DELETE FROM posts WHERE row IN", doomed)
    shrink_zones(db, doomed)
    rolls.write(db)
    return len(doomed)


def select_in(db: sqlite3.Connection, sql: str, values: Sequence[object]) -> list[sqlite3.Row]:
    """`sql (?, ?, …)` in chunks."""
    found: list[sqlite3.Row] = []
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        found += db.execute(f"{sql} ({','.join('?' * len(chunk))})", tuple(chunk)).fetchall()
    return found


def run_in(db: sqlite3.Connection, sql: str, values: Sequence[object]) -> int:
    """The same for a change; returns how many rows."""
    total = 0
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        total += db.execute(f"{sql} ({','.join('?' * len(chunk))})", tuple(chunk)).rowcount
    return total
