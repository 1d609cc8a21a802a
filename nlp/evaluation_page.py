"""Writes what was measured for people: `docs/evaluation.md` and the model card. Nothing in them is written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nlp.evaluate import WANTED_RECALL, EvaluationReport, Score, SetReport
from nlp.labelled import ORIGINS
from nlp.sentiment import CLASSES, LinearSettings

HEAD = (
    "| 数据集 | n | 准确率 | 宏 F1 | 多数类 | 词表 | 负面 P / R / F1(n) | 中性 P / R / F1(n) | 正面 P / R / F1(n) "
    "| 报出负面 P / R | 查全 0.92 时 | ECE | 未定 |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)
NOTES = (
    "* 全部是没有用来训练的句子,与它们只差标点或表情的也不在训练里;温度与阈值在另一份验证集上定。“多数类”与“词表”是两个简单做法的准确率。\n"
    "* P / R / F1 是查准率、查全率与二者的调和;监测最看重负面查全率。ECE 是期望校准误差,"
    "括号里是完全校准时在这么多条上光凭偶然的平均值。“未定”是低于阈值、不下判断的占比,"
    "其余各列仍按最可能的一类计。“报出负面”按模型实际说出的“负面”(含它的阈值)计。\n"
    "* “查全 0.92 时”:要在这个集合找到九成二的负面,负面概率从多少起就得报,那时报的有几成真是负面。"
    "“全报”是每条都报的查准,也就是负面的占比。**粗体**:默认的阈值找不到这么多。\n"
    "* 没有中性句子的集合只在正负之间评分。\n"
    "* `wb100k` 的标签由表情而来,读表情就能答对;去掉表情的一行才说明读懂了多少文字。\n"
    "* 陌生文本:apc/mooc 的来源与题材训练里都没有;apc/car 来源没有,题材与训练里的汽车论坛相同;"
    "osh/酒店 是训练与定标时整类拿掉的评价。\n"
    "* 手头没有带情感标注的投诉单与新闻标题,这里没有测这两种文本。\n"
)


@dataclass(frozen=True)
class TrainingFacts:
    """What a model card tells of the training: `rows` = `source/class` → sentences."""

    seed: int
    rounds: int
    rows: Mapping[str, int]


def render_table(sets: Iterable[SetReport]) -> str:
    """Markdown table, one row a set."""
    lines = []
    for row in sets:
        cells = " | ".join(show_score(row.classes.get(str(label))) for label in CLASSES)
        lines.append(
            f"| {row.name} | {row.n} | {row.accuracy:.3f} | {row.macro_f1:.3f} | {row.majority:.3f} | {row.words:.3f} "
            f"| {cells} | {row.alarm.precision:.2f} / {row.alarm.recall:.2f} | {show_wanted(row)} "
            f"| {row.ece:.3f}({row.ece_by_chance:.3f}) | {row.uncertain:.1%} |\n"
        )
    return HEAD + "".join(lines)


def show_wanted(row: SetReport) -> str:
    """`P .61(≥ .19,全报 .40)`; bold where the judge's own limit finds fewer than wanted."""
    told = f"P {row.wanted[1]:.2f}(≥ {row.wanted[0]:.2f},全报 {row.alarm.n / row.n:.2f})"
    return told if row.alarm.recall >= WANTED_RECALL else f"**{told}**"


def show_score(score: Score | None) -> str:
    """`.91 / .88 / .90(n)`."""
    return "–" if score is None else f"{score.precision:.2f} / {score.recall:.2f} / {score.f1:.2f}({score.n})"


def render_results(report: EvaluationReport) -> str:
    """Both tables and what their columns mean."""
    seen = [row for row in report.sets if row.seen]
    unseen = [row for row in report.sets if not row.seen]
    text = f"### 与训练同源的留出集\n\n{render_table(seen)}\n"
    if unseen:
        text += f"### 陌生文本\n\n{render_table(unseen)}\n"
    pooled = ";".join(
        f"{name} {error:.3f}({n} 条)" for name, (error, n) in zip(("同源的留出集", "陌生文本"), report.pooled, strict=False) if n
    )
    return text + NOTES + (f"* 各集合合在一起的 ECE:{pooled}。\n" if pooled else "")


