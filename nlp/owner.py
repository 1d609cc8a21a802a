"""Who is at the root of the problem, as far as the text lets one see it (LABELS §7): a cause before its handling."""

from __future__ import annotations

from collections.abc import Iterable

from nlp.aspects import Found
from nlp.lexicon import OWNER
from nlp.reading import Reading
from tingfeng.labels import Owner, Sentiment

# how the firm handled a problem is seldom its root
HANDLING = (Owner.SERVICE, Owner.POLICY)


def lead_opinion(found: Iterable[Found]) -> Found | None:
    """The first negative opinion that is a cause, else the first negative one."""
    negative = sorted((one for one in found if one.polarity is Sentiment.NEGATIVE), key=lambda one: one.start)
    causes = [one for one in negative if one.node.owner not in (*HANDLING, Owner.UNKNOWN)]
    return next(iter(causes or negative), None)


def judge_owner(reading: Reading, found: Iterable[Found]) -> Owner:
    """By the words that name the culprit in the clause of the leading opinion, else by that opinion's aspect."""
    lead = lead_opinion(found)
    if lead is None:
        return Owner.UNKNOWN
    named = [hit for hit in reading.hits(OWNER) if hit.clause == lead.clause]
    if named and lead.node.owner in (*HANDLING, Owner.UNKNOWN):
        return Owner(min(named, key=lambda hit: (hit.name in HANDLING, hit.start)).name)
    if any(hit.name == Owner.SUPPLIER for hit in named):
        return Owner.SUPPLIER
    return lead.node.owner
