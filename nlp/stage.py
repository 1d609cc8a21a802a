"""Where in the journey the problem arose (LABELS §7)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nlp.aspects import Found
from nlp.lexicon import STAGE
from nlp.owner import lead_opinion
from nlp.reading import Reading
from tingfeng.labels import Act, Stage


def judge_stage(reading: Reading, acts: Collection[Act], found: Sequence[Found]) -> Stage:
    """By the words in the clause of the leading opinion that say when, else by its aspect, else by what the author is about to do."""
    told = [one for one in found if one.polarity is not None]
    lead = lead_opinion(told) or min(told, key=lambda one: one.start, default=None)
    if lead is not None:
        said = [hit for hit in reading.hits(STAGE) if hit.clause == lead.clause and hit.start <= lead.start]
        if said and lead.node.stage in (Stage.USING, Stage.NONE):
            return Stage(said[-1].name)
        return lead.node.stage
    if Act.CHURN_INTENT in acts:
        return Stage.LEAVING
    if Act.PURCHASE_INTENT in acts:
        return Stage.BEFORE_BUYING
    return Stage.NONE
