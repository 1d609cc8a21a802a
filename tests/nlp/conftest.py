"""A small invented data set in the published form, and a model trained on it once."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from nlp.train import TrainResult, train_sentiment

GOODS = ("水壶", "台灯", "雨伞", "背包", "键盘", "毛毯", "风扇", "饭盒")
SAID = {
    "negative": ("用两天就裂了,气人", "客服推来推去不处理", "味道刺鼻,后悔买它", "迟迟不发货"),
    "neutral": ("将于周五开始销售", "有三种颜色可以选", "的说明书共八页", "在门店陈列"),
    "positive": ("做工细致,很满意", "好用又漂亮,推荐", "送得快,包装也好", "家里人都喜欢"),
}


def write_gzip(file: Path, lines: list[str]) -> None:
    with gzip.open(file, "wt", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")


def invent_rows(source: str, category: str, labels: tuple[str, ...], count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        label = labels[number % len(labels)]
        text = f"{chance.choice(GOODS)}{chance.choice(SAID[label])} {seed}-{number}"
        rows.append("\t".join((source, label, category, text)))
    return rows


@pytest.fixture(scope="session")
def labelled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labelled")
    polar, every = ("negative", "positive"), ("negative", "neutral", "positive")
    for seed, (split, count) in enumerate((("train", 80), ("dev", 20), ("test", 20))):
        rows = [
            *invent_rows("osh", "家居", polar, count, seed),
            *invent_rows("osh", "酒店", polar, count // 2, seed + 10),
        ]
        if split == "train":
            rows += invent_rows("smp_u", "", every, 150, 99)
        write_gzip(folder / f"sentiment_{split}.tsv.gz", ["src\tlabel\tcat\ttext", *rows])
    write_gzip(folder / "apc_mooc_train.txt.gz", ["$T$ 听不清", "声音", "Negative", "$T$ 讲得好", "老师", "Positive"])
    return folder


@pytest.fixture(scope="session")
def trained(labelled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return train_sentiment(labelled_folder, tmp_path_factory.mktemp("model"), rounds=12)
