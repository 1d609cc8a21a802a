"""Rebuilding the indices, and moving everything from one engine to the other and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_reindex import reindex
from store.elasticsearch_schema import VERSION, Indices, Layout
from store.moving import compare_stores, move_posts, walk_stored
from store.posts import PostStore, StoredPost
from store.sqlite import SQLitePostStore
from tingfeng.clock import parse_iso
from tingfeng.errors import StoreError
from tingfeng.labels import Content, Sentiment
from tingfeng.query import parse_query
from tingfeng.records import JudgedPost, Mention, Post

NOW = parse_iso("2026-11-20T12:00")
MakePost = Callable[..., Post]
OpenES = Callable[..., ElasticsearchPostStore]


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SQLitePostStore]:
    store = SQLitePostStore(tmp_path / "posts.db")
    yield store
    store.close()


def furnish(store: PostStore, post: MakePost, judged: Any) -> list[Post]:
    """Posts of several months in every state: judged, corrected, without a subject, unjudged, changed since, never judged."""
    posts = [post(n, published_at=NOW - timedelta(days=9 * n)) for n in range(30)]
    store.add_posts(posts)
    store.save_judged([judged(one, words=("水壶", "漏水"), band_keys=(3, 1), signature=2**63 + n) for n, one in enumerate(posts[:20])], NOW)
    store.save_judged([JudgedPost(posts[20].id, Content.NO_TEXT)], NOW)
    store.correct_mention(Mention(posts[0].id, "暖芽").id, sentiment="positive", acts=("praise",), severity="money", user="li", now=NOW)
    store.add_posts([replace(posts[1], text="改过的说法")])
    return posts


def test_everything_moves_there_and_back(open_es: OpenES, sqlite_store: SQLitePostStore, tmp_path: Path, post: MakePost, judged: Any) -> None:
    furnish(sqlite_store, post, judged)
    cluster, back = open_es(), SQLitePostStore(tmp_path / "back.db")
    assert sum(n for _, n in move_posts(sqlite_store, cluster, NOW)) == 30
    assert sum(n for _, n in move_posts(cluster, back, NOW)) == 30
    for target in (cluster, back):
        verdict = compare_stores(sqlite_store, target)
        assert (verdict.compared, verdict.differing, verdict.missing) == (30, (), ())
        assert target.health().unjudged == sqlite_store.health().unjudged == 10
        assert [hit.mention and hit.mention.corrected_by for hit in target.search(parse_query("sentiment:positive")).hits] == ["li"]
    back.close()


def test_moving_goes_on_where_it_was_cut_off(open_es: OpenES, sqlite_store: SQLitePostStore, post: MakePost, judged: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("store.moving.BATCH", 7)
    furnish(sqlite_store, post, judged)
    cluster = open_es()
    last, _ = next(move_posts(sqlite_store, cluster, NOW))
    assert sum(n for _, n in move_posts(sqlite_store, cluster, NOW, after=last)) == 23
    assert compare_stores(sqlite_store, cluster).missing == ()


def test_comparing_names_what_differs_and_what_is_missing(open_es: OpenES, sqlite_store: SQLitePostStore, post: MakePost, judged: Any) -> None:
    posts = furnish(sqlite_store, post, judged)
    cluster = open_es()
    list(move_posts(sqlite_store, cluster, NOW))
    cluster.correct_mention(Mention(posts[2].id, "暖芽").id, sentiment="neutral", user="wang", now=NOW)
    sqlite_store.add_posts([post(99)])
    verdict = compare_stores(sqlite_store, cluster)
    assert (verdict.differing, verdict.missing) == ((posts[2].id,), (post(99).id,))


def everything(store: ElasticsearchPostStore) -> list[StoredPost]:
    store._unseen.set()
    return list(walk_stored(store))


def test_reindexing_keeps_everything_and_other_stores_follow(open_es: OpenES, post: MakePost, judged: Any) -> None:
    store, other = open_es(), open_es("other.db")
    posts = furnish(store, post, judged)
    other.add_posts([post(50)])
    before = everything(store)
    done = reindex(store.cluster, Layout(shards=2))
    assert (done.old_set, done.new_set, done.posts) == (1, 2, 31)
    assert everything(store) == before
    assert other.known_ids([posts[3].id]) == {posts[3].id}
    assert other.add_posts([post(51)]).new == (post(51).id,)
    other.save_judged([judged(post(51), Sentiment.NEUTRAL)], NOW)
    store._unseen.set()
    assert (store.search(parse_query("sentiment:neutral")).total, store.health().detail["set"]) == (1, "2")


def test_a_reindex_that_fails_leaves_the_old_indices_in_use(open_es: OpenES, post: MakePost, judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_es()
    furnish(store, post, judged)
    with monkeypatch.context() as broken:
        broken.setattr("store.elasticsearch_reindex.make_docs", lambda truth: [])
        with pytest.raises(StoreError, match="条数不一样"):
            reindex(store.cluster, Layout())
    assert store.add_posts([post(60)]).new == (post(60).id,)
    assert reindex(store.cluster, Layout()).posts == 31
    assert store.search(with_unmatched=True).total == 31


def test_indices_of_the_first_version_are_rebuilt(open_es: OpenES, post: MakePost, judged: Any) -> None:
    """It kept leases in the posts, had no document for them, and showed unjudged posts at once."""
    store = open_es()
    store.add_posts([post(1), post(2)])
    store.save_judged([judged(post(1))], NOW)
    [old] = store.truths.read_alive([post(2).id])
    ours = {name: value for name, value in old.truth.items() if name not in ("hidden", "numbers")}
    store.cluster.call("PUT", f"/{store.indices.name('posts', old.truth['month'])}/_mapping", {"properties": {"lease_ms": {"type": "long"}}})
    store.truths.write([(old, ours | {"lease_ms": 0, "docs": [post(2).id]})])
    store.cluster.call("DELETE", f"/{store.indices.name('leases')}")
    assert reindex(store.cluster, Layout()).posts == 2
    later = open_es("later.db")
    assert later.search(with_unmatched=True).total == 2
    assert [one.native_id for one in later.claim_posts("w", 9, NOW)] == ["2"]


@pytest.mark.parametrize(("change", "words"), [(1, "请升级 tingfeng"), (-1, "tingfeng reindex")])
def test_indices_of_another_version_are_refused(open_es: OpenES, post: MakePost, monkeypatch: pytest.MonkeyPatch, change: int, words: str) -> None:
    with monkeypatch.context() as other:
        other.setattr("store.elasticsearch_schema.VERSION", VERSION + change)
        open_es().add_posts([post(1)])
    store = open_es("other.db")
    with pytest.raises(StoreError, match=words):
        store.search()
    reindex(store.cluster, Layout())
    assert Indices(store.cluster, Layout()).number == 2
