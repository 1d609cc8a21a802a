"""Rows out of CSV, JSONL, JSON and XLSX files (.gz too), streamed, with row numbers; nothing here knows what a column means."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, cast

from tingfeng.errors import UsageError
from tingfeng.records import RejectedRow

MAX_LINE_BYTES = 1_000_000
MAX_TOTAL_BYTES = 4_000_000_000  # of a packed file; a text file of any size is streamed
MAX_SHEET_BYTES = 500_000_000
MAX_JSON_BYTES = 200_000_000
ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".xlsx")


@dataclass(frozen=True)
class Row:
    """One row: `number` counts from 1 as a person would (line of the file, row of the sheet); values as text, '' for nothing."""

    number: int
    values: Mapping[str, str]


def read_rows(path: Path) -> Iterator[Row | RejectedRow]:
    """Every row in file order; what cannot be read is a RejectedRow with its number. Raises UsageError for a file that is none of these."""
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
        yield from read_csv(path, "\t" if ending == ".tsv" else ",")
    else:
        yield from read_jsonl(path)


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The file, unpacked on the fly when it ends in .gz."""
    with cast(BinaryIO, gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")) as stream:
        yield stream


def find_encoding(path: Path) -> str:
    """utf-8-sig unless the first 64 kB are not UTF-8, then gb18030 (a superset of GBK and GB2312)."""
    with open_bytes(path) as stream:
        head = stream.read(65536)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        head[: head.rfind(b"\n") + 1 or len(head)].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return "utf-8-sig" if error.start > len(head) - 4 else "gb18030"
    return "utf-8-sig"


def read_lines(path: Path, encoding: str) -> Iterator[str | RejectedRow]:
    """Lines as text; an over-long or undecodable line is rejected by number; a cut packed file ends with a rejection."""
    total = 0
    number = 0
    with open_bytes(path) as stream:
        while True:
            try:
                raw = stream.readline(MAX_LINE_BYTES + 1)
            except (EOFError, OSError, gzip.BadGzipFile) as error:
                yield RejectedRow(f"第 {number + 1} 行", f"文件在这里断了({error})")
                return
            if not raw:
                return
            number += 1
            total += len(raw)
            if total > MAX_TOTAL_BYTES and path.suffix.lower() == ".gz":
                raise UsageError(
                    "解压后超过 4 GB,停止读取", where=f"{path} 第 {number} 行", hint="请拆成几个文件再导入"
                )
            if len(raw) > MAX_LINE_BYTES:
                while raw and not raw.endswith(b"\n"):
                    raw = stream.readline(MAX_LINE_BYTES)
                yield RejectedRow(f"第 {number} 行", "一行超过 1 MB")
                continue
            try:
                yield raw.decode(encoding)
            except UnicodeDecodeError:
                yield RejectedRow(f"第 {number} 行", f"不是 {encoding.removesuffix('-sig')} 编码")


def read_jsonl(path: Path) -> Iterator[Row | RejectedRow]:
    """One object a line; blank lines are skipped."""
    encoding = find_encoding(path)
    for number, line in enumerate(read_lines(path, encoding), 1):
        if isinstance(line, RejectedRow):
            yield line
        elif line.strip():
            yield parse_object(line, number)


def parse_object(line: str, number: int) -> Row | RejectedRow:
    """A JSON object as a Row; anything else is rejected."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return RejectedRow(f"第 {number} 行", f"不是完整的 JSON({str(error)[:60]})")
    if not isinstance(value, dict):
        return RejectedRow(f"第 {number} 行", "不是 JSON 对象")
    return Row(number, {str(key): show_value(item) for key, item in value.items()})


def read_json(path: Path) -> Iterator[Row | RejectedRow]:
    """One array of objects."""
    with open_bytes(path) as stream:
        body = stream.read(MAX_JSON_BYTES + 1)
    if len(body) > MAX_JSON_BYTES:
        raise UsageError("JSON 文件超过 200 MB", where=str(path), hint="请改用一行一个对象的 JSONL")
    try:
        items = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"不是完整的 JSON({str(error)[:80]})", where=str(path), hint="文件可能被截断;JSONL 可以逐行读取"
        ) from error
    if isinstance(items, dict):
        items = items.get("data", items)
    if not isinstance(items, list):
        raise UsageError("JSON 里没有数组", where=str(path), hint='需要 [{…}, {…}] 或 {"data": [{…}]}')
    for number, item in enumerate(items, 1):
        if isinstance(item, dict):
            yield Row(number, {str(key): show_value(value) for key, value in item.items()})
        else:
            yield RejectedRow(f"第 {number} 项", "不是 JSON 对象")


def read_csv(path: Path, delimiter: str) -> Iterator[Row | RejectedRow]:
    """A header row, then rows; a row with too many or too few cells is rejected by its line number."""
    encoding = find_encoding(path)
    broken: list[RejectedRow] = []

    def clean() -> Iterator[str]:
        for line in read_lines(path, encoding):
            if isinstance(line, RejectedRow):
                broken.append(line)
            else:
                yield line.replace("\0", "")

    csv.field_size_limit(MAX_LINE_BYTES)
    reader = csv.reader(clean(), delimiter=delimiter)
    header: list[str] = []
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield RejectedRow(f"第 {reader.line_num} 行", f"CSV 读不下去了({error})")
            continue
        yield from broken
        broken.clear()
        if cells is None:
            return
        if not header:
            header = [cell.strip() for cell in cells]
        elif any(cell.strip() for cell in cells):
            if len(cells) != len(header):
                yield RejectedRow(f"第 {reader.line_num} 行", f"有 {len(cells)} 列,表头是 {len(header)} 列")
            else:
                yield Row(reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=True)))


def read_sheet(path: Path) -> Iterator[Row | RejectedRow]:
    """The first sheet of an XLSX file, header in the first row. Long ids must be text cells: a float id is refused by file_rows."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
        if size > MAX_SHEET_BYTES:
            raise UsageError(f"解压后有 {size // 1_000_000} MB,停止读取", where=str(path), hint="请另存为 CSV 再导入")
        book = load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise UsageError(
            f"不是完整的 XLSX({error})", where=str(path), hint="请用 Excel 或 WPS 打开后另存一份"
        ) from error
    try:
        header: list[str] = []
        for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), 1):
            texts = [show_value(cell) for cell in cells]
            if not header:
                header = [text.strip() for text in texts]
            elif any(texts):
                yield Row(number, {name: text for name, text in zip(header, texts, strict=False) if name})
    finally:
        book.close()


def show_value(value: object) -> str:
    """A cell as text: dates in ISO, whole floats without the point, nothing as ''."""
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, list):
        return ",".join(show_value(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value).strip()
