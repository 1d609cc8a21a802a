"""`tingfeng train`."""

from __future__ import annotations

from pathlib import Path

import click

from flows.console import print_line, show_progress


@click.command("train")
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="含 sentiment_train/dev/test.tsv.gz 的文件夹。",
)
@click.option(
    "--out", default=None, type=click.Path(file_okay=False, path_type=Path), help="写到哪里;默认替换自带的模型。"
)
@click.option("--seed", default=7, show_default=True, help="随机种子;同样的数据与种子得到同样的字节。")
def command(data: Path, out: Path | None, seed: int) -> int:
    """训练情感模型,写出权重、模型卡与成绩。需要 torch:pip install 'tingfeng[models]'。"""
    from nlp.evaluation_page import render_results
    from nlp.sentiment import FOLDER
    from nlp.train import train_sentiment

    with show_progress() as progress:
        task = progress.add_task("训练", total=100)
        result = train_sentiment(
            data,
            out or FOLDER,
            seed=seed,
            progress=lambda what, done: progress.update(task, completed=round(done * 100), description=what),
        )
    print_line(f"{result.name} → {result.folder}\n")
    print_line(render_results(result.report))
    return 0
