"""The heads of the encoder, stacked with the word of the rules: from numbers to the judgement of a subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nlp.about import About
from nlp.aspects import merge_opinions
from nlp.gram_heads import GramHeads
from nlp.heads import HeadWord
from nlp.hints import list_hints
from nlp.layer import Layer
from nlp.outputs import ACTS, OPINIONS, TOWARD, cut_head
from nlp.sentiment import CLASSES, LinearSentiment
from nlp.stack import HEADS, Stack, Table, to_probabilities
from tingfeng.labels import Act, Owner, PostKind, Sentiment, Severity, Stage, Topic
from tingfeng.records import Opinion, Post

Limits = Mapping[str, Mapping[str, float]]
AskNetwork = Callable[[Sequence[str]], npt.NDArray[np.float32]]
LEVELS = tuple(Severity)
NOT_FILED = frozenset({Act.NEWS, Act.AD, Act.OTHER})  # what nobody files with a complaint board


class MentionHeads:
    """`ask` gives the outputs of the network for marked texts and remembers them; `limits`: head → label → the probability from which it is said;
    `safety_from` in the place of that of safety; `grams`: the shallow reader beside the network; `layer`: what corrections add."""

    name = "heads"

    def __init__(
        self,
        ask: AskNetwork,
        linear: LinearSentiment,
        grams: GramHeads,
        stack: Stack,
        limits: Limits,
        safety_from: float | None = None,
        layer: Layer | None = None,
    ) -> None:
        own = {} if safety_from is None else {"severity": {str(Severity.SAFETY): safety_from}}
        self._ask, self._linear, self._grams, self._stack, self._layer = ask, linear, grams, stack, layer
        self.limits = {**limits, **own}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="heads")
        self._begun: list[Future[npt.NDArray[np.float32]]] = []

    def begin(self, texts: Sequence[str]) -> None:
        self._begun.append(self._worker.submit(self._ask, texts))

    def judge(self, asked: Sequence[tuple[About, Post]]) -> list[HeadWord]:
        while self._begun:  # what was read before is remembered, so it is not read again below
            self._begun.pop(0).result()
        if not asked:
            return []
        found = to_probabilities(self.weigh(asked))
        words = [decide({head: found[head][place] for head in HEADS}, self.limits) for place in range(len(asked))]
        finer = [name_finer(word, about) for word, (about, _) in zip(words, asked, strict=True)]
        return [obey_rules(word, about, post) for word, (about, post) in zip(finer, asked, strict=True)]

    def weigh(self, asked: Sequence[tuple[About, Post]]) -> Table:
        """Scores [subjects, outputs] in the order of the stack; at least one subject."""
        parts = [about.part for about, _ in asked]
        rows = self._linear.judge(parts)
        hints = np.array([list_hints(about, post, row) for (about, post), row in zip(asked, rows, strict=True)])
        marked = [about.marked for about, _ in asked]
        scores = self._stack.weigh(self._grams.join(select_heads(self._ask(marked)), parts, marked), hints)
        return scores if self._layer is None else scores + self._layer.weigh(parts)


def select_heads(outputs: npt.NDArray[np.float32]) -> Table:
    """The columns of the heads that judge a subject."""
    return np.concatenate([cut_head(head, outputs) for head in HEADS], axis=1)


def decide(row: Mapping[str, Table], limits: Limits) -> HeadWord:
    """The labels for the probabilities of one subject."""
    toward = dict(zip(map(str, TOWARD), row["toward"].tolist(), strict=True))
    told = sum(toward[str(label)] for label in CLASSES)
    spam = row["spam"][0] >= limits["spam"]["spam"]
    acts = (Act.AD,) if spam else decide_acts(row["acts"], limits["acts"])
    return HeadWord(
        sentiment=decide_sentiment(toward, limits["toward"]),
        probabilities={str(label): round(toward[str(label)] / told, 4) for label in CLASSES},
        acts=acts,
        opinions=tuple(Opinion(*one) for one in decide_opinions(row["aspects"], limits["aspects"]).items()),
        severity=decide_severity(row["severity"], limits["severity"]["safety"]),
        owner=tuple(Owner)[int(row["owner"].argmax())],
        stage=tuple(Stage)[int(row["stage"].argmax())],
    )


def decide_sentiment(toward: Mapping[str, float], limits: Mapping[str, float]) -> Sentiment:
    """Negative when that is likely enough to be looked at, unless it is likelier mixed; else the likeliest; UNCERTAIN when none is."""
    if toward[str(Sentiment.NEGATIVE)] >= max(limits["negative"], toward[str(Sentiment.MIXED)]):
        return Sentiment.NEGATIVE
    best = max(TOWARD, key=lambda label: toward[str(label)])
    return best if toward[str(best)] >= limits["least"] else Sentiment.UNCERTAIN


def decide_acts(row: Table, limits: Mapping[str, float]) -> tuple[Act, ...]:
    """Those that reach their limits; `other` stands alone."""
    return tuple(act for act, value in zip(ACTS, row.tolist(), strict=True) if value >= limits[str(act)]) or (Act.OTHER,)


def decide_opinions(row: Table, limits: Mapping[str, float]) -> dict[Topic, Sentiment]:
    """Topics of which all polarities together reach the limit, each with the likeliest."""
    found: dict[Topic, dict[Sentiment, float]] = {}
    for (topic, polarity), value in zip(OPINIONS, row.tolist(), strict=True):
        found.setdefault(topic, {})[polarity] = value
    return {topic: max(own, key=lambda one: own[one]) for topic, own in found.items() if sum(own.values()) >= limits["topic"]}


def name_finer(word: HeadWord, about: About) -> HeadWord:
    """With the finer levels that the rules found for the same opinions."""
    finer = {(one.topic, one.polarity): one for one in merge_opinions(about.ruled.found)}
    return replace(word, opinions=tuple(finer.get((one.topic, one.polarity), one) for one in word.opinions))


def obey_rules(word: HeadWord, about: About, post: Post) -> HeadWord:
    """What the network does not overrule: a ticket of a complaint board is a complaint and no news or ad, and harm that is told stays told."""
    acts = word.acts
    if post.kind is PostKind.TICKET:
        said = {*acts, *({Act.COMPLAINT} & set(about.ruled.acts))} - NOT_FILED
        acts = tuple(act for act in Act if act in said) or (Act.OTHER,)
    severity = Severity.SAFETY if about.ruled.severity is Severity.SAFETY else word.severity
    return replace(word, acts=acts, severity=severity)


def decide_severity(row: Table, safety_from: float) -> Severity:
    """Safety from its own limit on; else the likeliest of the others."""
    if row[LEVELS.index(Severity.SAFETY)] >= safety_from:
        return Severity.SAFETY
    others = [level for level in LEVELS if level is not Severity.SAFETY]
    return max(others, key=lambda level: float(row[LEVELS.index(level)]))
