"""Thousands of generated questions: the matcher in Python is the truth for every operator, and both engines must say the same.

Adversarial texts are made here; the 20,000 real short ones are hot-search titles, read at run time from beside the checkout.
"""

from __future__ import annotations

import gzip
import json
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.real_elasticsearch import Node
from benchmarks.store_corpus import TITLES
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_client import read_address
from store.posts import Dim, PostStore
from store.sqlite import SQLitePostStore
from tingfeng.clock import SHANGHAI, parse_iso
from tingfeng.errors import UsageError
from tingfeng.labels import Act, ComplaintStatus, Content, PostKind, Sentiment, Severity, Stage, Topic
from tingfeng.query import Query, parse_query
from tingfeng.query_match import matches
from tingfeng.records import Author, Complaint, Engagement, JudgedPost, Mention, Opinion, Post

NOW = parse_iso("2026-11-20T12:00")
PIECES = (
    "暖芽", "橙屿", "退款", "客服", "漏电", "退", "款", "客", "服", "不", "好", "su7", "SU7", "refund", "refunds", "ref", "小米", "小米su7",
    "new balance", "New  Balance", "é", "ｅ", "ありがと", "İstanbul", "straße", "ﬁne", "退，款", "退 款", "退\n款", "退\u200b款", "。", "!!", "…", " ",
    "👍", "👍🏽", "㍿", "①②", "12.5", "1,000", "a_b", "c++", "#话题#", "@", "𠮷野家", "繁體字", "体字", "ﾃｽﾄ", "テスト", "AND", "OR", "(", ")", '"', "*",
    "x" * 120, "x" * 260, "\ue000", "¶", "…",
)  # fmt: skip
TERMS = (
    "退款", "客服", "款客", "不好", "su7", "SU7", "refund", "refund*", "ref*", "r*", "小米su7", '"小米 SU7"', '"new balance"', '"退 款"', "é", "e",
    "ありがと", "istanbul", "strasse", "straße", "fine", "体字", "繁体字", "title:退款", "title:(客服 OR su7)", "テスト", "12", '"1,000"', "a_b", "话题",
    "𠮷", "x" * 120, "x" * 260, "x" * 110 + "*", '"退 款 客"', "暖芽", "橙屿", '"好 su*"',
)  # fmt: skip
FIELDS = (
    "sentiment:negative", "sentiment:(positive OR uncertain)", "source:weibo", "source:(heimao OR weibo)", "kind:review", "act:complaint",
    "act:(praise OR question)", "topic:refund", "topic:(quality OR price)", "severity:safety", "stage:delivery", "region:浙江", "author_type:企业",
    "owned:true", "owned:false", "subject:暖芽", "subject:(暖芽 OR 橙屿)", "likes:>5", "likes:<=3", "comments:=0", "views:>=1000", "rating:<=2",
    "rating:=5", "rating:>4.5", "since:2026-11-19", "until:2026-11-19", "since:2026-11-19T23:59:59", "until:2026-11-20T00:00",
)  # fmt: skip
DIMS = tuple(Dim)


def make_query(rng: random.Random, depth: int = 0) -> str:
    """A query as a person, or a hostile generator, might write it."""
    roll = rng.random()
    if depth < 4 and roll < 0.5:
        parts = [make_query(rng, depth + 1) for _ in range(rng.choice((2, 2, 3)))]
        return f"({rng.choice((' ', ' OR ', ' AND ')).join(parts)})"
    if depth and roll < 0.62:
        return f"NOT {make_query(rng, depth + 1)}"
    if roll < 0.72:
        sides = [rng.choice((*TERMS[:12], "(退 OR 款 OR su7)", "(refund* OR 漏电)")) for _ in range(2)]
        if not any(":" in side for side in sides):
            return f"NEAR/{rng.choice((0, 1, 2, 5, 20, 500))}({' '.join(sides)})"
    return rng.choice(TERMS) if roll < 0.86 else rng.choice(FIELDS)


def parse(rng: random.Random) -> Query:
    """The next generated query that the language takes."""
    while True:
        try:
            return parse_query(make_query(rng), search=True)
        except UsageError:
            continue


def make_post(rng: random.Random, number: int, text: str, title: str) -> Post:
    at = parse_iso("2026-11-20T00:00") + timedelta(milliseconds=rng.choice((-1, 0, 1, -86_400_000, rng.randint(-(10**9), 10**8))))
    complaint = Complaint(str(number), problems=rng.choice(((), ("质量",), ("质量", "退款", "质量"))), status=rng.choice(list(ComplaintStatus)))
    likes, comments, reposts, views = (rng.choice((None, 0, 3, 4, 5, 6, 1000)) for _ in range(4))
    return Post(
        rng.choice(("heimao", "weibo", "tieba")), str(number), rng.choice((PostKind.REVIEW, PostKind.TICKET)), text, NOW, title,
        author=Author(rng.choice(("", "a1", "a2", "a3")), rng.choice(("", "企业")), "", rng.choice(("", "浙江", "上海"))),
        published_at=rng.choice((None, at, at)), engagement=Engagement(likes, comments, reposts, views), owned=rng.random() < 0.3, rating=rng.choice((None, 1, 2, 5)),
        complaint=rng.choice((None, complaint)),
    )  # fmt: skip


