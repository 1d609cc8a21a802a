"""The ordered list of steps from a post to its mentions. Docs of the list: docs/pipeline.md (generated).

Posts come masked (nlp/mask.py runs before anything is stored), so no step sees a personal number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from cachetools import LRUCache

from nlp.about import About, about_nobody, find_abouts
from nlp.aspects import merge_opinions
from nlp.by_rules import judge_by_rules, texts_of
from nlp.campaigns import Poster, find_campaigns
from nlp.content import judge_content
from nlp.fold import FindNear, Folded, fold
from nlp.heads import Heads, HeadWord
from nlp.known import KEPT, Known, hash_post
from nlp.lexicon import Lexicon
from nlp.marking import mark_subject
from nlp.mask import mask_post
from nlp.reading import shorten
from nlp.rules import COSTLY, Ruled, apply_rules
from nlp.sentiment import SentimentJudge
from nlp.subjects import SubjectMatcher
from nlp.whole import Whole, join_mentions, print_subject, print_whole
from nlp.words import split_words
from tingfeng.labels import Act, Content, PostKind, Sentiment, Severity
from tingfeng.records import JudgedPost, Mention, Post
from tingfeng.text import join_title, normalise

VERSION = "rules-3"
# so many posts with new words, or so many in all, go to the model together, while the rules look at the next
TOGETHER, AT_MOST = 64, 512
# so many such parts may wait for the model
WAITING = 2
# people who ask, propose or complain in the same words are no campaign, however many they are
NO_CAMPAIGN = frozenset({Act.COMPLAINT, Act.QUESTION, Act.SUGGESTION, Act.CHURN_INTENT})


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
    Step("campaigns", "同一段话短时间内多人照发:记为广告,投诉除外", ("group",), ("campaigns",)),
    Step("subjects", "匹配监测对象:别名、变体、排除、歧义", ("masked_text", "content"), ("matches",)),
    Step("reading", "规范化、分句,一遍找出所有线索词", ("masked_text", "matches"), ("reading",)),
    Step("clauses", "多个对象时,各取说到它的分句,比较谁好谁差", ("reading", "matches"), ("parts", "comparison")),
    Step("demands", "诉求:退款、赔偿、道歉 …(说出来的才算)", ("reading",), ("demands",)),
    Step("acts", "言语行为:投诉、建议、咨询、表扬 …", ("reading", "demands"), ("acts",)),
    Step("harm", "人身伤害词(识别否定与虚惊)", ("reading",), ("harm_words",)),
    Step("aspects", "方面与观点(否定、疑问、建议分开)", ("reading", "acts"), ("opinions",)),
    Step("severity", "严重程度:人身 > 财产 > 烦扰", ("acts", "harm_words", "demands", "opinions"), ("severity",)),
    Step("owner", "根因归属", ("reading", "opinions"), ("owner",)),
    Step("stage", "旅程阶段", ("reading", "opinions", "acts"), ("stage",)),
    Step("effort", "费力程度:电话、转接、天数、跑腿", ("reading",), ("effort",)),
    Step("switches", "换成了谁家", ("reading", "matches"), ("switched_to",)),
    Step("sentiment", "对每个对象的情感(没有编码器时:线性模型与规则)", ("parts", "comparison", "acts", "harm_words"), ("sentiment",)),
    Step(
        "heads",
        "编码器:读名字换成记号的全文,与规则的话合起来,判情感、行为、方面、严重程度、归属、阶段",
        ("matches", "parts", "acts", "opinions", "severity", "owner", "stage"),
        ("sentiment", "acts", "opinions", "severity", "owner", "stage"),
    ),
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
class Looked:
    """A post and what the steps before the models say of it; `whole` None when no subject was found.

    `key`: of what it says, b"" without a subject. `told`: the same was said before, so nothing of it was looked at, nor is `content` its own.
    """

    post: Post
    content: Content
    folded: Folded
    whole: Ruled | None
    abouts: tuple[About, ...]
    key: bytes = b""
    told: bool = False


@dataclass(frozen=True)
class Rows:
    """What the models said: sentiments by text, the heads by post and subject."""

    sentiments: Mapping[str, Mapping[str, float]]
    heads: Mapping[tuple[str, str], HeadWord]


class Pipeline:
    """Holds the models, and remembers what it said of posts that may come again; judging a batch changes nothing else in it."""

    def __init__(
        self, subjects: SubjectMatcher, sentiment: SentimentJudge, lexicon: Lexicon, heads: Heads | None = None
    ) -> None:
        self._subjects, self._sentiment, self._lexicon, self._heads = subjects, sentiment, lexicon, heads
        self._known: LRUCache[bytes, Known] = LRUCache(KEPT)
        self._reads_fields = subjects.reads_fields
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="judge")
        self.model = "+".join([sentiment.name, *([heads.name] if heads else []), VERSION])

    @property
    def engine(self) -> str:
        """What judges, and in brackets why it is only the second choice."""
        return self._sentiment.engine

    def judge(self, posts: Sequence[Post], find_near: FindNear = lambda keys, since: ()) -> Judged:
        """Judges a batch, oldest first. One bad post does not lose the others."""
        ordered = sorted(posts, key=lambda post: (post.counted_at, post.id))
        folded = fold([(post.id, post.counted_at, post.text or post.title) for post in ordered], find_near)
        failed: list[tuple[str, str]] = []
        told: dict[bytes, Known | None] = {}
        waiting: deque[tuple[list[Looked], Future[Rows]]] = deque()
        done: list[JudgedPost] = []

        def finish_oldest() -> None:
            looked, rows = waiting.popleft()
            done.extend(self._finish(one, rows.result(), told) for one in looked)

        for looked in self._look_in_parts(ordered, folded, failed, told):
            waiting.append((looked, self._worker.submit(self._ask_models, looked)))
            if len(waiting) > WAITING:
                finish_oldest()
        while waiting:
            finish_oldest()
        return Judged(tuple(done), tuple(failed))

    def _look_in_parts(
        self, posts: Sequence[Post], folded: Sequence[Folded], failed: list[tuple[str, str]], told: dict[bytes, Known | None]
    ) -> Iterator[list[Looked]]:
        """The posts that could be read, in order; the others go to `failed`."""
        pairs = list(zip(posts, folded, strict=True))
        campaigns = find_campaigns(Poster(copy.group, post.author.key, post.counted_at, post.kind) for post, copy in pairs)
        part: list[Looked] = []
        fresh = 0
        for post, copy in pairs:
            try:
                part.append(self._look_within(post, copy) if copy.group in campaigns else self._look(post, copy, told))
            except Exception as error:  # noqa: BLE001 - whatever a text does to a step is this post's failure, told by name
                failed.append((post.id, f"{type(error).__name__}: {error}"))
                continue
            fresh += not part[-1].told
            if fresh >= TOGETHER or len(part) >= AT_MOST:
                yield part
                part, fresh = [], 0
        if part:
            yield part

    def find_pairs(self, posts: Sequence[Post]) -> list[tuple[About, Post]]:
        """What a model is asked of posts, by subject; posts that cannot be read are left out, and what is an ad whatever a model says."""
        found = []
        for post in posts:
            with suppress(Exception):  # whatever a text does to a step, it is none to ask about
                found.append(self._look(post, Folded(post.id, False, 0, ())))
        return [(about, post) for about, post in list_pairs(found) if not about.advert]

    def _look(self, post: Post, folded: Folded, told: dict[bytes, Known | None] | None = None) -> Looked:
        """In `told` stands None for what this batch says for the first time; without it nothing is taken from memory."""
        matches = self._subjects.match(post) if self._reads_fields else None
        key = hash_post(post, matches or ())
        if told is not None and (key in told or key in self._known):
            told.setdefault(key, self._known.get(key))
            return Looked(post, Content.OK, folded, None, (), key, told=True)
        content = judge_content(post.title, post.text)
        if content is Content.SPAM and post.kind is PostKind.TICKET:
            content = Content.OK  # nobody advertises by a ticket
        if content is Content.NO_TEXT:
            matches = []
        elif matches is None:
            matches = self._subjects.match(post)
        if not matches:
            return Looked(post, content, folded, None, ())
        whole = self._rule(post, content)
        abouts = find_abouts(whole, matches, post.kind, self._lexicon)
        if content is Content.SPAM:
            abouts = tuple(replace(about, advert=True) for about in abouts)
        if told is not None:
            told[key] = None
        return Looked(post, content, folded, whole, abouts, key)

    def _look_within(self, post: Post, folded: Folded) -> Looked:
        """Copy-paste by many authors of the batch is an ad, unless it complains: people who share a wrong share a text too.

        What is said of a campaign is not said of its words elsewhere, so it is neither remembered nor taken from memory.
        """
        return mark_ads(replace(self._look(post, folded), key=b""))

    def _rule(self, post: Post, content: Content) -> Ruled:
        ruled = apply_rules(join_title(post.title, post.text), post.kind, self._lexicon)
        return replace(ruled, acts=(Act.AD,), found=(), demands=()) if content is Content.SPAM else ruled

    def _ask_models(self, looked: Sequence[Looked]) -> Rows:
        """One call of the model for all of them; equal texts are asked once."""
        pairs = list_pairs(looked)
        if self._heads is not None:
            words = self._heads.judge(pairs)
            return Rows({}, {(post.id, about.name): word for (about, post), word in zip(pairs, words, strict=True)})
        texts = list(dict.fromkeys(text for about, _ in pairs for text in texts_of(about)))
        return Rows(dict(zip(texts, self._sentiment.judge(texts), strict=True)) if texts else {}, {})

    def _finish(self, one: Looked, rows: Rows, told: dict[bytes, Known | None]) -> JudgedPost:
        known = told.get(one.key) if one.told else None
        if known is None:
            mentions = tuple(self._mention(one, about, rows) for about in one.abouts)
            words = split_words(join_title(one.post.title, one.post.text), self._lexicon.stopwords) if mentions else ()
            known = Known(one.content, mentions, words)
            if one.key:
                told[one.key] = known
                self._known[one.key] = known
        copy = one.folded
        return JudgedPost(
            one.post.id, known.content, known.mentions_of(one.post.id), copy.group, copy.is_copy, copy.signature, copy.band_keys, known.words
        )

    def _mention(self, one: Looked, about: About, rows: Rows) -> Mention:
        if one.content is Content.OTHER_LANGUAGE:
            return Mention(one.post.id, about.name, (), Sentiment.UNCERTAIN, {}, (), self.model)
        told = rows.heads.get((one.post.id, about.name))
        word = told or judge_by_rules(about, one.post, rows.sentiments, self._sentiment)
        word = replace(word, acts=(Act.AD,), opinions=(), severity=Severity.NONE) if about.advert else word
        ruled = about.ruled
        return Mention(
            one.post.id,
            about.name,
            word.acts,
            word.sentiment,
            word.probabilities,
            ruled.harm,
            self.model,
            opinions=word.opinions,
            severity=word.severity,
            stage=word.stage,
            owner=word.owner,
            demands=ruled.demands,
            effort=ruled.effort if COSTLY & set(word.acts) else {},
            switched_to=about.switched_to,
        )

    def mark_texts(self, posts: Sequence[Post]) -> list[str]:
        """What the heads will read when `judge_texts` is asked for these posts."""
        found: list[str] = []
        for post in map(mask_post, posts):
            plain = shorten(normalise(join_title(post.title, post.text)))
            spans = {match.name: match.spans for match in self._subjects.match(post)}
            for name, own in spans.items():
                found.append(mark_subject(plain, own, [span for other in spans if other != name for span in spans[other]]))
            found += [] if spans else [plain]
        return found

    def judge_text(self, post: Post) -> dict[str, object]:
        """What `tingfeng judge` prints of one text."""
        return self.judge_texts([post])[0]

    def judge_texts(self, posts: Sequence[Post]) -> list[dict[str, object]]:
        """What `tingfeng judge` prints of each text, in order; fields that this version cannot judge are absent."""
        masked = [replace(mask_post(post), native_id=str(place)) for place, post in enumerate(posts)]
        result = self.judge(masked)
        found = {one.post_id: one for one in result.posts}
        failed = dict(result.failed)
        return [
            {"id": post.native_id, "error": failed[own.id]}
            if own.id in failed
            else {"id": post.native_id, **self._print_post(own, found[own.id])}
            for post, own in zip(posts, masked, strict=True)
        ]

    def _print_post(self, post: Post, one: JudgedPost) -> dict[str, object]:
        values: dict[str, object] = {
            "masked_text": post.text,
            "content": str(one.content),
            "subjects": [print_subject(mention) for mention in one.mentions],
        }
        if one.content not in (Content.NO_TEXT, Content.OTHER_LANGUAGE):
            ruled = self._rule(post, one.content)
            word = self._judge_unnamed(post, ruled) if not one.mentions else None
            whole = Whole(ruled.acts, ruled.severity, ruled.owner, ruled.stage)
            if word is not None or self._heads is not None or len(one.mentions) == 1:
                whole = join_mentions([word] if word is not None else one.mentions)
            opinions = word.opinions if word is not None else merge_opinions(ruled.found)
            values |= print_whole(ruled, whole, one.mentions, opinions)
        return {**values, "model": self.model, "engine": self.engine}

    def _judge_unnamed(self, post: Post, ruled: Ruled) -> HeadWord | None:
        """The word of the heads on a text in which no subject stands."""
        if self._heads is None or ruled.acts == (Act.AD,):
            return None
        return self._heads.judge([(about_nobody(ruled), post)])[0]


def list_pairs(looked: Sequence[Looked]) -> list[tuple[About, Post]]:
    """The subjects that a model can judge, with their posts."""
    return [(about, one.post) for one in looked for about in one.abouts if one.content is not Content.OTHER_LANGUAGE]


def mark_ads(one: Looked) -> Looked:
    """The post with act `ad` for every subject of which nothing is complained."""
    abouts = tuple(
        about
        if NO_CAMPAIGN & set(about.ruled.acts)
        else replace(about, ruled=replace(about.ruled, acts=(Act.AD,), found=(), demands=()), advert=True)
        for about in one.abouts
    )
    return replace(one, abouts=abouts)
