"""`make bench-stores`: SQLitePostStore at 10 thousand to 5 million posts. Writes benchmarks/results_sqlite.json.

The baseline of writing is a plain program over sqlite3: a table of posts and one of mentions with the same columns and their ids as
keys, and FTS5 over the same units, cut by the same function; the same batches and settings, taking turns with ours, batch by batch,
so that both meet the same load. It keeps no further index, no roll-up, no zones, and does not ask whether a post is there already.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.store_corpus import NOW, RARE, SPAN, Corpus
from store.posts import Dim, Order, PostStore
from store.sqlite import SQLitePostStore
from store.sqlite_rows import (
    MENTION_COLUMNS,
    POST_COLUMNS,
    dump,
    index_text,
    join_marked,
    pack_details,
    post_row,
    to_ms,
)
from tingfeng.query import parse_query
from tingfeng.records import JudgedPost, Post

RESULTS = Path(__file__).resolve().parent / "results_sqlite.json"
SIZES = (10_000, 100_000, 1_000_000)
MOST_WITH_BASELINE = 1_000_000
BATCH = 1000
RUNS = 60
SEARCHES = (
    ("常见词(半数帖子)", "暖芽"),
    ("常见词", "客服"),
    ("少见词", RARE),
    ("短语", '"机器人来回说一样的话"'),
    ("NEAR", "NEAR/20(客服 (机器人 OR 排队))"),
    ("NEAR,常见词而极少相近", "NEAR/10(客服 (没有 OR 不管))"),
    ("字段", "sentiment:negative"),
    ("少见字段值", "severity:safety"),
    ("对象与字段", "subject:橙屿 sentiment:negative"),
    ("对象与词", "subject:沐禾 退款"),
    ("词而无词", "暖芽 -客服"),
    ("对象而无词", "subject:暖芽 -客服"),
    ("来源与数字", "source:heimao likes:>1000"),
)
BOARDS: tuple[tuple[str, tuple[Dim, ...]], ...] = (
    ("小时 × 情感", (Dim.HOUR, Dim.SENTIMENT)),
    ("声量占比(对象)", (Dim.SUBJECT,)),
    ("日 × 对象 × 情感", (Dim.DAY, Dim.SUBJECT, Dim.SENTIMENT)),
    ("来源 × 情感", (Dim.SOURCE, Dim.SENTIMENT)),
    ("话题 × 情感", (Dim.TOPIC, Dim.SENTIMENT)),
    ("行为", (Dim.ACT,)),
    ("旅程阶段 × 对象", (Dim.STAGE, Dim.SUBJECT)),
)


@dataclass(frozen=True)
class Row:
    """One figure; `baseline` names what it is compared with, measured in the same run; `goal` is the most (or least) it should be."""

    name: str
    value: float
    unit: str
    note: str = ""
    baseline: str = ""
    baseline_value: float | None = None
    goal: str = ""


class PlainStore:
    """The baseline."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-32000", "wal_autocheckpoint=8000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(f"CREATE TABLE posts ({','.join(POST_COLUMNS)}, UNIQUE (id))")
        self._db.execute(f"CREATE TABLE mentions ({','.join(MENTION_COLUMNS)}, content, grp, signature, words, UNIQUE (id))")
        self._db.execute("""CREATE VIRTUAL TABLE search USING fts5(title, body, content='', tokenize="unicode61 remove_diacritics 0")""")
        self._row = 0

    def add(self, posts: list[Post], judged: list[JudgedPost]) -> None:
        """One transaction for the posts, one for what was judged, as ours."""
        first = self._row + 1
        self._row += len(posts)
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(f"INSERT INTO posts VALUES ({','.join('?' * len(POST_COLUMNS))})", [post_row(post, post.id) for post in posts])
        texts = [(first + n, index_text(post.title), index_text(post.text)) for n, post in enumerate(posts)]
        self._db.executemany("INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)", texts)
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")
        rows = [
            (
                mention.id, first + n, mention.subject, to_ms(post.counted_at), post.source, post.author.key, str(mention.sentiment),
                join_marked(mention.acts), dump(dict(mention.probabilities)), join_marked(mention.harm_words), int(bool(mention.harm_words)),
                int(one.is_copy), mention.model, "", join_marked([str(opinion.topic) for opinion in mention.opinions]),
                str(mention.severity or ""), str(mention.stage or ""), pack_details(mention), str(one.content), one.duplicate_group,
                one.signature - (1 << 63), " ".join(one.words),
            )
            for n, (post, one) in enumerate(zip(posts, judged, strict=True))
            for mention in one.mentions
        ]  # fmt: skip
        self._db.executemany(f"INSERT INTO mentions VALUES ({','.join('?' * (len(MENTION_COLUMNS) + 4))})", rows)
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


