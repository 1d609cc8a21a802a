"""What the embedded engine does to be quick must not be seen in its answers."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from store.posts import Dim, Order
from store.sqlite import SQLitePostStore
from store.sqlite_query import translate
from tingfeng.clock import parse_iso
from tingfeng.labels import Act, Content, Sentiment, Severity
from tingfeng.query import parse_query
from tingfeng.query_match import matches
from tingfeng.records import Author, Engagement, JudgedPost, Mention, Post

NOW = parse_iso("2026-11-20T12:00")
ROOT = Path(__file__).resolve().parents[2]
SHUFFLED = {"in the order of time": 0, "newest first": 1, "in no order": 2}
MakePost = Callable[..., Post]
Judge = Callable[..., JudgedPost]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLitePostStore]:
    found = SQLitePostStore(tmp_path / "posts.db")
    yield found
    found.close()


def fill_zones(store: SQLitePostStore, post: MakePost, judged: Judge, order: int) -> list[Post]:
    """Fourteen zones; every seventh post is about refunds, every 200th about a valve; many share a second."""
    numbers = list(range(900))
    if order == 1:
        numbers.reverse()
    elif order == 2:
        random.Random(1).shuffle(numbers)
    posts = []
    for n in numbers:
        text = "阀芯" if n % 200 == 7 else "客服说退款" if n % 7 == 0 else "水壶"
        posts.append(post(n, text, published_at=NOW - timedelta(minutes=n // 3)))
    for start in range(0, len(posts), 200):
        store.add_posts(posts[start : start + 200])
        store.save_judged([judged(one) for one in posts[start : start + 200]], NOW)
    return posts


def in_order(posts: list[Post]) -> list[str]:
    return [one.id for one in sorted(posts, key=lambda one: (one.counted_at, Mention(one.id, "暖芽").id), reverse=True)]


@pytest.mark.parametrize("order", SHUFFLED)
def test_pages_over_several_zones_are_newest_first_and_complete(
    store: SQLitePostStore, post: MakePost, judged: Judge, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.sqlite_zones.ZONE_BITS", 6)
    posts = fill_zones(store, post, judged, SHUFFLED[order])
    since, until = NOW - timedelta(hours=4), NOW - timedelta(hours=1)
    for words in ("退款", "阀芯", "水壶", "NEAR/3(客服 退款)", "subject:暖芽 -水壶"):
        query = parse_query(words, search=True)
        expected = in_order([one for one in posts if matches(query, one, Mention("", "暖芽"))])
        seen: list[str] = []
        cursor = ""
        while cursor or not seen:
            page = store.search(query, limit=97, cursor=cursor)
            seen += [hit.post.id for hit in page.hits]
            assert page.total == len(expected)
            cursor = page.next_cursor
        assert seen == expected, words
        found = store.search(query, since=since, until=until, limit=9000).hits
        inside = {one.id for one in posts if since <= one.counted_at < until}
        assert {hit.post.id for hit in found} == inside & set(expected), words


def test_counting_may_stop_early_and_says_so(store: SQLitePostStore, post: MakePost, judged: Judge) -> None:
    posts = [post(n, "水壶漏水") for n in range(60)]
    store.add_posts(posts)
    store.save_judged([judged(one) for one in posts], NOW)
    query = parse_query("漏水")
    capped = store.search(query, limit=5, count_up_to=20)
    assert (capped.total, capped.total_is_least, len(capped.hits)) == (20, True, 5)
    assert store.search(query, limit=5, count_up_to=60).total_is_least is False
    assert store.search(query, limit=5, count_up_to=0).total_is_least is True
    assert store.search(query, limit=80, count_up_to=0).total == 60


def test_relevance_puts_the_best_match_first_and_pages_through_all(store: SQLitePostStore, post: MakePost, judged: Judge) -> None:
    texts = ["退款", "这里很长很长很长很长很长很长很长很长只提了一次退款而已", "退款退款退款"] + ["别的话"] * 30
    posts = [post(n, text) for n, text in enumerate(texts)]
    store.add_posts(posts)
    store.save_judged([judged(one) for one in posts], NOW)
    query = parse_query("退款 sentiment:negative", search=True)
    pages = [store.search(query, limit=2, order=Order.RELEVANCE)]
    pages.append(store.search(query, limit=2, order=Order.RELEVANCE, cursor=pages[0].next_cursor))
    assert [hit.post.native_id for page in pages for hit in page.hits] == ["2", "0", "1"]
    assert (pages[0].total, pages[1].next_cursor) == (3, "")


def test_relevance_without_words_is_newest_first(store: SQLitePostStore, post: MakePost, judged: Judge) -> None:
    posts = [post(n) for n in range(9)]
    store.add_posts(posts)
    store.save_judged([judged(one) for one in posts], NOW)
    query = parse_query("subject:暖芽", search=True)
    assert store.search(query, order=Order.RELEVANCE).hits == store.search(query).hits


def test_a_post_moves_with_its_time(store: SQLitePostStore, post: MakePost, judged: Judge) -> None:
    one = post(1, published_at=None)
    store.add_posts([one])
    store.save_judged([judged(one)], NOW)
    earlier = NOW - timedelta(days=3)
    store.add_posts([replace(one, published_at=earlier, engagement=Engagement(likes=1))])
    found = store.get_post(one.id)
    assert found is not None
    assert found.counted_at == earlier
    assert [row.key[0] for row in store.count([Dim.DAY])] == ["2026-11-17"]
    assert store.search(until=NOW - timedelta(days=2)).total == 1
    assert store.find_damage() == []


def labelled(one: Post, rng: random.Random) -> JudgedPost:
    acts = tuple(rng.sample((Act.COMPLAINT, Act.QUESTION, Act.SUGGESTION), rng.randint(0, 2)))
    severity, label = rng.choice((None, Severity.MONEY, Severity.SAFETY)), rng.choice((Sentiment.NEGATIVE, Sentiment.POSITIVE))
    subject, copy = rng.choice(("暖芽", "橙屿")), rng.random() < 0.2
    mention = Mention(one.id, subject, acts, label, severity=severity)
    return JudgedPost(one.id, Content.OK, (mention,), one.id, copy)


def random_time(rng: random.Random) -> datetime | None:
    return None if rng.random() < 0.2 else NOW - timedelta(minutes=rng.randrange(-600, 9000))


def test_counts_from_roll_ups_are_those_of_the_mentions(store: SQLitePostStore, post: MakePost) -> None:
    rng = random.Random(3)
    posts = [post(n, source=rng.choice(("heimao", "weibo"))) for n in range(1100)]
    store.add_posts(posts)
    store.save_judged([labelled(one, rng) for one in posts], NOW)
    store.save_judged([labelled(one, rng) for one in posts[:300]], NOW)
    store.delete_posts(author_key="a3")
    dims = [Dim.HOUR, Dim.DAY, Dim.SOURCE, Dim.SUBJECT, Dim.SENTIMENT, Dim.ACT, Dim.SEVERITY, Dim.TOPIC]
    words = ("", "subject:暖芽", "sentiment:negative", "act:complaint", "severity:safety subject:橙屿", "source:weibo")
    for _ in range(300):
        chosen = rng.sample(dims, rng.randint(0, 3))
        since, until, copies, text = random_time(rng), random_time(rng), rng.random() < 0.5, rng.choice(words)
        query = parse_query(text) if text else None
        plain = parse_query(f"{text} likes:>=0 OR {text} -likes:>=0" if text else "subject:暖芽 OR -subject:暖芽 subject:橙屿")
        assert translate(plain).rolled is None
        expected = store.count(chosen, plain, since=since, until=until, copies=copies)
        assert store.count(chosen, query, since=since, until=until, copies=copies) == expected, (chosen, text, since, until)
        if copies:
            assert store.search(query, since=since, until=until, limit=1).total == sum(
                row.mentions for row in store.count([Dim.SUBJECT], plain, since=since, until=until)
            )


def test_deleting_by_author_source_and_age_keeps_the_roll_ups_right(store: SQLitePostStore, post: MakePost, judged: Judge) -> None:
    posts = [post(n, source=("heimao", "weibo")[n % 2], author=Author(f"a{n % 7}")) for n in range(300)]
    store.add_posts(posts)
    store.save_judged([judged(one, band_keys=(n,)) for n, one in enumerate(posts)], NOW)
    assert store.delete_posts(author_key="a1", source="weibo") == sum(
        one.author.key == "a1" and one.source == "weibo" for one in posts
    )
    assert store.delete_posts(before=NOW - timedelta(hours=20)) > 0
    assert store.find_damage() == []
    assert store.delete_posts(source="heimao") + store.delete_posts(source="weibo") == len(
        [one for one in posts if one.counted_at >= NOW - timedelta(hours=20) and not (one.author.key == "a1" and one.source == "weibo")]
    )
    assert (store.health().posts, store.health().mentions) == (0, 0)
    assert store._connection.execute("SELECT count(*) FROM bands").fetchone()[0] == 0


def test_keys_beyond_24_bits_that_share_a_place_are_told_apart(store: SQLitePostStore, post: MakePost, judged: Judge) -> None:
    posts = [post(n) for n in range(3)]
    store.add_posts(posts)
    keys = [(5, 5 + (1 << 24)), (5 + (1 << 24),), (6,)]
    store.save_judged([judged(one, band_keys=key) for one, key in zip(posts, keys, strict=True)], NOW)
    since = NOW - timedelta(days=1)
    assert [near.post_id for near in store.near_posts([5], since)] == [posts[0].id]
    assert [near.post_id for near in store.near_posts([5 + (1 << 24)], since)] == [posts[1].id, posts[0].id]
    store.save_judged([judged(posts[0])], NOW)
    assert [near.post_id for near in store.near_posts([5 + (1 << 24)], since)] == [posts[1].id]


def test_copies_are_found_beyond_the_first_part_of_the_file(store: SQLitePostStore, post: MakePost, judged: Judge) -> None:
    posts = [post(n) for n in range(2)]
    store.add_posts(posts[:1])
    store._connection.execute("UPDATE posts SET row = 200000")
    store._connection.execute("UPDATE zones SET zone = 200000 >> 12")
    store.add_posts(posts[1:])
    store.save_judged([judged(one, band_keys=(5,)) for one in posts], NOW)
    assert {near.post_id for near in store.near_posts([5], NOW - timedelta(days=1))} == {one.id for one in posts}


PLANS = (
    ("暖芽", "SEARCH m USING"),
    ("subject:暖芽 sentiment:negative", "mentions_by_subject"),
    ("sentiment:negative", "mentions_by_time"),
    ("source:weibo likes:>1000", "posts_by_likes"),
    ("暖芽 reposts:>=100", "posts_by_reposts"),
    ("likes:>99", "mentions_by_time"),
)


@pytest.mark.parametrize(("words", "index"), PLANS)
def test_searches_go_along_an_index(words: str, index: str, store: SQLitePostStore, post: MakePost) -> None:
    store.add_posts([post(n, "暖芽") for n in range(20)])
    told: list[str] = []
    store._connection.set_trace_callback(told.append)
    store.search(parse_query(words, search=True), limit=5, count_up_to=0)
    store._connection.set_trace_callback(None)
    sql = next(one for one in told if "ORDER BY" in one and "mentions m" in one)
    plan = [row["detail"] for row in store._connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert any(index in step for step in plan), plan
    assert not any(step.startswith("SCAN p") or step == "SCAN m" for step in plan), plan


def test_loud_posts_are_found_among_the_quiet(store: SQLitePostStore, post: MakePost, judged: Judge) -> None:
    likes = [None, 5, 99, 100, 101, 1000, 1001, 100_000] * 5
    posts = [replace(post(n, "暖芽", source="weibo" if n % 3 else "heimao"), engagement=Engagement(likes=many)) for n, many in enumerate(likes)]
    store.add_posts(posts)
    store.save_judged([judged(one) for one in posts], NOW)
    for words, least, source in (("likes:>100", 101, ""), ("likes:>=100", 100, ""), ("source:heimao likes:>=1001", 1001, "heimao"), ("暖芽 likes:>50", 51, "")):
        wanted = [one for one in posts if (one.engagement.likes or 0) >= least and source in ("", one.source)]
        page = store.search(parse_query(words, search=True), limit=7)
        assert page.total == len(wanted), words
        newest = sorted(wanted, key=lambda one: one.counted_at, reverse=True)[:7]
        assert [hit.post.counted_at for hit in page.hits] == [one.counted_at for one in newest], words


WORKER = """
import sys
from datetime import datetime, timedelta, UTC
from pathlib import Path
from store.sqlite import SQLitePostStore
from tingfeng.labels import Content, PostKind
from tingfeng.records import JudgedPost, Mention, Post
kind, file, name = sys.argv[1:4]
store = SQLitePostStore(Path(file))
now = datetime(2026, 11, 20, tzinfo=UTC)
if kind == "write":
    for batch in range(20):
        store.add_posts([Post(name, f"{batch}-{n}", PostKind.ORIGINAL, "水壶漏水", now - timedelta(seconds=n)) for n in range(25)])
