"""Rows out of CSV, JSONL, JSON and XLSX files (.gz too), streamed, with row numbers; nothing here knows what a column means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from collectors.file_csv import read_csv
from collectors.file_json import read_json, read_jsonl
from collectors.file_sheet import read_sheet
from collectors.file_values import Item
from tingfeng.errors import UsageError

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".xlsx")


def read_rows(path: Path, whole: bool = True) -> Iterator[Item]:
    """Every row in file order; what cannot be read is a RejectedRow with its number, and where a file breaks off it ends with a Damage.

    Without `whole` the file may still be written: a last row without its line end is Unfinished, not a row.
    Raises UsageError for a file that is none of these, or is not there.
    """
    ending = "".join(path.suffixes[-2:]).lower().removesuffix(".gz")
    ending = ending[ending.rfind(".") :] if "." in ending else ""
    if ending not in ENDINGS:
        raise UsageError(
            "不认识的文件种类", where=str(path), hint=f"支持 {'、'.join(ENDINGS)},文本文件可以再用 gzip 压缩"
        )
    if not path.is_file():
        raise UsageError("文件不存在", where=str(path), hint="请检查路径")
    if ending == ".xlsx":
        yield from read_sheet(path)
    elif ending == ".json":
        yield from read_json(path)
    elif ending in (".csv", ".tsv"):
        yield from read_csv(path, "\t" if ending == ".tsv" else ",", whole)
    else:
        yield from read_jsonl(path, whole)
