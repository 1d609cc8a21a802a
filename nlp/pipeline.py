"""The ordered list of steps from a post to its mentions. Docs of the list: docs/pipeline.md (generated).

Posts come masked (nlp/mask.py runs before anything is stored), so no step sees a personal number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nlp.about import About, find_abouts, open_clauses
from nlp.aspects import merge_opinions
from nlp.campaigns import Poster, find_campaigns
from nlp.content import judge_content
from nlp.fold import FindNear, Folded, fold
from nlp.heads import HeadRow, Heads, combine_acts, combine_severity, combine_topics
from nlp.lexicon import Lexicon
from nlp.mask import mask_personal
from nlp.rules import Ruled, apply_rules
from nlp.sentiment import SentimentJudge
from nlp.subjects import SubjectMatcher
from nlp.toward import label_toward, toward_subject
from nlp.words import split_words
from tingfeng.labels import Act, Content, Sentiment, Severity
from tingfeng.records import JudgedPost, Mention, Opinion, Post
from tingfeng.text import join_title

VERSION = "rules-2"
# a clause that names an aspect without judging it takes the model's word only when that is this sure
SURE = 0.7
SURE_PRAISE = 0.9
TOLD = (Sentiment.NEGATIVE, Sentiment.POSITIVE)


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
    Step("heads", "多头模型的行为、方面、严重程度(有模型时)与规则合并", ("parts", "acts", "opinions", "severity"), ()),
    Step("sentiment", "对每个对象的情感", ("parts", "comparison", "acts", "harm_words"), ("sentiment",)),
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
    """A post and what the steps before the models say of it; `whole` None when no subject was found."""

    post: Post
    content: Content
    folded: Folded
    whole: Ruled | None
    abouts: tuple[About, ...]


@dataclass(frozen=True)
class Rows:
    """What the models said, by text."""

    sentiments: Mapping[str, Mapping[str, float]]
    heads: Mapping[str, HeadRow]


class Pipeline:
    """Holds the models; judging a batch changes nothing in it."""

    def __init__(
        self, subjects: SubjectMatcher, sentiment: SentimentJudge, lexicon: Lexicon, heads: Heads | None = None
    ) -> None:
        self._subjects, self._sentiment, self._lexicon, self._heads = subjects, sentiment, lexicon, heads
        self.model = "+".join([sentiment.name, *([heads.name] if heads else []), VERSION])

    def judge(self, posts: Sequence[Post], find_near: FindNear = lambda keys, since: ()) -> Judged:
        """Judges a batch, oldest first. One bad post does not lose the others."""
        ordered = sorted(posts, key=lambda post: (post.counted_at, post.id))
        folded = fold([(post.id, post.counted_at, post.text or post.title) for post in ordered], find_near)
        looked: list[Looked] = []
        failed: list[tuple[str, str]] = []
        for post, copy in zip(ordered, folded, strict=True):
            try:
                looked.append(self._look(post, copy))
            except Exception as error:  # noqa: BLE001 - whatever a text does to a step is this post's failure, told by name
                failed.append((post.id, f"{type(error).__name__}: {error}"))
        looked = mark_campaigns(looked)
        rows = self._ask_models(looked)
        return Judged(tuple(self._finish(one, rows) for one in looked), tuple(failed))

    def _look(self, post: Post, folded: Folded) -> Looked:
        content = judge_content(post.title, post.text)
        matches = () if content is Content.NO_TEXT else tuple(self._subjects.match(post))
        if not matches:
            return Looked(post, content, folded, None, ())
        whole = self._rule(post, content)
        return Looked(post, content, folded, whole, find_abouts(whole, matches, post.kind, self._lexicon))

    def _rule(self, post: Post, content: Content) -> Ruled:
        ruled = apply_rules(join_title(post.title, post.text), post.kind, self._lexicon)
        return replace(ruled, acts=(Act.AD,), found=(), demands=()) if content is Content.SPAM else ruled

    def _ask_models(self, looked: Sequence[Looked]) -> Rows:
        """One call of each model for the whole batch; equal texts are asked once."""
        abouts = [about for one in looked for about in one.abouts if one.content is not Content.OTHER_LANGUAGE]
        parts = list(dict.fromkeys(about.part for about in abouts))
        clauses = [text for about in abouts for text in open_clauses(about.ruled).values()]
        texts = list(dict.fromkeys([*parts, *clauses]))
        sentiments = dict(zip(texts, self._sentiment.judge(texts), strict=True)) if texts else {}
        heads = dict(zip(parts, self._heads.judge(parts), strict=True)) if self._heads and parts else {}
        return Rows(sentiments, heads)

    def _finish(self, one: Looked, rows: Rows) -> JudgedPost:
        mentions = tuple(self._mention(one, about, rows) for about in one.abouts)
        words = split_words(join_title(one.post.title, one.post.text), self._lexicon.stopwords) if mentions else ()
        copy = one.folded
        return JudgedPost(
            one.post.id, one.content, mentions, copy.group, copy.is_copy, copy.signature, copy.band_keys, words
        )

    def _mention(self, one: Looked, about: About, rows: Rows) -> Mention:
        if one.content is Content.OTHER_LANGUAGE:
            return Mention(one.post.id, about.name, (), Sentiment.UNCERTAIN, {}, (), self.model)
        ruled = about.ruled
        head = rows.heads.get(about.part, HeadRow({}, {}, {}))
        ruled = replace(ruled, acts=combine_acts(ruled.acts, head))
        probabilities = toward_subject(rows.sentiments[about.part], ruled, one.post, about.spans, about.sign)
        label = label_toward(self._sentiment.label(probabilities), ruled, about.sign)
        return Mention(
            one.post.id,
            about.name,
            felt_acts(ruled.acts, label, probabilities),
            label,
            probabilities,
            ruled.harm,
            self.model,
            opinions=self._opinions(ruled, head, rows, probabilities, label),
            severity=felt_severity(combine_severity(ruled.severity, head), label, ruled.acts),
            stage=ruled.stage,
            owner=ruled.owner,
            demands=ruled.demands,
            effort=ruled.effort,
            switched_to=about.switched_to,
        )

    def _opinions(
        self, ruled: Ruled, head: HeadRow, rows: Rows, probabilities: Mapping[str, float], label: Sentiment
    ) -> tuple[Opinion, ...]:
        """Those of the rules, the named aspects that the model is sure of, and topics that only the model sees.

        Where nothing is judged and something is named, the sentiment of the whole is about that.
        """
        clauses = open_clauses(ruled)
        sure = {key: sure_polarity(rows.sentiments[text]) for key, text in clauses.items()}
        opinions = merge_opinions(
            one if one.polarity is not None else replace(one, polarity=sure.get((one.node.path, one.start)))
            for one in ruled.found
        )
        if not opinions and label in TOLD and not {Act.AD, Act.NEWS, Act.QUESTION, Act.SUGGESTION} & set(ruled.acts):
            opinions = merge_opinions(replace(one, polarity=label) for one in ruled.found)
        topics = combine_topics([opinion.topic for opinion in opinions], head)
        kept = tuple(opinion for opinion in opinions if opinion.topic in topics)
        seen = {opinion.topic for opinion in kept}
        added = [topic for topic in topics if topic not in seen] if Act.AD not in ruled.acts else []
        return (*kept, *(Opinion(topic, likeliest_polarity(probabilities)) for topic in added))

    def judge_text(self, post: Post) -> dict[str, object]:
        """What `tingfeng judge` prints of one text."""
        return self.judge_texts([post])[0]

    def judge_texts(self, posts: Sequence[Post]) -> list[dict[str, object]]:
        """What `tingfeng judge` prints of each text, in order; fields that this version cannot judge are absent."""
        masked = [
            replace(post, native_id=str(place), text=mask_personal(post.text), title=mask_personal(post.title))
            for place, post in enumerate(posts)
        ]
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
            values |= print_whole(self._rule(post, one.content), one.mentions)
        return {**values, "model": self.model, "engine": self._sentiment.engine}


def mark_campaigns(looked: Sequence[Looked]) -> list[Looked]:
    """Copy-paste by many authors of the batch is an ad, unless it complains: people who share a wrong share a text too."""
    campaigns = find_campaigns(
        Poster(one.folded.group, one.post.author.key, one.post.counted_at, one.post.kind) for one in looked
    )
    return [mark_ads(one) if one.folded.group in campaigns else one for one in looked]


def mark_ads(one: Looked) -> Looked:
    """The post with act `ad` for every subject of which nothing is complained."""
    abouts = tuple(
        about
        if NO_CAMPAIGN & set(about.ruled.acts)
        else replace(about, ruled=replace(about.ruled, acts=(Act.AD,), found=(), demands=()))
        for about in one.abouts
    )
    return replace(one, abouts=abouts)


def felt_acts(acts: tuple[Act, ...], label: Sentiment, probabilities: Mapping[str, float]) -> tuple[Act, ...]:
    """No act was read, but the model is sure that the text is positive: praise."""
    if acts == (Act.OTHER,) and label is Sentiment.POSITIVE and probabilities[str(Sentiment.POSITIVE)] >= SURE_PRAISE:
        return (Act.PRAISE,)
    return acts


def felt_severity(severity: Severity, label: Sentiment, acts: Sequence[Act]) -> Severity:
    """Nothing harmful was read, but the text is negative in its own voice: an annoyance."""
    if severity is Severity.NONE and label is Sentiment.NEGATIVE and not {Act.AD, Act.NEWS, Act.QUESTION} & set(acts):
        return Severity.ANNOYANCE
    return severity


def sure_polarity(row: Mapping[str, float]) -> Sentiment | None:
    """Positive or negative when the model is sure of it."""
    for label in (Sentiment.NEGATIVE, Sentiment.POSITIVE):
        if row[str(label)] >= SURE:
            return label
    return None


def likeliest_polarity(row: Mapping[str, float]) -> Sentiment:
    """The likeliest of the three."""
    return max((Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE), key=lambda label: row.get(str(label), 0.0))


def print_subject(mention: Mention) -> dict[str, object]:
    """A subject as `tingfeng judge` prints it."""
    return {
        "name": mention.subject,
        "sentiment": str(mention.sentiment),
        "probabilities": dict(mention.probabilities),
        "harm_words": list(mention.harm_words),
    }


def print_whole(whole: Ruled, mentions: Sequence[Mention]) -> dict[str, object]:
    """What is said of the text as a whole; aspects name their subject where there is one."""
    aspects = [
        {"topic": str(o.topic), "polarity": str(o.polarity), **({"aspect": o.aspect} if o.aspect else {}), "subject": m.subject}
        for m in mentions
        for o in m.opinions
    ]  # fmt: skip
    if not mentions:
        aspects = [
            {"topic": str(o.topic), "polarity": str(o.polarity), **({"aspect": o.aspect} if o.aspect else {})}
            for o in merge_opinions(whole.found)
        ]
    switch = next(({"from": m.subject, "to": m.switched_to} for m in mentions if m.switched_to), None)
    single = mentions[0] if len(mentions) == 1 else None
    return {
        "acts": [str(act) for act in (single.acts if single else whole.acts)],
        "aspects": aspects,
        "severity": str(single.severity if single else whole.severity),
        "demands": list(whole.demands),
        "effort": dict(whole.effort),
        "owner": str(whole.owner),
        "stage": str(whole.stage),
        "competitor_switch": switch,
        "amounts": list(whole.amounts),
    }
