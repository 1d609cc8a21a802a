"""Labelled sentences for training and measuring: tab-separated `src label cat text`, packed with gzip."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.sentiment import CLASSES
from tingfeng.errors import UsageError

SPLITS = ("train", "dev", "test")
EMOTICON = re.compile(r"\[[^\[\]\s]{1,6}\]")
MARKS = re.compile(r"[\W_]+")
INDEX = {str(label): index for index, label in enumerate(CLASSES)}
# term polarity sets from sources that no model of ours is trained on; camera and phone served to choose the settings of the
# trainer, hair has six negative sentences, so these two are left to measure with
UNSEEN = ("car", "mooc")
# the category of reviews that no training and no setting sees, to measure a domain that is new
HELD_OUT = "酒店"
# labels that people of this installation gave, see flows/teach.py
CORRECTIONS = "corrections"
# source → (what it is, where it was published, what is known of its licence)
ORIGINS: Mapping[str, tuple[str, str, str]] = {
    "osh": ("购物与酒店评价,按星级", "SophonPlus/ChineseNlpCorpus online_shopping_10_cats", "未写明"),
    "wb100k": ("微博,标签来自表情", "weibo_senti_100k 的一成", "未写明"),
    "weibo2018": ("微博,作者自标", "dengxiuqi/WeiboSentiment", "未写明"),
    "smp_u": ("微博,人工情绪", "SMP2020-EWECT 通用", "评测任务数据"),
    "smp_v": ("微博,人工情绪,疫情", "SMP2020-EWECT 疫情", "评测任务数据"),
    "emo8": ("微博分句,七情绪加无", "NLPCC2013 与大连理工/理大情绪语料", "未写明"),
    "ccf": ("汽车论坛,各方面一致的文本", "CCF-BDCI 2018", "竞赛数据"),
    "resto": ("餐馆评价分句", "yangheng95/ABSADatasets ACOS", "MIT"),
    "eprstmt": ("购物评价,没有标签", "CLUEbenchmark/FewCLUE eprstmt", "未写明"),
    "zhengwu": ("政务投诉,没有用它的标签", "泰迪杯 2020 C 题样例", "竞赛数据"),
    CORRECTIONS: ("人工改正过的帖子", "本机的帖子库", "–"),
    "apc": ("带对象的句子,只用于测量", "yangheng95/ABSADatasets", "MIT"),
}


@dataclass(frozen=True)
class Labelled:
    """One sentence; `label` indexes CLASSES."""

    source: str
    label: int
    category: str
    text: str


def name_set(row: Labelled) -> str:
    """What a sentence is measured with: its source; what was held out of training stands apart."""
    return f"{row.source}/{row.category}" if row.category == HELD_OUT else row.source


def split_file(folder: Path, split: str) -> Path:
    """Where a split lies. Raises UsageError when it is not there."""
    file = folder / f"sentiment_{split}.tsv.gz"
    if not file.is_file():
        raise UsageError(
            "没有训练数据", where=str(file), hint="请用 --data 指明含 sentiment_train.tsv.gz 等文件的文件夹"
        )
    return file


def read_split(folder: Path, split: str) -> list[Labelled]:
    """All sentences of a split. Raises UsageError for a row that is not one.

    Sources that are published without a split give it a tenth of their training data, by hash of the text.
    """
    rows = {name: read_file(folder, name) for name in SPLITS}
    published = {name: {row.source for row in rows[name]} for name in SPLITS}
    own = [row for row in rows["train"] if place_of(row, published) == split]
    return own if split == "train" else [*rows[split], *own]


def place_of(row: Labelled, published: Mapping[str, set[str]]) -> str:
    """The split of a training row: its own unless its source lacks the one that the hash asks for."""
    asked = hold_out(row.text)
    return "train" if row.source in published[asked] else asked


def hold_out(text: str) -> str:
    """`dev` and `test` for one text in ten each, the same ones on every machine."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return {0: "test", 1: "dev"}.get(int(digest[:8], 16) % 10, "train")


def read_file(folder: Path, split: str) -> list[Labelled]:
    """The rows of one file as published."""
    rows = []
    with gzip.open(split_file(folder, split), "rt", encoding="utf-8") as stream:
        next(stream, "")
        for number, line in enumerate(stream, 2):
            parts = line.rstrip("\n").split("\t")
            if len(parts) != 4 or parts[1] not in INDEX:
                raise UsageError(
                    "不是 src label cat text 四列", where=f"{folder.name}/{split} 第 {number} 行", hint="请检查数据文件"
                )
            rows.append(Labelled(parts[0], INDEX[parts[1]], parts[2], parts[3]))
    return rows


def read_unseen(folder: Path) -> list[Labelled]:
    """Sentences of domains that training never sees: those of UNSEEN that lie in `folder`.

    Three lines an item: text with `$T$` for a term, the term, its polarity. A sentence whose terms disagree is left out.
    """
    rows: list[Labelled] = []
    for name in UNSEEN:
        file = folder / f"apc_{name}_train.txt.gz"
        if not file.is_file():
            continue
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            lines = [line.strip() for line in stream]
        told: dict[str, set[str]] = {}
        for text, term, polarity in zip(lines[0::3], lines[1::3], lines[2::3], strict=False):
            told.setdefault(text.replace("$T$", term).replace(" ", ""), set()).add(polarity.lower())
        rows += [
            Labelled(f"apc/{name}", INDEX[label], "", text)
            for text, labels in told.items()
            if len(labels) == 1 and (label := next(iter(labels))) in INDEX
        ]
    return rows


def leave_out(rows: Sequence[Labelled]) -> list[Labelled]:
    """Without the held-out category."""
    return [row for row in rows if row.category != HELD_OUT]


def hash_file(file: Path) -> str:
    """SHA-256 of a file, for the model card."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def strip_emoticons(text: str) -> str:
    """Without `[泪]` and the like: they give the label of some sets away."""
    return EMOTICON.sub("", text)


def read_letters(text: str) -> str:
    """Letters and digits alone, lower case, no emoticons: equal for texts that differ in marks only."""
    return MARKS.sub("", strip_emoticons(text)).lower()
