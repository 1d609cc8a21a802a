"""The ordered list of steps from a post to its mentions. Docs of the list: docs/pipeline.md (generated).

Posts come masked (nlp/mask.py runs before anything is stored), so no step sees a personal number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.clauses import part_about
from nlp.content import judge_content
from nlp.fold import FindNear, Folded, fold
from nlp.lexicon import Lexicon
from nlp.mask import mask_personal
from nlp.rules import apply_rules
from nlp.sentiment import CLASSES, SentimentJudge
from nlp.subjects import SubjectMatch, SubjectMatcher
from nlp.words import split_words
from tingfeng.labels import Act, Content, PostKind, Sentiment
from tingfeng.records import JudgedPost, Mention, Post
from tingfeng.text import join_title, normalise

VERSION = "rules-1"
# What an act says about sentiment, as shifts of the log-odds (negative, neutral, positive), from LABELS.md §2: a question or a
# proposal is neutral, an open case is negative. Set by hand on invented sentences; tests/nlp/test_pipeline.py holds them to it.
SHIFTS: Mapping[Act, tuple[float, float, float]] = {
    Act.COMPLAINT: (2.0, 0.0, -1.0),
    Act.SUGGESTION: (0.0, 1.5, -0.5),
    Act.QUESTION: (0.0, 1.8, -0.8),
    Act.PRAISE: (-0.5, 0.0, 1.2),
    Act.CHURN_INTENT: (1.0, 0.0, -0.5),
    Act.AD: (-0.5, 2.5, -0.5),
}
HARM_SHIFT = (2.2, 0.0, -1.0)
RATING_SHIFTS: Mapping[int, tuple[float, float, float]] = {
    1: (2.0, 0.0, -1.0), 2: (1.5, 0.0, -0.5), 3: (0.0, 0.5, 0.0), 4: (-0.5, 0.0, 1.0), 5: (-1.0, 0.0, 1.5),
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One step for the docs and the order check: what it needs and what it gives."""

    name: str
    title: str
    requires: tuple[str, ...]
    assigns: tuple[str, ...]


STEPS = (
    Step("mask", "遮盖个人号码(采集之后、存储之前)", ("text",), ("masked_text",)),
    Step("content", "是否有可判断的中文", ("masked_text",), ("content",)),
    Step("fold", "转发与近似重复折叠", ("masked_text",), ("group", "is_copy")),
    Step("subjects", "匹配监测对象", ("masked_text", "content"), ("matches",)),
    Step("acts", "言语行为:投诉、建议、咨询、表扬 …", ("masked_text", "matches"), ("acts",)),
    Step("harm", "人身伤害词(识别否定)", ("masked_text", "matches"), ("harm_words",)),
    Step("clauses", "多个对象时,各取说到它的分句", ("masked_text", "matches"), ("part",)),
    Step("sentiment", "对每个对象的情感", ("part", "acts", "harm_words"), ("sentiment",)),
    Step("words", "分词,只用于统计", ("masked_text", "matches"), ("words",)),
)


def check_order(steps: Sequence[Step]) -> None:
    """Raises ValueError when a step needs what no earlier one gives."""
    given = {"text"}
    for step in steps:
        missing = set(step.requires) - given
        if missing:
            raise ValueError(f"step {step.name} needs {sorted(missing)}")
        given |= set(step.assigns)


def describe_pipeline() -> str:
    """docs/pipeline.md."""
    rows = "".join(
        f"| {n} | `{s.name}` | {s.title} | {'、'.join(s.requires)} | {'、'.join(s.assigns)} |\n"
        for n, s in enumerate(STEPS, 1)
    )
    return f"# 判断步骤\n\n由 `make docs` 从 `nlp/pipeline.py` 生成。\n\n| 次序 | 步骤 | 做什么 | 需要 | 得到 |\n|---|---|---|---|---|\n{rows}"


check_order(STEPS)


@dataclass(frozen=True)
class Judged:
    """A batch: posts with their judgements, and (post id, reason) of those that failed – they stay unjudged and are reported."""

    posts: tuple[JudgedPost, ...]
    failed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Found:
    """A post and what the steps before sentiment say of it."""

    post: Post
    content: Content
    folded: Folded
    matches: tuple[SubjectMatch, ...]
    acts: tuple[Act, ...]
    harm: tuple[str, ...]


