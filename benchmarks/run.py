"""`make bench`: measures, prints JSON and a table, writes benchmarks/results.json. Nothing here is asserted by tests."""

from __future__ import annotations

import json
import os
import platform
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import RESULTS, describe_benchmarks

if TYPE_CHECKING:
    from store.posts import PostStore

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """One figure; `baseline` names what it is compared with, measured in the same run."""

    name: str
    value: float
    unit: str
    note: str
    baseline: str = ""
    baseline_value: float | None = None


def timed(action: Callable[[], object]) -> float:
    """Seconds of wall time."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def measure_parse() -> Iterable[Row]:
    """Bytes to posts, beside json.loads or feedparser alone."""
    from benchmarks.demo_sites import heimao_feed, news_feed
    from benchmarks.demo_world import World
    from collectors import feed, heimao
    from collectors.base import CollectQuery, Page, Request

    posts = World().posts
    now = posts[-1].at
    boards = [post for post in posts if post.site == "heimao"][:1000]
    pages = [heimao_feed(boards[n * 10 : n * 10 + 10], 1, now) for n in range(100)]
    query = CollectQuery("https://site.example", "/rss")
    reader = heimao.Collector()
    ours = timed(
        lambda: [
            reader.parse(Page(Request("https://site.example/x", note="1"), 200, body, {}, now), query) for body in pages
        ]
    )
    bare = timed(lambda: [json.loads(body) for body in pages])
    yield Row("解析:黑猫列表", round(1000 / ours), "条/秒", "100 页 × 10 条", "json.loads", round(1000 / bare))
    body = news_feed(posts[:500], now)
    atom = feed.Collector()
    ours = timed(lambda: atom.parse(Page(Request("https://site.example/rss"), 200, body, {}, now), query))
    import feedparser

    bare = timed(lambda: feedparser.parse(body))
    yield Row("解析:RSS", round(500 / ours), "条/秒", "500 条,GB18030", "feedparser", round(500 / bare))


def make_texts(count: int) -> list[str]:
    """Distinct invented texts of the demo's kinds."""
    from benchmarks.demo_world import World

    base = [post.text for post in World().posts if post.brand]
    return [f"{base[n % len(base)]}({n})" for n in range(count)]


def measure_judge() -> Iterable[Row]:
    """Judging steps, beside SnowNLP's kind of work: jieba segmentation alone."""
    from benchmarks.streams import open_pipeline
    from nlp.mask import mask_post
    from nlp.words import load_jieba
    from tingfeng.labels import PostKind
    from tingfeng.records import Post

    pipeline = open_pipeline()
    texts = make_texts(5000)
    posts = [
        Post("s", str(n), PostKind.ORIGINAL, text, datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=n))
        for n, text in enumerate(texts)
    ]
    jieba = load_jieba()
    pipeline.judge(posts[:50])
    bare = timed(lambda: [jieba.lcut(text) for text in texts])
    masked = timed(lambda: [mask_post(post) for post in posts])
    judged = timed(lambda: [pipeline.judge(posts[n : n + 500]) for n in range(0, 5000, 500)])
    yield Row("遮盖个人号码", round(5000 / masked), "条/秒", "单进程")
    yield Row(
        "判断(全部步骤)", round(5000 / judged), "条/秒", "单进程,每条一个对象", "只用 jieba 分词", round(5000 / bare)
    )


COUNT = 100_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def measure_store() -> Iterable[Row]:
    """Posts and mentions into SQLite, beside a bare FTS5 table; then searches and the page over 100 k mentions."""
    from store.sqlite import SQLitePostStore
    from tingfeng.labels import Act, Content, PostKind, Sentiment
    from tingfeng.records import JudgedPost, Mention, Post

    texts = make_texts(COUNT)
    posts = [
        Post("s", str(n), PostKind.ORIGINAL, text, NOW, published_at=NOW - timedelta(seconds=25 * n))
        for n, text in enumerate(texts)
    ]
    labels = [Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE]
    mentions = [
        Mention(post.id, "暖芽", (Act.OTHER,), labels[n % 3], {"negative": 0.2}) for n, post in enumerate(posts)
    ]
    judged = [JudgedPost(mention.post_id, Content.OK, (mention,), mention.post_id) for mention in mentions]
    folder = Path(tempfile.mkdtemp())
    store = SQLitePostStore(folder / "posts.db")
    added = timed(lambda: [store.add_posts(posts[n : n + 1000]) for n in range(0, COUNT, 1000)])

    def save() -> None:
        for n in range(0, COUNT, 1000):
            store.save_judged(judged[n : n + 1000], NOW)

    saved = timed(save)
    plain = fill_bare_index(folder / "bare.db", texts)
    yield Row("存帖子(含全文索引)", round(COUNT / added), "条/秒", "10 万条,每批 1000", "裸 FTS5", round(COUNT / plain))
    yield Row("存判断(含小时汇总)", round(COUNT / saved), "条/秒", "10 万条,每批 1000")
    yield Row("文件大小", round((folder / "posts.db").stat().st_size / COUNT), "字节/条", "帖子、判断、索引都在内")
    yield from measure_search(store)
    yield from measure_page(store, folder, NOW)
    store.close()