def judge(rng: random.Random, post: Post) -> JudgedPost:
    """None, one or two subjects."""
    mentions = tuple(
        Mention(
            post.id, subject, tuple(rng.sample(list(Act), rng.randint(0, 2))), rng.choice(list(Sentiment)), {}, rng.choice(((), ("漏电",))),
            opinions=tuple(Opinion(topic, Sentiment.NEGATIVE) for topic in rng.sample(list(Topic), rng.randint(0, 3))),
            severity=rng.choice((None, *Severity)), stage=rng.choice((None, *Stage)),
        )
        for subject in rng.choice(((), ("暖芽",), ("暖芽",), ("暖芽", "橙屿")))
    )  # fmt: skip
    words = tuple(rng.choices(("水壶", "客服", "退款", "质量", "发货"), k=rng.randint(0, 4)))
    return JudgedPost(post.id, Content.OK, mentions, post.id, rng.random() < 0.2, words=words)


@dataclass(frozen=True)
class Corpus:
    """The same posts in both engines."""

    posts: list[Post]
    judged: list[JudgedPost]
    stores: dict[str, PostStore]


def fill(node: Node, folder: Path, posts: list[Post], judged: list[JudgedPost]) -> Iterator[Corpus]:
    cluster = ElasticsearchPostStore(read_address(f"{node.url}t{uuid.uuid4().hex[:12]}"), folder / "spool.db")
    stores: dict[str, PostStore] = {"sqlite": SQLitePostStore(folder / "posts.db"), "elasticsearch": cluster}
    for store in stores.values():
        for start in range(0, len(posts), 1000):
            store.add_posts(posts[start : start + 1000])
            store.save_judged(judged[start : start + 1000], NOW)
    yield Corpus(posts, judged, stores)
    cluster.cluster.call("DELETE", "/" + ",".join(cluster.cluster.call("GET", f"/{cluster.cluster.address.prefix}*/_alias")))
    for store in stores.values():
        store.close()


@pytest.fixture(scope="module")
def hostile(es_node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    """250 adversarial posts."""
    rng = random.Random(11)
    texts = ["".join(rng.choices(PIECES, k=rng.randint(1, 9))) for _ in range(500)]
    posts = [make_post(rng, n, texts[2 * n] or "x", texts[2 * n + 1] if n % 3 else "") for n in range(250)]
    yield from fill(es_node, tmp_path_factory.mktemp("hostile"), posts, [judge(rng, post) for post in posts])


@pytest.fixture(scope="module")
def real(es_node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    """20,000 real titles, one or two subjects each."""
    file = TITLES / "weibo-hot-search-2021.jsonl.gz"
    if not file.exists():
        pytest.skip("no hot-search archive beside the checkout")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(20_000), lines, strict=False)]
    rng = random.Random(12)
    posts = [
        Post("hotsearch", str(n), PostKind.ORIGINAL, row["title"], NOW, published_at=parse_iso(row["date"]) + timedelta(minutes=rng.randrange(1440)))
        for n, row in enumerate(rows)
    ]
    judged = [
        JudgedPost(post.id, Content.OK, (Mention(post.id, rng.choice(("甲", "乙")), (), rng.choice(list(Sentiment))),), post.id,
                   words=tuple(post.text[i : i + 2] for i in range(0, len(post.text) - 1, 2)))
        for post in posts
    ]  # fmt: skip
    yield from fill(es_node, tmp_path_factory.mktemp("real"), posts, judged)


def hits_of(corpus: Corpus, query: Query, *, unmatched: bool) -> Counter[tuple[str, str]]:
    """What the matcher says: (post, subject)."""
    found: Counter[tuple[str, str]] = Counter()
    for post, judged in zip(corpus.posts, corpus.judged, strict=True):
        for mention in judged.mentions or ((None,) if unmatched else ()):
            if matches(query, post, mention):
                found[(post.id, mention.subject if mention else "")] += 1
    return found


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["elasticsearch", "sqlite"])
def test_two_thousand_queries_say_what_the_matcher_says(hostile: Corpus, engine: str) -> None:
    rng, store, some = random.Random(21), hostile.stores[engine], 0
    for number in range(2000):
        query, unmatched = parse(rng), number % 2 == 0
        page = store.search(query, limit=900, with_unmatched=unmatched)
        expected = hits_of(hostile, query, unmatched=unmatched)
        assert Counter((hit.post.id, hit.mention.subject if hit.mention else "") for hit in page.hits) == expected, query.text
        assert page.total == expected.total(), query.text
        some += bool(expected)
    assert some > 600


