"""Lessons from invented posts that people or a language model labelled by the guide: one for each subject of a post.

A post may be labelled a second time, by somebody who did not see the first labels (folder `second`, same file names): where the two differ,
each counts for half, unless a third reader has settled it (folder `settled`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nlp.about import About
from nlp.gold import GoldPost, list_of, read_gold
from nlp.hints import list_hints
from nlp.lessons import INVENTED
from nlp.outputs import ACTS, OPINIONS, OUTPUTS, TOWARD, Lesson, mark, one_hot
from nlp.sentiment import LinearSentiment
from tingfeng.errors import UsageError
from tingfeng.labels import Act, Owner, Sentiment, Severity, Stage
from tingfeng.records import Post, Subject

SECOND, SETTLED = "second", "settled"
FindAbouts = Callable[[Post, Sequence[Subject]], Sequence[About]]
BAD = (Sentiment.NEGATIVE, Sentiment.MIXED)
GOOD = (Sentiment.POSITIVE, Sentiment.MIXED)


@dataclass(frozen=True)
class Case:
    """A subject of a post. `writer`: who wrote the post, so that whole writers can be left out; `hints`: the word of the rules."""

    writer: str
    post: GoldPost
    about: About
    lesson: Lesson
    hints: Sequence[float]


def read_cases(folder: Path, find: FindAbouts, linear: LinearSentiment) -> list[Case]:
    """All matched subjects of the posts in the folder. The writer stands before the `-` of a post's id. Raises UsageError."""
    posts = read_gold(folder)
    by_id = {one.post.native_id: one for one in posts}
    again, settled = (read_again(folder / name, by_id) for name in (SECOND, SETTLED))
    pairs = [(one, about) for one in posts for about in find(one.post, one.subjects)]
    told = {name: [settled[name]] if name in settled else [one, *([again[name]] if name in again else [])] for name, one in by_id.items()}
    rows = linear.judge([about.part for _, about in pairs])
    return [
        Case(
            writer=one.post.native_id.partition("-")[0],
            post=one,
            about=about,
            lesson=Lesson(INVENTED, about.marked, blend([list_targets(label, about.name) for label in told[one.post.native_id]])),
            hints=list_hints(about, one.post, row),
        )
        for (one, about), row in zip(pairs, rows, strict=True)
    ]


def read_again(folder: Path, posts: Mapping[str, GoldPost]) -> dict[str, GoldPost]:
    """Posts as somebody else labelled them, by id; `sentiments` in the order of the subjects. Raises UsageError."""
    found = {}
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            try:
                row = json.loads(line)
                found[str(row["id"])] = label_again(posts[str(row["id"])], row)
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(f"标注读不懂({error})", where=f"{file}:{number}", hint="格式见 tests/nlp/invented") from error
    return found


def label_again(post: GoldPost, row: Mapping[str, object]) -> GoldPost:
    """Raises ValueError, KeyError or TypeError for a row that is none."""
    sentiments = map(Sentiment, list_of(row["sentiments"]))
    return replace(
        post,
        sentiments={subject.name: str(label) for subject, label in zip(post.subjects, sentiments, strict=True)},
        acts=frozenset(str(Act(act)) for act in list_of(row["acts"])),
        opinions=frozenset((one["subject"], one["topic"], one["polarity"]) for one in list_of(row["aspects"])),
        severity=str(Severity(str(row["severity"]))),
        owner=str(Owner(str(row["owner"]))),
        stage=str(Stage(str(row["stage"]))),
        spam=bool(row["spam"]),
    )


def blend(told: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, Sequence[float]]:
    """Heads → the mean of what is known of each output."""
    heads = dict.fromkeys(head for one in told for head in one)
    found: dict[str, Sequence[float]] = {}
    for head in heads:
        known = [one[head] for one in told if head in one]
        found[head] = [sum(parts) / len(parts) for parts in zip(*known, strict=True)]
    return found


def list_targets(one: GoldPost, name: str) -> Mapping[str, Sequence[float]]:
    """What is true of one subject. Labels are of the whole post: of several subjects those fared badly have its harm and complaint.

    Where the harm is another subject's, nothing is known of the stage of this one.
    """
    suffers = belongs(one, name, BAD)
    acts = set(one.acts)
    if not suffers:
        acts -= {str(Act.COMPLAINT), str(Act.CHURN_INTENT)}
    if not belongs(one, name, GOOD) or (len(one.sentiments) > 1 and one.sentiments[name] == Sentiment.NEGATIVE):
        acts.discard(str(Act.PRAISE))
    said = {(topic, polarity) for subject, topic, polarity in one.opinions if subject == name}
    found: dict[str, Sequence[float]] = {
        "toward": one_hot(len(TOWARD), TOWARD.index(Sentiment(one.sentiments[name]))),
        "acts": mark(ACTS, acts),
        "aspects": [float((str(topic), str(polarity)) in said) for topic, polarity in OPINIONS],
        "severity": choose("severity", one.severity if suffers else Severity.NONE),
        "owner": choose("owner", one.owner if suffers else Owner.UNKNOWN),
        "spam": [float(one.spam)],
    }
    return found | ({"stage": choose("stage", one.stage)} if suffers else {})


def belongs(one: GoldPost, name: str, sides: Sequence[Sentiment]) -> bool:
    """Whether what only one side of a post can mean is meant of this subject: it is of that side, or none is."""
    bad = {subject for subject, _, polarity in one.opinions if polarity == Sentiment.NEGATIVE} if sides is BAD else set()
    named = {subject for subject, label in one.sentiments.items() if label in sides} | bad
    return name in named or not named


def choose(head: str, label: str) -> list[float]:
    """All of it on one label."""
    return one_hot(len(OUTPUTS[head]), OUTPUTS[head].index(label))
