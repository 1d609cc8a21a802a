from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from nlp.mention_heads import decide, decide_acts, decide_opinions, decide_sentiment, decide_severity
from nlp.outputs import ACTS, OPINIONS, OUTPUTS
from nlp.stack import HEADS, WIDTHS, Table
from tingfeng.labels import Act, Owner, Sentiment, Severity, Stage, Topic

LIMITS: Mapping[str, Mapping[str, float]] = {
    "toward": {"negative": 0.3, "least": 0.4}, "acts": dict.fromkeys(OUTPUTS["acts"], 0.5), "severity": {"safety": 0.2},
    "aspects": {"topic": 0.4}, "spam": {"spam": 0.5},
}  # fmt: skip


def row(**given: Table) -> dict[str, Table]:
    return {head: np.full(WIDTHS[head], 1 / WIDTHS[head] if head in ("toward", "severity", "owner", "stage") else 0.0) for head in HEADS} | given


@pytest.mark.parametrize(
    ("toward", "label"),
    [
        ((0.31, 0.1, 0.59, 0.0), Sentiment.NEGATIVE), ((0.1, 0.2, 0.6, 0.1), Sentiment.POSITIVE), ((0.2, 0.1, 0.2, 0.5), Sentiment.MIXED),
        ((0.2, 0.3, 0.3, 0.2), Sentiment.UNCERTAIN), ((0.35, 0.1, 0.1, 0.45), Sentiment.MIXED),
    ],
)  # fmt: skip
def test_negative_is_looked_at_early_and_nothing_is_guessed(toward: tuple[float, ...], label: Sentiment) -> None:
    assert decide_sentiment(dict(zip(OUTPUTS["toward"], toward, strict=True)), LIMITS["toward"]) is label


def test_probabilities_are_of_three_classes_and_add_up() -> None:
    word = decide(row(toward=np.array([0.2, 0.1, 0.1, 0.6])), LIMITS)
    assert word.sentiment is Sentiment.MIXED
    assert word.probabilities == {"negative": 0.5, "neutral": 0.25, "positive": 0.25}


def test_other_is_said_when_no_act_is() -> None:
    told = np.zeros(len(ACTS))
    assert decide_acts(told, LIMITS["acts"]) == (Act.OTHER,)
    told[[ACTS.index(Act.PRAISE), ACTS.index(Act.QUESTION)]] = 0.9
    assert set(decide_acts(told, LIMITS["acts"])) == {Act.PRAISE, Act.QUESTION}


def test_a_topic_is_said_by_all_its_polarities_together_with_the_likeliest() -> None:
    told = np.zeros(len(OPINIONS))
    told[OPINIONS.index((Topic.REFUND, Sentiment.NEGATIVE))] = 0.45
    told[OPINIONS.index((Topic.PRICE, Sentiment.POSITIVE))] = 0.35
    told[OPINIONS.index((Topic.APP, Sentiment.NEGATIVE))] = 0.2
    told[OPINIONS.index((Topic.APP, Sentiment.POSITIVE))] = 0.25
    assert decide_opinions(told, LIMITS["aspects"]) == {Topic.REFUND: Sentiment.NEGATIVE, Topic.APP: Sentiment.POSITIVE}


def test_harm_to_people_needs_less_to_be_said() -> None:
    assert decide_severity(np.array([0.7, 0.05, 0.05, 0.2]), 0.2) is Severity.SAFETY
    assert decide_severity(np.array([0.1, 0.2, 0.51, 0.19]), 0.2) is Severity.MONEY


def test_machine_spam_is_an_ad_and_nothing_else() -> None:
    word = decide(row(spam=np.array([0.8]), acts=np.ones(len(ACTS))), LIMITS)
    assert word.acts == (Act.AD,)


def test_owner_and_stage_are_the_likeliest() -> None:
    owner, stage = np.zeros(len(Owner)), np.zeros(len(Stage))
    owner[list(Owner).index(Owner.SUPPLIER)] = stage[list(Stage).index(Stage.DELIVERY)] = 0.6
    word = decide(row(owner=owner, stage=stage), LIMITS)
    assert (word.owner, word.stage) == (Owner.SUPPLIER, Stage.DELIVERY)
