"""What is particular to the cluster: refusals, faults, the spool, several stores at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.real_elasticsearch import Node, Server
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_bulk import Item, send_items
from store.elasticsearch_client import (
    Address,
    Cluster,
    ClusterAway,
    NotAllowed,
    check_version,
    explain_refusal,
    read_address,
)
from store.elasticsearch_rows import pack_post
from store.posts import Dim
from tingfeng.clock import parse_iso
from tingfeng.errors import SettingsError, StoreError
from tingfeng.labels import Sentiment
from tingfeng.query import parse_query
from tingfeng.records import Author, Engagement, Mention, Post

NOW = parse_iso("2026-11-20T12:00")
HUGE = Engagement(likes=10**400)  # no number that an index can hold
MakePost = Callable[..., Post]
OpenES = Callable[..., ElasticsearchPostStore]


@pytest.fixture
def own_node(es_server: Server) -> Iterator[Node]:
    """A node that the test may break."""
    node = es_server.start_node(f"own{len(es_server.nodes)}")
    yield node
    node.stop()


def open_on(node: Node, folder: Path, **options: Any) -> ElasticsearchPostStore:
    return ElasticsearchPostStore(read_address(node.url, timeout_seconds=5), folder / "spool.db", **options)


def refuse_writing(*_: object) -> None:
    raise NotAllowed("这个账号没有权限")


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("url", "hosts", "prefix"),
    [
        ("elasticsearch://a:9200/", ("http://a:9200",), "tingfeng-"),
        ("elasticsearchs://a,b:9201/brand_x", ("https://a:9200", "https://b:9201"), "brand_x-"),
        ("elasticsearch://[::1]:9200", ("http://[::1]:9200",), "tingfeng-"),
    ],
)
def test_addresses(url: str, hosts: tuple[str, ...], prefix: str) -> None:
    found = read_address(url)
    assert (found.hosts, found.prefix) == (hosts, prefix)


@pytest.mark.parametrize("url", ["elasticsearch://", "elasticsearch://a:b/", "elasticsearch://a:1/UPPER", "elasticsearch://a:1/_x"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(SettingsError, match="posts_url"):
        read_address(url)


def test_secrets_are_not_shown() -> None:
    address = read_address("elasticsearch://u:s3cr%40t@h:1/", api_key="k3y")
    assert (address.user, address.password, address.api_key) == ("u", "s3cr@t", "k3y")
    assert "s3cr" not in repr(address) + address.shown
    assert "k3y" not in repr(address) + address.shown


@pytest.mark.parametrize("version", ["7.17.29", "10.0.0"])
def test_another_major_version_is_named(version: str) -> None:
    with pytest.raises(ClusterAway, match=version):
        check_version(version, Address(("http://h:1",)))
    check_version("9.1.0", Address(("http://h:1",)))


def test_a_client_the_server_does_not_know_is_explained() -> None:
    body = {"error": {"type": "media_type_header_exception", "reason": "…"}}
    assert "支持 Elasticsearch 8.x" in explain_refusal(400, body, Address(("http://h:1",))).message


def test_what_the_cluster_refuses_becomes_a_dead_letter_and_the_rest_is_stored(open_es: OpenES, post: MakePost) -> None:
    store = open_es()
    bad, good = post(1, engagement=HUGE), post(2)
    result = store.add_posts([bad, good])
    assert (result.new, result.refused) == ((good.id,), (bad.id,))
    [letter] = store.spool.letters()
    assert (letter.post_id, letter.post) == (bad.id, bad)
    assert letter.reason.startswith("400 ")
    assert any("deadletter" in problem for problem in store.health().problems)


def test_dead_letters_are_tried_again_or_dropped(open_es: OpenES, post: MakePost) -> None:
    store = open_es()
    bad = post(1, engagement=HUGE)
    store.add_posts([bad])
    assert store.retry_letters(store.spool.letters()) == 0
    store.spool.bury("post", post(2).id, {"post": pack_post(post(2))}, "…")
    assert store.retry_letters(store.spool.letters()) == 1
    assert store.get_post(post(2).id) == post(2)
    assert store.spool.drop_letters([letter.number for letter in store.spool.letters()]) == 1


def test_strange_fields_are_stored_all_the_same(open_es: OpenES, post: MakePost) -> None:
    store = open_es()
    odd = post(1, "半个字符 \ud83d 与 " + "长" * 50 + "x" * 400, extras={"a": "v" * 40_000, "b": "1"}, published_at=parse_iso("1999-01-01"))
    assert store.add_posts([odd]).new == (odd.id,)
    assert store.get_post(odd.id) == odd
    for asked in ("x" * 400, "x" * 50 + "*", "x" * 300 + "*"):
        assert store.search(parse_query(asked), with_unmatched=True).total == 1
    assert store.search(parse_query("x" * 399), with_unmatched=True).total == 0


def test_a_full_queue_is_waited_for_item_by_item(es_server: Server, tmp_path: Path) -> None:
    node = es_server.start_node("narrow", **{"thread_pool.write.size": 1, "thread_pool.write.queue_size": 3})
    cluster, waits = Cluster(read_address(node.url)), list[float]()
    text = {"text": "字 " * 4000}

    def wait(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    def write(worker: int) -> None:
        items = [Item("index", f"part{n % 12}", f"{worker}-{n}", text) for n in range(120)]
        assert all(told.done for told in send_items(cluster, items, sleep=wait))

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cluster.refresh("part*")
    assert waits, "the queue was never full"
    assert cluster.call("GET", "/part*/_count")["count"] == 600
    cluster.close()
    node.stop()


def test_a_correction_is_seen_by_every_store_at_once(open_es: OpenES, post: MakePost, judged: Any) -> None:
    mine, hers = open_es(), open_es("other.db")
    mine.add_posts([post(1)])
    mine.save_judged([judged(post(1))], NOW)
    hers.correct_mention(Mention(post(1).id, "暖芽").id, sentiment="positive", user="li", now=NOW)
    assert [row.key for row in mine.count([Dim.SENTIMENT])] == [("positive",)]


def test_an_absent_cluster_is_named_and_posts_wait_on_this_machine(tmp_path: Path, post: MakePost, es_server: Server) -> None:
    node = es_server.configure("absent", {})
    store = open_on(node, tmp_path, spool_limit=3)
    assert store.add_posts([post(1), post(2)]).spooled == (post(1).id, post(2).id)
    with pytest.raises(StoreError, match="连不上 Elasticsearch"):
        store.search()
    with pytest.raises(StoreError, match="暂存也满了"):
        store.add_posts([post(3), post(4)])
    assert store.spool.waiting() == 2
    store.close()


def test_what_waited_is_written_in_order_when_the_cluster_is_back(own_node: Node, tmp_path: Path, post: MakePost, judged: Any) -> None:
    store = open_on(own_node, tmp_path)
    first = post(1, engagement=Engagement(likes=1))
    store.add_posts([first])
    own_node.kill()
    for likes in (2, 3, 4):
        assert store.add_posts([replace(first, engagement=Engagement(likes=likes)), post(10 + likes)]).spooled
    own_node.start()
    own_node.wait()
    assert store.add_posts([post(20)]).new == (post(20).id,)
    found = store.get_post(first.id)
    assert found is not None
    assert (found.engagement.likes, store.health().posts, store.spool.waiting()) == (4, 5, 0)
    store.close()


@pytest.mark.parametrize(("block", "words"), [("read_only_allow_delete", "磁盘快满"), ("write", "只读"), ("read_only", "只读")])
def test_a_read_only_index_is_explained_and_posts_wait(open_es: OpenES, post: MakePost, block: str, words: str) -> None:
    store = open_es()
    store.add_posts([post(1)])
    pattern = f"/{store.cluster.address.prefix}*/_settings"
    store.cluster.call("PUT", pattern, {f"index.blocks.{block}": True})
    assert store.add_posts([post(2)]).spooled == (post(2).id,)
    with pytest.raises(ClusterAway, match=words):
        store.mark_unjudged() or store.truths.add([post(3)])
    assert any("只读" in problem for problem in store.health().problems)
    store.cluster.call("PUT", pattern, {f"index.blocks.{block}": None})
    assert store.add_posts([post(3)]).new == (post(3).id,)
    assert store.health().posts == 3


def test_forgetting_reaches_what_waits_and_what_was_refused(open_es: OpenES, post: MakePost) -> None:
    store = open_es()
    store.add_posts([post(1, author=Author("gone")), post(2, author=Author("gone"), engagement=HUGE), post(3)])
    assert len(store.spool.letters()) == 1
    assert store.delete_posts(author_key="gone") == 1
    assert (store.spool.letters(), store.health().posts) == ([], 1)


def test_a_projection_cut_off_is_completed(open_es: OpenES, post: MakePost, judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_es()
    store.add_posts([post(1)])
    store.save_judged([judged(post(1))], NOW)
    with monkeypatch.context() as cut:
        cut.setattr(store.truths, "project", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.correct_mention(Mention(post(1).id, "暖芽").id, sentiment="positive", user="li", now=NOW)
    assert [row.key for row in store.count([Dim.SENTIMENT])] == [("negative",)]
    assert store.claim_posts("w", 9, NOW) == []
    assert [row.key for row in store.count([Dim.SENTIMENT])] == [("positive",)]
    assert store.health().detail["unfinished"] == "0"


def test_a_deletion_cut_off_is_completed(open_es: OpenES, post: MakePost, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_es()
    store.add_posts([post(1)])
    with monkeypatch.context() as cut:
        cut.setattr(store.truths, "project", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.delete_posts(source="heimao")
    assert store.get_post(post(1).id) is None
    store.claim_posts("w", 9, NOW)
    assert (store.search(with_unmatched=True).total, store.health().posts) == (0, 0)
    assert store.add_posts([post(1)]).new == (post(1).id,)


def test_a_late_projection_of_an_older_state_changes_nothing(open_es: OpenES, post: MakePost, judged: Any) -> None:
    store = open_es()
    store.add_posts([post(1)])
    late = list(store.truths.read([post(1).id]).values())
    store.save_judged([judged(post(1), Sentiment.POSITIVE)], NOW)
    store.truths.project(late)
    assert [hit.mention is not None for hit in store.search(with_unmatched=True).hits] == [True]
    store.delete_posts(source="heimao")
    store.truths.project(late)
    store._unseen.set()
    assert store.search(with_unmatched=True).total == 0


def test_the_first_start_of_many_at_once(open_es: OpenES, post: MakePost) -> None:
    stores = [open_es(f"{n}.db") for n in range(4)]
    threads = [threading.Thread(target=store.add_posts, args=([post(n * 10 + k) for k in range(10)],)) for n, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert open_es("last.db").health().posts == 40


def test_threads_that_add_the_same_posts_store_each_once(open_es: OpenES, post: MakePost) -> None:
    store = open_es()
    news: list[str] = []
    posts = [post(n, published_at=NOW - timedelta(days=n)) for n in range(30)]
    threads = [threading.Thread(target=lambda: news.extend(store.add_posts(posts).new)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(news) == sorted(one.id for one in posts)
    assert store.search(with_unmatched=True).total == 30


@pytest.mark.parametrize("half", ["posts", "mentions"])
def test_what_a_killed_judge_left_is_mended_when_his_lease_is_over(
    open_es: OpenES, post: MakePost, judged: Any, monkeypatch: pytest.MonkeyPatch, half: str
) -> None:
    """He saw another subject, and only the truths or only their documents were written."""
    store, killed = open_es(), open_es()
    store.add_posts([post(1), post(2)])
    killed.claim_posts("killed", 9, NOW)

    def send_half(cluster: Cluster, items: Any) -> None:
        send_items(cluster, [item for item in items if f"-{half}-" in item.index])
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr("store.elasticsearch_truth.send_items", send_half)
        with pytest.raises(KeyboardInterrupt):
            killed.save_judged([judged(post(1), subject="橙屿"), judged(post(2), subject="橙屿")], NOW)
    assert store.claim_posts("next", 9, NOW + timedelta(seconds=599)) == []
    later = NOW + timedelta(seconds=601)
    again = store.claim_posts("next", 9, later)
    assert len(again) == (0 if half == "posts" else 2)
    store.save_judged([judged(one) for one in again], later)
    assert [row.key for row in store.count([Dim.SUBJECT])] == [("橙屿" if half == "posts" else "暖芽",)]
    assert store.search(with_unmatched=True).total == 2


def test_a_post_deleted_while_it_is_judged_leaves_nothing(open_es: OpenES, post: MakePost, judged: Any) -> None:
    store, other = open_es(), open_es("other.db")
    store.add_posts([post(1), post(2, source="weibo")])
    claimed = store.claim_posts("w", 9, NOW)
    assert other.delete_posts(source="heimao") == 1
    store.save_judged([judged(one) for one in claimed], NOW)
    assert [hit.post.source for hit in store.search(with_unmatched=True).hits] == ["weibo"]
    assert store.get_post(post(1).id) is None


def test_a_late_judge_and_his_successor_leave_one_judgement(open_es: OpenES, post: MakePost, judged: Any) -> None:
    late, next_ = open_es(), open_es("next.db")
    late.add_posts([post(1)])
    late.claim_posts("late", 9, NOW)
    next_.claim_posts("next", 9, NOW + timedelta(seconds=601))
    late.save_judged([judged(post(1), subject="橙屿")], NOW)
    next_.save_judged([judged(post(1))], NOW + timedelta(seconds=602))
    assert [row.key for row in next_.count([Dim.SUBJECT])] == [("暖芽",)]
    late.save_judged([judged(post(1), subject="橙屿")], NOW + timedelta(seconds=603))
    assert [row.key for row in late.count([Dim.SUBJECT])] == [("橙屿",)]


def test_a_claim_whose_answer_was_lost_is_known_as_our_own(open_es: OpenES, post: MakePost, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transport sends a request again when nothing was heard of it; the second one meets what the first has written."""
    store = open_es()
    store.add_posts([post(1)])

    def send_twice(cluster: Cluster, items: Any) -> Any:
        send_items(cluster, items)
        return send_items(cluster, items)

    with monkeypatch.context() as lost:
        lost.setattr("store.elasticsearch_leases.send_items", send_twice)
        assert len(store.claim_posts("w", 9, NOW)) == 1


