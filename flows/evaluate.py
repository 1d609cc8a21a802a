"""Evaluate: the configured judge on the gold set, beside what it has to beat. Reads only; what to do with the figures is the caller's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from flows.wiring import Wiring
from nlp.gold import Judge, read_gold, score_gold
from nlp.gold_baselines import MAJORITY, RULES, NoModel, judge_by_majority
from nlp.gold_results import GoldResults, hash_files
from nlp.pipeline import Pipeline
from nlp.sentiment import SentimentJudge, load_sentiment
from nlp.subjects import SubjectMatcher
from tingfeng.records import JudgedPost, Post, Subject

GOLD_FOLDER = Path(__file__).resolve().parent.parent / "tests" / "nlp" / "gold"


def measure_gold(
    wiring: Wiring, folder: Path, others: Sequence[str] = ("encoder", "linear"), progress: Callable[[str], None] = lambda what: None
) -> GoldResults:
    """The configured judge first, then the other models, the rules alone and the commonest label. Raises UsageError, ModelError."""
    gold = read_gold(folder)
    models = dict.fromkeys([wiring.settings.nlp.model, *others])
    judges = dict(open_judge(wiring, load_sentiment(model)) for model in models)
    judges |= {RULES: open_judge(wiring, NoModel())[1], MAJORITY: judge_by_majority(gold)}
    reports = {}
    for name, judge in judges.items():
        progress(name)
        reports[name] = score_gold(gold, judge)
    today = wiring.clock.now().date().isoformat()
    return GoldResults(today, hash_files(folder, "*.jsonl"), hash_words(wiring), reports)


def open_judge(wiring: Wiring, sentiment: SentimentJudge) -> tuple[str, Judge]:
    """(name, a pipeline with the subjects of each post). Posts are judged one by one: none of them is a copy of another."""

    def build(subjects: Sequence[Subject]) -> Pipeline:
        return Pipeline(SubjectMatcher(subjects, wiring.relevance), sentiment, wiring.lexicon, sentiment.heads)

    def judge(post: Post, subjects: Sequence[Subject]) -> JudgedPost:
        judged = build(subjects).judge([post])
        return judged.posts[0]

    return build(()).model, judge


def hash_words(wiring: Wiring) -> dict[str, str]:
    """The word lists that the rules read."""
    folder = wiring.paths.config_folder
    return hash_files(folder, "lexicon/*") | hash_files(folder, "aspects.toml")
