"""`tingfeng evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.console import print_json, print_line, print_note, show_progress

if TYPE_CHECKING:
    from flows.wiring import Wiring
    from nlp.evaluate import EvaluationReport
    from nlp.gold_results import GoldResults


@click.command("evaluate")
@click.option(
    "--data",
    default=None,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="重新测情感:含 sentiment_test.tsv.gz 的文件夹。不写就显示训练时存下的成绩。",
)
@click.option(
    "--gold",
    default=None,
    is_flag=False,
    flag_value="",
    metavar="[文件夹]",
    help="用现在配置的判断重新测标注集;不写文件夹就是 tests/nlp/gold。",
)
@click.option("--write", is_flag=True, help="存下标注集的成绩并重写 docs/gold.md;只在代码目录里有用。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(data: Path | None, gold: str | None, write: bool, as_json: bool) -> int:
    """判断的成绩:情感在留出集上(每个集合、每一类),所有判断在标注集上(每一类的 P / R / F1 与 n,反话、否定等写法分开)。

    旁边总有简单的做法:多数类、词表、只有规则、线性模型。不带参数时显示存下的成绩,不重新测。
    """
    from flows.wiring import open_wiring
    from nlp.evaluation_page import render_results
    from nlp.gold_page import render_gold

    with open_wiring() as wiring:
        report = find_report(wiring, data)
        results = find_results(wiring, gold, write)
    if as_json:
        print_json(report.to_dict() | {"gold": results.to_dict()})
    else:
        print_line(f"模型 {report.model}\n")
        print_line(render_results(report))
        print_line(render_gold(results))
    if write:
        print_note(f"已写:{store_results(results)}")
    return 0


def find_report(wiring: Wiring, data: Path | None) -> EvaluationReport:
    """Of the configured model: measured on `data`, or the one that training stored."""
    from nlp import sentiment
    from nlp.evaluate import REPORT_FILE, evaluate, read_report

    judge = sentiment.load_sentiment(wiring.settings.nlp.model)
    if data is not None:
        return evaluate(judge, data)
    own = Path(wiring.settings.nlp.model)
    if (own / REPORT_FILE).is_file():
        return read_report(own)
    # without a report of its own: a model of the user's, or the linear one in the place of a broken default
    return read_report(sentiment.ENCODER_FOLDER if judge.engine.startswith(sentiment.ENCODER_ENGINE) else sentiment.FOLDER)


def find_results(wiring: Wiring, gold: str | None, write: bool) -> GoldResults:
    """Measured when it is asked for, else what was stored."""
    from flows.evaluate import GOLD_FOLDER, measure_gold
    from nlp.gold_results import read_results
    from tingfeng.errors import UsageError

    if gold is None and not write:
        return read_results()
    if gold and write:
        raise UsageError("--write 只存自带标注集的成绩", where=gold, hint="去掉文件夹,或去掉 --write")
    folder = Path(gold) if gold else GOLD_FOLDER
    with show_progress() as progress:
        task = progress.add_task("标注集", total=None)
        return measure_gold(wiring, folder, progress=lambda what: progress.update(task, description=f"标注集 {what}"))


def store_results(results: GoldResults) -> str:
    """Stores them and writes the generated pages anew. Raises UsageError outside of a checkout."""
    import subprocess
    import sys

    from flows.evaluate import GOLD_FOLDER
    from nlp.gold_results import RESULTS_FILE, write_results
    from tingfeng.errors import UsageError

    root = GOLD_FOLDER.parents[2]
    if not (root / "benchmarks" / "docs.py").is_file():
        raise UsageError("这里不是代码目录", where=str(root), hint="--write 只在从代码库检出的目录里有用;去掉它就只打印")
    write_results(results)
    subprocess.run([sys.executable, "-m", "benchmarks.docs", "evaluation.md", "gold.md"], cwd=root, check=True, stdout=subprocess.DEVNULL)
    return f"{RESULTS_FILE.relative_to(root)}、docs/gold.md"
