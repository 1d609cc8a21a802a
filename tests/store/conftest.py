"""Stores under test. A second engine adds a line to ENGINES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store.posts import PostStore
from store.sqlite import SQLitePostStore
from tingfeng.clock import parse_iso
from tingfeng.labels import Act, Content, PostKind, Sentiment
from tingfeng.records import Author, JudgedPost, Mention, Post

NOW = parse_iso("2026-11-20T12:00")
ENGINES: dict[str, Callable[[Path], PostStore]] = {"sqlite": lambda folder: SQLitePostStore(folder / "posts.db")}


@pytest.fixture(params=sorted(ENGINES))
def post_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PostStore]:
    store = ENGINES[request.param](tmp_path)
    yield store
    store.close()


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
