"""A post as a whole: the judgements of its subjects together, and how `tingfeng judge` prints both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nlp.heads import HeadWord
from nlp.rules import Ruled
from tingfeng.labels import Act, Owner, Severity, Stage
from tingfeng.records import Mention, Opinion


@dataclass(frozen=True)
class Whole:
    """What is said of a post; owner and stage None when nobody judged them."""

    acts: tuple[Act, ...]
    severity: Severity | None
    owner: Owner | None
    stage: Stage | None


def join_mentions(mentions: Sequence[Mention | HeadWord]) -> Whole:
    """All acts, `other` only when it stands alone; the worst severity; the first owner and stage that somebody knows."""
    acts = {act for one in mentions for act in one.acts}
    acts = acts - {Act.OTHER} or acts
    severities = [one.severity for one in mentions if one.severity]
    owners = [one.owner for one in mentions if one.owner]
    stages = [one.stage for one in mentions if one.stage]
    return Whole(
        tuple(act for act in Act if act in acts),
        max(severities, key=list(Severity).index, default=None),
        next((owner for owner in owners if owner is not Owner.UNKNOWN), next(iter(owners), None)),
        next((stage for stage in stages if stage is not Stage.NONE), next(iter(stages), None)),
    )


def print_subject(mention: Mention) -> dict[str, object]:
    """A subject as `tingfeng judge` prints it."""
    return {
        "name": mention.subject,
        "sentiment": str(mention.sentiment),
        "probabilities": dict(mention.probabilities),
        "harm_words": list(mention.harm_words),
    }


def print_whole(ruled: Ruled, whole: Whole, mentions: Sequence[Mention], unnamed: Iterable[Opinion]) -> dict[str, object]:
    """What is said of the text as a whole. Aspects name their subject; `unnamed` are those of a text without one."""
    aspects = [print_opinion(opinion) | {"subject": mention.subject} for mention in mentions for opinion in mention.opinions]
    switch = next(({"from": one.subject, "to": one.switched_to} for one in mentions if one.switched_to), None)
    return {
        "acts": [str(act) for act in whole.acts],
        "aspects": aspects if mentions else [print_opinion(opinion) for opinion in unnamed],
        "severity": str(whole.severity),
        "demands": list(ruled.demands),
        "effort": dict(ruled.effort),
        "owner": str(whole.owner),
        "stage": str(whole.stage),
        "competitor_switch": switch,
        "amounts": list(ruled.amounts),
    }


def print_opinion(opinion: Opinion) -> dict[str, object]:
    """Topic and polarity, with the finer level where there is one."""
    finer = {"aspect": opinion.aspect} if opinion.aspect else {}
    return {"topic": str(opinion.topic), "polarity": str(opinion.polarity), **finer}
