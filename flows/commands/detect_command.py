"""`tingfeng detect`."""

from __future__ import annotations

from pathlib import Path

import click

from flows.console import print_json, print_line, print_table


@click.command("detect")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON:rows 与 alerts。")
def command(file: Path, as_json: bool) -> int:
    """在一个数列里找突增。读 CSV:timestamp,value[,total],等间隔(NAB 的文件可以直接用)。

    value 是负面条数,total 是全部条数;没有 total 时不看占比,只看数量。
    """
    from flows.detect import detect_series, read_series

    rows, steps = detect_series(read_series(file))
    values = {
        "rows": [
            {
                "at": f.at.isoformat(),
                "expected": round(f.evidence.get("mu", 0.0), 3),
                "score": f.score,
                "level": f.level and str(f.level),
            }
            for f in rows
        ],
        "alerts": [{"alert": c.alert_id, "edge": c.edge, "at": c.at.isoformat(), "level": str(c.level)} for c in steps],
    }
    if as_json:
        print_json(values)
        return 0
    print_line(f"{len(rows)} 行,预警变化 {len(steps)} 次")
    print_table("预警", ("时间", "变化", "级别"), [(c.at.isoformat(), c.edge, c.level.title_zh) for c in steps])
    return 0
