"""`tingfeng export`."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from flows.console import print_note

COLUMNS = (
    "published_at",
    "source",
    "subject",
    "sentiment",
    "acts",
    "harm_words",
    "title",
    "text",
    "url",
    "region",
    "rating",
    "copies",
    "id",
)
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four are = + - @ in full width


def defuse(value: object) -> str:
    """A cell that no spreadsheet will run."""
    text = ",".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return "'" + text if text.startswith(DANGEROUS) else text


@contextmanager
def write_whole(file: Path) -> Iterator[TextIO]:
    """A stream whose text becomes `file` when all went well, and is thrown away when not."""
    part = file.with_name(file.name + ".part")
    try:
        with part.open("w", encoding="utf-8-sig" if file.suffix == ".csv" else "utf-8", newline="") as stream:
            yield stream
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("query", default="")
@click.option("--since", default="", help="从这个时间起(含)。")
@click.option("--until", default="", help="到这个时间止(不含)。")
def command(file: Path, query: str, since: str, until: str) -> int:
    """把提及导出成文件,按扩展名:.csv(带 BOM,表格软件直接打开,公式不会被执行)或 .jsonl。"""
    from flows.commands.search_command import hit_values
    from flows.wiring import open_wiring
    from tingfeng.clock import parse_iso
    from tingfeng.errors import UsageError
    from tingfeng.query import parse_query

    if file.suffix not in (".csv", ".jsonl"):
        raise UsageError("只能导出 .csv 或 .jsonl", where=str(file), hint="例如 提及.csv")
    try:
        start, end = (parse_iso(text) if text else None for text in (since, until))
    except ValueError as error:
        raise UsageError("时间读不懂", where="--since/--until", hint="例如 2026-11-01") from error
    parsed = parse_query(query, search=True) if query.strip() else None
    total = 0
    with open_wiring() as wiring, write_whole(file) as stream:
        writer = csv.writer(stream)
        if file.suffix == ".csv":
            writer.writerow(COLUMNS)
        cursor = ""
        while True:
            page = wiring.posts.search(parsed, since=start, until=end, limit=500, cursor=cursor, count_up_to=0)
            for hit in page.hits:
                values = hit_values(hit)
                if file.suffix == ".csv":
                    writer.writerow([defuse(values.get(name)) for name in COLUMNS])
                else:
                    stream.write(json.dumps(values, ensure_ascii=False) + "\n")
            total += len(page.hits)
            cursor = page.next_cursor
            if not cursor:
                break
    print_note(f"导出 {total} 条 → {file}")
    return 0
