"""`python -m benchmarks.faults_elasticsearch [--times N] [FAULT…]`: faults of a real cluster, with a checker that knows every acknowledged id.

Nodes and the elected master of three are killed with kill -9, so are writers and judges; the network refuses, is slow or half-open (a
proxy); a shard is red; the clock jumps. Writes benchmarks/faults_elasticsearch.json; faults measured before stay in the file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.faults_ledger import Verdict, Writer, check, finish_judging, judge, make_batch
from benchmarks.proxy import BadProxy
from benchmarks.real_elasticsearch import Node, NoServer, Server
from benchmarks.store_corpus import NOW
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_client import Address, ClusterAway, read_address
from tingfeng.records import Post

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "faults_elasticsearch.json"
TROUBLE_SECONDS = 1.0
LEASE_SECONDS = 2
QUICK = "-XX:TieredStopAtLevel=1"  # nodes are started again and again, and live for a minute
Fault = Callable[[Server, Path, int], Verdict]


def open_store(node: Node, spool: Path, port: int = 0, timeout_seconds: float = 5) -> ElasticsearchPostStore:
    """A store on a node, or on what stands before it; indices of its own."""
    url = f"elasticsearch://127.0.0.1:{port or node.port}/{spool.stem}"
    return ElasticsearchPostStore(read_address(url, timeout_seconds=timeout_seconds), spool)


def kill_nodes(server: Server, folder: Path, times: int, *, master: bool) -> Verdict:
    """Three nodes, a replica of everything; the killed one comes back before the next is killed."""
    rng, group = random.Random(3), server.start_group([f"{'m' if master else 'n'}{number}" for number in (1, 2, 3)])
    address = Address(tuple(f"http://{node.host}" for node in group), "kill-", timeout_seconds=10)
    store = ElasticsearchPostStore(address, folder / "kill.db")
    writer, seconds = Writer(store), list[float]()
    writer.start()
    try:
        for _ in range(times):
            writer.wait_for(time.monotonic())
            victim = find_master(group, store) if master else rng.choice(group)
            victim.kill()
            seconds.append(writer.wait_for(time.monotonic()))
            victim.start()
            victim.wait(len(group))
            while not is_green(store):
                time.sleep(0.2)
            tell(f"{victim.name} {seconds[-1]:.1f} s")
    finally:
        writer.finish()
    finish_judging(store)
    verdict = check(
        store, writer.acknowledged, seconds, name=f"kill -9 {'选出的主节点' if master else '三个节点之一'}", spooled=writer.spooled,
        note=describe(writer),
    )  # fmt: skip
    store.close()
    for node in group:
        node.stop()
    return verdict


def find_master(group: list[Node], store: ElasticsearchPostStore) -> Node:
    """The elected one."""
    state = store.cluster.call("GET", "/_cluster/state/master_node,nodes")  # asked while all are up
    name = state["nodes"][state["master_node"]]["name"]
    return next(node for node in group if node.name == name)


def is_green(store: ElasticsearchPostStore) -> bool:
    """Whether every copy is in place again."""
    try:
        return bool(store.cluster.call("GET", f"/_cluster/health/{store.cluster.address.prefix}*")["status"] == "green")
    except ClusterAway:
        return False


def describe(writer: Writer) -> str:
    """What the writer was told meanwhile."""
    return f"期间的报错:{'、'.join(sorted(writer.refusals)) or '无'}"


def break_network(server: Server, folder: Path, times: int, *, mode: str, name: str) -> Verdict:
    """A proxy between us and the only node misbehaves for a second."""
    node = server.start_node(mode)
    proxy = BadProxy(node.port)
    proxy.delay_seconds = 0.3
    store = open_store(node, folder / f"{mode}.db", proxy.port, timeout_seconds=2)
    writer, seconds = Writer(store), list[float]()
    writer.start()
    try:
        for _ in range(times):
            writer.wait_for(time.monotonic())
            proxy.mode = mode
            if mode == "refuse":
                proxy.cut()
            time.sleep(TROUBLE_SECONDS)
            proxy.mode = "pass"
            seconds.append(writer.wait_for(time.monotonic()))
            tell(f"{mode} {seconds[-1]:.1f} s")
    finally:
        proxy.mode = "pass"
        writer.finish()
    finish_judging(store)
    verdict = check(store, writer.acknowledged, seconds, name=name, spooled=writer.spooled, note=describe(writer))
    store.close()
    proxy.close()
    node.stop()
    return verdict


def redden_shard(server: Server, folder: Path, times: int) -> Verdict:
    """The only copy of a month of posts is taken away for a second, and no node may hold it meanwhile."""
    node = server.start_node("red")
    store = open_store(node, folder / "red.db")
    writer, seconds, red = Writer(store), list[float](), 0
    writer.start()
    try:
        for _ in range(times):
            writer.wait_for(time.monotonic())
            name = next(iter(store.cluster.call("GET", f"/{store.indices.name('posts')}-2*/_alias")))
            home = "index.routing.allocation.require._name"
            store.cluster.call("PUT", f"/{name}/_settings", {home: "nowhere"})
            cancel = {"cancel": {"index": name, "shard": 0, "node": node.name, "allow_primary": True}}
            store.cluster.call("POST", "/_cluster/reroute", {"commands": [cancel]}, metric="none")
            time.sleep(TROUBLE_SECONDS)
            red += store.cluster.call("GET", f"/_cluster/health/{name}")["status"] == "red"
            store.cluster.call("PUT", f"/{name}/_settings", {home: None})
            seconds.append(writer.wait_for(time.monotonic()))
            tell(f"red {seconds[-1]:.1f} s")
    finally:
        writer.finish()
    finish_judging(store)
    verdict = check(store, writer.acknowledged, seconds, name="红色分片 1 秒", spooled=writer.spooled, note=f"{red} 次确为红色;{describe(writer)}")
    store.close()
    node.stop()
    return verdict


def kill_processes(server: Server, folder: Path, times: int, *, role: str, name: str) -> Verdict:
    """A writer, or one of two judges, is killed at a random moment; the next one goes on where what was acknowledged ends."""
    node, rng = server.start_node(role), random.Random(7)
    store = open_store(node, folder / f"{role}.db")
    acknowledged: dict[str, Post] = {}
    if role == "judge":
        for start in range(0, 6000, 2000):
            posts = [post for first in range(start, start + 2000, 50) for post in make_batch(first)[0]]
            store.add_posts(posts)
            acknowledged |= {post.id: post for post in posts}
    start, killed = 0, 0
    while killed < times:
        children = [spawn(node, folder, role, start) for _ in range(2 if role == "judge" else 1)]
        begun = [child.stdout.readline() for child in children if child.stdout]
        time.sleep(rng.uniform(0.1, 0.8))
        for first, child in zip(begun, children, strict=True):
            killed += child.poll() is None
            child.send_signal(signal.SIGKILL)
            told, _ = child.communicate()
            for line in (first + told).split("\n")[:-1] if role == "writer" else ():  # the last one may be half a line
                start = int(line) + 50
                acknowledged |= {post.id: post for post in make_batch(int(line))[0]}
        if role == "judge" and store.health().unjudged < 1000:
            store.mark_unjudged()
        tell(f"{role} {killed}")
    finish_judging(store, datetime.now(UTC))
    verdict = check(store, acknowledged, [0.0] * killed, name=name)
    store.close()
    node.stop()
    return verdict


def spawn(node: Node, folder: Path, role: str, start: int) -> subprocess.Popen[str]:
    """A child that says what it has done, a line for each batch."""
    command = [sys.executable, "-m", "benchmarks.faults_elasticsearch", "--child", role, str(node.port), str(folder), str(start)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def act(role: str, port: int, folder: Path, start: int) -> None:
    """What such a child does until it is killed."""
    url = f"elasticsearch://127.0.0.1:{port}/{role}"
    store = ElasticsearchPostStore(read_address(url, timeout_seconds=5), folder / f"{role}.db")
    while True:
        if role == "writer":
            store.add_posts(make_batch(start)[0])
            print(start, flush=True)
            start += 50
        else:
            posts = store.claim_posts(f"judge {os.getpid()}", 40, datetime.now(UTC), LEASE_SECONDS)
            print("claimed", flush=True)
            store.save_judged(judge(posts), datetime.now(UTC))


def jump_clock(server: Server, folder: Path, times: int) -> Verdict:
    """Two judges whose clocks jump by up to a day, either way; every other batch is dropped, as by one who was killed."""
    node, rng = server.start_node("clock"), random.Random(9)
    stores = [open_store(node, folder / "clock.db") for _ in range(2)]
    acknowledged = {post.id: post for start in range(0, 5000, 50) for post in make_batch(start)[0]}
    stores[0].add_posts(list(acknowledged.values()))
    for number in range(times):
        for store in stores:
            now = NOW + timedelta(hours=rng.choice((-24, -1, 0, 1, 24)))
            posts = store.claim_posts("judge", 100, now)
            if number % 2:
                store.save_judged(judge(posts), now + timedelta(hours=rng.choice((-2, 0, 2))))
    finish_judging(stores[0])
    verdict = check(stores[0], acknowledged, [0.0] * times, name="时钟跳变", note="前后至多一天;每隔一批扔掉不存")
    for store in stores:
        store.close()
    node.stop()
    return verdict


FAULTS: dict[str, Fault] = {
    "writer": lambda *given: kill_processes(*given, role="writer", name="kill -9 写入进程"),
    "judge": lambda *given: kill_processes(*given, role="judge", name="kill -9 判断进程"),
    "refuse": lambda *given: break_network(*given, mode="refuse", name="网络:拒绝连接 1 秒"),
    "slow": lambda *given: break_network(*given, mode="slow", name="网络:每块慢 0.3 秒,1 秒"),
    "stall": lambda *given: break_network(*given, mode="stall", name="网络:半开(吞掉一切)1 秒"),
    "red": redden_shard,
    "clock": jump_clock,
    "node": lambda *given: kill_nodes(*given, master=False),
    "master": lambda *given: kill_nodes(*given, master=True),
}


def tell(line: str) -> None:
    """Progress."""
    sys.stderr.write(f"{line}\n")


def main() -> None:
    """Those asked for, or all."""
    if sys.argv[1:2] == ["--child"]:
        role, port, folder, start = sys.argv[2:6]
        act(role, int(port), Path(folder), int(start))
    parser = argparse.ArgumentParser()
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, []], default=list(FAULTS))
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    server, failed = Server.unpack(options=QUICK), False
    try:
        for name in given.faults:
            with tempfile.TemporaryDirectory() as folder:
                verdict = FAULTS[name](server, Path(folder), given.times)
            tell(str(verdict))
            keep(name, verdict)
            failed |= bool(verdict.lost or verdict.doubled)
    finally:
        server.close()
    sys.exit(failed)


def keep(name: str, verdict: Verdict) -> None:
    """Into the file, in the place of an older one."""
    values = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"rows": []}
    rows = {row["fault"]: row for row in values["rows"]}
    rows[name] = {"fault": name, **asdict(verdict), "date": datetime.now(UTC).date().isoformat()}
    ordered = [rows[one] for one in FAULTS if one in rows]
    RESULTS.write_text(json.dumps({"cores": os.cpu_count(), "rows": ordered}, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    try:
        main()
    except NoServer as reason:
        sys.exit(str(reason))
