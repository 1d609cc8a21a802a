"""Labels of a whole post become lessons about its subjects. All posts are invented."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from nlp.about import About, find_abouts
from nlp.gold import parse_gold
from nlp.hints import list_hints
from nlp.invented import FindAbouts, list_targets, read_cases
from nlp.lexicon import build_lexicon
from nlp.outputs import ACTS, OPINIONS, OUTPUTS, TOWARD
from nlp.rules import apply_rules
from nlp.sentiment import LinearSentiment
from nlp.subjects import SubjectMatcher
from tingfeng.errors import UsageError
from tingfeng.labels import Act, PostKind, Sentiment, Topic
from tingfeng.records import Post, Subject
from tingfeng.text import join_title

ROOT = Path(__file__).resolve().parents[2]
ROW = {"negative": 0.7, "neutral": 0.2, "positive": 0.1}
POST: dict[str, object] = {
    "id": "w1-0001", "kind": "original", "title": "", "text": "暖芽漏水,客服不理人,要求退款。橙屿就很好用。", "rating": None, "slices": [],
    "subjects": [{"name": "暖芽", "aliases": [], "sentiment": "negative"}, {"name": "橙屿", "aliases": [], "sentiment": "positive"}],
    "acts": ["complaint", "praise"], "severity": "money", "demands": ["退款"], "effort": {}, "owner": "product", "stage": "using",
    "aspects": [{"topic": "quality", "polarity": "negative", "subject": "暖芽"}, {"topic": "quality", "polarity": "positive", "subject": "橙屿"}],
    "competitor_switch": None, "spam": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def find() -> FindAbouts:
    tables = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "config/lexicon").glob("*.toml")}
    tables["aspects"] = tomllib.loads((ROOT / "config/aspects.toml").read_text("utf-8"))
    lexicon = build_lexicon(tables, "")

    def look(post: Post, subjects: Sequence[Subject]) -> tuple[About, ...]:
        whole = apply_rules(join_title(post.title, post.text), post.kind, lexicon)
        return find_abouts(whole, SubjectMatcher(subjects).match(post), post.kind, lexicon)

    return look


def told(name: str, head: str, **changed: object) -> list[str]:
    targets = list_targets(parse_gold({**POST, **changed}), name)
    return [label for label, value in zip(OUTPUTS[head], targets.get(head, ()), strict=head in targets) if value]


def test_harm_and_complaint_are_of_the_subject_that_fared_badly() -> None:
    assert (told("暖芽", "acts"), told("橙屿", "acts")) == (["complaint"], ["praise"])
    assert (told("暖芽", "severity"), told("橙屿", "severity")) == (["money"], ["none"])
    assert (told("暖芽", "owner"), told("橙屿", "owner")) == (["product"], ["unknown"])


def test_each_subject_has_its_sentiment_and_opinions() -> None:
    assert (told("暖芽", "toward"), told("橙屿", "toward")) == (["negative"], ["positive"])
    assert (told("暖芽", "aspects"), told("橙屿", "aspects")) == (["quality:negative"], ["quality:positive"])


def test_stage_of_a_subject_without_the_problem_is_not_known() -> None:
    assert told("暖芽", "stage") == ["using"]
    assert "stage" not in list_targets(parse_gold(POST), "橙屿")


def test_complaint_is_of_all_when_nobody_fared_badly() -> None:
    subjects: list[dict[str, object]] = [{"name": name, "aliases": [], "sentiment": "neutral"} for name in ("暖芽", "橙屿")]
    assert told("橙屿", "acts", subjects=subjects, aspects=[], acts=["complaint", "question"]) == ["complaint", "question"]


def test_other_is_no_act_at_all() -> None:
    assert told("暖芽", "acts", acts=["other"]) == []


def test_cases_are_read_from_a_folder(find: FindAbouts, tmp_path: Path) -> None:
    (tmp_path / "w1.jsonl").write_text(json.dumps(POST, ensure_ascii=False) + "\n", "utf-8")
    mine, other = read_cases(tmp_path, find, LinearSentiment.load())
    assert (mine.writer, mine.lesson.source) == ("w1", "invented")
    assert mine.lesson.text.startswith("[本家]漏水")
    assert "[别家]就很好用" in mine.lesson.text
    assert other.lesson.text.endswith("[本家]就很好用。")
    assert len(mine.hints) == len(other.hints)


SECOND: dict[str, object] = {
    "id": "w1-0001", "sentiments": ["negative", "neutral"], "acts": ["complaint"], "severity": "annoyance", "demands": [], "effort": {},
    "aspects": [{"topic": "quality", "polarity": "negative", "subject": "暖芽"}, {"topic": "service", "polarity": "negative", "subject": "暖芽"}],
    "owner": "product", "stage": "using", "spam": False,
}  # fmt: skip


def write_twice(folder: Path, **changed: object) -> Path:
    (folder / "second").mkdir()
    (folder / "w1.jsonl").write_text(json.dumps(POST, ensure_ascii=False) + "\n", "utf-8")
    (folder / "second/w1.jsonl").write_text(json.dumps({**SECOND, **changed}, ensure_ascii=False) + "\n", "utf-8")
    return folder


def test_two_labels_count_half_where_they_differ(find: FindAbouts, tmp_path: Path) -> None:
    mine, other = read_cases(write_twice(tmp_path), find, LinearSentiment.load())
    shares = {label: share for head, values in mine.lesson.targets.items() for label, share in zip(OUTPUTS[head], values, strict=True) if share}
    assert shares == {
        "negative": 1.0, "complaint": 1.0, "quality:negative": 1.0, "service:negative": 0.5, "money": 0.5, "annoyance": 0.5,
        "product": 1.0, "using": 1.0,
    }  # fmt: skip
    assert dict(zip(OUTPUTS["toward"], other.lesson.targets["toward"], strict=True))["neutral"] == 0.5


def test_what_a_third_reader_settled_counts_alone(find: FindAbouts, tmp_path: Path) -> None:
    (write_twice(tmp_path) / "settled").mkdir()
    third = {**SECOND, "sentiments": ["negative", "positive"], "severity": "safety", "owner": "service"}
    (tmp_path / "settled/w1.jsonl").write_text(json.dumps(third, ensure_ascii=False) + "\n", "utf-8")
    mine, other = read_cases(tmp_path, find, LinearSentiment.load())
    shares = {label: share for head, values in mine.lesson.targets.items() for label, share in zip(OUTPUTS[head], values, strict=True) if share}
    assert shares == dict.fromkeys(["negative", "complaint", "quality:negative", "service:negative", "safety", "service", "using"], 1.0)
    assert dict(zip(OUTPUTS["toward"], other.lesson.targets["toward"], strict=True))["positive"] == 1.0


@pytest.mark.parametrize("changed", [{"id": "w1-0002"}, {"sentiments": ["negative"]}, {"acts": ["shout"]}, {"owner": None}])
def test_a_second_label_that_fits_nothing_is_named(changed: dict[str, object], find: FindAbouts, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="标注读不懂") as caught:
        read_cases(write_twice(tmp_path, **changed), find, LinearSentiment.load())
    assert caught.value.where.endswith("second/w1.jsonl:1")


def hints(find: FindAbouts, text: str, kind: PostKind = PostKind.ORIGINAL) -> list[float]:
    post = parse_gold({**POST, "text": text, "kind": str(kind)}).post
    return list_hints(find(post, [Subject("暖芽")])[0], post, ROW)


def test_hints_say_what_the_rules_found(find: FindAbouts) -> None:
    broken, asked = hints(find, "暖芽水壶漏水,要求退款"), hints(find, "请问暖芽水壶多少钱?")
    complaint, question = ACTS.index(Act.COMPLAINT), ACTS.index(Act.QUESTION)
    assert (broken[complaint], asked[complaint]) == (1.0, 0.0)
    assert (broken[question], asked[question]) == (0.0, 1.0)
    assert broken[len(ACTS) + OPINIONS.index((Topic.QUALITY, Sentiment.NEGATIVE))] == 1.0


def test_hints_are_as_many_for_every_text(find: FindAbouts) -> None:
    texts = ("暖芽", "暖芽好用", "真是谢谢暖芽了,刚过保修就坏", "暖芽" * 900)
    assert len({len(hints(find, text, kind)) for text in texts for kind in (PostKind.REVIEW, PostKind.TICKET)}) == 1


def test_the_closed_sets_of_hints_and_heads_agree() -> None:
    assert OUTPUTS["toward"] == tuple(map(str, TOWARD)) == ("negative", "neutral", "positive", "mixed")
    assert len(OPINIONS) == len(OUTPUTS["aspects"]) == 42