def render_evaluation(report: EvaluationReport, linear: EvaluationReport, sections: Sequence[str] = ()) -> str:
    """`docs/evaluation.md`: the encoder, the linear model beside it, further sections, the data."""
    return (
        "# 判断的评测\n\n由模型文件夹里的 `evaluation.json` 生成,不要手改。\n\n"
        f"编码器 `{report.model}`,线性模型 `{linear.model}`。\n\n"
        f"## 编码器\n\n{render_results(report)}\n"
        f"## 编码器与线性模型\n\n同样的训练数据,同样的留出集;每格是 编码器 / 线性。\n\n{render_pairs(report, linear)}"
        f"{''.join(sections)}\n## 数据\n\n{render_files(report)}\n"
    )


def render_pairs(report: EvaluationReport, linear: EvaluationReport) -> str:
    """Table of both models on every set that both were measured on."""
    others = {row.name: row for row in linear.sets}
    lines = ["| 数据集 | n | 准确率 | 宏 F1 | 报出负面 P | 报出负面 R | ECE | 未定 |\n|---|---|---|---|---|---|---|---|\n"]
    for row in report.sets:
        if row.name in others:
            two = (row, others[row.name])
            cells = [
                " / ".join(f"{one.accuracy:.3f}" for one in two),
                " / ".join(f"{one.macro_f1:.3f}" for one in two),
                " / ".join(f"{one.alarm.precision:.2f}" for one in two),
                " / ".join(f"{one.alarm.recall:.2f}" for one in two),
                " / ".join(f"{one.ece:.3f}" for one in two),
                " / ".join(f"{one.uncertain:.1%}" for one in two),
            ]
            lines.append(f"| {row.name} | {row.n} | {' | '.join(cells)} |\n")
    return "".join(lines)


def render_files(report: EvaluationReport) -> str:
    """File names with their hashes."""
    return "".join(f"* `{name}` sha256 `{digest}`\n" for name, digest in sorted(report.files.items()))


def render_card(settings: LinearSettings, facts: TrainingFacts, report: EvaluationReport) -> str:
    """The model card: what it is, what it was trained on, what was measured, what it cannot do."""
    return (
        f"# {report.model}\n\n由 `tingfeng train` 写出,不要手改。\n\n"
        "线性 softmax,特征是归一化文本的字 1–4 元组,哈希到 2^18 个桶,权重 int8。判断 negative / neutral / positive;"
        "不判 `mixed`,不分对象,不懂反话。\n\n"
        f"种子 {facts.seed}(决定哪些微博去掉表情),L-BFGS 最多 {facts.rounds} 轮,温度 {settings.temperature:.4f},"
        f"阈值 {settings.threshold:.4f}(低于它为 uncertain)。同一台机器上同样的数据与种子得到逐字节相同的权重。\n\n"
        f"## 训练数据\n\n{render_files(report)}\n"
        "公开的研究语料,只用来训练与测量,文本不在本项目里。“未写明”指发布处没有写许可。\n\n"
        f"{render_origins(facts.rows)}\n## 结果\n\n{render_results(report)}"
    )


def render_origins(rows: Mapping[str, int]) -> str:
    """Table of the sources: what, where from, licence, sentences per class."""
    lines = ["| 来源 | 内容 | 出处 | 许可 | 负面 | 中性 | 正面 |\n|---|---|---|---|---|---|---|\n"]
    for source in sorted({name.split("/")[0] for name in rows}):
        what, where, licence = ORIGINS.get(source, ("自备数据", "–", "–"))
        counts = " | ".join(str(rows.get(f"{source}/{label}", 0)) for label in CLASSES)
        lines.append(f"| {source} | {what} | {where} | {licence} | {counts} |\n")
    return "".join(lines)
