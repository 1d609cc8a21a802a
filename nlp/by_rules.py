"""The judgement of a subject by rules and a sentiment model alone, where no model judges everything at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nlp.about import About, open_clauses
from nlp.aspects import merge_opinions
from nlp.heads import HeadWord
from nlp.rules import Ruled
from nlp.sentiment import SentimentJudge
from nlp.toward import label_toward, toward_subject
from tingfeng.labels import Act, Sentiment, Severity
from tingfeng.records import Opinion, Post

# a clause that names an aspect without judging it takes the model's word only when that is this sure
SURE = 0.7
SURE_PRAISE = 0.9
TOLD = (Sentiment.NEGATIVE, Sentiment.POSITIVE)
UNVOICED = frozenset({Act.AD, Act.NEWS, Act.QUESTION})
Rows = Mapping[str, Mapping[str, float]]


def texts_of(about: About) -> list[str]:
    """What the sentiment model is asked about a subject: its part of the text, and clauses that judge nothing by their words."""
    return [about.part, *open_clauses(about.ruled).values()]


def judge_by_rules(about: About, post: Post, rows: Rows, sentiment: SentimentJudge) -> HeadWord:
    """`rows`: what the sentiment model says of `texts_of`."""
    ruled = about.ruled
    probabilities = toward_subject(rows[about.part], ruled, post, about.spans, about.sign)
    label = label_toward(sentiment.label(probabilities), ruled, about.sign)
    return HeadWord(
        label,
        probabilities,
        felt_acts(ruled.acts, label, probabilities),
        list_opinions(ruled, rows, label),
        felt_severity(ruled.severity, label, ruled.acts),
        ruled.owner,
        ruled.stage,
    )


def list_opinions(ruled: Ruled, rows: Rows, label: Sentiment) -> tuple[Opinion, ...]:
    """Those of the rules, and the named aspects that the model is sure of.

    Where nothing is judged and something is named, the sentiment of the whole is about that.
    """
    sure = {key: sure_polarity(rows[text]) for key, text in open_clauses(ruled).items()}
    opinions = merge_opinions(
        one if one.polarity is not None else replace(one, polarity=sure.get((one.node.path, one.start)))
        for one in ruled.found
    )
    if not opinions and label in TOLD and not (UNVOICED | {Act.SUGGESTION}) & set(ruled.acts):
        opinions = merge_opinions(replace(one, polarity=label) for one in ruled.found)
    return opinions


def felt_acts(acts: tuple[Act, ...], label: Sentiment, probabilities: Mapping[str, float]) -> tuple[Act, ...]:
    """No act was read, but the model is sure that the text is positive: praise."""
    if acts == (Act.OTHER,) and label is Sentiment.POSITIVE and probabilities[str(Sentiment.POSITIVE)] >= SURE_PRAISE:
        return (Act.PRAISE,)
    return acts


def felt_severity(severity: Severity, label: Sentiment, acts: Sequence[Act]) -> Severity:
    """Nothing harmful was read, but the text is negative in its own voice: an annoyance."""
    if severity is Severity.NONE and label is Sentiment.NEGATIVE and not UNVOICED & set(acts):
        return Severity.ANNOYANCE
    return severity


def sure_polarity(row: Mapping[str, float]) -> Sentiment | None:
    """Positive or negative when the model is sure of it."""
    for label in TOLD:
        if row[str(label)] >= SURE:
            return label
    return None
