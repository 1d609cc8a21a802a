"""`python -m benchmarks.unseen_domains DATA [--model encoder] [--lessons N] [--fold NAME …]`: how a model judges what it was not trained on.

Each fold leaves one whole source out (of the shopping reviews also one category at a time), trains on N rows of the others, and measures
on the test split of what was left out. Every model gets the same rows. Folds that are in benchmarks/unseen_domains.json are not done again;
an encoder that was cut off goes on from its checkpoint in var/.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np

from nlp.evaluate import SetReport, measure
from nlp.labelled import HELD_OUT, Labelled, leave_out, read_split
from nlp.sentiment import SentimentJudge
from nlp.train import drop_known, fit_judge

FILE = Path(__file__).resolve().parent / "unseen_domains.json"
WORK = Path(__file__).resolve().parent.parent / "var" / "unseen"
LESSONS, SEED, ROUNDS = 20_000, 7, 80
CATEGORIES = "osh"
Train = Callable[[Sequence[Labelled], Sequence[Labelled], Path], SentimentJudge]


@dataclass(frozen=True)
class Fold:
    """What is left out, and the rows of the three steps: none of `train` and `dev` is of it, all of `test` are."""

    name: str
    train: Sequence[Labelled]
    dev: Sequence[Labelled]
    test: Sequence[Labelled]


def belongs(row: Labelled, name: str) -> bool:
    """Whether a row is of the source `osh`, or of its category `osh/水果`."""
    return name in (row.source, f"{row.source}/{row.category}")


def read_splits(data: Path) -> Mapping[str, list[Labelled]]:
    """All rows by split; training rows that differ from measured ones in marks only are left out."""
    rows = {split: read_split(data, split) for split in ("dev", "test")}
    return rows | {"train": drop_known(read_split(data, "train"), [*rows["dev"], *rows["test"]])}


def list_folds(splits: Mapping[str, Sequence[Labelled]]) -> list[str]:
    """Every source, and every category of the shopping reviews."""
    test = splits["test"]
    categories = {f"{row.source}/{row.category}" for row in test if row.source == CATEGORIES}
    return [*sorted({row.source for row in test}), *sorted(categories)]


def make_fold(splits: Mapping[str, Sequence[Labelled]], name: str, lessons: int) -> Fold:
    """`lessons` rows of the rest by a fixed seed, 0: all. The category that no training sees is left out of every fold."""
    train, dev = ([row for row in leave_out(splits[split]) if not belongs(row, name)] for split in ("train", "dev"))
    drawn = np.random.default_rng(SEED).permutation(len(train))[: lessons or len(train)]
    test = [row for row in splits["test"] if belongs(row, name) and (row.category != HELD_OUT or name.endswith(HELD_OUT))]
    return Fold(name, [train[place] for place in drawn], dev, test)


def train_linear(train: Sequence[Labelled], dev: Sequence[Labelled], folder: Path) -> SentimentJudge:
    """The linear model as `tingfeng train` makes it."""
    return fit_judge(train, dev, seed=SEED, rounds=ROUNDS, progress=lambda what, done: None).judge


def train_encoder(train: Sequence[Labelled], dev: Sequence[Labelled], folder: Path) -> SentimentJudge:
    """The encoder from its pretrained weights, every row once, weighed together with the linear model of the same rows."""
    from benchmarks.unseen_encoder import fit_encoder

    return fit_encoder(train, dev, folder, SEED)


MODELS: Mapping[str, Train] = {"linear": train_linear, "encoder": train_encoder}


def read_rows() -> list[dict[str, Any]]:
    """What was measured so far."""
    found: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))["rows"] if FILE.exists() else []
    return found


def store_row(model: str, lessons: int, report: SetReport) -> None:
    """Adds a fold to the file."""
    row = {"model": model, "lessons": lessons, **asdict(report), "macro_f1": round(report.macro_f1, 4)}
    values = {"date": datetime.now(UTC).date().isoformat(), "rows": [*read_rows(), row]}
    FILE.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")


def render_unseen() -> str:
    """The section of docs/evaluation.md; nothing when it was never measured."""
    rows = read_rows()
    if not rows:
        return ""
    cells = {(row["name"], row["model"], row["lessons"]): row for row in rows}
    columns = sorted({(row["model"], row["lessons"]) for row in rows}, key=lambda one: (one[1], one[0]))
    head = " | ".join(f"{model},{f'{lessons:,} 条' if lessons else '全部'}" for model, lessons in columns)
    lines = [f"| 留出 | n | 多数类 | {head} |\n|---|---|---|{'---|' * len(columns)}\n"]
    for name in sorted({row["name"] for row in rows}, key=lambda one: ("/" in one, one)):
        own = [cells.get((name, *column)) for column in columns]
        first = next(row for row in own if row)
        shown = " | ".join(show_cell(row) for row in own)
        lines.append(f"| {name} | {first['n']} | {first['majority']:.3f} | {shown} |\n")
    return (
        "\n## 整个来源留出\n\n每一行:把这个来源(或购物评价的一类)整个拿出训练与定标,用其余来源的同样几条训练,在它的测试集上测。"
        "每格是 准确率 / 宏 F1 / 负面查全(报出负面)。`python -m benchmarks.unseen_domains`。\n\n" + "".join(lines)
    )


def show_cell(row: Mapping[str, Any] | None) -> str:
    """`.86 / .84 / .90`."""
    return "–" if row is None else f"{row['accuracy']:.3f} / {row['macro_f1']:.3f} / {row['alarm']['recall']:.2f}"


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", default="linear", type=click.Choice(sorted(MODELS)))
@click.option("--lessons", default=LESSONS, show_default=True, help="rows to train on; 0: all")
@click.option("--fold", "folds", multiple=True, help="only these")
def main(data: Path, model: str, lessons: int, folds: tuple[str, ...]) -> None:
    """Measures what is missing."""
    splits = read_splits(data)
    done = {row["name"] for row in read_rows() if (row["model"], row["lessons"]) == (model, lessons)}
    for name in [one for one in folds or list_folds(splits) if one not in done]:
        fold = make_fold(splits, name, lessons)
        judge = MODELS[model](fold.train, fold.dev, WORK / f"{model}-{lessons}" / name.replace("/", "-"))
        report = measure(judge, name, fold.test, seen=False)
        store_row(model, lessons, report)
        sys.stderr.write(f"{model} {lessons} {name} n={report.n} {report.accuracy:.3f} {report.macro_f1:.3f}\n")


if __name__ == "__main__":
    main()
