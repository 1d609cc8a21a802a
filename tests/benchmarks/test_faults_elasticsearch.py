"""The checker of the fault benches of Elasticsearch finds what is lost and what is too much; the report shows what was measured."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import report_elasticsearch
from benchmarks.faults_ledger import check, finish_judging, make_batch
from benchmarks.real_elasticsearch import Node
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_client import read_address


@pytest.fixture
def store(es_node: Node, tmp_path: Path) -> Iterator[ElasticsearchPostStore]:
    """With one batch, judged."""
    found = ElasticsearchPostStore(read_address(f"{es_node.url}t{uuid.uuid4().hex[:12]}"), tmp_path / "spool.db")
    found.add_posts(make_batch(0)[0])
    finish_judging(found)
    yield found
    found.cluster.call("DELETE", f"/{','.join(found.cluster.call('GET', f'/{found.cluster.address.prefix}*/_alias'))}")
    found.close()


def test_what_is_all_there_once_is_well(store: ElasticsearchPostStore) -> None:
    verdict = check(store, {post.id: post for post in make_batch(0)[0]}, [0.5, 2.0], name="x")
    assert (verdict.acknowledged, verdict.lost, verdict.doubled) == (50, 0, 0)
    assert (verdict.times, verdict.recovery_median_s, verdict.recovery_longest_s) == (2, 1.25, 2.0)


def test_a_post_that_is_missing_is_lost(store: ElasticsearchPostStore) -> None:
    posts = [*make_batch(0)[0], make_batch(50)[0][0]]
    assert check(store, {post.id: post for post in posts}, [], name="x").lost == 1


def test_a_mention_that_is_missing_is_lost_and_a_strange_one_is_doubled(store: ElasticsearchPostStore) -> None:
    hit = store.search(limit=1).hits[0]
    assert hit.mention is not None
    index = store.indices.name("mentions", "2026.10")
    source = store.cluster.call("GET", f"/{index}/_doc/{hit.mention.id}")["_source"]
    source["shown"]["mention"]["subject"] = "别人"
    store.cluster.call("PUT", f"/{index}/_doc/strange", source | {"key": "strange"}, refresh="true")
    assert check(store, {}, [], name="x").doubled == 1
    store.cluster.call("DELETE", f"/{index}/_doc/{hit.mention.id}", refresh="true")
    assert check(store, {}, [], name="x").lost == 1


def test_the_report_shows_faults_and_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = {
        "fault": "red", "name": "红色分片", "times": 20, "acknowledged": 900, "judged": 900, "spooled": 3, "lost": 0, "doubled": 0,
        "recovery_median_s": 1.5, "recovery_longest_s": 4.0, "load": 2.0, "note": "", "date": "2026-11-25",
    }  # fmt: skip
    worker = {"engine": "sqlite", "posts": 10, "seconds": 1.0, "load": 1.0}
    workers = [worker | {"processes": 1, "per_second": 10, "overhead": 0.05}, worker | {"processes": 2, "per_second": 15, "overhead": None}]
    for name, values in (("FAULTS", {"cores": 2, "rows": [fault]}), ("WORKERS", {"cores": 2, "date": "2026-11-25", "rows": workers})):
        (tmp_path / name).write_text(json.dumps(values), "utf-8")
        monkeypatch.setattr(report_elasticsearch, name, tmp_path / name)
    monkeypatch.setattr(report_elasticsearch, "STORES", tmp_path / "absent")
    page = report_elasticsearch.describe_elasticsearch()
    assert "| 红色分片 | 20 | 900 | 3 | 0 | 0 | 1.5 / 4 | 2 | – |" in page
    assert "| sqlite | 2 | 10 | 1 | 15 | 1.50 | – | 1 |" in page
    assert "| 5.0% |" in page
