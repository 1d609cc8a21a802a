"""Sections of docs/benchmarks.md about the SQLite store, from what stores_sqlite.py and faults_sqlite.py have written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
STORES, FAULTS = FOLDER / "results_sqlite.json", FOLDER / "faults_sqlite.json"
GOAL = re.compile(r"[\d.]+")
Values = dict[str, Any]


def describe_sqlite() -> str:
    """Both sections; '' for what was not measured."""
    return describe_stores() + describe_faults()


def describe_stores() -> str:
    """A table with a column for each size; notes are those of the largest."""
    if not STORES.exists():
        return ""
    sizes: dict[str, Values] = json.loads(STORES.read_text("utf-8"))["sizes"]
    counts = sorted(sizes, key=int)
    head = (
        "\n## SQLite 帖子库\n\n`make bench-stores`。每批写入与基线轮流进行;p95 在本机其他工作同时运行时测得,负载见下。"
        "**粗体**没有到目标:NEAR 的候选要由匹配器逐个核对;500 万条时看一遍少见的词要走遍更多区段。500 万条写入时 Elasticsearch 也在装载。\n\n"
    )
    for count in counts:
        one = sizes[count]
        machine, load = one["machine"], " → ".join(map(str, one["load"]))
        place = f"{machine['cores']} 核,SQLite {machine['sqlite']},负载 {load}"
        head += f"* {spell(int(count))}条:`{one['command']}`,{one['date']},{place},{one['texts']}\n"
    rows: dict[str, dict[str, Values]] = {name: {} for count in counts for name in (row["name"] for row in sizes[count]["rows"])}
    for count in counts:
        for row in sizes[count]["rows"]:
            rows[row["name"]][count] = row
    table = f"\n| 项目 | 目标 | {' | '.join(spell(int(count)) for count in counts)} | 说明(最大的一档) |\n|---|---|{'---|' * len(counts)}---|\n"
    return head + table + "".join(show_line(name, rows[name], counts) for name in rows)


def show_line(name: str, found: dict[str, Values], counts: list[str]) -> str:
    """One figure at every size."""
    last = found[max(found, key=int)]
    cells = " | ".join(show_cell(found[count]) if count in found else "–" for count in counts)
    return f"| {name}({last['unit']}) | {last['goal'] or '–'} | {cells} | {last['note']} |\n"


def show_cell(row: Values) -> str:
    """`9000(基线 13000,1.44 倍)`."""
    base = row["baseline_value"]
    ratio = compare_baseline(row)
    cell = f"{row['value']:g}" if ratio is None else f"{row['value']:g}(基线 {base:g},{ratio:.2f} 倍)"
    return f"**{cell}**" if misses_goal(row) else cell


def compare_baseline(row: Values) -> float | None:
    """How many times as slow or as large as the baseline; None without one."""
    base = row["baseline_value"]
    if not base:
        return None
    return float(base / row["value"] if row["unit"].endswith("/秒") else row["value"] / base)


def misses_goal(row: Values) -> bool:
    """Goals are `≤ 50`, of the value, or `慢不过 1.5 倍`, of the ratio."""
    found = GOAL.search(row["goal"])
    if found is None:
        return False
    reached = row["value"] if row["goal"].startswith("≤") else compare_baseline(row)
    return reached is not None and reached > float(found.group())


def describe_faults() -> str:
    """What was lost (nothing, one hopes), and how long until work went on."""
    if not FAULTS.exists():
        return ""
    values: Values = json.loads(FAULTS.read_text("utf-8"))
    head = (
        "\n## 故障:SQLite 帖子库\n\n检查者记得每一条确认过的帖子:都在、只有一份、搜得到、文件完好(`find_damage`)。\n\n"
        f"命令 `{values['command']}`;{values['date']};{values['machine']['cores']} 核,负载 {values['load']}。\n\n"
        "| 故障 | 次数 | 确认 | 丢失 | 重复 | 损坏 | 恢复(中位 / 最长,毫秒) | 说明 |\n|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {row['name']} | {row['times']} | {row['acknowledged']} | {row['lost']} | {row['doubled']} | {len(row['damage'])} | "
        f"{row['recovery_ms']:g} / {row['recovery_worst_ms']:g} | {row['note']} |\n"
        for row in values["rows"]
    )


def spell(count: int) -> str:
    """1 万, 10 万, 100 万."""
    return f"{count // 10_000} 万"
