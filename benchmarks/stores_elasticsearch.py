"""`make bench-elasticsearch`: ElasticsearchPostStore on one node of a real server. Writes benchmarks/results_elasticsearch.json.

The baseline of writing is a plain program: the same documents (the judged post and its mentions, made by the same functions) in indices of
the same templates, sent with one `_bulk` a batch by the same client, taking turns with ours. It registers no place, asks for nothing
that is there already, writes no unjudged state first, and cannot be interrupted without loss. Above `MOST_WRITTEN` posts only questions
are measured, over documents that were loaded ready-made.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.real_elasticsearch import Node, NoServer, Server
from benchmarks.store_corpus import NOW, Corpus
from benchmarks.stores_sqlite import BATCH, SEARCHES, Row, measure_boards, measure_searches, timed
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_bulk import Item, send_items, send_part
from store.elasticsearch_client import Cluster, Json, read_address
from store.elasticsearch_rows import make_docs, new_truth, with_judgement
from store.elasticsearch_schema import Indices, Layout, month_of
from store.sqlite_rows import to_ms
from tingfeng.query import parse_query
from tingfeng.records import JudgedPost, Post

RESULTS = Path(__file__).resolve().parent / "results_elasticsearch.json"
SIZES = (10_000, 100_000)
MOST_WRITTEN = 100_000
HEAP = "1g"
# a cold server answers slowly at first: its code is not compiled yet
WARM_UPS, WARM_POSTS = 40, 5000


def make_truths(posts: list[Post], judged: list[JudgedPost]) -> list[Json]:
    """What ends up in `posts`."""
    return [with_judgement(new_truth(post, month_of(post)), one, to_ms(NOW)) for post, one in zip(posts, judged, strict=True)]


def make_items(indices: Indices, truths: list[Json]) -> Iterable[Item]:
    """Truths and their mentions."""
    for truth in truths:
        version = {"version": truth["rev"], "version_type": "external_gte"}
        docs = make_docs(truth)
        yield Item("index", indices.name("posts", truth["month"]), truth["id"], {**truth, "docs": [doc["key"] for doc in docs]})
        yield from (Item("index", indices.name("mentions", truth["month"]), doc["key"], doc, version) for doc in docs)


class PlainBulk:
    """The baseline."""

    def __init__(self, url: str) -> None:
        self.cluster = Cluster(read_address(url))
        self.indices = Indices(self.cluster, Layout())

    def add(self, posts: list[Post], judged: list[JudgedPost]) -> None:
        """One batch."""
        self.indices.ensure({month_of(post) for post in posts})
        send_part(self.cluster, [item.encode() for item in make_items(self.indices, make_truths(posts, judged))], refresh=False)

    def drop(self) -> None:
        """Gives the node back to ours."""
        self.cluster.call("DELETE", f"/{','.join(self.cluster.call('GET', '/plain-*/_alias'))}")
        self.cluster.close()


def measure_writing(store: ElasticsearchPostStore, plain: PlainBulk, corpus: Corpus) -> Iterable[Row]:
    """Posts a second: stored, then claimed and judged; and of the baseline. Turns, batch by batch, so that all meet the same load."""
    adding = claiming = saving = raw = 0.0
    for start in range(0, corpus.count, BATCH):
        posts, judged = corpus.batch(start, BATCH)
        adding += timed(lambda posts=posts: store.add_posts(posts))  # type: ignore[misc]
        claiming += timed(lambda: store.claim_posts("bench", BATCH, NOW))
        saving += timed(lambda judged=judged: store.save_judged(judged, NOW))  # type: ignore[misc]
        raw += timed(lambda posts=posts, judged=judged: plain.add(posts, judged))  # type: ignore[misc]
    parts = (("add_posts", adding), ("claim_posts", claiming), ("save_judged", saving))
    note = f"{','.join(f'{name} {corpus.count / seconds:,.0f}/秒' for name, seconds in parts)};每批 {BATCH}"
    both = round(corpus.count / (adding + claiming + saving))
    yield Row("写入:存入、领取、判断", both, "条/秒", note, "同样文档一次 _bulk", round(corpus.count / raw), "慢不过 1.5 倍")


def warm_up(node: Node) -> None:
    """Some thousand posts beside those that count, written in both ways."""
    with tempfile.TemporaryDirectory() as folder:
        store, plain = ElasticsearchPostStore(read_address(f"{node.url}warm"), Path(folder) / "spool.db"), PlainBulk(f"{node.url}plain")
        list(measure_writing(store, plain, Corpus(WARM_POSTS, seed=6)))
        plain.drop()
        store.close()


def load_ready(store: ElasticsearchPostStore, corpus: Corpus) -> Iterable[Row]:
    """The documents that would be there in the end, places too, without the steps between."""
    indices, started = store.indices, time.perf_counter()
    for start in range(0, corpus.count, BATCH):
        posts, judged = corpus.batch(start, BATCH)
        truths = make_truths(posts, judged)
        indices.ensure({truth["month"] for truth in truths})
        places = [Item("index", indices.name("places"), truth["id"], {"month": truth["month"]}) for truth in truths]
        send_items(store.cluster, [*places, *make_items(indices, truths)])
        if start % 50_000 == 0:
            sys.stderr.write(f"\r{start:,} / {corpus.count:,} {start / (time.perf_counter() - started):,.0f}/s")
    sys.stderr.write("\n")
    yield Row("装载现成的文档", round(corpus.count / (time.perf_counter() - started)), "条/秒", "不经 add_posts,含造数据")


def measure(server: Server, count: int) -> Iterable[Row]:
    """One size on a fresh node."""
    node, corpus = server.start_node(f"bench{count}"), Corpus(count)
    with tempfile.TemporaryDirectory() as folder:
        store = ElasticsearchPostStore(read_address(f"{node.url}ours", timeout_seconds=120), Path(folder) / "spool.db")
        if count > MOST_WRITTEN:
            yield from load_ready(store, corpus)
        else:
            warm_up(node)
            plain = PlainBulk(f"{node.url}plain")
            yield from measure_writing(store, plain, corpus)
            plain.drop()
        yield Row("文件", round(store.health().bytes / count), "字节/条", "登记、帖子、提及;没有副本,合并前")
        for number in range(WARM_UPS):
            store.search(parse_query(SEARCHES[number % len(SEARCHES)][1]), limit=20)
        yield from measure_searches(store)
        yield from measure_boards(store)
        store.close()
    node.stop()


def main() -> None:
    """All sizes, or those given; sizes measured before stay in the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", type=int, nargs="*", default=list(SIZES))
    values = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"sizes": {}}
    server = Server.unpack(HEAP)
    try:
        for count in parser.parse_args().sizes:
            before, rows = os.getloadavg()[0], []
            for row in measure(server, count):
                rows.append(row)
                sys.stdout.write(f"{count:>9} {row.name} {row.value:g} {row.unit} {row.baseline_value or ''} {row.note}\n")
                sys.stdout.flush()
            values["sizes"][str(count)] = {
                "date": datetime.now(UTC).date().isoformat(),
                "command": f"python -m benchmarks.stores_elasticsearch {count}",
                "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "heap": HEAP},
                "load": [round(before, 1), round(os.getloadavg()[0], 1)],
                "texts": "热搜标题与造句" if Corpus(0).titles else "造句",
                "rows": [asdict(row) for row in rows],
            }
            RESULTS.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")
    finally:
        server.close()


if __name__ == "__main__":
    try:
        main()
    except NoServer as reason:
        sys.exit(str(reason))
