"""All rule steps over one text. What they find is the word of the rules; pipeline.py weighs it against what a model says.

The same findings are the weak labels that the heads of a model are trained on (`weak_labels`); no gold text is ever seen here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from nlp.acts import judge_acts
from nlp.amounts import find_amounts
from nlp.aspects import Found, find_opinions, merge_opinions, topics_of
from nlp.demands import find_demands
from nlp.effort import find_effort
from nlp.harm import find_harm
from nlp.lexicon import ACT, ASPECT, DEMAND, HARM, MONEY, TONE, Lexicon
from nlp.owner import judge_owner
from nlp.reading import Reading, read_text
from nlp.severity import judge_severity
from nlp.stage import judge_stage
from tingfeng.labels import Act, Owner, PostKind, Sentiment, Severity, Stage

# praise, questions and news may tell how long something took; nobody complains of it
COSTLY = frozenset({Act.COMPLAINT, Act.CHURN_INTENT, Act.OTHER})


@dataclass(frozen=True)
class Ruled:
    """What the rules say of a whole text. `found` are the opinions with their clauses, so that a subject can take its own."""

    reading: Reading
    acts: tuple[Act, ...]
    harm: tuple[str, ...]
    found: tuple[Found, ...]
    demands: tuple[str, ...]
    severity: Severity
    owner: Owner
    stage: Stage
    effort: Mapping[str, int]
    amounts: tuple[float, ...]


def apply_rules(text: str, kind: PostKind, lexicon: Lexicon) -> Ruled:
    """`text` is title and text as written."""
    return judge_reading(read_text(text, lexicon.book), kind, lexicon)


def judge_reading(reading: Reading, kind: PostKind, lexicon: Lexicon, acts: tuple[Act, ...] = ()) -> Ruled:
    """The same for a text that was read already. `acts` are those to go by when they are known."""
    demands = find_demands(reading)
    effort = find_effort(reading)
    acts = acts or judge_acts(reading, kind, lexicon, demands, effort)
    voiced = Act.AD not in acts and Act.NEWS not in acts
    harm = find_harm(reading, lexicon) if Act.AD not in acts else ()
    found = tuple(find_opinions(reading, lexicon, acts))
    return Ruled(
        reading,
        acts,
        harm,
        found,
        demands if voiced else (),
        judge_severity(reading, acts, harm, demands if voiced else (), found),
        judge_owner(reading, found),
        judge_stage(reading, acts, found),
        effort if COSTLY & set(acts) else {},
        find_amounts(reading),
    )


@dataclass(frozen=True)
class WeakLabels:
    """Labels by rule for training. `cues`: character spans in `plain` that gave them away, to be dropped at random."""

    plain: str
    acts: tuple[Act, ...]
    topics: Mapping[str, Sentiment]
    severity: Severity
    cues: tuple[tuple[int, int], ...]


def weak_labels(text: str, kind: PostKind, lexicon: Lexicon) -> WeakLabels:
    """Acts, topic → polarity and severity of a text by the rules alone."""
    ruled = apply_rules(text, kind, lexicon)
    return WeakLabels(
        ruled.reading.plain, ruled.acts, topics_of(merge_opinions(ruled.found)), ruled.severity, cue_spans(ruled.reading)
    )


def cue_spans(
    reading: Reading, families: Collection[str] = (ACT, ASPECT, DEMAND, HARM, MONEY, TONE)
) -> tuple[tuple[int, int], ...]:
    """Distinct spans of all cues of these families, in order."""
    return tuple(sorted({(hit.start, hit.end) for family in families for hit in reading.hits(family)}))
