"""The last word of the encoder as a judge of sentences in which no subject stands, to measure it on labelled ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nlp.about import about_nobody
from nlp.corrections import take_heads
from nlp.encoder_judge import EncoderJudge
from nlp.heads import Heads
from nlp.lexicon import Lexicon
from nlp.mention_heads import decide_sentiment
from nlp.rules import apply_rules
from tingfeng.clock import parse_iso
from tingfeng.labels import PostKind, Sentiment
from tingfeng.records import Post

SOMETIME = parse_iso("2026-01-01")


class PlainTexts:
    """A SentimentJudge; raises ModelError for an encoder without heads."""

    heads: Heads | None = None

    def __init__(self, judge: EncoderJudge, lexicon: Lexicon) -> None:
        self._heads, self._lexicon = take_heads(judge), lexicon
        self.name, self.engine = judge.name, judge.engine

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        posts = [Post("", str(place), PostKind.ORIGINAL, text, SOMETIME) for place, text in enumerate(texts)]
        ruled = [apply_rules(post.text, post.kind, self._lexicon) for post in posts]
        return [dict(word.probabilities) for word in self._heads.judge([(about_nobody(one), post) for one, post in zip(ruled, posts, strict=True)])]

    def label(self, probabilities: Mapping[str, float]) -> Sentiment:
        return decide_sentiment({**probabilities, str(Sentiment.MIXED): 0.0}, self._heads.limits["toward"])