elif kind == "judge":
    done = 0
    while done < 500:
        posts = store.claim_posts(name, 40, now)
        store.save_judged([JudgedPost(post.id, Content.OK, (Mention(post.id, "暖芽"),)) for post in posts], now)
        done = store.health().mentions
else:
    last = 0
    while last < 1000:
        total = store.search(limit=1).total
        assert total >= last, "fewer than before"
        assert len(store.search(limit=50, count_up_to=0).hits) == min(50, total) or total < 50
        last = total
store.close()
"""


def test_several_processes_write_judge_and_read_at_once(tmp_path: Path) -> None:
    SQLitePostStore(tmp_path / "posts.db").close()
    roles = [("write", "a"), ("write", "b"), ("judge", "j1"), ("judge", "j2"), ("read", "r")]
    processes = [
        subprocess.Popen([sys.executable, "-c", WORKER, role, str(tmp_path / "posts.db"), name], cwd=ROOT) for role, name in roles
    ]
    for process in processes[:2]:
        assert process.wait(timeout=120) == 0
    finisher = SQLitePostStore(tmp_path / "posts.db")
    while posts := finisher.claim_posts("finisher", 500, NOW + timedelta(hours=1)):
        finisher.save_judged([JudgedPost(one.id, Content.OK, (Mention(one.id, "暖芽"),)) for one in posts], NOW)
    assert [process.wait(timeout=120) for process in processes[2:]] == [0, 0, 0]
    assert (finisher.health().posts, finisher.health().mentions, finisher.find_damage()) == (1000, 1000, [])
    finisher.close()


@pytest.mark.parametrize("words", ["漏水", "subject:暖芽"])
def test_pages_stay_right_while_older_and_newer_posts_come_and_seen_ones_go(
    words: str, store: SQLitePostStore, post: MakePost, judged: Judge
) -> None:
    def add(numbers: list[int], key: str = "stays") -> None:
        posts = [replace(post(0), native_id=str(n), published_at=NOW - timedelta(minutes=n), author=Author(key)) for n in numbers]
        store.add_posts(posts)
        store.save_judged([judged(one) for one in posts], NOW)

    add(list(range(0, 300, 3)), "first")
    seen: list[int] = []
    cursor = ""
    while cursor or not seen:
        page = store.search(parse_query(words), limit=9, cursor=cursor)
        seen += [int(hit.post.native_id) for hit in page.hits]
        cursor = page.next_cursor
        last = seen[-1]
        add([-last - 1], "newer")
        add([last + 300_000], "older")
        store.delete_posts(author_key="newer")
    assert [n for n in seen if n < 300] == list(range(0, 300, 3))
    assert len(set(seen)) == len(seen)
