"""Stores under test: the same tests on every engine."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.real_elasticsearch import Node, NoServer, Server
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_client import Cluster, read_address
from store.posts import PostStore
from store.sqlite import SQLitePostStore
from tingfeng.clock import parse_iso
from tingfeng.labels import Act, Content, PostKind, Sentiment
from tingfeng.records import Author, JudgedPost, Mention, Post

NOW = parse_iso("2026-11-20T12:00")
ENGINES = ("elasticsearch", "sqlite")


@pytest.fixture(scope="session")
def es_server() -> Iterator[Server]:
    """The unpacked server. Absent: the test skips with the reason; with CI set it fails instead."""
    try:
        server = Server.unpack()
    except NoServer as reason:
        if os.environ.get("CI"):
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    yield server
    server.close()


@pytest.fixture(scope="session")
def es_node(es_server: Server) -> Node:
    """One node for all tests that do not break it; each test has a prefix of its own."""
    return es_server.start_node("shared")


OpenES = Callable[..., ElasticsearchPostStore]


@pytest.fixture
def open_es(es_node: Node, tmp_path: Path) -> Iterator[OpenES]:
    """Opens stores on indices of this test; they are closed and the indices dropped in the end."""
    prefix = f"t{uuid.uuid4().hex[:12]}"
    opened: list[ElasticsearchPostStore] = []

    def do(spool: str = "spool.db", **options: Any) -> ElasticsearchPostStore:
        store = ElasticsearchPostStore(read_address(f"{es_node.url}{prefix}"), tmp_path / spool, **options)
        opened.append(store)
        return store

    yield do
    for store in opened:
        store.close()
    drop_indices(es_node, prefix)


def drop_indices(node: Node, prefix: str) -> None:
    """Everything under a prefix."""
    cluster = Cluster(read_address(f"{node.url}{prefix}"))
    names = cluster.call("GET", f"/{prefix}-*/_alias")
    if names:
        cluster.call("DELETE", f"/{','.join(names)}")
        for kind in ("index_template", "component_template"):
            cluster.call("DELETE", f"/_{kind}/{prefix}-*")
    cluster.close()


@pytest.fixture(params=ENGINES)
def post_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PostStore]:
    if request.param == "sqlite":
        store = SQLitePostStore(tmp_path / "posts.db")
        yield store
        store.close()
    else:
        yield request.getfixturevalue("open_es")()


def make_post(number: int, text: str = "暖芽水壶漏水", **changes: object) -> Post:
    at = NOW - timedelta(minutes=7 * number)
    fields: dict[str, object] = {
        "source": "heimao", "native_id": str(number), "kind": PostKind.ORIGINAL, "text": text, "first_seen_at": NOW,
        "published_at": at, "author": Author(f"a{number % 5}", region="浙江"),
    }  # fmt: skip
    return Post(**fields | changes)  # type: ignore[arg-type]


def judge(
    post: Post, sentiment: Sentiment = Sentiment.NEGATIVE, subject: str = "暖芽", **changes: object
) -> JudgedPost:
    mention = Mention(
        post.id, subject, (Act.COMPLAINT,), sentiment, {"negative": 0.9}, ("漏电",) if "漏电" in post.text else (), "m1"
    )
    fields: dict[str, object] = {
        "post_id": post.id,
        "content": Content.OK,
        "mentions": (mention,),
        "duplicate_group": post.id,
        "words": ("水壶",),
    }
    return JudgedPost(**fields | changes)  # type: ignore[arg-type]


Fill = Callable[..., list[Post]]


@pytest.fixture
def fill(post_store: PostStore) -> Fill:
    """Stores and judges posts."""

    def do(posts: list[Post], sentiment: Sentiment = Sentiment.NEGATIVE, **changes: Any) -> list[Post]:
        post_store.add_posts(posts)
        post_store.save_judged([judge(post, sentiment, **changes) for post in posts], NOW)
        return posts

    return do


@pytest.fixture
def post() -> Callable[..., Post]:
    return make_post


@pytest.fixture
def judged() -> Callable[..., JudgedPost]:
    return judge
