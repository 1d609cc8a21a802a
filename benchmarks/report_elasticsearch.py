"""The section of docs/benchmarks.md about the Elasticsearch store, from what stores_elasticsearch.py has written."""

from __future__ import annotations

import json
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results_elasticsearch.json"


def describe_elasticsearch() -> str:
    """A table; '' when nothing was measured."""
    if not RESULTS.exists():
        return ""
    values = json.loads(RESULTS.read_text("utf-8"))
    machine = values["machine"]
    load = " → ".join(map(str, machine["load"]))
    head = (
        "\n## Elasticsearch 帖子库\n\n`make bench-elasticsearch`:一个真的 8.19 节点(堆 512 MB)、测试程序和本机其他工作挤在同样 "
        f"{machine['cores']} 核上,Python {machine['python']},负载 {load};{values['date']}。基线:同样的文档(判断过的帖子与提及)每批一次 `_bulk`,"
        "不登记、不查重、不先存未判断的样子,与本项目轮流写。\n\n| 项目 | 结果 | 目标 | 基线 | 倍数 | 说明 |\n|---|---|---|---|---|---|\n"
    )
    lines = []
    for row in values["rows"]:
        base = row["baseline_value"]
        against = f"{base:g} {row['unit']}({row['baseline']})" if base else "–"
        ratio = f"{row['value'] / base:.2f}" if base else "–"
        lines.append(f"| {row['name']} | {row['value']:g} {row['unit']} | {row['goal'] or '–'} | {against} | {ratio} | {row['note']} |\n")
    return head + "".join(lines)