def fill_bare_index(file: Path, texts: list[str]) -> float:
    """Seconds that SQLite's full-text index alone takes for the same units."""
    from store.sqlite_rows import index_text

    rows = [(index_text(text),) for text in texts]
    bare = sqlite3.connect(file, isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("CREATE VIRTUAL TABLE t USING fts5(body)")

    def fill() -> None:
        for n in range(0, len(rows), 1000):
            bare.execute("BEGIN")
            bare.executemany("INSERT INTO t VALUES (?)", rows[n : n + 1000])
            bare.execute("COMMIT")

    seconds = timed(fill)
    bare.close()
    return seconds


def measure_search(store: PostStore) -> Iterable[Row]:
    """Newest-first searches with their totals."""
    from tingfeng.query import parse_query

    for name, text in (
        ("搜索:常见词,最新 50 条", "暖芽"),
        ("搜索:少见短语", '"插座都烧黑了"'),
        ("搜索:NEAR", "NEAR/10(客服 等了)"),
    ):
        query = parse_query(text, search=True)
        times = sorted(timed(lambda q=query: store.search(q)) * 1000 for _ in range(15))  # type: ignore[misc]
        yield Row(f"{name} p95", round(times[-1], 1), "毫秒", f"10 万条提及,含总数;中位 {statistics.median(times):.1f}")


def measure_page(posts: PostStore, folder: Path, now: datetime) -> Iterable[Row]:
    """The home page over 100 k mentions, rendered in this process."""
    from starlette.testclient import TestClient

    from store.desk import open_desk
    from tingfeng.clock import SimulatedClock
    from tingfeng.records import Subject
    from web.app import create_app

    desk = open_desk(f"sqlite:///{folder / 'desk.db'}")
    with TestClient(create_app(posts, desk, [Subject("暖芽")], SimulatedClock(now), ["testserver"])) as client:
        client.get("/")
        times = [timed(lambda: client.get("/")) * 1000 for _ in range(20)]
    desk.close()
    yield Row(
        "首页 p95",
        round(statistics.quantiles(times, n=20)[-1]),
        "毫秒",
        f"10 万条提及;中位 {statistics.median(times):.0f}",
    )


def measure_detector() -> Iterable[Row]:
    """One subject, four weeks of quarter hours, beside a seven-day z-score."""
    import random

    from alerts.detector import new_state, replay
    from tingfeng.records import Bin

    rng = random.Random(3)
    start = datetime(2026, 10, 1, tzinfo=UTC)
    bins = [Bin(start + timedelta(minutes=15 * n), rng.randrange(4), 4 + rng.randrange(9)) for n in range(2688)]

    def gauss() -> None:
        values = [one.negative for one in bins]
        for n in range(len(values)):
            window = values[max(0, n - 672) : n] or [0]
            mean = sum(window) / len(window)
            (sum((v - mean) ** 2 for v in window) / len(window)) ** 0.5

    ours = timed(lambda: replay(new_state(), bins))
    yield Row(
        "检测器",
        round(ours / len(bins) * 1e6),
        "微秒/品牌·刻",
        "纯 Python",
        "7 日 z 分数",
        round(timed(gauss) / len(bins) * 1e6),
    )


def measure_recall() -> Iterable[Row]:
    """Crises found in made series at 0.1 false alarms per brand-week, thresholds set on another seed (benchmarks/detector.py)."""
    from benchmarks.detector import measure

    found = measure(20, 33, 11)
    ours, plain = found["product"], found["gaussian_7d"]
    assert isinstance(ours, dict)
    assert isinstance(plain, dict)
    note = f"模拟 20 个品牌,{ours['crises']} 起危机,误报 {ours['false_per_brand_week']} 次/品牌周;延迟中位 {ours['delay_hours_median']} 小时"
    yield Row("检测器:召回", ours["recall"], "", note, "7 日 z 分数", plain["recall"])


def measure_demo() -> Iterable[Row]:
    """The demo in a process of its own: end to end, memory, time to the first red incident."""
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "TINGFENG_HOME": home, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "flows.cli", "demo", "--no-serve", "--json"]
        started = time.perf_counter()
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - started
    values = json.loads(done.stdout)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield Row("演示:到第一个红色事件", values["seconds_to_red"], "秒", "从启动进程算起")
    yield Row(
        "演示:端到端", round(values["new"] / seconds), "条/秒", f"{values['new']} 条,{values['passes']} 轮,采集到通知"
    )
    yield Row("演示:内存峰值", round(peak), "MB", "单进程")
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "flows.cli", "--help"], cwd=ROOT, capture_output=True, check=True)
    yield Row("tingfeng --help", round((time.perf_counter() - started) * 1000), "毫秒", "新进程")


def main() -> None:
    """Measures everything; a few minutes."""
    rows: list[Row] = []
    for part in (measure_parse, measure_judge, measure_detector, measure_recall, measure_store, measure_demo):
        sys.stderr.write(f"{part.__name__} …\n")
        rows += [replace(row) for row in part()]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = {
        "cores": os.cpu_count(),
        "memory_gb": round(memory),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }
    values = {"date": datetime.now(UTC).date().isoformat(), "machine": machine, "rows": [asdict(row) for row in rows]}
    RESULTS.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")
    sys.stderr.write(describe_benchmarks())


if __name__ == "__main__":
    main()
