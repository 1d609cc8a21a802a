"""Commands over Elasticsearch, in processes of their own, as a person runs them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.real_elasticsearch import Node
from store.elasticsearch_client import Cluster, read_address

ROWS = [{"id": str(n), "text": f"暖芽水壶第{n}次漏水,客服不管", "time": f"2026-11-{10 + n} 10:00"} for n in range(5)]


@pytest.fixture
def url(es_node: Node) -> Iterator[str]:
    prefix = f"t{uuid.uuid4().hex[:12]}"
    yield f"{es_node.url}{prefix}"
    cluster = Cluster(read_address(f"{es_node.url}{prefix}"))
    names = cluster.call("GET", f"/{prefix}-*/_alias")
    if names:
        cluster.call("DELETE", f"/{','.join(names)}")
    cluster.close()


@pytest.fixture
def rows(place: Path) -> str:
    (place / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    return "rows.jsonl"


def test_a_file_is_imported_judged_found_moved_rebuilt_and_forgotten(tingfeng: Any, url: str, rows: str) -> None:
    def run(*args: str) -> Any:
        result = tingfeng(*args, "--json", TINGFENG_POSTS_URL=url)
        assert result.code == 0, result.err
        return result.json

    assert run("import", rows)[0]["new"] == 5
    assert run("analyse")["judged"] == 5
    assert run("search", "漏水 客服")["total"] == 5
    assert run("migrate", "elasticsearch", "sqlite")["compared"] == 5
    assert tingfeng("search", "漏水 客服", "--json").json["total"] == 5
    assert run("reindex")["new_set"] == 2
    assert run("forget", "--before", "2026-11-12T12:00", "--yes")["deleted"] == 3
    assert [row["day"] for row in run("count", "--by", "day")] == ["2026-11-13", "2026-11-14"]
    assert [check["state"] for check in run("doctor") if check["name"] == "帖子库"] == ["ok"]
    assert run("deadletter") == []


def test_without_the_cluster_an_import_waits_and_a_search_says_why(tingfeng: Any, rows: str, url: str) -> None:
    away = "elasticsearch://127.0.0.1:9/"
    result = tingfeng("import", rows, "--json", TINGFENG_POSTS_URL=away)
    assert (result.code, result.json[0]["new"], result.json[0]["spooled"]) == (0, 0, 5)
    search = tingfeng("search", "漏水", TINGFENG_POSTS_URL=away)
    assert search.code == 3
    assert "连不上 Elasticsearch" in search.err
    assert tingfeng("import", rows, "--json", TINGFENG_POSTS_URL=url).json[0]["seen"] == 5
    assert tingfeng("count", "--by", "source", TINGFENG_POSTS_URL=url).code == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [(("migrate", "sqlite", "elasticsearch"), "没有配置 Elasticsearch"), (("migrate", "sqlite", "sqlite"), "同一个"), (("reindex",), "SQLite")],
)
def test_what_makes_no_sense_is_refused(tingfeng: Any, args: tuple[str, ...], words: str) -> None:
    result = tingfeng(*args)
    assert result.code == 2
    assert words in result.err


def test_a_password_in_the_file_is_refused(tingfeng: Any, place: Path) -> None:
    config = place / "config" / "tingfeng.toml"
    config.write_text('[store]\nposts_url = "elasticsearch://u:secret@h:9200/"\n' + config.read_text("utf-8"), "utf-8")
    result = tingfeng("search", "漏水")
    assert result.code == 2
    assert "TINGFENG_POSTS_URL" in result.err
    assert "secret" not in result.err
