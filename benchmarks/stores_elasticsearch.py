"""`make bench-elasticsearch`: ElasticsearchPostStore on one node of a real server. Writes benchmarks/results_elasticsearch.json.

The baseline of writing is a plain program: the same documents (the judged post and its mentions, made by the same functions) in indices of
the same templates, sent with one `_bulk` a batch by the same client, taking turns with ours. It registers no place, asks for nothing
that is there already, writes no unjudged state first, and cannot be interrupted without loss.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.real_elasticsearch import NoServer, Server
from benchmarks.store_corpus import NOW, Corpus
from benchmarks.stores_sqlite import BATCH, BOARDS, SEARCHES, Row, quantile, spell, timed
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_bulk import Item, send_items
from store.elasticsearch_client import Cluster, read_address
from store.elasticsearch_rows import make_docs, new_truth, with_judgement
from store.elasticsearch_schema import Indices, Layout, month_of
from store.sqlite_rows import to_ms
from tingfeng.query import parse_query
from tingfeng.records import JudgedPost, Post

RESULTS = Path(__file__).resolve().parent / "results_elasticsearch.json"
SIZES = (10_000, 100_000)
# a cold server answers slowly at first: its code is not compiled yet
WARM_UPS = 40
RUNS = 30


class PlainBulk:
    """The baseline."""

    def __init__(self, url: str) -> None:
        self.cluster = Cluster(read_address(url))
        self.indices = Indices(self.cluster, Layout())

    def add(self, posts: list[Post], judged: list[JudgedPost]) -> None:
        """One batch."""
        items = []
        self.indices.ensure({month_of(post) for post in posts})
        for post, one in zip(posts, judged, strict=True):
            truth = with_judgement(new_truth(post, month_of(post)), one, to_ms(NOW))
            items.append(Item("index", self.indices.name("posts", truth["month"]), post.id, truth))
            items += [Item("index", self.indices.name("mentions", truth["month"]), doc["key"], doc) for doc in make_docs(truth)]
        send_items(self.cluster, items)


def measure_writing(store: ElasticsearchPostStore, plain: PlainBulk, corpus: Corpus) -> tuple[float, float, float]:
    """Posts a second: stored; stored and judged; of the baseline. Turns, batch by batch, so that all meet the same load."""
    adding = judging = raw = 0.0
    for start in range(0, corpus.count, BATCH):
        posts, judged = corpus.batch(start, BATCH)
        adding += timed(lambda posts=posts: store.add_posts(posts))  # type: ignore[misc]
        judging += timed(lambda: store.claim_posts("bench", BATCH, NOW))
        judging += timed(lambda judged=judged: store.save_judged(judged, NOW))  # type: ignore[misc]
        raw += timed(lambda posts=posts, judged=judged: plain.add(posts, judged))  # type: ignore[misc]
    return corpus.count / adding, corpus.count / (adding + judging), corpus.count / raw


def measure_reading(store: ElasticsearchPostStore, size: str) -> list[Row]:
    """Newest-first pages of twenty with exact totals, and boards over the whole month."""
    rows = []
    for number in range(WARM_UPS):
        store.search(parse_query(SEARCHES[number % len(SEARCHES)][1]), limit=20)
    for name, asked in SEARCHES:
        query = parse_query(asked)
        times = [1000 * timed(lambda query=query: store.search(query, limit=20)) for _ in range(RUNS)]  # type: ignore[misc]
        rows.append(Row(f"{size}:搜索,{name}", round(statistics.median(times), 1), "ms", f"p95 {quantile(times)} ms;{asked}"))
    for name, dims in BOARDS:
        times = [1000 * timed(lambda dims=dims: store.count(dims)) for _ in range(RUNS)]  # type: ignore[misc]
        rows.append(Row(f"{size}:看板,{name}", round(statistics.median(times), 1), "ms", f"p95 {quantile(times)} ms"))
    return rows


def measure(server: Server, count: int) -> list[Row]:
    """One size on a fresh node."""
    node, size = server.start_node(f"bench{count}"), spell(count)
    with tempfile.TemporaryDirectory() as folder:
        store = ElasticsearchPostStore(read_address(f"{node.url}ours"), Path(folder) / "spool.db")
        plain = PlainBulk(f"{node.url}plain")
        added, written, raw = measure_writing(store, plain, Corpus(count))
        bytes_used = store.health().bytes / count
        rows = [
            Row(f"{size}:存入", round(added), "帖/s", "新帖,未判断"),
            Row(f"{size}:存入并判断", round(written), "帖/s", "含登记、查重、领取、两次写入", "同样文档一次 _bulk", round(raw), "≥ 1/1.5"),
            Row(f"{size}:每帖占用", round(bytes_used), "字节", "登记、帖子、提及,合并前"),
            *measure_reading(store, size),
        ]  # fmt: skip
        store.close()
        plain.cluster.close()
    node.stop()
    return rows


def main() -> None:
    """All sizes, or those given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    server, rows = Server.unpack(), list[Row]()
    try:
        for count in parser.parse_args().sizes:
            started = os.getloadavg()[0]
            rows += measure(server, count)
            write_report(rows, started)
    finally:
        server.close()


def write_report(rows: list[Row], load: float) -> None:
    """The JSON, and the figures on stdout."""
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": [round(load, 1), round(os.getloadavg()[0], 1)]}
    report = {"date": datetime.now(UTC).date().isoformat(), "machine": machine, "rows": [row.__dict__ for row in rows]}
    RESULTS.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    for row in rows:
        base = f"  ({row.baseline}: {row.baseline_value:g})" if row.baseline_value else ""
        sys.stdout.write(f"{row.name}: {row.value:g} {row.unit}{base} {row.note}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except NoServer as reason:
        sys.exit(str(reason))
