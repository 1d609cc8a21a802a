"""A subject in a post: the clauses about it, and what the rules say of these alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nlp.clauses import Span, attribute_clauses, compare_subjects, join_clauses
from nlp.lexicon import Lexicon
from nlp.marking import mark_subject
from nlp.rules import Ruled, judge_reading
from nlp.subjects import SubjectMatch
from nlp.switches import find_switch
from nlp.toward import strip_own_life
from tingfeng.labels import Act, PostKind, Sentiment, Severity


@dataclass(frozen=True)
class About:
    """`part` holds the clauses about the subject, `marked` is the whole text with the names marked: the models read them.

    `sign`: +1 or -1 when a comparison or a switch says who is better; `compared`: there are others beside it. `advert`: known to be
    an ad, whatever a model says.
    """

    name: str
    spans: tuple[Span, ...]
    ruled: Ruled
    part: str
    marked: str
    sign: int
    switched_to: str
    compared: bool = False
    advert: bool = False


def about_nobody(ruled: Ruled) -> About:
    """A text in which no subject stands, asked about as a whole."""
    return About("", (), ruled, ruled.reading.plain, ruled.reading.plain, 0, "")


def find_abouts(whole: Ruled, matches: Sequence[SubjectMatch], kind: PostKind, lexicon: Lexicon) -> tuple[About, ...]:
    """One for each match, in order."""
    reading = whole.reading
    spans: Mapping[str, Sequence[Span]] = {
        match.name: [span for span in match.spans if span[1] <= len(reading.plain)] for match in matches
    }
    clauses = attribute_clauses(reading.clauses, spans)
    signs = compare_subjects(reading.clauses, spans) if len(matches) > 1 else {}
    switch = find_switch(reading, spans)
    abouts = []
    for match in matches:
        own = clauses[match.name]
        compared = signs.get(match.name, {})
        single = len(own) == len(reading.clauses)
        ruled = whole if single else judge_reading(reading.only(own), kind, lexicon)
        ruled = turn_compared(ruled, compared)
        sign = max(-1, min(1, sum(compared.values())))
        if switch and not sign:
            sign = -1 if match.name == switch.left else 0
        if switch and match.name == switch.taken:
            ruled = arrive(ruled)
        elif switch and match.name == switch.left:
            ruled = replace(ruled, acts=leave(ruled.acts))
        part = reading.plain if single else join_clauses(reading.clauses, own)
        others = [span for name in spans if name != match.name for span in spans[name]]
        abouts.append(
            About(
                match.name,
                tuple(spans[match.name]),
                ruled,
                strip_own_life(part, ruled.reading),
                mark_subject(reading.plain, spans[match.name], others),
                sign,
                switch.taken if switch and switch.left == match.name else "",
                len(matches) > 1,
            )
        )
    return tuple(abouts)


def turn_compared(ruled: Ruled, compared: Mapping[int, int]) -> Ruled:
    """What a comparing clause says of an aspect is good for the one and bad for the other."""
    if not compared:
        return ruled
    told = {1: Sentiment.POSITIVE, -1: Sentiment.NEGATIVE}
    found = tuple(
        replace(one, polarity=told[compared[one.clause]]) if one.polarity and one.clause in compared else one
        for one in ruled.found
    )
    return replace(ruled, found=found)


def leave(acts: Sequence[Act]) -> tuple[Act, ...]:
    """The acts with churn intent, in the order of the closed set."""
    said = {*acts, Act.CHURN_INTENT} - {Act.OTHER}
    return tuple(act for act in Act if act in said)


def arrive(ruled: Ruled) -> Ruled:
    """For the one that the author left for, nobody leaves."""
    acts = tuple(act for act in ruled.acts if act is not Act.CHURN_INTENT) or (Act.OTHER,)
    severity = ruled.severity if ruled.harm or Act.COMPLAINT in acts else Severity.NONE
    return replace(ruled, acts=acts, severity=severity)


def open_clauses(ruled: Ruled) -> dict[tuple[str, int], str]:
    """(path, start) of the aspects that are named without a judgement, of topics judged nowhere else → their clause."""
    judged = {one.node.topic for one in ruled.found if one.polarity in (Sentiment.NEGATIVE, Sentiment.POSITIVE)}
    return {
        (one.node.path, one.start): ruled.reading.clauses[one.clause].text
        for one in ruled.found
        if one.polarity is None and not one.thing and one.node.topic not in judged
    }
