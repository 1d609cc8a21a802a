"""docs/scale.md: the text of benchmarks/scale.md with the arithmetic of sizing filled in from measurements."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PEAK, USE, DAYS, NODE_GB, SHARD_GB = 3, 0.5, 90, 1000, 30
PACE_SECONDS, PAGE, SOURCES = 3, 20, 20
WORKER_GB, HOT_DAYS, FOLD_DAYS, BANDS = 1, 14, 7, 4
DAY = 86_400
CLAIMED = 500  # posts at a time: flows/analyse.py
WRITES = 4  # documents of a post: its place, the post as it is stored and as it is judged, a mention
VOLUMES = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
UNKNOWN = "待测,见[基准测试](benchmarks.md)"


@dataclass(frozen=True)
class Measured:
    """Figures by name, from every result file."""

    values: dict[str, float]

    def get(self, start: str) -> float | None:
        """The first figure whose name begins so; None when it was not measured."""
        return next((value for name, value in self.values.items() if name.startswith(start)), None)

    def need(self, start: str) -> float:
        """The same, for figures that `make bench` always makes. Raises KeyError."""
        found = self.get(start)
        if found is None:
            raise KeyError(start)
        return found


def read_measured() -> Measured:
    """Every row of results.json and desk_speed.json, and what Elasticsearch does at the largest size that was written by us."""
    rows = [row for name in ("results.json", "desk_speed.json") for row in read_rows(name)]
    return Measured({row["name"]: row["value"] for row in rows} | read_elastic())


def read_elastic() -> dict[str, float]:
    """Posts a second and bytes a post of one node; {} when they were not measured."""
    file = HERE / "results_elasticsearch.json"
    sizes = json.loads(file.read_text("utf-8"))["sizes"] if file.exists() else {}
    for count in sorted(sizes, key=int, reverse=True):
        rows = {row["name"].split(":")[0]: row["value"] for row in sizes[count]["rows"]}
        if "写入" in rows:
            return {f"Elasticsearch {name}": rows[name] for name in ("写入", "文件")}
    return {}


def read_rows(name: str) -> list[dict[str, Any]]:
    """The rows of one file; [] when there is none."""
    file = HERE / name
    found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))["rows"] if file.exists() else []
    return found


def capacity(per_second: float) -> float:
    """Posts a day that one copy of a part can take, the peak and the share of use allowed for."""
    return per_second * DAY / PEAK * USE


def show_count(value: float) -> str:
    """`12 万`, `1.3 亿`."""
    for size, name in ((1e8, "亿"), (1e4, "万")):
        if value >= size:
            shown = value / size
            return f"{shown:.0f} {name}" if shown >= 10 else f"{shown:.1f} {name}"
    return f"{value:.0f}"


def describe_faults() -> str:
    """A table of the faults and what the checkers found."""
    lines = ["| 打断 | 库 | 次数 | 确认过的 | 丢 | 重 | 说明 | 恢复(秒,中位 / 最长) |", "|---|---|---|---|---|---|---|---|"]
    for row in [*read_rows("desk_faults.json"), *read_rows("judge_faults.json")]:
        took = row.get("recovery_median_seconds")
        recovery = f"{took:g} / {row['recovery_longest_seconds']:g}" if took is not None else "–"
        known = row.get("acknowledged", row.get("posts"))
        lines.append(
            f"| {row['fault']} | {row['engine']} | {row['times']} | {known} | {row['lost']} | {row['doubled']} "
            f"| {row.get('unsure', '–')} | {recovery} |"
        )
    return "\n".join(lines)


def describe_desk() -> str:
    """What the Desk does in a second on either engine."""
    rows = [row for row in read_rows("desk_speed.json") if "QL" in row["name"]]
    lines = [f"| {row['name']} | {row['value']:g} {row['unit']} | {row['note']} |" for row in rows]
    return "\n".join(["| 动作 | 结果 | 说明 |", "|---|---|---|", *lines])


def read_load() -> float:
    """The load of the machine when desk_speed.json was made."""
    return float(json.loads((HERE / "desk_speed.json").read_text("utf-8"))["load"])


def stored_gb(posts_a_day: float, size: float, days: float) -> float:
    """Gigabytes with one replica."""
    return posts_a_day * size * days * 2 / 1e9


def describe_sizes(judge: float, size: float) -> str:
    """Posts a day → machines."""
    head = "| 条/天 | 高峰 条/秒 | 判断进程 | 工作机(4 核) | 写入 次/秒 | 存储 GB | 分片/月 | 数据节点 | 工作台 |"
    lines = [head, "|---|---|---|---|---|---|---|---|---|"]
    for volume in VOLUMES:
        peak = volume / DAY * PEAK
        judges = math.ceil(peak / (judge * USE))
        gb = stored_gb(volume, size, DAYS)
        shards = max(1, math.ceil(stored_gb(volume, size, 30) / 2 / SHARD_GB))
        single = volume <= VOLUMES[0]
        nodes = "SQLite" if single else str(max(3, math.ceil(gb / NODE_GB)))
        lines.append(
            f"| {show_count(volume)} | {peak:.1f} | {judges} | {1 if single else max(2, math.ceil((judges + 2) / 4))} | {peak * WRITES:.0f} "
            f"| {gb / (2 if single else 1):.0f} | {'–' if single else shards} | {nodes} | {'SQLite' if single else 'PostgreSQL'} |"
        )
    return "\n".join(lines)


def describe_limits(measured: Measured) -> str:
    """What one copy of each part can take, smallest first."""
    writes = 1 / (1 / measured.need("存帖子") + 1 / measured.need("存判断"))
    elastic = measured.get("Elasticsearch 写入")
    parts = [
        ("礼貌采集:一台主机", PAGE / PACE_SECONDS, DAY * PAGE / PACE_SECONDS, "授权数据流、批量文件"),
        ("解析:RSS,一个进程", measured.need("解析:RSS"), None, "加进程"),
        ("判断,一个进程", measured.need("判断"), None, "加进程"),
        ("SQLite 写入(帖子与判断)", writes, None, "Elasticsearch"),
        ("遮盖,一个进程", measured.need("遮盖"), None, "加进程"),
    ] + ([("Elasticsearch 写入(存入、领取、判断),一个节点", elastic, None, "加节点与分片")] if elastic else [])
    rows = sorted(((name, rate, total or capacity(rate), then) for name, rate, total, then in parts), key=lambda row: row[2])
    lines = ["| 部件(一份) | 条/秒 | 条/天 | 不够时 |", "|---|---|---|---|"]
    lines += [f"| {name} | {rate:,.0f} | {show_count(total)} | {then} |" for name, rate, total, then in rows]
    lines += [] if elastic else [f"| Elasticsearch 写入,一个节点 | {UNKNOWN} | – | 加节点与分片 |"]
    return "\n".join(lines)


def describe_scale() -> str:
    """The page. Raises KeyError for a figure or a place of the text that has no value."""
    measured = read_measured()
    judge, elastic_size = measured.need("判断"), measured.get("Elasticsearch 文件")
    size = elastic_size or measured.need("文件大小")
    volume, runs_a_day = VOLUMES[-1], (DAY // 900) * (SOURCES + 1) + (DAY // 300) * 2 + DAY // 60 + 1
    detector, run_cpu = measured.need("检测器"), measured.need("一次流程运行:CPU")
    polite, stored = DAY * PAGE / PACE_SECONDS, stored_gb(volume, size, DAYS)
    values = {
        "peak": PEAK, "use": f"{USE:.0%}", "days": DAYS, "node_gb": NODE_GB, "shard_gb": SHARD_GB, "judge": f"{judge:,.0f}",
        "run_cpu": f"{run_cpu:g}", "run_memory": f"{measured.need('一次流程运行:内存'):.0f}", "bytes": f"{size:,.0f}",
        "bytes_note": "(Elasticsearch 的实测,没有副本)" if elastic_size else "(SQLite 的实测;Elasticsearch 的待测)", "worker_gb": WORKER_GB,
        "faults": describe_faults(), "sizes": describe_sizes(judge, size), "limits": describe_limits(measured),
        "claimed": CLAIMED, "claims": f"{volume / DAY * PEAK / CLAIMED:.0f}", "load": read_load(), "desk": describe_desk(),
        "pace": PACE_SECONDS, "page": PAGE, "polite": show_count(polite), "hosts": f"{math.ceil(volume / polite)}",
        "fold_days": FOLD_DAYS, "bands": BANDS, "band_gb": f"{volume * BANDS * 8 / 1e9:.0f}", "month_tb": f"{stored / 1000:.0f}",
        "nodes": f"{math.ceil(stored / NODE_GB)}", "hot": HOT_DAYS, "flow_runs": f"{runs_a_day:,}",
        "flow_hours": f"{runs_a_day * run_cpu / 3600:.1f}", "detector": f"{detector:g}", "detector_pass": f"{detector * 1e4 / 1e6:.2f}",
    }  # fmt: skip
    return re.sub(r"<<(\w+)>>", lambda found: str(values[found[1]]), (HERE / "scale.md").read_text("utf-8"))
