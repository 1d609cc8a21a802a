"""Rows of the first sheet of an XLSX file. It is weighed before it is opened: a small file can hold a very large sheet."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from collectors.file_values import Damage, Item, Row, show_value

MAX_BYTES = 500_000_000  # unpacked
MAX_TAGS = 24_000_000  # four a cell: six million cells
MAX_STRING_TAGS = 6_000_000  # all strings are held in memory, four tags and about 110 bytes each
MAX_ROWS = 1_048_576  # Excel's own limits
MAX_COLUMNS = 1000
HEADER_ROWS = 50  # the header stands in one of them
SAVE_AGAIN = "请用 Excel 或 WPS 打开后另存一份"
# whatever a damaged part makes zipfile and openpyxl raise
BROKEN = (
    zipfile.BadZipFile, zlib.error, SyntaxError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, OSError, EOFError,
    RuntimeError,
)  # fmt: skip


def read_sheet(path: Path) -> Iterator[Item]:
    """Header in the first row that has text. Long ids must be text cells: a float id is refused by file_rows."""
    header: list[str] = []
    for number, cells in read_cells(path):
        if isinstance(cells, Damage):
            yield cells
        elif not header:
            header = [show_value(cell) for cell in cells]
        else:
            texts = [show_value(cell) for cell in cells]
            if any(texts):
                yield Row(number, {name: text for name, text in zip(header, texts, strict=False) if name})


def read_cells(path: Path) -> Iterator[tuple[int, tuple[object, ...] | Damage]]:
    """Row number and cells, the header first; at the end a Damage when the file breaks off."""
    number = 0
    try:
        if words := weigh(path):
            yield 1, Damage("整个文件", f"{words},停止读取", "请另存为 CSV 再导入")
            return
        with path.open("rb") as stream:
            for number, cells in open_rows(stream):
                yield number, cells
    except BROKEN as error:
        where = f"第 {number + 1} 行" if number else "整个文件"
        yield number + 1, Damage(where, f"不是完整的 XLSX({type(error).__name__})", SAVE_AGAIN)


def open_rows(stream: Any) -> Iterator[tuple[int, tuple[object, ...]]]:
    """The header as wide as its last text, then the rows below it, no wider. Raises one of BROKEN."""
    from openpyxl import load_workbook

    book = load_workbook(stream, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says about its size is not to be believed
        head = islice(sheet.iter_rows(max_row=HEADER_ROWS, max_col=MAX_COLUMNS, values_only=True), HEADER_ROWS)
        for number, cells in enumerate(head, 1):
            width = max((place for place, cell in enumerate(cells, 1) if show_value(cell)), default=0)
            if width:
                yield number, cells[:width]
                rows = sheet.iter_rows(min_row=number + 1, max_row=MAX_ROWS, max_col=width, values_only=True)
                yield from enumerate(rows, number + 1)
                return
    finally:
        book.close()


def weigh(path: Path) -> str:
    """Why the file is too big to be opened, '' when it is not: by its stated size, then by counting tags. Raises one of BROKEN."""
    with zipfile.ZipFile(path) as packed:
        size = sum(entry.file_size for entry in packed.infolist())
        if size > MAX_BYTES:
            return f"解压后有 {size // 1_000_000} MB"
        total = 0
        for entry in packed.infolist():
            if not entry.filename.endswith(".xml"):
                continue
            strings = entry.filename.lower().endswith("sharedstrings.xml")
            found = count_tags(packed, entry, MAX_STRING_TAGS if strings else MAX_TAGS - total)
            total += found
            if strings and found > MAX_STRING_TAGS:
                return f"超过约 {MAX_STRING_TAGS // 4 // 10_000} 万格不同的文字"
            if total > MAX_TAGS:
                return f"超过约 {MAX_TAGS // 4 // 10_000} 万格"
    return ""


def count_tags(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> int:
    """Stops above `most`; a damaged part counts up to its damage, which the reader will meet again."""
    count = 0
    try:
        with packed.open(entry) as part:
            while count <= most and (piece := part.read(1_000_000)):
                count += piece.count(b"<")
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return count
    return count