class Pipeline:
    """Holds the models; judging a batch changes nothing in it."""

    def __init__(self, subjects: SubjectMatcher, sentiment: SentimentJudge, lexicon: Lexicon) -> None:
        self._subjects, self._sentiment, self._lexicon = subjects, sentiment, lexicon
        self.model = f"{sentiment.name}+{VERSION}"

    def judge(self, posts: Sequence[Post], find_near: FindNear = lambda keys, since: ()) -> Judged:
        """Judges a batch, oldest first. One bad post does not lose the others."""
        ordered = sorted(posts, key=lambda post: (post.counted_at, post.id))
        folded = fold([(post.id, post.counted_at, post.text or post.title) for post in ordered], find_near)
        found: list[Found] = []
        failed: list[tuple[str, str]] = []
        for post, copy in zip(ordered, folded, strict=True):
            try:
                found.append(self._look(post, copy))
            except Exception as error:  # noqa: BLE001 - whatever a text does to a step is this post's failure, told by name
                failed.append((post.id, f"{type(error).__name__}: {error}"))
        parts = [(number, match, part) for number, one in enumerate(found) for match, part in self._parts(one)]
        rows = self._sentiment.judge([part for _, _, part in parts])
        mentions: list[list[Mention]] = [[] for _ in found]
        for (number, match, _), row in zip(parts, rows, strict=True):
            mentions[number].append(self._mention(found[number], match, row))
        return Judged(
            tuple(self._judged(one, tuple(own)) for one, own in zip(found, mentions, strict=True)), tuple(failed)
        )

    def judge_text(self, post: Post) -> dict[str, object]:
        """What `tingfeng judge` prints of one text; fields that this version cannot judge are absent."""
        masked = Post(**{**post.__dict__, "text": mask_personal(post.text), "title": mask_personal(post.title)})
        result = self.judge([masked])
        if result.failed:
            return {"id": post.native_id, "error": result.failed[0][1]}
        one = result.posts[0]
        acts = (
            apply_rules(join_title(masked.title, masked.text), post.kind, self._lexicon).acts
            if one.content is not Content.NO_TEXT
            else ()
        )
        return {
            "id": post.native_id,
            "masked_text": masked.text,
            "content": str(one.content),
            "acts": [str(act) for act in acts],
            "subjects": [
                {
                    "name": m.subject,
                    "sentiment": str(m.sentiment),
                    "probabilities": dict(m.probabilities),
                    "harm_words": list(m.harm_words),
                }
                for m in one.mentions
            ],
            "model": self.model,
        }

    def _look(self, post: Post, folded: Folded) -> Found:
        content = judge_content(post.title, post.text)
        matches = () if content is Content.NO_TEXT else tuple(self._subjects.match(post))
        if not matches:
            return Found(post, content, folded, (), (), ())
        ruled = apply_rules(join_title(post.title, post.text), post.kind, self._lexicon)
        acts = (Act.AD,) if content is Content.SPAM else ruled.acts
        return Found(post, content, folded, matches, acts, ruled.harm)

    def _parts(self, one: Found) -> list[tuple[SubjectMatch, str]]:
        plain = normalise(join_title(one.post.title, one.post.text))
        if len(one.matches) < 2:
            return [(match, plain) for match in one.matches]
        spans = {match.name: match.spans for match in one.matches}
        others = {name: [span for other, own in spans.items() if other != name for span in own] for name in spans}
        return [(match, part_about(plain, match.spans, others[match.name])) for match in one.matches]

    def _mention(self, one: Found, match: SubjectMatch, row: Mapping[str, float]) -> Mention:
        if one.content is Content.OTHER_LANGUAGE:
            return Mention(one.post.id, match.name, one.acts, Sentiment.UNCERTAIN, {}, (), self.model)
        shifts = [SHIFTS[act] for act in one.acts if act in SHIFTS]
        harm = one.harm if Act.AD not in one.acts else ()
        shifts += [HARM_SHIFT] if harm else []
        if one.post.kind is PostKind.REVIEW and one.post.rating in RATING_SHIFTS:
            shifts.append(RATING_SHIFTS[one.post.rating or 0])
        probabilities = shift_odds(row, shifts)
        return Mention(
            one.post.id, match.name, one.acts, self._sentiment.label(probabilities), probabilities, harm, self.model
        )

    def _judged(self, one: Found, mentions: tuple[Mention, ...]) -> JudgedPost:
        words = split_words(join_title(one.post.title, one.post.text), self._lexicon.stopwords) if mentions else ()
        copy = one.folded
        return JudgedPost(
            one.post.id, one.content, mentions, copy.group, copy.is_copy, copy.signature, copy.band_keys, words
        )


def shift_odds(row: Mapping[str, float], shifts: Sequence[tuple[float, float, float]]) -> dict[str, float]:
    """Adds the shifts to the log probabilities and makes them add up to 1 again."""
    if not shifts:
        return dict(row)
    total = [sum(shift[index] for shift in shifts) for index in range(len(CLASSES))]
    raw = [max(row[str(label)], 1e-4) * math.exp(total[index]) for index, label in enumerate(CLASSES)]
    return {str(label): round(value / sum(raw), 4) for label, value in zip(CLASSES, raw, strict=True)}
