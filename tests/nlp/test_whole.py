from __future__ import annotations

from nlp.whole import join_mentions
from tingfeng.labels import Act, Owner, Severity, Stage
from tingfeng.records import Mention


def mention(*acts: Act, severity: Severity | None = None, owner: Owner | None = None, stage: Stage | None = None) -> Mention:
    return Mention("p", "暖芽", acts, severity=severity, owner=owner, stage=stage)


def test_other_stands_alone() -> None:
    assert join_mentions([mention(Act.OTHER), mention(Act.PRAISE, Act.COMPLAINT)]).acts == (Act.COMPLAINT, Act.PRAISE)
    assert join_mentions([mention(Act.OTHER), mention(Act.OTHER)]).acts == (Act.OTHER,)


def test_the_worst_severity_counts() -> None:
    assert join_mentions([mention(severity=Severity.MONEY), mention(severity=Severity.NONE)]).severity is Severity.MONEY


def test_the_first_that_knows_names_owner_and_stage() -> None:
    whole = join_mentions([mention(owner=Owner.UNKNOWN, stage=Stage.NONE), mention(owner=Owner.TECH, stage=Stage.USING)])
    assert (whole.owner, whole.stage) == (Owner.TECH, Stage.USING)


def test_what_nobody_judged_is_nothing() -> None:
    whole = join_mentions([mention(Act.NEWS)])
    assert (whole.severity, whole.owner, whole.stage) == (None, None, None)
