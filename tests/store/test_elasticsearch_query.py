"""What the index is asked: places of units, and which questions it answers by itself. Equal answers: test_equal_answers.py."""

from __future__ import annotations

import pytest

from store.elasticsearch_leases import Lease
from store.elasticsearch_query import spell_phrase, spell_units, translate
from tingfeng.query import parse_query


def test_a_unit_takes_as_many_places_as_it_has_characters() -> None:
    assert spell_units(["小", "su7", "好"]) == ["小", "su7", "_", "_", "好"]
    assert len(spell_units(["x" * 400])) == 64
    assert spell_phrase(["su7", "su7"]) == ["su7", "_", "_", "su7"]


@pytest.mark.parametrize(
    ("asked", "exact"),
    [
        ("NEAR/20(客服 (退款 OR su7))", True), ("NEAR/63(退款 退款)", True), ("NEAR/64(客服 退款)", False), ("NEAR/5(客服 refund*)", False),
        ("好su*", False), ("refund*", True), (f"NEAR/9(({' OR '.join('甲' * n for n in range(1, 12))}) ({' OR '.join('乙' * n for n in range(1, 11))}))", False),
    ],
)  # fmt: skip
def test_near_is_answered_by_the_index_unless_it_is_far_or_has_a_prefix(asked: str, exact: bool) -> None:
    assert translate(parse_query(asked, search=True)).exact is exact


def test_a_freed_post_can_be_claimed_but_is_still_looked_after() -> None:
    lease = Lease("k", "w", 100, ("a", "b")).freeing({"a", "x"})
    assert (lease.ids, lease.freed, lease.all_ids) == (("b",), ("a",), ("b", "a"))
    assert lease.without({"a", "b"}).all_ids == ()


@pytest.mark.parametrize(("now", "holds"), [(99_999, True), (100_000, False), (30_000, True), (29_999, False)])
def test_a_lease_holds_until_its_end_and_not_when_the_clock_was_put_back(now: int, holds: bool) -> None:
    assert Lease("k", "w", 100_000, ("a",)).holds(now, 10_000) is holds
