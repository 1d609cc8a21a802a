"""The same praise by five people within two hours is an ad, whichever batch each of them came in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flows import rejudge
from flows.analyse import analyse_posts
from flows.people import correct_mention
from flows.wiring import Wiring
from tingfeng.clock import SimulatedClock, parse_iso
from tingfeng.labels import PostKind
from tingfeng.records import Author, Post

NOW = parse_iso("2026-11-14T18:00")
PRAISE = "暖芽的水壶真是太好用了,家里老人孩子都喜欢,强烈推荐给大家"
WRONG = "暖芽的水壶漏电烫伤了人,客服一直不处理,要求退款赔偿"


@pytest.fixture
def wiring(open_place: Any) -> Wiring:
    found: Wiring = open_place(clock=SimulatedClock(NOW))
    return found


def post_one(wiring: Wiring, number: int, text: str = PRAISE, hours: float = 0.2) -> Post:
    """Every post comes in a batch of its own."""
    at = NOW - timedelta(days=1) + timedelta(hours=hours * number)
    post = Post("forum", f"{number}", PostKind.ORIGINAL, text, NOW, author=Author(f"a{number}"), published_at=at)
    wiring.posts.add_posts([post])
    analyse_posts(wiring)
    return post


def acts(wiring: Wiring) -> list[list[str]]:
    """Of all mentions, oldest first."""
    return [list(map(str, hit.mention.acts)) for hit in wiring.posts.search(limit=50).hits[::-1] if hit.mention]


def test_the_fifth_author_makes_ads_of_all_five(wiring: Wiring) -> None:
    for number in range(4):
        post_one(wiring, number)
    assert ["ad"] not in acts(wiring)
    post_one(wiring, 4)
    assert acts(wiring) == [["ad"]] * 5
    assert [hit.is_copy for hit in wiring.posts.search(limit=9).hits[::-1]] == [False, True, True, True, True]
    post_one(wiring, 5)
    assert acts(wiring) == [["ad"]] * 6


def test_a_wrong_that_many_share_stays_a_complaint(wiring: Wiring) -> None:
    for number in range(6):
        post_one(wiring, number, WRONG)
    assert all("complaint" in one for one in acts(wiring))


def test_five_authors_over_a_whole_day_are_no_campaign(wiring: Wiring) -> None:
    for number in range(6):
        post_one(wiring, number, hours=3)
    assert ["ad"] not in acts(wiring)


def test_judging_history_again_keeps_a_campaign_whatever_its_pages(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        post_one(wiring, number)
    monkeypatch.setattr(rejudge, "BATCH", 2)
    report = rejudge.rejudge_posts(wiring, rejudge.Job("", None, None, wiring.pipeline.model))
    assert acts(wiring) == [["ad"]] * 5
    assert (report.counts["posts"], report.counts["changed"]) == (5, 0)


def test_a_person_who_said_otherwise_is_right(wiring: Wiring) -> None:
    posts = [post_one(wiring, number) for number in range(4)]
    correct_mention(wiring, posts[0].id, "暖芽", "li", acts=("praise",))
    post_one(wiring, 4)
    assert acts(wiring) == [["praise"], *[["ad"]] * 4]
