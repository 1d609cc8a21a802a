"""Teach: trains the linear model once more, with what people have corrected, and installs it when it is not worse than the present one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

from flows.models import FOLDER, find_installed, install
from flows.people import list_corrections
from flows.wiring import Wiring
from nlp.about import find_abouts
from nlp.evaluate import EvaluationReport, evaluate
from nlp.gate import Comparison, compare_corrections, compare_reports
from nlp.labelled import CORRECTIONS, INDEX, Labelled
from nlp.rules import apply_rules
from nlp.sentiment import LinearSentiment
from nlp.train import ROUNDS, learn_sentiment, write_model
from tingfeng.errors import UsageError
from tingfeng.records import AuditEntry, Post
from tingfeng.text import join_title

HELD_OUT_SHARE = 5
# how many base rows a correction is worth: the most that makes nothing worse is taken
STRENGTHS = (10.0, 3.0, 1.0)


@dataclass(frozen=True)
class Taught:
    """`comparisons` of the present model with the new one; `folder`: where the new one was installed, None when it was refused.

    `used` corrections were trained on, each worth `strength` base rows; `held` were kept to measure with, `skipped` have no label that the
    model knows.
    """

    old: str
    new: str
    used: int
    strength: float
    held: int
    skipped: int
    comparisons: tuple[Comparison, ...]
    folder: Path | None
    report: EvaluationReport

    @property
    def refusals(self) -> list[Comparison]:
        """Why it was refused."""
        return [one for one in self.comparisons if one.is_worse]


def teach(
    wiring: Wiring, data: Path, user: str, *, seed: int = 7, rounds: int = ROUNDS, progress: Callable[[str, float], None] = lambda what, done: None
) -> Taught:
    """Base rows come from `data`, corrections from the stores. Nothing is written before all is measured; refused, it tells of the weakest try.

    Raises UsageError without data or corrections, ModelError without torch, BusyError when it runs already.
    """
    with wiring.lock("teach"):
        rows, skipped = read_corrections(wiring)
        if not rows:
            raise UsageError("还没有改正过情感", where="train --with-corrections", hint="先用 tingfeng correct 改正几条再来")
        held = [row for row in rows if is_held(row.text)]
        used = [row for row in rows if not is_held(row.text)]
        old = LinearSentiment.load(find_installed(wiring.home))
        before = evaluate(old, data)
        for strength in STRENGTHS:
            learnt = learn_sentiment(data, used, strength=strength, seed=seed, rounds=rounds, progress=progress)
            comparisons = (*compare_reports(before, learnt.report), *compare_corrections(old, learnt.fitted.judge, held))
            if not any(one.is_worse for one in comparisons):
                break
        folder = None
        if not any(one.is_worse for one in comparisons):
            folder = wiring.home / FOLDER / learnt.report.model
            write_model(folder, learnt.fitted, learnt.facts, learnt.report)
            detail = f"代替 {old.name},{len(used)} 条改正,每条算 {strength:g} 条"
            wiring.desk.note(AuditEntry(wiring.clock.now(), user, "model.install", learnt.report.model, detail))
            install(wiring.home, folder)
    return Taught(old.name, learnt.report.model, len(used), strength, len(held), skipped, comparisons, folder, learnt.report)


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


def is_held(text: str) -> bool:
    """One text in five, the same ones every time."""
    return int(md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16) % HELD_OUT_SHARE == 0
