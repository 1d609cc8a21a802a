"""`tingfeng import`."""

from __future__ import annotations

from pathlib import Path

import click

from flows.console import print_json, print_line, print_note, print_table, show_progress


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
    没有正文或时间读不懂的行会被拒收,给出行号;同一文件导入两次不会重复。

    \b
    例:tingfeng import 评论.xlsx --map text=评论内容 --map time=评论时间
        tingfeng import search_contents_2026-11-14.jsonl
    """
    from collectors.files import plan_file
    from flows.collect import Tally
    from flows.wiring import open_wiring
    from tingfeng.errors import UsageError

    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"--map {pair} 少了等号", where="--map", hint="写成 字段=列名,例如 text=评论内容")
    mapping = dict(pair.split("=", 1) for pair in pairs)
    results = []
    with open_wiring() as wiring, show_progress() as progress:
        plans = [plan_file(path, format_name=format_name, mapping=mapping, source=source) for path in files]
        for plan in plans:
            columns = ",".join(f"{name}←{'+'.join(found)}" for name, found in plan.columns.items())
            print_note(f"{plan.path.name}:{plan.title},来源 {plan.source};{columns}")
            if dry_run:
                continue
            tally = Tally()
            task = progress.add_task(plan.path.name, total=None)
            rows = 0
            from collectors.files import read_file

            for batch in read_file(plan, wiring.clock.now(), wiring.hash_author(plan.source)):
                tally.store(wiring, batch.posts, batch.rejected)
                rows += batch.rows
                progress.update(task, completed=rows)
            results.append(
                {
                    "file": str(plan.path), "format": plan.format_name, "source": plan.source, "rows": rows, "new": tally.new,
                    "changed": tally.changed, "seen": tally.seen, "spooled": tally.spooled, "rejected": tally.rejections,
                    "rejections": [{"where": row.where, "reason": row.reason} for row in tally.rejected],
                }
            )  # fmt: skip
    if as_json:
        print_json(results)
    elif not dry_run:
        names = ("file", "format", "rows", "new", "changed", "seen", "spooled", "rejected")
        print_table(
            "导入",
            ("文件", "格式", "行", "新", "变", "见过", "暂存", "拒收"),
            [[row[name] for name in names] for row in results],
        )
        for row in results:
            listed = row["rejections"]
            assert isinstance(listed, list)
            for one in listed[:10]:
                print_line(f"  拒收 {one['where']}:{one['reason']}")
    return 0
