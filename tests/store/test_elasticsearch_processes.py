"""Workers and writers in processes of their own, killed in the middle; nodes killed in the middle. A checker knows what was acknowledged."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.real_elasticsearch import Node, Server
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_client import read_address
from tingfeng.clock import parse_iso
from tingfeng.labels import PostKind
from tingfeng.records import Post

ROOT = Path(__file__).resolve().parents[2]
NOW = parse_iso("2026-11-20T12:00")
PROGRAM = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_client import ClusterAway, read_address
from tingfeng.clock import parse_iso
from tingfeng.labels import Content, PostKind, Sentiment
from tingfeng.records import JudgedPost, Mention, Post
url, spool, what, name, batches = sys.argv[1:6]
now = parse_iso("2026-11-20T12:00")
store = ElasticsearchPostStore(read_address(url, timeout_seconds=5), Path(spool))
if what == "write":
    for batch in range(int(batches)):
        posts = [Post(name, f"{batch}-{n}", PostKind.ORIGINAL, f"第{batch}批第{n}条漏水", now + timedelta(minutes=batch)) for n in range(20)]
        result = store.add_posts(posts)
        assert len(result.new) + len(result.seen) + len(result.spooled) == 20
        print(*(post.id for post in posts), flush=True)
else:
    while posts := store.claim_posts(name, 15, now):
        print(*(post.id for post in posts), flush=True)
        store.save_judged([JudgedPost(p.id, Content.OK, (Mention(p.id, "暖芽", (), Sentiment.NEGATIVE),)) for p in posts], now)
store.close()
"""


def start(url: str, spool: Path, what: str, name: str, batches: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, url, str(spool), what, name, str(batches)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def lines_of(process: subprocess.Popen[str], count: int) -> list[str]:
    """Some lines of what it prints."""
    assert process.stdout
    return [process.stdout.readline() for _ in range(count)]


def finish(process: subprocess.Popen[str]) -> list[str]:
    out, _ = process.communicate(timeout=240)
    return out.splitlines()


def every_id(store: ElasticsearchPostStore) -> list[str]:
    """Ids of all posts that a search finds, page by page."""
    page = store.search(limit=500, with_unmatched=True)
    found = [hit.post.id for hit in page.hits]
    while page.next_cursor:
        page = store.search(limit=500, with_unmatched=True, cursor=page.next_cursor)
        found += [hit.post.id for hit in page.hits]
    return found


@pytest.fixture
def url(es_node: Node) -> Iterator[str]:
    prefix = f"t{uuid.uuid4().hex[:12]}"
    yield f"{es_node.url}{prefix}"
    store = ElasticsearchPostStore(read_address(f"{es_node.url}{prefix}"), Path("unused"))
    names = store.cluster.call("GET", f"/{prefix}-*/_alias")
    store.cluster.call("DELETE", f"/{','.join(names)}")
    store.close()


def test_workers_judge_disjoint_posts_and_a_killed_ones_come_back(url: str, tmp_path: Path) -> None:
    store = ElasticsearchPostStore(read_address(url), tmp_path / "spool.db")
    store.add_posts([Post("s", str(n), PostKind.ORIGINAL, f"第{n}条", NOW) for n in range(300)])
    victim = start(url, tmp_path / "v.db", "judge", "victim")
    lines_of(victim, 2)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    workers = [start(url, tmp_path / f"{name}.db", "judge", name) for name in ("a", "b", "c")]
    claimed = [line.split() for worker in workers for line in finish(worker)]
    flat = [id for line in claimed for id in line]
    assert len(flat) == len(set(flat))
    store._unseen.set()
    left = store.claim_posts("d", 999, NOW + timedelta(seconds=601))
    assert {post.id for post in left}.isdisjoint(flat)
    assert (store.health().unjudged, len(every_id(store))) == (len(left), 300)
    store.close()


def test_killed_writers_lose_nothing_and_double_nothing(url: str, tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for round_ in range(4):
        writer = start(url, tmp_path / "spool.db", "write", "w", 1000)
        for line in lines_of(writer, 3 + 2 * round_):
            acknowledged |= set(line.split())
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    store = ElasticsearchPostStore(read_address(url), tmp_path / "spool.db")
    found = every_id(store)
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))
    assert store.health().posts >= len(found)
    store.close()


def test_a_killed_node_loses_nothing_and_doubles_nothing(es_server: Server, tmp_path: Path) -> None:
    node = es_server.start_node(f"victim{len(es_server.nodes)}")
    writer = start(node.url, tmp_path / "spool.db", "write", "w", 25)
    acknowledged = {id for line in lines_of(writer, 4) for id in line.split()}
    node.kill()
    acknowledged |= {id for line in lines_of(writer, 3) for id in line.split()}
    node.start()
    node.wait()
    acknowledged |= {id for line in finish(writer) for id in line.split()}
    store = ElasticsearchPostStore(read_address(node.url), tmp_path / "spool.db")
    store.drain()
    found = every_id(store)
    assert (set(found), len(found), store.health().posts, store.spool.waiting()) == (acknowledged, 500, 500, 0)
    store.close()
    node.stop()
