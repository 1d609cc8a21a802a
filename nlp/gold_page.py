"""The gold set's page, docs/gold.md, and the same tables on a terminal. Nothing in it is written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nlp.evaluate import Score
from nlp.evaluation_page import show_score
from nlp.gold import FELT, GoldReport, macro_f1
from nlp.gold_baselines import MAJORITY, RULES
from nlp.gold_results import GoldResults
from tingfeng.labels import Act, Owner, Sentiment, Severity, Stage, Topic

NAMES = {MAJORITY: "多数类", RULES: "只有规则"}
SLICES = {
    "irony": "反话", "negation": "否定", "two_brand": "两个品牌", "variant": "繁体、中英夹杂、错字", "suggestion_plain": "没有负面词的建议",
    "news_ad": "新闻与广告", "pii": "带个人号码",
}  # fmt: skip
FIGURES = {
    "aspect_micro_f1": "方面(对象 + 主题)微 F1", "opinion_micro_f1": "观点(对象 + 主题 + 正负)微 F1", "demand_micro_f1": "诉求微 F1",
    "effort_micro_f1": "费力程度(数目全对)微 F1", "switch_micro_f1": "换成谁家 F1", "spam_f1": "垃圾信息 F1", "matched": "找到对象",
}  # fmt: skip
TITLES: Mapping[str, Mapping[str, str]] = {
    "acts": {str(one): one.title_zh for one in Act},
    "sentiment": {name: Sentiment(name).title_zh for name in FELT},
    "severity": {str(one): one.title_zh for one in Severity},
    "topics": {str(one): one.title_zh for one in Topic},
    "owner": {str(one): one.title_zh for one in Owner},
    "stage": {str(one): one.title_zh for one in Stage},
    "demands": {},
}
FIELD_NAMES = {
    "acts": "言语行为", "sentiment": "对每个对象的情感", "severity": "严重程度", "topics": "方面的主题", "owner": "根因归属", "stage": "旅程阶段",
    "demands": "诉求",
}  # fmt: skip
NOTES = (
    "* 标注集只用来测,不用来训练或写规则。每条按它自己的对象来判;一条帖子的行为、主题、诉求是各对象的合起来。\n"
    "* “负面查全 / 查准”按判断者说出的“负面”(含它的阈值)计;`uncertain` 一律算错。ECE 以最可能的一类计;没有概率的做法是 –。\n"
    "* “多数类”对每条都说标注集里最常见的标签;“只有规则”是不问任何模型的流水线。\n"
)


def describe_judge(name: str) -> str:
    """A judge as people call it."""
    return NAMES.get(name, f"`{name}`")


def scores_of(report: GoldReport, field: str) -> Mapping[str, Score]:
    """The classes of one closed set."""
    found: Mapping[str, Score] = getattr(report, field)
    return found


def summarise(report: GoldReport) -> list[tuple[str, str]]:
    """(what, value with n) of the main figures."""
    negative = report.sentiment["negative"]
    safety = report.severity["safety"]
    rows = [(f"{FIELD_NAMES[field]}宏 F1", f"{macro_f1(scores_of(report, field)):.3f}") for field in FIELD_NAMES]
    rows += [
        ("负面查全 / 查准", f"{negative.recall:.3f} / {negative.precision:.3f}({negative.n})"),
        ("人身伤害查全 / 查准", f"{safety.recall:.3f} / {safety.precision:.3f}({safety.n})"),
        ("情感 ECE", f"{report.ece[0]:.3f}({report.ece[1]})" if report.ece[1] else "–"),
    ]
    return rows + [(title, f"{report.figures[name][0]:.3f}({report.figures[name][1]})") for name, title in FIGURES.items()]


def render_side_by_side(results: GoldResults, title: str, rows: Sequence[Sequence[tuple[str, str]]]) -> str:
    """A table with one column for each judge; `rows` by judge, alike in what they tell."""
    head = " | ".join(describe_judge(name) for name in results.reports)
    lines = [f"| {title} | {head} |\n|---|{'---|' * len(results.reports)}\n"]
    for cells in zip(*rows, strict=True):
        lines.append(f"| {cells[0][0]} | {' | '.join(value for _, value in cells)} |\n")
    return "".join(lines)


def list_slices(report: GoldReport) -> list[tuple[str, str]]:
    """(slice, share right, negative recall) of those that have subjects."""
    return [
        (SLICES.get(name, name), f"{one.accuracy:.3f}({one.n}) · " + (f"{one.negative_recall:.3f}({one.negatives})" if one.negatives else "–"))
        for name, one in report.slices.items()
        if one.n
    ]  # fmt: skip


def list_classes(report: GoldReport, field: str) -> list[tuple[str, str]]:
    """(class, P / R / F1 and n)."""
    return [(TITLES[field].get(name, name), show_score(score)) for name, score in scores_of(report, field).items()]


def render_gold(results: GoldResults) -> str:
    """Markdown: figures, slices, and every class of every closed set, all judges side by side."""
    reports = list(results.reports.values())
    files = sum(1 for _ in results.files)
    text = (
        f"## 标注集\n\n{reports[0].n} 条虚构的帖子({files} 个行业,见 tests/nlp/gold),{results.measured_on} 测,"
        f"配置的判断是 `{results.judge}`。括号里是 n。\n\n"
    )
    text += render_side_by_side(results, "全体", [summarise(one) for one in reports])
    text += "\n" + render_side_by_side(results, "情感,按写法:正确率 · 负面查全", [list_slices(one) for one in reports])
    for field, title in FIELD_NAMES.items():
        text += "\n" + render_side_by_side(results, f"{title}:P / R / F1", [list_classes(one, field) for one in reports])
    return f"{text}\n{NOTES}"
