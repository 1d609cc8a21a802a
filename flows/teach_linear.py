"""The linear model as a pupil: trained once more, with what people have corrected beside the base rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.models import LINEAR, find_installed
from flows.people import list_corrections
from flows.teach import Attempt, Pupil, is_held
from flows.wiring import Wiring
from nlp.about import find_abouts
from nlp.evaluate import EvaluationReport, evaluate
from nlp.gate import compare_corrections, compare_reports
from nlp.labelled import CORRECTIONS, INDEX, Labelled
from nlp.rules import apply_rules
from nlp.sentiment import LinearSentiment
from nlp.train import ROUNDS, learn_sentiment, write_model
from tingfeng.errors import UsageError
from tingfeng.records import Post
from tingfeng.text import join_title


@dataclass(frozen=True)
class LinearCourse:
    """Base rows come from `data`; `before` is what the present model scores there. `used` corrections teach, `held` measure."""

    model: LinearSentiment
    data: Path
    used: list[Labelled]
    held: list[Labelled]
    before: EvaluationReport
    seed: int
    rounds: int
    progress: Callable[[str, float], None]

    def learn(self, strength: float) -> Attempt:
        learnt = learn_sentiment(self.data, self.used, strength=strength, seed=self.seed, rounds=self.rounds, progress=self.progress)
        comparisons = (*compare_reports(self.before, learnt.report), *compare_corrections(self.model, learnt.fitted.judge, self.held))
        return Attempt(
            learnt.report.model, comparisons, lambda folder: write_model(folder, learnt.fitted, learnt.facts, learnt.report)
        )


def open_linear(
    wiring: Wiring, data: Path, *, seed: int = 7, rounds: int = ROUNDS, progress: Callable[[str, float], None] = lambda what, done: None
) -> Pupil:
    """Raises UsageError without data or corrections, ModelError without torch."""
    rows, skipped = read_corrections(wiring)
    if not rows:
        raise UsageError("还没有改正过情感", where="train --with-corrections", hint="先用 tingfeng correct 改正几条再来")
    model = LinearSentiment.load(find_installed(wiring.home))
    used, held = [row for row in rows if not is_held(row.text)], [row for row in rows if is_held(row.text)]
    course = LinearCourse(model, data, used, held, evaluate(model, data), seed, rounds, progress)
    return Pupil(LINEAR, model.name, len(used), len(held), skipped, course.learn)


def read_corrections(wiring: Wiring) -> tuple[list[Labelled], int]:
    """The corrected sentiments as training rows, and how many have a label that the model does not know (mixed)."""
    rows, skipped = [], 0
    for post, mention in list_corrections(wiring):
        if "sentiment" not in mention.corrected_fields:
            continue
        if str(mention.sentiment) in INDEX:
            rows.append(Labelled(CORRECTIONS, INDEX[str(mention.sentiment)], "", read_part(wiring, post, mention.subject)))
        else:
            skipped += 1
    return rows, skipped


def read_part(wiring: Wiring, post: Post, subject: str) -> str:
    """What the model is asked of a post: the part about the subject; the whole when the subject is not watched any more."""
    whole = join_title(post.title, post.text)
    matches = tuple(wiring.matcher.match(post))
    abouts = find_abouts(apply_rules(whole, post.kind, wiring.lexicon), matches, post.kind, wiring.lexicon) if matches else ()
    return next((about.part for about in abouts if about.name == subject), whole)
