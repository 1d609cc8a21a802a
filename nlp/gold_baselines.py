"""What a judge has to beat on the gold set: the commonest label everywhere, and the rules without any model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from nlp.gold import GoldPost, Judge
from nlp.heads import Heads
from nlp.sentiment import CLASSES, choose_label
from tingfeng.labels import Act, Content, Owner, Sentiment, Severity, Stage, Topic
from tingfeng.records import JudgedPost, Mention, Opinion, Post, Subject

MAJORITY, RULES = "majority", "rules"
# a third for each class is no opinion
NO_OPINION = 0.34


class NoModel:
    """Finds all classes alike, so that only the rules speak."""

    name = engine = RULES
    heads: Heads | None = None

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        return [{str(label): round(1 / len(CLASSES), 4) for label in CLASSES} for _ in texts]

    def label(self, probabilities: Mapping[str, float]) -> Sentiment:
        return choose_label(probabilities, NO_OPINION)


def commonest(values: Iterable[str]) -> str:
    """The most frequent value, the first in the alphabet of equal ones."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


def judge_by_majority(gold: Sequence[GoldPost]) -> Judge:
    """Says of every post and subject what is most often true in the gold set; demands, effort and switches are said of none."""
    act = Act(commonest(act for one in gold for act in one.acts))
    felt = Sentiment(commonest(label for one in gold for label in one.sentiments.values()))
    topic, polarity = commonest(f"{topic} {polarity}" for one in gold for _, topic, polarity in one.opinions).split()
    severity = Severity(commonest(one.severity for one in gold))
    stage, owner = Stage(commonest(one.stage for one in gold)), Owner(commonest(one.owner for one in gold))
    opinion = Opinion(Topic(topic), Sentiment(polarity))

    def judge(post: Post, subjects: Sequence[Subject]) -> JudgedPost:
        mentions = tuple(
            Mention(post.id, one.name, (act,), felt, {}, opinions=(opinion,), severity=severity, stage=stage, owner=owner)
            for one in subjects
        )
        return JudgedPost(post.id, Content.OK, mentions)

    return judge
