"""`tingfeng import`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.console import print_json, print_line, print_note, print_table, show_progress

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from collectors.files import FilePlan


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "format_name", default="", help="格式名;默认按列名认。table = 当作普通表格。")
@click.option(
    "--map", "pairs", multiple=True, metavar="字段=列名", help="指明某个字段在哪一列,如 --map text=评论内容。可写多次。"
)
@click.option("--source", default="", help="这些帖子记在哪个来源名下;默认按格式。")
@click.option("--dry-run", is_flag=True, help="只说明会怎么读,不存储。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(
    files: tuple[Path, ...], format_name: str, pairs: tuple[str, ...], source: str, dry_run: bool, as_json: bool
) -> int:
    """导入文件:CSV、JSONL、JSON、XLSX(都可再用 gzip 压缩)。

    认得 MediaCrawler 七个平台的导出、热搜存档、车质网与黑猫导出;别的表格按表头猜列,并先说给你看。
    没有正文或时间读不懂的行会被拒收,给出行号;同一文件导入两次不会重复。行 = 新 + 变 + 见过 + 拒收。
    有文件读不了、读到一半坏了,或一个文件的行全部拒收时,退出码是 1;别的文件照常导入。

    \b
    例:tingfeng import 评论.xlsx --map text=评论内容 --map time=评论时间
        tingfeng import search_contents_2026-11-14.jsonl
    """
    from flows.collect import Tally, store_plan
    from flows.wiring import open_wiring
    from tingfeng.errors import UsageError

    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"--map {pair} 少了等号", where="--map", hint="写成 字段=列名,例如 text=评论内容")
    mapping = dict(pair.split("=", 1) for pair in pairs)
    results = []
    with open_wiring() as wiring, show_progress() as progress:
        plans, failed = plan_files(files, format_name, mapping, source)
        for plan in plans:
            columns = ",".join(f"{name}←{'+'.join(found)}" for name, found in plan.columns.items())
            print_note(f"{plan.path.name}:{plan.title},来源 {plan.source};{columns}")
            if dry_run:
                continue
            tally = Tally()
            task = progress.add_task(plan.path.name, total=None)
            stored = store_plan(wiring, plan, tally, progress=follow(progress, task))
            if stored.damage:
                failed.append(f"{plan.path}:{stored.damage}")
            elif tally.rejections == stored.rows:
                failed.append(f"{plan.path}:{stored.rows} 行全部拒收。请检查列的对应,可用 --map 指明")
            results.append(
                {
                    "file": str(plan.path), "format": plan.format_name, "source": plan.source, "rows": stored.rows, "new": tally.new,
                    "changed": tally.changed, "seen": tally.seen, "spooled": tally.spooled, "rejected": tally.rejections,
                    "rejections": [{"where": row.where, "reason": row.reason} for row in tally.rejected],
                }
            )  # fmt: skip
    if as_json:
        print_json(results)
    elif not dry_run:
        show_results(results)
    for words in failed:
        print_note(f"失败:{words}")
    return 1 if failed else 0


def plan_files(
    files: tuple[Path, ...], format_name: str, mapping: dict[str, str], source: str
) -> tuple[list[FilePlan], list[str]]:
    """A plan for each file that can be read, and what is wrong with the others. Raises UsageError for what a person must say first."""
    from collectors.files import plan_file
    from tingfeng.errors import EmptyFileError, FileError

    plans, failed = [], []
    for path in files:
        try:
            plans.append(plan_file(path, format_name=format_name, mapping=mapping, source=source))
        except EmptyFileError as error:
            print_note(error.message)
        except FileError as error:
            failed.append(error.message)
    return plans, failed


def follow(bar: Progress, task: TaskID) -> Callable[[int], None]:
    """Moves the bar to the rows read so far."""
    return lambda rows: bar.update(task, completed=rows)


def show_results(results: list[dict[str, object]]) -> None:
    """One row a file, then the first rejections of each."""
    names = ("file", "format", "rows", "new", "changed", "seen", "spooled", "rejected")
    print_table(
        "导入", ("文件", "格式", "行", "新", "变", "见过", "暂存", "拒收"), [[row[name] for name in names] for row in results]
    )
    for row in results:
        listed = row["rejections"]
        assert isinstance(listed, list)
        for one in listed[:10]:
            print_line(f"  拒收 {one['where']}:{one['reason']}")
