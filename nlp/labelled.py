"""Labelled sentences for training and measuring: tab-separated `src label cat text`, packed with gzip."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from nlp.sentiment import CLASSES
from tingfeng.errors import UsageError

SPLITS = ("train", "dev", "test")
EMOTICON = re.compile(r"\[[^\[\]\s]{1,6}\]")
INDEX = {str(label): index for index, label in enumerate(CLASSES)}


@dataclass(frozen=True)
class Labelled:
    """One sentence; `label` indexes CLASSES."""

    source: str
    label: int
    category: str
    text: str


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

    Sources that are published as training data only give a tenth of it (by hash of the text) to `dev` and a tenth to `test`.
    """
    rows = read_file(folder, "train")
    measured = {row.source for row in read_file(folder, "test")}
    rest = [row for row in rows if row.source not in measured]
    if split == "train":
        kept = {id(row) for row in rest if hold_out(row.text) != "train"}
        return [row for row in rows if id(row) not in kept]
    return [*read_file(folder, split), *(row for row in rest if hold_out(row.text) == split)]


def hold_out(text: str) -> str:
    """`dev` and `test` for one text in ten each, the same ones on every machine."""
    return {0: "test", 1: "dev"}.get(
        int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16) % 10, "train"
    )


def read_file(folder: Path, split: str) -> list[Labelled]:
    """The rows of one file as published."""
    rows = []
    with gzip.open(split_file(folder, split), "rt", encoding="utf-8") as stream:
        next(stream)
        for number, line in enumerate(stream, 2):
            parts = line.rstrip("\n").split("\t")
            if len(parts) != 4 or parts[1] not in INDEX:
                raise UsageError(
                    "不是 src label cat text 四列", where=f"{folder.name}/{split} 第 {number} 行", hint="请检查数据文件"
                )
            rows.append(Labelled(parts[0], INDEX[parts[1]], parts[2], parts[3]))
    return rows


def hash_file(file: Path) -> str:
    """SHA-256 of a file, for the model card."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def strip_emoticons(text: str) -> str:
    """Without `[泪]` and the like: they give the label of some sets away."""
    return EMOTICON.sub("", text)
