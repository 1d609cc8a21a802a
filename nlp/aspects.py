"""Opinions: which aspects a text judges, how, and about whom (LABELS §5). Clause by clause, aware of negation, questions and proposals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from nlp.cues import Hit
from nlp.lexicon import ACT, ASPECT, HARM, TONE, Lexicon
from nlp.reading import Reading
from nlp.taxonomy import Aspect
from tingfeng.labels import Act, Sentiment, Topic
from tingfeng.records import Opinion

BROKEN = "quality.fault"


@dataclass(frozen=True)
class Found:
    """An opinion and where it stands; `polarity` None when its clause does not say. `thing`: named by what was bought."""

    node: Aspect
    polarity: Sentiment | None
    clause: int
    start: int
    thing: bool = False


def find_opinions(reading: Reading, lexicon: Lexicon, acts: Collection[Act]) -> list[Found]:
    """All opinions in order of appearance, and the aspects that are named without a word of judgement. A plain ad has none."""
    if Act.AD in acts and not reading.first_person:
        return []
    nodes = lexicon.taxonomy.by_path()
    proposing = {hit.clause for hit in reading.hits(ACT) if hit.name in ("suggestion.cues", "suggestion.start")}
    asking = {hit.clause for hit in reading.hits(ACT) if hit.name == "question.cues"}
    asking |= {number for number, clause in enumerate(reading.clauses) if clause.asks}
    harmless = [(hit.start, hit.end) for hit in reading.hits(HARM) if hit.name == "harmless"]
    found: list[Found] = []
    for hit in uncovered(reading.hits(ASPECT)):
        path, _, kind = hit.name.partition(":")
        if path.startswith(Topic.SAFETY) and any(start < hit.end and hit.start < end for start, end in harmless):
            continue
        polarity = told_polarity(reading, hit, kind)
        if kind == "names":
            polarity = named_polarity(reading, hit, proposing, asking, acts)
        elif kind == "things":
            polarity = thing_polarity(reading, hit, proposing | asking)
        elif polarity is None:
            continue
        found.append(Found(nodes[path], polarity, hit.clause, hit.start, kind == "things"))
        if polarity is Sentiment.NEGATIVE:
            found += [Found(nodes[str(topic)], polarity, hit.clause, hit.start) for topic in nodes[path].also]
    return drop_covered(found)


def uncovered(hits: Sequence[Hit]) -> list[Hit]:
    """Without the hits that lie within a longer one of the same topic: `好吃` in `不好吃`, `便宜` in `便宜没好货`."""
    kept: list[Hit] = []
    reached: dict[str, int] = {}
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        topic = hit.name.partition(":")[0].partition(".")[0]
        if hit.end > reached.get(topic, -1):
            kept.append(hit)
            reached[topic] = hit.end
    return kept


def told_polarity(reading: Reading, hit: Hit, kind: str) -> Sentiment | None:
    """Of a cue that judges by itself. Negated it says the contrary; asked about it is neutral; imagined it is nothing."""
    if reading.asked(hit):
        return Sentiment.NEUTRAL
    if reading.supposed(hit):
        return None
    if kind == "bad":
        return Sentiment.POSITIVE if reading.denied(hit) and not starts_negative(reading, hit) else Sentiment.NEGATIVE
    return Sentiment.NEGATIVE if reading.negated(hit) else Sentiment.POSITIVE


def starts_negative(reading: Reading, hit: Hit) -> bool:
    """Whether the cue is itself a `不…`: what stands before it does not turn it round."""
    return reading.plain[hit.start] in "不没未无拒"


def named_polarity(
    reading: Reading, hit: Hit, proposing: set[int], asking: set[int], acts: Collection[Act]
) -> Sentiment | None:
    """Of a word that only names: the judgement in its clause, else in the next of its sentence; neutral when asked or proposed."""
    judged = clause_polarity(reading, hit.clause)
    if judged is not None and hit.clause not in asking and not (judged is Sentiment.POSITIVE and hit.clause in proposing):
        return judged
    if hit.clause in proposing or (hit.clause in asking and Act.QUESTION in acts):
        return Sentiment.NEUTRAL
    after = hit.clause + 1
    clauses = reading.clauses
    if hit.end == clauses[hit.clause].end and after < len(clauses) and clauses[after].sentence == clauses[hit.clause].sentence:
        return clause_polarity(reading, after)
    return None


def thing_polarity(reading: Reading, hit: Hit, open_ended: set[int]) -> Sentiment | None:
    """Of a word for what was bought: the judgement in its clause; asked or proposed it is no aspect yet."""
    return None if hit.clause in open_ended else clause_polarity(reading, hit.clause)


def clause_polarity(reading: Reading, number: int) -> Sentiment | None:
    """What the words of judgement in a clause come to; None when they say nothing or both."""
    balance = 0
    covered = -1
    for hit in sorted(reading.in_clause(TONE, number), key=lambda hit: (hit.start, -hit.end)):
        if hit.name not in ("good", "bad") or hit.end <= covered or reading.supposed(hit):
            continue
        covered = hit.end
        sign = 1 if hit.name == "good" else -1
        if reading.negated(hit):
            sign = -1 if hit.name == "good" else 1 if reading.plain[hit.start] != "不" or reading.before(hit).startswith("没") else 0
        balance += sign
    if balance == 0:
        return None
    return Sentiment.POSITIVE if balance > 0 else Sentiment.NEGATIVE


def drop_covered(found: Sequence[Found]) -> list[Found]:
    """A judged aspect beats the bare name of its topic in the same clause; what is broken in an app is the app."""
    judged = {(one.node.topic, one.clause) for one in found if one.polarity in (Sentiment.NEGATIVE, Sentiment.POSITIVE)}
    in_app = {one.clause for one in found if one.node.topic is Topic.APP and one.polarity is Sentiment.NEGATIVE}
    return [
        one
        for one in sorted(found, key=lambda one: one.start)
        if (one.polarity in (Sentiment.NEGATIVE, Sentiment.POSITIVE) or (one.node.topic, one.clause) not in judged)
        and not (one.node.path == BROKEN and one.clause in in_app)
    ]


def merge_opinions(found: Iterable[Found]) -> tuple[Opinion, ...]:
    """One opinion a topic and polarity, at its finest level; neutral gives way to a judgement of the same topic."""
    best: dict[tuple[str, Sentiment], Found] = {}
    for one in found:
        if one.polarity is None:
            continue
        key = (str(one.node.topic), one.polarity)
        if key not in best or len(one.node.path) > len(best[key].node.path):
            best[key] = one
    judged = {topic for topic, polarity in best if polarity is not Sentiment.NEUTRAL}
    return tuple(
        Opinion(one.node.topic, polarity, one.node.aspect)
        for (topic, polarity), one in best.items()
        if polarity is not Sentiment.NEUTRAL or topic not in judged
    )


def topics_of(opinions: Iterable[Opinion]) -> Mapping[str, Sentiment]:
    """Topic → polarity, negative first where both are said."""
    table: dict[str, Sentiment] = {}
    for opinion in opinions:
        if table.get(str(opinion.topic)) is not Sentiment.NEGATIVE:
            table[str(opinion.topic)] = opinion.polarity
    return table
