"""Sections of docs/benchmarks.md about the Elasticsearch store and about workers: what the benches named in them have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.report_sqlite import show_line, spell

FOLDER = Path(__file__).resolve().parent
STORES, FAULTS, WORKERS = (FOLDER / name for name in ("results_elasticsearch.json", "faults_elasticsearch.json", "results_workers.json"))
Values = dict[str, Any]


def describe_elasticsearch() -> str:
    """All sections; '' for what was not measured."""
    return describe_stores() + describe_faults() + describe_workers()


def describe_stores() -> str:
    """A table with a column for each size; notes are those of the largest."""
    if not STORES.exists():
        return ""
    sizes: dict[str, Values] = json.loads(STORES.read_text("utf-8"))["sizes"]
    counts = sorted(sizes, key=int)
    head = (
        "\n## Elasticsearch 帖子库\n\n`make bench-elasticsearch`。一个真的 8.19 节点、测试程序和本机其他工作挤在同样的核上。基线:同样的文档(判断过的"
        "帖子与提及)每批一次 `_bulk`,不登记、不查重、不先存未判断的样子,与本项目轮流写。更大的一档只测查询,文档是现成装进去的。\n\n"
        "**粗体**没有到目标。写入:为了杀在哪里都不丢不重,每条帖子要写四份文档(登记、未判断、判断、提及),基线只写后两份;查询:极少相近的 NEAR "
        "候选要逐个核对,翻到中间的一页不从排序的头上走起。\n\n"
    )
    for count in counts:
        one = sizes[count]
        machine, load = one["machine"], " → ".join(map(str, one["load"]))
        head += f"* {spell(int(count))}条:`{one['command']}`,{one['date']},{machine['cores']} 核,堆 {machine['heap']},负载 {load},{one['texts']}\n"
    names = list(dict.fromkeys(row["name"] for count in counts for row in sizes[count]["rows"]))
    found = {name: {count: row for count in counts for row in sizes[count]["rows"] if row["name"] == name} for name in names}
    table = f"\n| 项目 | 目标 | {' | '.join(spell(int(count)) for count in counts)} | 说明(最大的一档) |\n|---|---|{'---|' * len(counts)}---|\n"
    return head + table + "".join(show_line(name, found[name], counts) for name in names)


def describe_faults() -> str:
    """What was lost (nothing, one hopes), and how long until posts were written and judged directly again."""
    if not FAULTS.exists():
        return ""
    values: Values = json.loads(FAULTS.read_text("utf-8"))
    head = (
        "\n## 故障:Elasticsearch 帖子库\n\n检查者记得每一条确认过的帖子和它该有的提及:都在、各一份、没有多余的。"
        f"`python -m benchmarks.faults_elasticsearch`;{values['cores']} 核,{max(row['date'] for row in values['rows'])}。\n"
        "恢复:从故障解除(节点:从被杀)到又直接存入并判断完一批。\n\n"
        "| 故障 | 次数 | 确认 | 暂存过 | 丢失 | 重复 | 恢复(中位 / 最长,秒) | 负载 | 说明 |\n|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {row['name']} | {row['times']} | {row['acknowledged']} | {row['spooled']} | {row['lost']} | {row['doubled']} "
        f"| {show_recovery(row)} | {row['load']:g} | {row['note'] or '–'} |\n"
        for row in values["rows"]
    )


def show_recovery(row: Values) -> str:
    """`1.2 / 3.4`."""
    middle = row["recovery_median_s"]
    return "–" if middle is None else f"{middle:g} / {row['recovery_longest_s']:g}"


def describe_workers() -> str:
    """One, two and four processes on either engine."""
    if not WORKERS.exists():
        return ""
    values: Values = json.loads(WORKERS.read_text("utf-8"))
    rows = values["rows"]
    first = {row["engine"]: row["per_second"] for row in reversed(rows)}
    head = (
        "\n## 判断进程\n\n`python -m benchmarks.workers`:几个进程同时领取、判断、存判断;帖子是造句,数据库与进程在同样的 "
        f"{values['cores']} 核上;{values['date']}。额外开销:`analyse_posts` 里判断与存判断之外的时间(领取、租约、计数)÷ 这两样的时间,目标 ≤ 10%。\n\n"
        "| 库 | 进程 | 帖子 | 秒 | 条/秒 | 是一个进程的几倍 | 额外开销 | 负载 |\n|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {row['engine']} | {row['processes']} | {row['posts']} | {row['seconds']:g} | {row['per_second']} "
        f"| {row['per_second'] / first[row['engine']]:.2f} | {show_share(row['overhead'])} | {row['load']:g} |\n"
        for row in rows
    )


def show_share(value: float | None) -> str:
    """`3.1%`."""
    return "–" if value is None else f"{value:.1%}"
