"""The gold set keeps its shape, and the scorer says what is right and what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from nlp.gold import GoldPost, macro_f1, micro_f1, read_gold, score_gold
from nlp.gold_baselines import NoModel, judge_by_majority
from tingfeng.errors import UsageError
from tingfeng.labels import Act, Content, Owner, Sentiment, Severity, Stage, Topic
from tingfeng.records import JudgedPost, Mention, Opinion, Post, Subject

FOLDER = Path(__file__).parent / "gold"
LEAST = {"irony": 60, "negation": 60, "two_brand": 60, "variant": 40, "suggestion_plain": 60, "news_ad": 60}


@pytest.fixture(scope="module")
def gold() -> list[GoldPost]:
    return read_gold(FOLDER)


def answer(one: GoldPost) -> JudgedPost:
    """The judgement of somebody who knows the labels."""
    mentions = tuple(
        Mention(
            one.post.id, name, tuple(Act(act) for act in one.acts), Sentiment(label), {label: 1.0},
            opinions=tuple(Opinion(Topic(t), Sentiment(p)) for s, t, p in one.opinions if s == name),
            severity=Severity(one.severity), stage=Stage(one.stage), owner=Owner(one.owner), demands=tuple(one.demands),
            effort=one.effort, switched_to=one.switched_to,
        )
        for name, label in one.sentiments.items()
    )  # fmt: skip
    return JudgedPost(one.post.id, Content.SPAM if one.spam else Content.OK, mentions)


def test_there_are_enough_posts_of_every_kind(gold: list[GoldPost]) -> None:
    counts = Counter(name for one in gold for name in one.slices)
    assert len(gold) >= 600
    assert {name: n for name, n in LEAST.items() if counts[name] < n} == {}
    assert len({one.post.id for one in gold}) == len(gold)


def test_no_two_posts_are_alike(gold: list[GoldPost]) -> None:
    grams = [{one.post.text[i : i + 3] for i in range(len(one.post.text) - 2)} for one in gold]
    holders: dict[str, list[int]] = {}
    for number, own in enumerate(grams):
        for gram in own:
            holders.setdefault(gram, []).append(number)
    shared = Counter((a, b) for own in holders.values() for i, a in enumerate(own) for b in own[i + 1 :])
    assert max(n / len(grams[a] | grams[b]) for (a, b), n in shared.items()) < 0.3


def test_who_knows_the_labels_scores_one(gold: list[GoldPost]) -> None:
    named = [one for one in gold if one.sentiments]
    known = {one.post.id: answer(one) for one in named}
    report = score_gold(named, lambda post, subjects: known[post.id])
    assert [macro_f1(part) for part in (report.acts, report.sentiment, report.severity, report.owner, report.stage)] == [1] * 5
    assert {value for value, _ in report.figures.values()} == {1}
    assert {one.accuracy for one in report.slices.values() if one.n} == {1}
    assert report.ece == (0, sum(len(one.sentiments) for one in named))


def test_who_says_nothing_scores_nothing(gold: list[GoldPost]) -> None:
    report = score_gold(gold, lambda post, subjects: JudgedPost(post.id, Content.OK))
    assert macro_f1(report.acts) == macro_f1(report.sentiment) == 0
    assert report.figures["aspect_micro_f1"][0] == 0


def test_the_aspect_of_another_subject_is_wrong(gold: list[GoldPost]) -> None:
    one = next(one for one in gold if len(one.sentiments) == 1 and one.opinions)
    other = replace(one, opinions=frozenset(("另一个", topic, polarity) for _, topic, polarity in one.opinions))
    report = score_gold([other], lambda post, subjects: answer(one))
    assert report.figures["aspect_micro_f1"] == (0.0, len(one.opinions))
    assert report.topics[next(iter(one.opinions))[1]].f1 == 1


def test_micro_f1_counts_items() -> None:
    assert micro_f1([(frozenset("ab"), frozenset("b")), (frozenset(), frozenset("c"))]) == (0.5, 2)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "1"}\n', "utf-8")
    with pytest.raises(UsageError, match=r"a\.jsonl:1"):
        read_gold(tmp_path)


def test_the_product_page_names_what_a_review_leaves_out(gold: list[GoldPost]) -> None:
    silent = [one for one in gold if one.post.about]
    assert len(silent) >= 30
    assert all(isinstance(one.post, Post) and one.subjects[0] == Subject(one.post.about, one.subjects[0].aliases) for one in silent)


def test_a_slice_tells_how_many_of_its_negatives_are_found(gold: list[GoldPost]) -> None:
    known = {one.post.id: answer(one) for one in gold}
    deaf = {id: replace(one, mentions=tuple(replace(m, sentiment=Sentiment.NEUTRAL) for m in one.mentions)) for id, one in known.items()}
    one = score_gold(gold, lambda post, subjects: deaf[post.id]).slices["irony"]
    assert (one.negative_recall, one.accuracy) == (0, round(1 - (one.n - count_neutral(gold, "irony")) / one.n, 4))
    assert one.negatives >= 60


def count_neutral(gold: list[GoldPost], name: str) -> int:
    return sum(label == "neutral" for one in gold if name in one.slices for label in one.sentiments.values())


def test_one_who_is_sure_and_wrong_is_not_calibrated(gold: list[GoldPost]) -> None:
    some = [one for one in gold if set(one.sentiments.values()) == {"negative"}]
    known = {one.post.id: answer(one) for one in some}
    wrong = {id: replace(one, mentions=tuple(replace(m, probabilities={"positive": 0.9}) for m in one.mentions)) for id, one in known.items()}
    assert score_gold(some, lambda post, subjects: wrong[post.id]).ece[0] == pytest.approx(0.9)


def test_the_majority_says_one_thing_of_everybody(gold: list[GoldPost]) -> None:
    report = score_gold(gold, judge_by_majority(gold))
    assert [name for name, one in report.sentiment.items() if one.recall] == ["negative"]
    assert report.ece == (0, 0)
    assert sum(one.recall for one in report.severity.values()) > 0.9


def test_without_a_model_every_class_is_as_likely() -> None:
    silent = NoModel()
    assert {value for row in silent.judge(["暖芽很差"]) for value in row.values()} == {0.3333}
    assert silent.label(silent.judge([""])[0]) is Sentiment.UNCERTAIN
