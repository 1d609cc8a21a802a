"""The judgement of a subject in a post, and what the pipeline asks of a model that gives all of it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tingfeng.labels import Act, Owner, Sentiment, Severity, Stage

if TYPE_CHECKING:
    from nlp.about import About
    from tingfeng.records import Opinion, Post


@dataclass(frozen=True)
class HeadWord:
    """The judgement of one subject in one post. `probabilities`: of negative, neutral and positive, together 1."""

    sentiment: Sentiment
    probabilities: Mapping[str, float]
    acts: tuple[Act, ...]
    opinions: tuple[Opinion, ...]
    severity: Severity
    owner: Owner
    stage: Stage


class Heads(Protocol):
    """A model that weighs the word of the rules with its own. `name` is stored with each mention."""

    name: str

    def judge(self, asked: Sequence[tuple[About, Post]]) -> list[HeadWord]:
        """One word a subject, in order."""
        ...

    def begin(self, texts: Sequence[str]) -> None:
        """Starts to read marked texts that will be asked about soon, beside whatever the caller does meanwhile."""
        ...
