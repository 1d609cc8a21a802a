"""Measures a sentiment judge on held-out sets, per class and per set with n, beside two simple baselines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from nlp.labelled import Labelled, read_split, strip_emoticons
from nlp.sentiment import CLASSES, SentimentJudge
from tingfeng.labels import Sentiment

# the baseline a person would write in five minutes
GOOD = ("好", "喜欢", "满意", "不错", "推荐", "棒", "赞", "开心", "漂亮", "舒服", "值得", "快", "美")
BAD = ("差", "坏", "烂", "垃圾", "失望", "退", "假", "慢", "骗", "难", "后悔", "投诉", "气", "恶心", "死", "哭", "怒")
HEAD = "| 数据集 | n | 准确率 | 多数类 | 词表 | 负面 P / R / F1 | 中性 P / R / F1 | 正面 P / R / F1 | ECE | 未定 |\n|---|---|---|---|---|---|---|---|---|---|\n"


@dataclass(frozen=True)
class Score:
    """Precision, recall, F1 of one class; n = its gold rows."""

    precision: float
    recall: float
    f1: float
    n: int


@dataclass(frozen=True)
class SetReport:
    """One set: `uncertain` = share left undecided at the default threshold (scores count the likeliest class all the same)."""

    name: str
    n: int
    accuracy: float
    majority: float
    words: float
    classes: Mapping[str, Score]
    ece: float
    uncertain: float


@dataclass(frozen=True)
class Report:
    """All sets of one model."""

    model: str
    sets: tuple[SetReport, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(value: Mapping[str, object]) -> Report:
        """The opposite of to_dict."""
        sets = []
        for row in value["sets"]:  # type: ignore[attr-defined]
            classes = {name: Score(**score) for name, score in row["classes"].items()}
            sets.append(SetReport(**{**row, "classes": classes}))
        return Report(str(value["model"]), tuple(sets))


def evaluate(judge: SentimentJudge, data: Path) -> Report:
    """Scores on the test split in `data`, each source by itself; microblog sets also without emoticons."""
    rows = read_split(data, "test")
    groups: dict[str, list[Labelled]] = {}
    for row in rows:
        groups.setdefault(f"{row.source}/{row.category}" if row.category == "酒店" else row.source, []).append(row)
    sets = [
        measure(judge, name, [row.text for row in group], [row.label for row in group])
        for name, group in sorted(groups.items())
    ]
    for name in ("wb100k", "weibo2018"):
        if name in groups:
            texts = [strip_emoticons(row.text) for row in groups[name]]
            sets.append(measure(judge, f"{name} 去表情", texts, [row.label for row in groups[name]]))
    return Report(judge.name, tuple(sets))


def measure(judge: SentimentJudge, name: str, texts: Sequence[str], labels: Sequence[int]) -> SetReport:
    """One set. A set without neutral rows is scored between negative and positive only, as its labels mean."""
    gold = np.array(labels)
    table = np.array([[row[str(label)] for label in CLASSES] for row in judge.judge(texts)])
    present = sorted(set(labels))
    masked = np.where(np.isin(np.arange(len(CLASSES)), present), table, -1.0)
    told = masked.argmax(axis=1)
    undecided = sum(judge.label(dict(zip(map(str, CLASSES), row, strict=True))) is Sentiment.UNCERTAIN for row in table)
    return SetReport(
        name=name,
        n=len(gold),
        accuracy=round(float((told == gold).mean()), 4),
        majority=round(max(Counter(labels).values()) / len(gold), 4),
        words=round(
            float(np.mean([judge_by_words(text, present) == label for text, label in zip(texts, labels, strict=True)])),
            4,
        ),
        classes={str(CLASSES[index]): score_class(told, gold, index) for index in present},
        ece=round(calibration_error(masked / masked.clip(0).sum(axis=1, keepdims=True), told == gold), 4),
        uncertain=round(undecided / len(gold), 4),
    )


def score_class(told: np.ndarray, gold: np.ndarray, index: int) -> Score:
    """Precision, recall, F1 of the class `index`."""
    hit = int(((told == index) & (gold == index)).sum())
    said, real = int((told == index).sum()), int((gold == index).sum())
    precision, recall = hit / said if said else 0.0, hit / real if real else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hit else 0.0
    return Score(round(precision, 4), round(recall, 4), round(f1, 4), real)


def calibration_error(probabilities: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over equal bins, weighted by size (Guo et al., 2017)."""
    confidence = probabilities.max(axis=1)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[place == b].mean() - right[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))


def judge_by_words(text: str, present: Sequence[int]) -> int:
    """Baseline: more good words or more bad ones; a draw is neutral where the set has it, else negative."""
    balance = sum(word in text for word in GOOD) - sum(word in text for word in BAD)
    if balance == 0:
        return 1 if 1 in present else 0
    return 2 if balance > 0 else 0


def render_table(report: Report) -> str:
    """Markdown table, one row a set."""
    lines = []
    for row in report.sets:
        cells = [show_score(row.classes.get(str(label))) for label in CLASSES]
        lines.append(
            f"| {row.name} | {row.n} | {row.accuracy:.3f} | {row.majority:.3f} | {row.words:.3f} | {' | '.join(cells)} "
            f"| {row.ece:.3f} | {row.uncertain:.1%} |\n"
        )
    return HEAD + "".join(lines)


def show_score(score: Score | None) -> str:
    """`.91 / .88 / .90 (n)`."""
    return "–" if score is None else f"{score.precision:.2f} / {score.recall:.2f} / {score.f1:.2f}({score.n})"


def render_card(facts: Mapping[str, object], report: Report) -> str:
    """The model card: what it is, what it was trained on, what was measured."""
    files, rows = facts["files"], facts["rows"]
    assert isinstance(files, Mapping)
    assert isinstance(rows, Mapping)
    listed = "".join(f"* `{name}` sha256 `{digest}`\n" for name, digest in sorted(files.items()))
    counted = "".join(f"| {name} | {count} |\n" for name, count in sorted(rows.items()))
    return (
        f"# {facts['name']}\n\n写给人看的生成文件:`tingfeng train` 写出,不要手改。\n\n"
        "线性 softmax,特征是归一化文本的字 1–4 元组,哈希到 2^18 个桶,权重 int8。判断:negative / neutral / positive;`mixed` 不判。\n\n"
        f"种子 {facts['seed']},轮数 {facts['epochs']},温度 {facts['temperature']},阈值 {facts['threshold']}(低于它为 uncertain)。\n\n"
        f"## 训练数据\n\n{listed}\n数据是公开的研究语料,多数没有写明许可,只用来训练,文本不在本项目里。行数:\n\n"
        f"| 来源/类别 | 行 |\n|---|---|\n{counted}\n## 留出集结果\n\n{render_table(report)}\n"
        "没有中性类的集合只在正负之间评分。ECE 为期望校准误差。酒店评价也在训练来源里,不是陌生领域。\n"
    )