def timed(action: Callable[[], object]) -> float:
    """Seconds of wall time."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def spell(count: int) -> str:
    """1 万, 10 万, 100 万."""
    return f"{count // 10_000} 万"


def quantile(times: list[float], share: float = 0.95) -> float:
    """The value below which that share lies."""
    return round(sorted(times)[max(0, -(-int(len(times) * share * 100) // 100) - 1)], 1)


def measure_writing(store: SQLitePostStore, folder: Path, corpus: Corpus) -> Iterable[Row]:
    """add_posts and save_judged, taking turns with the baseline."""
    plain = PlainStore(folder / "plain.db") if corpus.count <= MOST_WITH_BASELINE else None
    added = saved = bare = 0.0
    for start in range(0, corpus.count, BATCH):
        posts, judged = corpus.batch(start, BATCH)
        if plain:
            bare += timed(lambda p=posts, j=judged: plain.add(p, j))  # type: ignore[misc]
        added += timed(lambda p=posts: store.add_posts(p))  # type: ignore[misc]
        saved += timed(lambda j=judged: store.save_judged(j, NOW))  # type: ignore[misc]
        if start % 50_000 == 0:
            sys.stderr.write(f"\r{start:,} / {corpus.count:,} {start / (added + saved):,.0f}/s")
    sys.stderr.write("\n")
    if plain:
        plain.close()
    both = round(corpus.count / (added + saved))
    note = f"add_posts {corpus.count / added:,.0f}/秒,save_judged {corpus.count / saved:,.0f}/秒;每批 {BATCH}"
    name, value = ("裸 SQLite + FTS5", round(corpus.count / bare)) if plain else ("", None)
    yield Row("写入:帖子与判断", both, "条/秒", note, name, value, "慢不过 1.5 倍")
    store.checkpoint()
    size = os.path.getsize(folder / "posts.db") / corpus.count
    plain_size = os.path.getsize(folder / "plain.db") / corpus.count if plain else None
    yield Row("文件", round(size), "字节/条", "帖子、判断、全文索引、汇总", name, plain_size and round(plain_size))
    (folder / "plain.db").unlink(missing_ok=True)


def measure_searches(store: PostStore) -> Iterable[Row]:
    """Newest 50 as the page asks (total counted up to 1000), the exact total, deep pages, relevance."""
    for name, text in SEARCHES:
        query = parse_query(text, search=True)
        times = [timed(lambda q=query: store.search(q, count_up_to=1000)) * 1000 for _ in range(RUNS)]  # type: ignore[misc]
        exact = [timed(lambda q=query: store.search(q)) * 1000 for _ in range(3)]  # type: ignore[misc]
        total = store.search(query, limit=1).total
        note = f"`{text}`,{total:,} 条;中位 {statistics.median(times):.1f};算出准确总数 {statistics.median(exact):.0f}"
        yield Row(f"最新 50 条:{name}", quantile(times), "毫秒 p95", note, goal="≤ 50")
    query = parse_query("暖芽", search=True)
    half = store.search(query, until=NOW - SPAN / 2, limit=50, count_up_to=0).next_cursor
    times = [timed(lambda: store.search(query, cursor=half, count_up_to=0)) * 1000 for _ in range(RUNS)]
    note = f"`暖芽`,第 15 天;中位 {statistics.median(times):.1f}"
    yield Row("翻到中间的一页", quantile(times), "毫秒 p95", note, goal="≤ 50")
    for text in ("客服", "暖芽"):
        query = parse_query(text, search=True)
        times = [
            timed(lambda q=query: store.search(q, order=Order.RELEVANCE, count_up_to=1000)) * 1000  # type: ignore[misc]
            for _ in range(20)
        ]
        yield Row(f"按相关度 50 条:{text}", quantile(times), "毫秒 p95", f"中位 {statistics.median(times):.0f}", goal="≤ 400")


def measure_boards(store: PostStore) -> Iterable[Row]:
    """Counts over 30 days that begin in the middle of an hour, until now."""
    since = NOW - SPAN + timedelta(minutes=17)
    for name, dims in BOARDS:
        times = [timed(lambda d=dims: store.count(d, since=since, until=NOW)) * 1000 for _ in range(RUNS)]  # type: ignore[misc]
        note = f"近 30 天;中位 {statistics.median(times):.1f}"
        yield Row(f"看板:{name}", quantile(times), "毫秒 p95", note, goal="≤ 100")
    times = [timed(lambda: store.bins("暖芽", NOW - timedelta(days=2), NOW, 900)) * 1000 for _ in range(RUNS)]
    yield Row("检测:两天的刻", quantile(times), "毫秒 p95", f"中位 {statistics.median(times):.1f}")


def measure_page(store: SQLitePostStore, folder: Path) -> Iterable[Row]:
    """The home page, rendered in this process."""
    from starlette.testclient import TestClient

    from store.desk import open_desk
    from tingfeng.clock import SimulatedClock
    from tingfeng.records import Subject
    from web.app import create_app

    desk = open_desk(f"sqlite:///{folder / 'desk.db'}")
    with TestClient(create_app(store, desk, [Subject("暖芽")], SimulatedClock(NOW), ["testserver"])) as client:
        client.get("/")
        times = [timed(lambda: client.get("/")) * 1000 for _ in range(RUNS)]
    desk.close()
    yield Row("首页", quantile(times), "毫秒 p95", f"中位 {statistics.median(times):.0f}", goal="≤ 100")


def measure_care(store: SQLitePostStore, folder: Path) -> Iterable[Row]:
    """What is done now and then: backup, looking through the file, forgetting an author, retention of a day."""
    yield Row("在线备份", round(timed(lambda: store.backup(folder / "copy.db")), 1), "秒")
    (folder / "copy.db").unlink()
    damage: list[str] = []
    seconds = timed(lambda: damage.extend(store.find_damage()))
    yield Row("tingfeng doctor:读遍文件", round(seconds, 1), "秒", f"问题 {len(damage)} 个")
    author = store.search(limit=1).hits[0].post.author.key
    yield Row("删除一位作者", round(timed(lambda: store.delete_posts(author_key=author)), 2), "秒", "没有作者索引,读遍帖子")
    before, deleted = store.health().posts, NOW - SPAN + timedelta(days=1)
    seconds = timed(lambda: store.delete_posts(before=deleted))
    gone = before - store.health().posts
    yield Row("到期删除", round(gone / seconds), "条/秒", f"最早一天的 {gone:,} 条,每 2000 条一个事务")


def measure(count: int) -> list[Row]:
    """One size, in a folder that goes afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    store = SQLitePostStore(folder / "posts.db")
    try:
        rows = [*measure_writing(store, folder, Corpus(count))]
        rows += [*measure_searches(store), *measure_boards(store), *measure_page(store, folder), *measure_care(store, folder)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append(Row("内存峰值", round(peak), "MB", "本进程,含造数据、基线与网页"))
        return rows
    finally:
        store.close()
        shutil.rmtree(folder)


def main() -> None:
    """Measures the sizes asked for; sizes measured before stay in the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    values = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"sizes": {}}
    for count in parser.parse_args().sizes:
        before = os.getloadavg()[0]
        rows = measure(count)
        values["sizes"][str(count)] = {
            "date": datetime.now(UTC).date().isoformat(),
            "command": f"python -m benchmarks.stores_sqlite {count}",
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "sqlite": sqlite3.sqlite_version},
            "load": [round(before, 1), round(os.getloadavg()[0], 1)],
            "texts": "热搜标题与造句" if Corpus(0).titles else "造句",
            "rows": [asdict(row) for row in rows],
        }
        RESULTS.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")
        for row in rows:
            sys.stdout.write(f"{count:>9} {row.name} {row.value:g} {row.unit} {row.baseline_value or ''} {row.note}\n")


if __name__ == "__main__":
    main()
