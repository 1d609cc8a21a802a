"""Is the file what it should be? Pages, full-text index, roll-ups against the mentions themselves; and how to make it so again."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable

from store.sqlite_rolls import HOUR_MS, TABLES, rebuild_rolls
from store.sqlite_rows import index_text

SAMPLE = 200
HOURS = 24
BATCH = 2000
Say = Callable[[str], None]


def find_damage(db: sqlite3.Connection, seed: int = 0) -> list[str]:
    """Sentences in Chinese, [] when all is well. Reads the whole file; writes nothing (FTS5 asks its check as an INSERT)."""
    pages = [row[0] for row in db.execute("PRAGMA quick_check(5)")]
    if pages != ["ok"]:
        return [f"数据页有损坏:{';'.join(pages)[:300]}"]
    rng = random.Random(seed)
    return [*check_index(db, rng), *check_rolls(db, rng), *check_zones(db)]


def check_index(db: sqlite3.Connection, rng: random.Random) -> list[str]:
    """FTS5's own check, one entry for each post, and a sample of posts that must be found by their words."""
    try:
        db.execute("INSERT INTO search (search) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        if "readonly" not in str(error):
            return [f"全文索引损坏({error})"]
    missing = db.execute("SELECT count(*) FROM posts WHERE row NOT IN (SELECT id FROM search_docsize)").fetchone()[0]
    orphans = db.execute("SELECT count(*) FROM search_docsize WHERE id NOT IN (SELECT row FROM posts)").fetchone()[0]
    if missing or orphans:
        return [f"全文索引少 {missing} 条、多 {orphans} 条"]
    last = db.execute("SELECT max(row) FROM posts").fetchone()[0] or 0
    lost = 0
    for start in sorted(rng.sample(range(1, last + 1), min(SAMPLE, last))):
        row = db.execute("SELECT row, text FROM posts WHERE row >= ? LIMIT 1", (start,)).fetchone()
        tokens = index_text(row["text"]).split()[:8]
        sql = "SELECT 1 FROM search WHERE search MATCH ? AND rowid = ?"
        if tokens and not db.execute(sql, (f'body : "{" ".join(tokens)}"', row["row"])).fetchone():
            lost += 1
    return [f"抽查的帖子里有 {lost} 条搜不到"] if lost else []


def check_rolls(db: sqlite3.Connection, rng: random.Random) -> list[str]:
    """All roll-ups count the same mentions, and in sampled hours the same as the mentions do."""
    mentions = db.execute("SELECT count(*) FROM mentions").fetchone()[0]
    totals = [db.execute(f"SELECT COALESCE(sum(n), 0) FROM {table}").fetchone()[0] for table in list(TABLES)[:3]]
    totals.append(db.execute("SELECT COALESCE(sum(n), 0) FROM quarters_by_label WHERE dim = 'severity'").fetchone()[0])
    if set(totals) != {mentions}:
        return [f"汇总与提及对不上:提及 {mentions} 条,汇总 {totals}"]
    hours = [row[0] for row in db.execute("SELECT DISTINCT hour FROM hours")]
    for hour in rng.sample(hours, min(HOURS, len(hours))):
        names = "subject, sentiment, is_copy, source"
        told = db.execute(f"SELECT {names}, n FROM hours_by_source WHERE hour = ? ORDER BY {names}", (hour,))
        raw = db.execute(
            f"SELECT {names}, count(*) FROM mentions WHERE counted_ms >= ? AND counted_ms < ? GROUP BY {names} ORDER BY {names}",
            (hour * HOUR_MS, (hour + 1) * HOUR_MS),
        )
        if [tuple(row) for row in told] != [tuple(row) for row in raw]:
            return ["抽查的小时里,汇总与提及对不上"]
    return []


def check_zones(db: sqlite3.Connection) -> list[str]:
    """Each zone covers its posts."""
    wrong = db.execute(
        "SELECT count(*) FROM (SELECT row >> 12 AS zone, min(counted_ms) AS low, max(counted_ms) AS high, count(*) AS n "
        "FROM posts GROUP BY 1) f LEFT JOIN zones z USING (zone) "
        "WHERE z.zone IS NULL OR z.oldest_ms > f.low OR z.newest_ms < f.high OR z.n <> f.n"
    ).fetchone()[0]
    return [f"{wrong} 个区段的时间范围不对"] if wrong else []


def repair(db: sqlite3.Connection, say: Say) -> None:
    """Index, zones and roll-ups anew from posts and mentions, inside the running transaction."""
    say("重建全文索引")
    db.execute("INSERT INTO search (search) VALUES ('delete-all')")
    cursor = db.execute("SELECT row, title, text FROM posts ORDER BY row")
    while rows := cursor.fetchmany(BATCH):
        entries = [(row["row"], index_text(row["title"]), index_text(row["text"])) for row in rows]
        db.executemany("INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)", entries)
    say("重建汇总")
    rebuild_rolls(db)
