"""What the rules say of a subject in a post, as a row of numbers: a model weighs them beside its own outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nlp.about import About
from nlp.aspects import merge_opinions
from nlp.lexicon import TONE
from nlp.outputs import ACTS, OPINIONS
from nlp.sentiment import CLASSES
from nlp.toward import count_sides, is_mixed, is_only_named, toward_subject
from tingfeng.labels import Owner, PostKind, Severity, Stage, Topic
from tingfeng.records import Post

LEAST = 1e-3
MOST_SIDE = 4


def list_hints(about: About, post: Post, row: Mapping[str, float]) -> list[float]:
    """`row`: what the linear model says of the part about the subject. Always as many numbers, in the same order."""
    ruled, reading = about.ruled, about.ruled.reading
    said = {(opinion.topic, opinion.polarity) for opinion in merge_opinions(ruled.found)}
    named = {found.node.topic for found in ruled.found}
    good, bad = (min(count, MOST_SIDE) for count in count_sides(reading))
    moved = toward_subject(row, ruled, post, about.spans, about.sign)
    told = [
        *(act in ruled.acts for act in ACTS),
        *(opinion in said for opinion in OPINIONS),
        *(topic in named for topic in Topic),
        *(ruled.severity is severity for severity in Severity),
        *(ruled.owner is owner for owner in Owner),
        *(ruled.stage is stage for stage in Stage),
        *(post.kind is kind for kind in PostKind),
        *(about.sign == sign for sign in (-1, 1)),
        *(bool(one) for one in (ruled.harm, ruled.demands, ruled.effort, ruled.amounts, about.switched_to, about.spans)),
        is_mixed(ruled, about.sign),
        is_only_named(reading.plain, about.spans),
        about.compared,
        reading.has(TONE, "irony"),
        reading.first_person,
        good > bad,
        bad > good,
    ]
    sides = [good / MOST_SIDE, bad / MOST_SIDE]
    odds = [math.log(max(one[str(label)], LEAST)) for one in (row, moved) for label in CLASSES]
    return [*map(float, told), *sides, *odds]
