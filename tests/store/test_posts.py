"""What every PostStore must do."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from store.posts import CountRow, Dim, Hit, Order, PostStore
from tingfeng.clock import parse_iso
from tingfeng.errors import StoreError, UsageError
from tingfeng.labels import ComplaintStatus, Content, Owner, PostKind, Sentiment, Severity, Stage, Topic
from tingfeng.query import parse_query
from tingfeng.query_match import matches
from tingfeng.records import Author, Complaint, Engagement, JudgedPost, Mention, Opinion, Post

NOW = parse_iso("2026-11-20T12:00")
MakePost = Callable[..., Post]
Fill = Callable[..., list[Post]]


def test_a_post_comes_back_as_it_went_in(post_store: PostStore, post: MakePost) -> None:
    complaint = Complaint(
        "17", "暖芽", ("质量", "退款"), ("退款",), 198.5, ComplaintStatus.REPLIED, "已回复", NOW, None, 3
    )
    one = post(
        1,
        title="标题",
        rating=2,
        complaint=complaint,
        extras={"a": "b"},
        engagement=Engagement(1, 2, 3, 4, True, NOW),
        owned=True,
    )
    post_store.add_posts([one])
    assert post_store.get_post(one.id) == one


def test_adding_twice_changes_nothing(post_store: PostStore, post: MakePost) -> None:
    one = post(1)
    assert post_store.add_posts([one, one]).new == (one.id,)
    assert post_store.add_posts([replace(one, first_seen_at=NOW + timedelta(days=1))]).seen == (one.id,)
    found = post_store.get_post(one.id)
    assert found is not None
    assert found.first_seen_at == one.first_seen_at


def test_changed_text_is_found_anew_and_judged_again(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    one = fill([post(1, "旧的说法")])[0]
    assert post_store.add_posts([replace(one, text="新的说法")]).changed == (one.id,)
    assert [claimed.text for claimed in post_store.claim_posts("w", 10, NOW)] == ["新的说法"]
    assert post_store.search(parse_query("新的"), with_unmatched=True).total == 1
    assert post_store.search(parse_query("旧的"), with_unmatched=True).total == 0


def test_changed_likes_do_not_unjudge(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    one = fill([post(1)])[0]
    assert post_store.add_posts([replace(one, engagement=Engagement(likes=9))]).changed == (one.id,)
    assert post_store.claim_posts("w", 10, NOW) == []


def test_known_ids(post_store: PostStore, post: MakePost) -> None:
    one = post(1)
    post_store.add_posts([one])
    assert post_store.known_ids([one.id, "no"]) == {one.id}


def test_claims_are_disjoint_and_come_back_when_the_lease_runs_out(post_store: PostStore, post: MakePost) -> None:
    post_store.add_posts([post(n) for n in range(4)])
    first, second = post_store.claim_posts("a", 3, NOW), post_store.claim_posts("b", 3, NOW)
    assert {one.id for one in first} & {one.id for one in second} == set()
    assert [one.native_id for one in first] == ["3", "2", "1"]
    assert len(post_store.claim_posts("c", 9, NOW + timedelta(seconds=601))) == 4


def test_a_lease_taken_before_the_clock_was_put_back_is_void(post_store: PostStore, post: MakePost) -> None:
    post_store.add_posts([post(1)])
    assert len(post_store.claim_posts("a", 9, NOW + timedelta(days=1))) == 1
    assert len(post_store.claim_posts("b", 9, NOW)) == 1
    assert post_store.claim_posts("c", 9, NOW) == []


def test_who_asked_earlier_and_was_served_later_takes_nobodys_posts(post_store: PostStore, post: MakePost) -> None:
    post_store.add_posts([post(1)])
    assert len(post_store.claim_posts("quick", 9, NOW + timedelta(seconds=20))) == 1
    assert post_store.claim_posts("slow", 9, NOW) == []


def test_a_post_that_could_not_be_judged_keeps_its_lease(
    post_store: PostStore, post: MakePost, judged: Callable[..., JudgedPost]
) -> None:
    post_store.add_posts([post(1), post(2)])
    post_store.claim_posts("a", 9, NOW)
    post_store.save_judged([judged(post(1))], NOW)
    assert post_store.claim_posts("a", 9, NOW) == []
    assert [one.native_id for one in post_store.claim_posts("a", 9, NOW + timedelta(seconds=601))] == ["2"]


def test_a_new_text_and_a_new_model_free_a_post_at_once(
    post_store: PostStore, post: MakePost, judged: Callable[..., JudgedPost]
) -> None:
    post_store.add_posts([post(1)])
    post_store.claim_posts("a", 9, NOW)
    post_store.add_posts([post(1, "新的说法")])
    assert [one.text for one in post_store.claim_posts("b", 9, NOW)] == ["新的说法"]
    post_store.save_judged([judged(post(1, "新的说法"))], NOW)
    assert post_store.mark_unjudged() == 1
    assert len(post_store.claim_posts("a", 9, NOW)) == 1


def test_judging_again_replaces_mentions(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    one = fill([post(1)])
    fill(one, Sentiment.POSITIVE)
    assert [(row.key, row.mentions) for row in post_store.count([Dim.SENTIMENT])] == [(("positive",), 1)]


def test_a_persons_label_survives_judging_again(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    one = fill([post(1)])
    mention = Mention(one[0].id, "暖芽")
    corrected = post_store.correct_mention(mention.id, sentiment="neutral", user="li", now=NOW)
    assert corrected.corrected_by == "li"
    fill(one, Sentiment.NEGATIVE)
    assert [row.key for row in post_store.count([Dim.SENTIMENT])] == [("neutral",)]
    assert post_store.search(parse_query("sentiment:neutral")).total == 1


def test_a_person_may_set_several_fields_one_after_the_other(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    one = fill([post(1)])
    id = Mention(one[0].id, "暖芽").id
    post_store.correct_mention(id, acts=("praise", "question"), severity="safety", user="li", now=NOW)
    fill(one, Sentiment.NEUTRAL)
    post_store.correct_mention(id, sentiment="mixed", user="wang", now=NOW)
    fill(one, Sentiment.NEGATIVE)
    mention = post_store.search().hits[0].mention
    assert mention is not None
    assert (str(mention.sentiment), list(map(str, mention.acts)), str(mention.severity)) == ("mixed", ["praise", "question"], "safety")
    assert (mention.corrected, mention.corrected_by) == (("acts", "severity", "sentiment"), "wang")


def test_fields_that_nobody_corrected_are_judged_again(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    one = fill([post(1)])
    post_store.correct_mention(Mention(one[0].id, "暖芽").id, acts=("question",), user="li", now=NOW)
    fill(one, Sentiment.POSITIVE)
    assert post_store.count([Dim.SENTIMENT, Dim.ACT]) == [CountRow(("positive", "question"), 1)]


def test_counts_by_label_follow_a_correction(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    one = fill([post(1), post(2)])
    post_store.correct_mention(Mention(one[0].id, "暖芽").id, acts=("praise",), severity="money", user="li", now=NOW)
    assert [(row.key[0], row.mentions) for row in post_store.count([Dim.ACT])] == [("complaint", 1), ("praise", 1)]
    assert ("money", 1) in [(row.key[0], row.mentions) for row in post_store.count([Dim.SEVERITY])]
    assert post_store.search(parse_query("severity:money")).total == 1


def test_posts_come_with_their_judgement_in_the_order_asked_for(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    fill([post(1), post(2)])
    post_store.add_posts([post(3)])
    ids = [post(3).id, "no", post(2).id, post(1).id, post(2).id]
    found = post_store.get_posts(ids)
    assert [one.post.native_id for one in found] == ["3", "2", "1"]
    assert [one.judged for one in found] == [False, True, True]
    assert found[0].judgement is None
    assert [mention.subject for mention in found[1].judgement.mentions] == ["暖芽"] if found[1].judgement else False


def test_a_group_is_its_first_post_and_the_copies_since_a_time(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    fill([post(1), post(9)])
    fill([post(3), post(4), post(5)], duplicate_group=post(9).id, is_copy=True)
    fill([post(6)], duplicate_group=post(1).id, is_copy=True)
    post_store.mark_unjudged(parse_query("since:2026-11-20T11:24 until:2026-11-20T11:26"))
    found = post_store.get_group([post(9).id, "no"], post(9).counted_at)
    assert [one.post.native_id for one in found] == ["9", "4", "3"]
    assert [one.post.native_id for one in post_store.get_group([post(9).id], post(4).counted_at)] == ["4", "3"]
    assert post_store.get_group([], post(9).counted_at) == []


def test_correcting_what_is_not_there(post_store: PostStore) -> None:
    with pytest.raises(StoreError, match="没有这条提及"):
        post_store.correct_mention("no", sentiment="neutral", user="li", now=NOW)


def test_pages_are_newest_first_and_complete_while_others_write(
    post_store: PostStore, fill: Fill, post: MakePost
) -> None:
    fill([post(n) for n in range(25)])
    seen: list[Hit] = []
    cursor = ""
    while True:
        page = post_store.search(limit=7, cursor=cursor)
        seen += page.hits
        fill([post(-1 - len(seen))])  # newer than everything
        cursor = page.next_cursor
        if not cursor:
            break
    assert [hit.post.native_id for hit in seen] == [str(n) for n in range(25)]


def test_bad_cursor_is_named(post_store: PostStore) -> None:
    with pytest.raises(UsageError, match="cursor"):
        post_store.search(cursor="!!")


def test_copies_are_counted_on_the_first(
    post_store: PostStore, post: MakePost, judged: Callable[..., JudgedPost]
) -> None:
    first, later = post(2), post(1)
    post_store.add_posts([first, later])
    post_store.save_judged([judged(first), judged(later, duplicate_group=first.id, is_copy=True)], NOW)
    assert {hit.post.native_id: (hit.is_copy, hit.copies) for hit in post_store.search().hits} == {
        "1": (True, 0),
        "2": (False, 1),
    }
    assert post_store.count([Dim.SUBJECT], copies=False)[0].mentions == 1
    assert post_store.count([Dim.SUBJECT])[0].mentions == 2


def test_days_and_hours_are_those_of_shanghai(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    fill([post(1, published_at=parse_iso("2026-11-19T23:59:59")), post(2, published_at=parse_iso("2026-11-20T00:00"))])
    assert [row.key[0] for row in post_store.count([Dim.DAY])] == ["2026-11-19", "2026-11-20"]
    assert [row.key[0] for row in post_store.count([Dim.HOUR])] == ["2026-11-19T23:00+08:00", "2026-11-20T00:00+08:00"]


def test_counts_from_roll_up_and_from_mentions_agree(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    fill([post(n) for n in range(40)])
    fill([post(n) for n in range(40, 60)], Sentiment.POSITIVE)
    dims = [Dim.HOUR, Dim.SUBJECT, Dim.SENTIMENT, Dim.SOURCE]
    for since, until in (
        (None, None),
        (NOW - timedelta(minutes=133), NOW - timedelta(minutes=21)),
        (NOW - timedelta(minutes=20), NOW),
    ):
        rolled = post_store.count(dims, since=since, until=until)
        assert rolled == post_store.count(dims, parse_query("subject:暖芽"), since=since, until=until)
        assert sum(row.mentions for row in rolled) == post_store.search(since=since, until=until).total


def test_several_problems_count_once_each(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    fill([post(1, complaint=Complaint("1", problems=("A9", "B84"), status=ComplaintStatus.REPLIED)), post(2)])
    assert [(row.key, row.mentions) for row in post_store.count([Dim.PROBLEM])] == [
        (("",), 1),
        (("A9",), 1),
        (("B84",), 1),
    ]
    assert [(row.key[0], row.mentions) for row in post_store.count([Dim.STATUS])] == [("", 1), ("replied", 1)]


def test_bins_fold_copies_and_count_harm(
    post_store: PostStore, post: MakePost, judged: Callable[..., JudgedPost]
) -> None:
    posts = [post(1, "漏电了"), post(2), post(3)]
    post_store.add_posts(posts)
    post_store.save_judged(
        [judged(posts[0]), judged(posts[1], Sentiment.POSITIVE), judged(posts[2], is_copy=True)], NOW
    )
    bins = post_store.bins("暖芽", NOW - timedelta(hours=1), NOW, 900)
    assert [(one.negative, one.total, one.harm) for one in bins] == [(0, 0, 0), (0, 0, 0), (0, 0, 0), (1, 2, 1)]
    assert post_store.bins("暖芽", NOW - timedelta(hours=1), NOW, 900, sources=["weibo"])[-1].total == 0


def test_volumes_by_source(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    fill([post(1), post(2, source="weibo")])
    assert post_store.volumes(NOW - timedelta(days=1), NOW) == {"heimao": 1, "weibo": 1}


def test_near_posts_share_a_band(post_store: PostStore, post: MakePost, judged: Callable[..., JudgedPost]) -> None:
    one = post(1)
    post_store.add_posts([one])
    post_store.save_judged([judged(one, band_keys=(5, 70000), signature=2**63 + 5)], NOW)
    found = post_store.near_posts([70000], NOW - timedelta(days=1))
    assert [(near.post_id, near.signature) for near in found] == [(one.id, 2**63 + 5)]
    assert post_store.near_posts([6], NOW - timedelta(days=1)) == []


def test_telling_words_count_an_author_once(
    post_store: PostStore, post: MakePost, judged: Callable[..., JudgedPost]
) -> None:
    loud = [post(n, author=Author("one"), text="漏水") for n in range(6)]
    many = [post(10 + n, author=Author(f"m{n}"), text="漏水") for n in range(4)]
    calm = [post(30 + n, author=Author(f"c{n}"), text="不错") for n in range(20)]
    post_store.add_posts([*loud, *many, *calm])
    words = {"loud": ("刷屏",), "many": ("密封圈", "水壶"), "calm": ("水壶",)}
    for name, posts in (("loud", loud), ("many", many), ("calm", calm)):
        post_store.save_judged([judged(one, words=words[name]) for one in posts], NOW)
    found = post_store.significant_terms(parse_query("漏水"), since=NOW - timedelta(days=2), until=NOW)
    assert [word for word, _, _ in found][:1] == ["密封圈"]
    assert "刷屏" not in [word for word, _, _ in found]


def test_deleting_removes_every_trace(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    fill([post(1, author=Author("gone")), post(2, author=Author("stays"))])
    assert post_store.delete_posts(author_key="gone") == 1
    assert post_store.search(parse_query("漏水")).total == 1
    assert sum(row.mentions for row in post_store.count([Dim.DAY])) == 1
    assert post_store.delete_posts(before=NOW) == 1


def test_deleting_without_a_condition_is_refused(post_store: PostStore) -> None:
    with pytest.raises(StoreError, match="条件"):
        post_store.delete_posts()


def test_marking_unjudged(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    fill([post(1, "漏水"), post(2, "很好")])
    assert post_store.mark_unjudged(parse_query("漏水")) == 1
    assert post_store.mark_unjudged() == 1
    assert post_store.health().unjudged == 2


WORDS = (
    "暖芽",
    "退款",
    "客服",
    "漏电",
    "su7",
    "refund",
    "refunds",
    "好",
    "不",
    "。",
    ",",
    " ",
    "new balance",
    "é",
    "ありがと",
)
TERMS = ("退款", "客服", "不退", "su7", "refund", "refund*", '"new balance"', "title:退款", "é", "款客")
FIELDS = (
    "sentiment:negative",
    "source:weibo",
    "kind:review",
    "act:complaint",
    "likes:>5",
    "rating:<=2",
    "region:浙江",
    "since:2026-11-20",
    "owned:true",
)


def make_query(rng: random.Random, depth: int = 0) -> str:
    roll = rng.random()
    if depth < 2 and roll < 0.45:
        joined = rng.choice((" ", " OR ", " AND ")).join(make_query(rng, depth + 1) for _ in range(2))
        return f"({joined})"
    if roll < 0.6:
        return f"-{rng.choice(TERMS[:5])}" if depth else rng.choice(TERMS)
    if roll < 0.72:
        return f"NEAR/{rng.choice((0, 2, 5))}({rng.choice(('退款', '客服'))} (漏电 OR su7))"
    return rng.choice(TERMS) if roll < 0.88 else rng.choice(FIELDS)


def test_search_says_what_the_matcher_says(
    post_store: PostStore, post: MakePost, judged: Callable[..., JudgedPost]
) -> None:
    rng = random.Random(7)
    posts = []
    for number in range(150):
        text, title = ("".join(rng.choices(WORDS, k=rng.randint(1, 8))) for _ in range(2))
        changes = {
            "source": rng.choice(("heimao", "weibo")),
            "rating": rng.choice((None, 1, 5)),
            "owned": rng.random() < 0.3,
        }
        kind, likes = rng.choice((PostKind.REVIEW, PostKind.TICKET)), rng.choice((None, 3, 9))
        posts.append(post(number, text or "x", title=title, kind=kind, engagement=Engagement(likes=likes), **changes))
    post_store.add_posts(posts)
    labels = [rng.choice((Sentiment.NEGATIVE, Sentiment.POSITIVE)) for _ in posts]
    post_store.save_judged([judged(one, label) for one, label in zip(posts, labels, strict=True)], NOW)
    mentions = {hit.post.id: hit.mention for hit in post_store.search(limit=1000).hits}
    asked = 0
    for _ in range(400):
        try:
            query = parse_query(make_query(rng), search=True)
        except UsageError:
            continue
        asked += 1
        expected = {one.id for one in posts if matches(query, one, mentions[one.id])}
        page = post_store.search(query, limit=1000)
        assert {hit.post.id for hit in page.hits} == expected, query.text
        assert page.total == len(expected)
        assert sum(row.mentions for row in post_store.count([Dim.SOURCE], query)) == len(expected)
    assert asked > 250


FULL = {
    "opinions": (Opinion(Topic.REFUND, Sentiment.NEGATIVE), Opinion(Topic.QUALITY, Sentiment.NEUTRAL, "battery")),
    "severity": Severity.MONEY, "stage": Stage.AFTER_SALE, "owner": Owner.SERVICE, "demands": ("退款", "道歉"),
    "effort": {"calls": 6, "days": 20}, "switched_to": "橙屿",
}  # fmt: skip


def test_a_full_judgement_comes_back_as_it_went_in(post_store: PostStore, post: MakePost) -> None:
    one = post(1)
    mention = Mention(one.id, "暖芽", (), Sentiment.NEGATIVE, **FULL)  # type: ignore[arg-type]
    post_store.add_posts([one])
    post_store.save_judged([JudgedPost(one.id, Content.OK, (mention,))], NOW)
    assert [hit.mention for hit in post_store.search().hits] == [mention]


@pytest.mark.parametrize(
    ("query", "found"),
    [("topic:refund", 1), ("topic:(safety OR quality)", 1), ("topic:price", 0), ("severity:money stage:after_sale", 1), ("暖芽 NOT severity:money", 1)],
)
def test_topics_severity_and_stage_can_be_asked_for(post_store: PostStore, post: MakePost, fill: Fill, query: str, found: int) -> None:
    one = post(1)
    fill([post(2)])
    post_store.add_posts([one])
    mention = Mention(one.id, "暖芽", (), Sentiment.NEGATIVE, **FULL)  # type: ignore[arg-type]
    post_store.save_judged([JudgedPost(one.id, Content.OK, (mention,))], NOW)
    assert post_store.search(parse_query(query)).total == found
    assert {row.key: row.mentions for row in post_store.count([Dim.TOPIC, Dim.SEVERITY])} == {
        ("", ""): 1, ("quality", "money"): 1, ("refund", "money"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("asked", ["漏水", "NEAR/2(漏水 水壶)", None])
def test_counting_may_stop_early(post_store: PostStore, fill: Fill, post: MakePost, asked: str | None) -> None:
    fill([post(n) for n in range(12)])
    query = parse_query(asked) if asked else None
    capped = post_store.search(query, limit=2, count_up_to=5)
    assert (len(capped.hits), capped.total, capped.total_is_least) in ((2, 5, True), (2, 12, False))
    assert post_store.search(query, limit=2).total == 12
    assert post_store.search(query, limit=2, count_up_to=0).next_cursor
    assert (post_store.search(query, limit=20, count_up_to=0).total, post_store.search(query, limit=20).total_is_least) == (12, False)


@pytest.mark.parametrize("asked", ["漏水", "(漏水 OR NEAR/2(漏水 水壶))"])
def test_by_relevance_every_hit_comes_once_and_the_best_first(post_store: PostStore, fill: Fill, post: MakePost, asked: str) -> None:
    fill([post(n, "漏水漏水漏水" if n == 7 else "漏水,后来修好了,客服也很耐心") for n in range(12)])
    seen: list[str] = []
    cursor = ""
    while True:
        page = post_store.search(parse_query(asked), limit=5, cursor=cursor, order=Order.RELEVANCE)
        seen += [hit.post.native_id for hit in page.hits]
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen[0] == "7"
    assert sorted(map(int, seen)) == list(range(12))


def test_a_corrected_date_moves_the_post_and_it_never_stands_twice(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    one = fill([post(1, published_at=parse_iso("2026-10-31T23:59"))])[0]
    moved = replace(one, published_at=parse_iso("2026-11-01T00:01"), engagement=Engagement(likes=1))
    assert post_store.add_posts([moved]).changed == (one.id,)
    assert [row.key for row in post_store.count([Dim.DAY])] == [("2026-11-01",)]
    assert [hit.post.published_at for hit in post_store.search(with_unmatched=True).hits] == [moved.published_at]
    assert (post_store.health().posts, post_store.health().mentions) == (1, 1)


def test_what_a_later_sight_does_not_state_stays(post_store: PostStore, post: MakePost) -> None:
    one = post(1, rating=2, engagement=Engagement(1, 2, 3, 4))
    post_store.add_posts([one])
    assert post_store.add_posts([replace(one, rating=None, engagement=Engagement(likes=9), published_at=None)]).changed == (one.id,)
    found = post_store.get_post(one.id)
    assert found is not None
    assert (found.rating, found.engagement.likes, found.engagement.views, found.published_at) == (2, 9, 4, one.published_at)


def test_deleted_posts_can_come_back(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    one = fill([post(1)])[0]
    assert post_store.delete_posts(source="heimao") == 1
    assert post_store.known_ids([one.id]) == frozenset()
    assert post_store.add_posts([one]).new == (one.id,)
    assert post_store.search(with_unmatched=True).total == 1


def test_deleting_by_time_leaves_the_counts_right_over_months(post_store: PostStore, fill: Fill, post: MakePost) -> None:
    fill([post(n, published_at=parse_iso(f"2026-{month:02}-15T10:00")) for n, month in enumerate((8, 9, 9, 10, 11))])
    fill([post(9, published_at=parse_iso("2026-10-02T10:00"))])
    assert post_store.delete_posts(before=parse_iso("2026-10-10")) == 4
    assert [(row.key[0], row.mentions) for row in post_store.count([Dim.DAY])] == [("2026-10-15", 1), ("2026-11-15", 1)]
    assert (post_store.health().posts, post_store.search(with_unmatched=True).total) == (2, 2)
    fill([post(0, published_at=parse_iso("2026-08-15T10:00"))])
    assert post_store.search().total == 3
