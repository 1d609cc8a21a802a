"""A query tried on invented posts: hits, samples, contribution of each clause, suggested exclusions."""

from __future__ import annotations

from datetime import timedelta

from nlp.query_trial import Trial, describe_node, try_query
from nlp.relevance import Relevance, Sense
from tingfeng.clock import parse_iso
from tingfeng.labels import PostKind
from tingfeng.query import parse_query
from tingfeng.records import Mention, Post

NOW = parse_iso("2026-11-20")
TEXTS = ["苹果手机卡顿", "苹果电脑黑屏", "苹果手机和电脑都慢", "苹果汁好喝", "苹果汁手机壳", "香蕉", "苹果树下的手机", "苹果树"]


def tried(query: str, texts: list[str] = TEXTS, relevance: Relevance | None = None) -> Trial:
    posts = [
        (Post("s", str(n), PostKind.ORIGINAL, text, NOW + timedelta(minutes=n)), None) for n, text in enumerate(texts)
    ]
    return try_query(parse_query(query), posts, relevance or Relevance())


def test_hits_and_what_each_clause_brings() -> None:
    trial = tried("苹果 (手机 OR 电脑) -苹果汁")
    assert (trial.posts, trial.hits) == (8, 4)
    shares = {one.clause: (one.hits, one.alone, one.kept_out) for one in trial.clauses}
    assert shares == {"苹果": (4, 0, 0), "手机": (3, 2, 0), "电脑": (2, 1, 0), "NOT 苹果汁": (0, 0, 1)}


def test_longer_words_are_suggested_for_exclusion() -> None:
    senses = {"苹果": Sense((), ("苹果树", "香蕉"))}
    found = {one.word: one.hits for one in tried("苹果", relevance=Relevance(senses=senses)).exclusions}
    assert found["苹果树"] == 2
    assert "香蕉" not in found


def test_samples_are_spread_and_at_most_twenty() -> None:
    trial = tried("苹果", [f"苹果{n}" for n in range(100)])
    assert [post.native_id for post in trial.samples] == [str(n) for n in range(0, 100, 5)]


def test_a_post_with_two_mentions_counts_once() -> None:
    post = Post("s", "1", PostKind.ORIGINAL, "苹果", NOW)
    mentions = [Mention(post.id, "甲"), Mention(post.id, "乙")]
    assert try_query(parse_query("苹果"), [(post, mention) for mention in mentions], Relevance()).hits == 1


def test_clauses_are_shown_as_they_are_written() -> None:
    query = parse_query('"小米 SU7" refund* NEAR/5(客服 退款) rating:<=2 source:heimao title:坏 /退.?款/')
    shown = [describe_node(node) for node in query.root.nodes]  # type: ignore[union-attr]
    assert shown == ["小米 su7", "refund*", "NEAR/5(客服 退款)", "rating:<=2", "source:heimao", "title:坏", "/退.?款/"]


def test_nothing_found_is_no_error() -> None:
    trial = tried("葡萄")
    assert (trial.hits, trial.samples, trial.exclusions) == (0, (), ())