def value_of(dim: Dim, post: Post, mention: Mention) -> list[str]:
    """What a mention counts under."""
    at, complaint = post.counted_at.astimezone(SHANGHAI), post.complaint
    values = {
        Dim.HOUR: [at.strftime("%Y-%m-%dT%H:00+08:00")], Dim.DAY: [at.strftime("%Y-%m-%d")], Dim.SOURCE: [post.source],
        Dim.SUBJECT: [mention.subject], Dim.SENTIMENT: [str(mention.sentiment)], Dim.ACT: [str(act) for act in mention.acts],
        Dim.TOPIC: sorted({str(opinion.topic) for opinion in mention.opinions}), Dim.SEVERITY: [str(mention.severity or "")],
        Dim.STAGE: [str(mention.stage or "")], Dim.REGION: [post.author.region],
        Dim.PROBLEM: list(dict.fromkeys(complaint.problems)) if complaint else [], Dim.STATUS: [str(complaint.status) if complaint else ""],
    }[dim]  # fmt: skip
    return values or [""]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["elasticsearch", "sqlite"])
def test_counts_by_every_dimension_and_pair_are_right(hostile: Corpus, engine: str) -> None:
    rng, store = random.Random(31), hostile.stores[engine]
    pairs = [(one,) for one in DIMS] + [(one, two) for one in DIMS for two in DIMS if one is not two]
    for dims in [*pairs, *(tuple(rng.sample(DIMS, 3)) for _ in range(40))]:
        query, copies = (parse(rng) if rng.random() < 0.7 else None), rng.random() < 0.5
        expected: Counter[tuple[str, ...]] = Counter()
        for post, judged in zip(hostile.posts, hostile.judged, strict=True):
            for mention in judged.mentions if copies or not judged.is_copy else ():
                if query is None or matches(query, post, mention):
                    keys: list[tuple[str, ...]] = [()]
                    for dim in dims:
                        keys = [(*key, value) for key in keys for value in value_of(dim, post, mention)]
                    expected.update(keys)
        found = store.count(dims, query, copies=copies)
        assert [(row.key, row.mentions) for row in found] == sorted(expected.items()), (dims, query and query.text)


@pytest.mark.slow
@pytest.mark.shared
def test_engines_agree_on_twenty_thousand_real_titles(real: Corpus) -> None:
    rng, (mine, theirs) = random.Random(41), (real.stores[name] for name in ("sqlite", "elasticsearch"))
    for number in range(300):
        start = rng.randrange(3)
        pieces = [text[start : start + rng.randint(1, 3)] for text in (rng.choice(real.posts).text for _ in range(3))]
        pieces = [json.dumps(piece.strip(), ensure_ascii=False) for piece in pieces if piece.strip(' "\\')]
        asked = rng.choice(("{0}", "{0} OR {1}", "{0} -{1}", "NEAR/6({0} {1})", "({0} OR {1}) NOT {2}")).format(*pieces, *("明星", "中国", "疫情"))
        try:
            query = parse_query(asked, search=True)
        except UsageError:
            continue
        ours, other = (store.search(query, limit=40) for store in (mine, theirs))
        assert (ours.total, [hit.post.id for hit in ours.hits]) == (other.total, [hit.post.id for hit in other.hits]), asked
        if number % 5 == 0:
            assert mine.count([Dim.DAY, Dim.SENTIMENT], query) == theirs.count([Dim.DAY, Dim.SENTIMENT], query), asked


@pytest.mark.slow
@pytest.mark.shared
def test_telling_words_are_the_same_words_with_the_same_scores(real: Corpus) -> None:
    since, until = parse_iso("2020-01-01"), parse_iso("2023-01-01")
    for asked in ("疫情", "中国", "高考", "subject:甲", "NEAR/4(中国 女)"):
        ours, theirs = (store.significant_terms(parse_query(asked), since=since, until=until) for store in real.stores.values())
        assert ours == theirs
        assert ours, asked


@pytest.mark.slow
@pytest.mark.shared
def test_bins_and_volumes_are_the_same(real: Corpus) -> None:
    mine, theirs = real.stores.values()
    for seconds in (3600, 3 * 3600, 86_400):
        span = (parse_iso("2021-01-03T07:30"), parse_iso("2021-02-20T09:10"))
        for subject in ("甲", "乙", "丙"):
            assert mine.bins(subject, *span, seconds) == theirs.bins(subject, *span, seconds)
        assert mine.volumes(*span) == theirs.volumes(*span)
