"""The encoder as a pupil: its last word is fitted to what people have corrected, near to what it says of mentions that nobody corrected.

Nothing but the stores is needed. The network stays as it is, and so does every limit: a few corrections say too little of where those belong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.models import ENCODER, find_installed
from flows.people import list_corrections
from flows.teach import Attempt, Pupil, is_held
from flows.wiring import Wiring
from nlp.corrections import Asked, Corrected, fit_layer, take_heads
from nlp.encoder_judge import EncoderJudge
from nlp.evaluate import EvaluationReport, evaluate
from nlp.gate import LEAST_CORRECTIONS, Comparison, compare_kept, compare_learnt, compare_reports
from nlp.layer import Layer
from nlp.lexicon import Lexicon
from nlp.pipeline import Pipeline
from nlp.plain_texts import PlainTexts
from tingfeng.errors import ModelError, UsageError
from tingfeng.records import Mention, Post

Progress = Callable[[str, float], None]
# mentions that nobody corrected: the newest ones; half of them are kept to measure with
ANCHORS, PAGE = 2000, 500
LEAST_KEPT = 50


@dataclass(frozen=True)
class EncoderCourse:
    """`shipped` is where every try begins, `present` what judges now. `used` corrections teach beside the `anchors`, `held` and `kept` measure;
    `data`: a folder of labelled sentences to measure on, too, and `before` what the present model scores there."""

    shipped: EncoderJudge
    present: EncoderJudge
    lexicon: Lexicon
    used: list[Corrected]
    held: list[Corrected]
    anchors: list[Asked]
    kept: list[Asked]
    data: Path | None
    before: EvaluationReport | None
    progress: Progress

    def learn(self, strength: float) -> Attempt:
        self.progress(f"每条算 {strength:g} 条", 0.5)
        layer = fit_layer(self.shipped, self.used, self.anchors, strength)
        new = self.shipped.with_layer(layer)
        return Attempt(new.name, tuple(self.compare(new)), layer.save)

    def compare(self, new: EncoderJudge) -> list[Comparison]:
        """On corrections, on mentions that nobody corrected, and on labelled sentences where there are any."""
        judges = [take_heads(judge).judge for judge in (self.present, new)]

        def compare_rows(what: str, rows: list[Corrected], *, must_gain: bool) -> Comparison:
            old, learnt = (judge([row.asked for row in rows]) for judge in judges)
            return compare_learnt(f"{what}({len(rows)} 条)正确率", old, learnt, rows, must_gain=must_gain)

        found = [compare_rows("用来训练的改正", self.used, must_gain=True)]
        if len(self.held) >= LEAST_CORRECTIONS:
            found.append(compare_rows("没有用来训练的改正", self.held, must_gain=False))
        if len(self.kept) >= LEAST_KEPT:
            found += compare_kept(*(judge(self.kept) for judge in judges))
        if self.before and self.data:
            found += compare_reports(self.before, evaluate(PlainTexts(new, self.lexicon), self.data))
        return found


def open_encoder(wiring: Wiring, data: Path | None = None, progress: Progress = lambda what, done: None) -> Pupil:
    """Raises UsageError without corrections or anything to measure on, ModelError for an encoder that cannot be loaded."""
    progress("读取", 0.0)
    shipped = EncoderJudge.load(safety_from=wiring.settings.nlp.safety_from)
    pipeline = Pipeline(wiring.matcher, shipped, wiring.lexicon, shipped.heads)
    pairs = list_corrections(wiring)
    asked = find_asked(pipeline, [post for post, _ in pairs])
    rows = [row for _, mention in pairs if mention.id in asked and (row := Corrected(asked[mention.id], mention)).targets]
    used, held = ([row for row in rows if is_held(row.asked[0].marked) is kept_out] for kept_out in (False, True))
    if not used:
        raise UsageError("可以学的改正还太少", where="train --with-corrections", hint="先用 tingfeng correct 改正几条再来")
    others = find_anchors(wiring, pipeline, {row.asked[0].marked for row in rows})
    # of neighbours in time every other one: both halves speak of the same days
    anchors, kept = others[::2], others[1::2]
    if len(kept) < LEAST_KEPT and data is None:
        told = f"没有改正的提及只有 {len(others)} 条,量不出新模型会不会变差"
        raise UsageError(told, where="train --with-corrections", hint=f"至少要 {2 * LEAST_KEPT} 条;或用 --data 给出标注过的句子")
    present = find_present(wiring, shipped)
    before = evaluate(PlainTexts(present, wiring.lexicon), data) if data else None
    course = EncoderCourse(shipped, present, wiring.lexicon, used, held, anchors, kept, data, before, progress)
    return Pupil(ENCODER, present.name, len(used), len(held), len(pairs) - len(rows), course.learn)


def find_asked(pipeline: Pipeline, posts: Sequence[Post]) -> dict[str, Asked]:
    """What the model is asked of each mention, by its id; what it is not asked about is left out: ads by rule, other languages, old subjects."""
    unique = list({post.id: post for post in posts}.values())
    return {Mention(post.id, about.name).id: (about, post) for about, post in pipeline.find_pairs(unique)}


def find_anchors(wiring: Wiring, pipeline: Pipeline, corrected: set[str]) -> list[Asked]:
    """Mentions that nobody corrected, each text once, the newest first; not those that read as a corrected one."""
    found: dict[str, Asked] = {}
    cursor = ""
    for _ in range(ANCHORS // PAGE):
        page = wiring.posts.search(limit=PAGE, cursor=cursor, count_up_to=0)
        hits = [(hit.post, hit.mention) for hit in page.hits if hit.mention and not hit.mention.corrected_by and not hit.is_copy]
        asked = find_asked(pipeline, [post for post, _ in hits])
        found |= {asked[one.id][0].marked: asked[one.id] for _, one in hits if one.id in asked}
        cursor = page.next_cursor
        if not cursor:
            break
    return [one for text, one in found.items() if text not in corrected]


def find_present(wiring: Wiring, shipped: EncoderJudge) -> EncoderJudge:
    """What judges now: with the installed layer when there is one that fits."""
    folder = find_installed(wiring.home, ENCODER)
    try:
        return shipped.with_layer(Layer.load(folder)) if folder else shipped
    except ModelError:  # judging goes on without it and says so; a new one takes its place
        return shipped
