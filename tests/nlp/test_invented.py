"""The invented training posts: well formed, and none of them a copy of what is measured on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from nlp.gold import GoldPost, read_gold
from nlp.invented import read_again
from tingfeng.labels import Act, Owner, Severity, Stage, Topic

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def invented() -> list[GoldPost]:
    return read_gold(HERE / "invented")


def test_every_label_occurs_often_enough_to_learn_from(invented: list[GoldPost]) -> None:
    counts = Counter(label for one in invented for label in (*one.acts, one.severity, one.owner, one.stage, *(topic for _, topic, _ in one.opinions)))
    wanted = {str(label) for kind in (Act, Severity, Owner, Stage, Topic) for label in kind}
    assert {label for label in wanted if counts[label] < 20} == set()
    assert len({one.post.id for one in invented}) == len(invented)


def test_whoever_labelled_them_again_labelled_posts_that_are_there(invented: list[GoldPost]) -> None:
    posts = {one.post.native_id: one for one in invented}
    second, settled = (read_again(HERE / "invented" / name, posts) for name in ("second", "settled"))
    assert second.keys() == posts.keys()
    differ = {name for name, one in second.items() if disputed(one) != disputed(posts[name])}
    assert settled.keys() == differ


def disputed(one: GoldPost) -> tuple[object, ...]:
    """What the third reader was asked about where the first two differ."""
    return (tuple(one.sentiments.values()), one.acts, one.opinions, one.severity)


def test_no_post_repeats_one_of_the_gold_set(invented: list[GoldPost]) -> None:
    holders: dict[str, set[int]] = {}
    gold = [grams_of(one.post.text) for one in read_gold(HERE / "gold")]
    for number, own in enumerate(gold):
        for gram in own:
            holders.setdefault(gram, set()).add(number)
    worst = 0.0
    for one in invented:
        mine = grams_of(one.post.text)
        shared = Counter(number for gram in mine for number in holders.get(gram, ()))
        worst = max([worst, *(n / len(mine | gold[number]) for number, n in shared.items())])
    assert worst < 0.3


def grams_of(text: str) -> set[str]:
    return {text[i : i + 3] for i in range(len(text) - 2)}
