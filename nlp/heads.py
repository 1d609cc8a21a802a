"""Where a model's word on acts, topics and severity meets the word of the rules: log-odds are added, so a sure model overrules an unsure rule.

The weights are those of a rule that is right five times in six; a model's head may bring its own.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tingfeng.labels import Act, Severity, Topic

RULE_ODDS = 1.6
# harm to people is not talked down by a model
SAFETY_SURE = 0.8


@dataclass(frozen=True)
class HeadRow:
    """Probabilities of one text: each act and topic by itself, the severities together 1. Empty where a head was not trained."""

    acts: Mapping[str, float]
    topics: Mapping[str, float]
    severity: Mapping[str, float]


class Heads(Protocol):
    """What the pipeline asks of a model that judges more than sentiment. `name` is stored with each mention."""

    name: str

    def judge(self, texts: Sequence[str]) -> list[HeadRow]:
        """One row a text, in order."""
        ...


def log_odds(probability: float) -> float:
    """Of a probability kept away from 0 and 1."""
    bounded = min(max(probability, 1e-3), 1 - 1e-3)
    return math.log(bounded / (1 - bounded))


def combine_acts(ruled: Collection[Act], row: HeadRow) -> tuple[Act, ...]:
    """Acts that rule and model hold together; `other` stands alone."""
    if not row.acts:
        return tuple(ruled)
    acts = tuple(
        act
        for act in Act
        if act is not Act.OTHER
        and log_odds(row.acts.get(str(act), 0.5)) + (RULE_ODDS if act in ruled else -RULE_ODDS) > 0
    )
    return acts or (Act.OTHER,)


def combine_topics(ruled: Collection[Topic], row: HeadRow) -> tuple[Topic, ...]:
    """Topics that rule and model hold together."""
    if not row.topics:
        return tuple(topic for topic in Topic if topic in ruled)
    return tuple(
        topic
        for topic in Topic
        if log_odds(row.topics.get(str(topic), 0.5)) + (RULE_ODDS if topic in ruled else -RULE_ODDS) > 0
    )


def combine_severity(ruled: Severity, row: HeadRow) -> Severity:
    """The likeliest with the rule's word weighed in; safety stands when the rules found harm, or when the model is sure of it."""
    if not row.severity or ruled is Severity.SAFETY:
        return ruled
    scores = {
        severity: math.log(max(row.severity.get(str(severity), 0.0), 1e-3)) + (RULE_ODDS if severity is ruled else 0.0)
        for severity in Severity
    }
    if row.severity.get(str(Severity.SAFETY), 0.0) < SAFETY_SURE:
        scores.pop(Severity.SAFETY)
    return max(scores, key=lambda severity: scores[severity])
