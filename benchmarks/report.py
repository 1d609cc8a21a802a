"""docs/benchmarks.md from the measurements that benchmarks/run.py has written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.report_elasticsearch import describe_elasticsearch
from benchmarks.report_sqlite import describe_sqlite
from benchmarks.streams import describe_streams

RESULTS = Path(__file__).resolve().parent / "results.json"


def describe_benchmarks() -> str:
    """The page: each figure with its baseline, ratio, command, machine and date."""
    if not RESULTS.exists():
        return "# 基准测试\n\n还没有测过:`make bench`。\n"
    values = json.loads(RESULTS.read_text("utf-8"))
    machine = values["machine"]
    head = (
        "# 基准测试\n\n由 `make docs` 从 `benchmarks/results.json` 生成;`make bench` 重测。倍数 = 本项目 ÷ 同一次运行里的基线,"
        "耗时类越小越好,速率类越大越好。\n\n"
        f"命令 `make bench`;{machine['cores']} 核,{machine['memory_gb']} GB,Python {machine['python']},负载 {machine['load']};{values['date']}。\n\n"
    )
    rows = "".join(map(show_row, values["rows"]))
    table = f"{head}| 项目 | 结果 | 基线 | 基线结果 | 倍数 | 说明 |\n|---|---|---|---|---|---|\n{rows}"
    return table + describe_streams() + describe_sqlite() + describe_elasticsearch()


def show_row(row: dict[str, Any]) -> str:
    """One line of the table."""
    base = show(row["baseline_value"], row["unit"])
    return f"| {row['name']} | {row['value']:g} {row['unit']} | {row['baseline'] or '–'} | {base} | {ratio(row)} | {row['note']} |\n"


def show(value: float | None, unit: str) -> str:
    """A figure with its unit."""
    return "–" if value is None else f"{value:g} {unit}"


def ratio(row: dict[str, float | None]) -> str:
    """Ours ÷ baseline."""
    value, base = row["value"], row["baseline_value"]
    return f"{value / base:.2f}" if value is not None and base else "–"