def test_a_claim_gives_the_text_as_it_is_now(open_es: OpenES, post: MakePost, judged: Any) -> None:
    """Posts that this store has just created are known to it; what others made of them meanwhile counts."""
    store, other = open_es(), open_es("other.db")
    store.add_posts([post(n) for n in range(5)])
    other.add_posts([post(1, "暖芽漏电了")])
    assert other.claim_posts("w", 1, NOW)[0].id == post(4).id  # the oldest
    other.delete_posts(before=post(3).counted_at + timedelta(seconds=1))
    claimed = {one.id: one.text for one in store.claim_posts("w", 9, NOW)}
    assert claimed == {post(0).id: post(0).text, post(1).id: "暖芽漏电了", post(2).id: post(2).text}
    store.save_judged([judged(post(n)) for n in range(3)], NOW)
    assert (store.search().total, store.claim_posts("w", 9, NOW)) == (3, [])


def test_many_judges_at_once_claim_each_post_once(open_es: OpenES, post: MakePost, judged: Any) -> None:
    stores, claimed = [open_es(f"{n}.db") for n in range(4)], list[str]()
    stores[0].add_posts([post(n) for n in range(120)])

    def work(store: ElasticsearchPostStore) -> None:
        while posts := store.claim_posts("same name", 11, NOW):
            claimed.extend(one.id for one in posts)
            store.save_judged([judged(one) for one in posts], NOW)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(claimed), len(set(claimed))) == (120, 120)
    assert open_es("last.db").search().total == 120


def test_who_may_only_read_finds_posts_that_others_have_shown(open_es: OpenES, post: MakePost, monkeypatch: pytest.MonkeyPatch) -> None:
    store, reader = open_es(), open_es("reader.db")
    store.add_posts([post(1)])
    with monkeypatch.context() as refused:
        refused.setattr("store.elasticsearch.reveal", refuse_writing)
        assert reader.search(with_unmatched=True).total == 0
    assert store.search(with_unmatched=True, since=NOW).total == 0
    assert store.search(with_unmatched=True).total == 1
