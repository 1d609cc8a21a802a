"""`python -m benchmarks.faults_elasticsearch --times N`: kill -9 of nodes of a three-node cluster, in turn any node and the elected master,
while posts are written and judged. A checker knows every acknowledged id. Writes benchmarks/faults_elasticsearch.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.real_elasticsearch import Node, NoServer, Server
from benchmarks.store_corpus import NOW, Corpus
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_client import Address, ClusterAway

RESULTS = Path(__file__).resolve().parent / "faults_elasticsearch.json"
BATCH = 50


class Writer(threading.Thread):
    """Writes and judges batch after batch; remembers what was acknowledged, and what it was told while the cluster was away."""

    def __init__(self, store: ElasticsearchPostStore) -> None:
        super().__init__()
        self.store, self.corpus = store, Corpus(10_000_000)
        self.acknowledged: set[str] = set()
        self.judged: set[str] = set()
        self.spooled, self.refusals = 0, list[str]()
        self.ending = threading.Event()
        self.last_direct = time.monotonic()

    def run(self) -> None:
        start = 0
        while not self.ending.is_set():
            posts, judged = self.corpus.batch(start, BATCH)
            start += BATCH
            result = self.store.add_posts(posts)
            self.acknowledged |= {post.id for post in posts}
            self.spooled += len(result.spooled)
            if result.spooled:
                time.sleep(0.2)
                continue
            try:
                self.store.save_judged(judged, NOW)
                self.judged |= {one.post_id for one in judged}
                self.last_direct = time.monotonic()
            except ClusterAway as trouble:
                self.refusals.append(trouble.what)


def find_master(group: list[Node], store: ElasticsearchPostStore) -> Node:
    """The elected one."""
    state = store.cluster.call("GET", "/_cluster/state/master_node,nodes")
    name = state["nodes"][state["master_node"]]["name"]
    return next(node for node in group if node.name == name)


def kill_once(group: list[Node], store: ElasticsearchPostStore, writer: Writer, victim: Node) -> float:
    """Seconds from the kill until a batch is written directly again; the node comes back afterwards."""
    victim.kill()
    killed = time.monotonic()
    while writer.last_direct < killed:
        time.sleep(0.05)
    back = writer.last_direct - killed
    victim.start()
    victim.wait(len(group))
    store.cluster.call("GET", f"/_cluster/health/{store.cluster.address.prefix}*", wait_for_status="green", timeout="120s")
    return back


def read_all(store: ElasticsearchPostStore) -> tuple[list[str], set[str]]:
    """(documents, posts) that a search finds: a mention, or a post without one, must be found once."""
    documents, posts, cursor = list[str](), set[str](), ""
    while True:
        page = store.search(limit=900, with_unmatched=True, cursor=cursor, count_up_to=0)
        documents += [hit.mention.id if hit.mention else hit.post.id for hit in page.hits]
        posts |= {hit.post.id for hit in page.hits}
        cursor = page.next_cursor
        if not cursor:
            return documents, posts


def measure(server: Server, times: int, folder: Path) -> dict[str, object]:
    """All kills on one cluster."""
    rng, group = random.Random(3), server.start_group(["n1", "n2", "n3"])
    address = Address(tuple(f"http://{node.host}" for node in group), timeout_seconds=10)
    store = ElasticsearchPostStore(address, folder / "spool.db")
    writer = Writer(store)
    writer.start()
    seconds: list[float] = []
    try:
        for number in range(times):
            time.sleep(1)
            victim = find_master(group, store) if number % 2 else rng.choice(group)
            seconds.append(round(kill_once(group, store, writer, victim), 1))
            sys.stdout.write(f"{number + 1}: {victim.name} {seconds[-1]} s\n")
            sys.stdout.flush()
    finally:
        writer.ending.set()
        writer.join()
    store.drain()
    found, posts = read_all(store)
    health = store.health()
    report = {
        "date": datetime.now(UTC).date().isoformat(), "kills": len(seconds), "acknowledged": len(writer.acknowledged),
        "judged": len(writer.judged), "spooled": writer.spooled, "lost": len(writer.acknowledged - posts),
        "doubled": len(found) - len(set(found)) + health.posts - len(posts), "recovery_s": seconds,
        "recovery_median_s": statistics.median(seconds), "refusals": sorted(set(writer.refusals)), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    store.close()
    return report


def main() -> None:
    """As often as asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=20)
    server = Server.unpack()
    try:
        with tempfile.TemporaryDirectory() as folder:
            report = measure(server, parser.parse_args().times, Path(folder))
    finally:
        server.close()
    RESULTS.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")
    sys.exit(1 if report["lost"] or report["doubled"] else 0)


if __name__ == "__main__":
    try:
        main()
    except NoServer as reason:
        sys.exit(str(reason))
