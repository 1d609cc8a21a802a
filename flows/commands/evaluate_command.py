"""`tingfeng evaluate`."""

from __future__ import annotations

from pathlib import Path

import click

from flows.console import print_json, print_line


@click.command("evaluate")
@click.option(
    "--data",
    default=None,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="重新测:含 sentiment_test.tsv.gz 的文件夹。不写就显示训练时存下的成绩。",
)
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(data: Path | None, as_json: bool) -> int:
    """情感模型在留出集上的成绩:每个集合、每一类,旁边是多数类与词表两个简单基线。"""
    from flows.wiring import open_wiring
    from nlp import sentiment
    from nlp.evaluate import evaluate, read_report
    from nlp.evaluation_page import render_results

    with open_wiring() as wiring:
        judge = sentiment.load_sentiment(wiring.settings.nlp.model)
    if data is not None:
        report = evaluate(judge, data)
    else:
        # without a report of its own: a model of the user's, or the linear one in the place of a broken default
        report = read_report(sentiment.ENCODER_FOLDER if judge.engine == sentiment.ENCODER_ENGINE else sentiment.FOLDER)
    if as_json:
        print_json(report.to_dict())
    else:
        print_line(f"模型 {report.model}\n")
        print_line(render_results(report))
    return 0
