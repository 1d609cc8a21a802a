"""Files as a source: CSV, JSONL, XLSX with a guessed or given column mapping, and exports that we know.

Used by `tingfeng import` and by the watched folder (`[sources.<name>] uses = "files"`, `targets = ["folder"]`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from collectors.base import SourceInfo
from collectors.file_formats import CANONICAL, FORMATS, Columns, FileFormat, find_format, guess_columns
from collectors.file_reader import ENDINGS, Row, read_rows
from collectors.file_rows import RowReader
from tingfeng.errors import UsageError
from tingfeng.labels import SourceKind
from tingfeng.records import Post, RejectedRow

FOLDER_SOURCE = SourceInfo(
    name="files",
    title="文件导入",
    kind=SourceKind.FILE,
    base_url="",
    access="file",
    pace_seconds=0.0,
    targets="放导出文件的文件夹;新文件在下一次采集时读入",
)
BATCH_ROWS = 1000


@dataclass(frozen=True)
class FilePlan:
    """What a file is taken for: shown to the person before anything is stored."""

    path: Path
    format_name: str
    title: str
    source: str
    columns: Columns
    known: FileFormat | None


@dataclass(frozen=True)
class FileBatch:
    """Some posts and rejections in file order; `rows` counts all rows read for this batch."""

    rows: int
    posts: tuple[Post, ...]
    rejected: tuple[RejectedRow, ...]


def plan_file(
    path: Path, *, format_name: str = "", mapping: Mapping[str, str] | None = None, source: str = ""
) -> FilePlan:
    """Looks at the first rows. Raises UsageError when the file has no rows, or no column that could be text or time."""
    names = find_names(path)
    known = choose_format(format_name, names, path)
    columns: Columns = known.columns if known else guess_columns(names)
    columns = {**columns, **check_mapping(mapping or {}, names, path)}
    missing = [
        word
        for key, word in (("time", "时间"), ("text", "正文"))
        if not any(name in names for name in columns.get(key, ()))
    ]
    if missing and not (missing == ["正文"] and "title" in columns):
        raise UsageError(
            f"找不到{'和'.join(missing)}列;文件里有 {'、'.join(names[:30])}",
            where=str(path),
            hint="请指明,例如 --map text=评论内容 --map time=评论时间",
        )
    name = known.name if known else "table"
    return FilePlan(
        path,
        name,
        known.title if known else "表格(猜出的列)",
        source or (known.source if known else "import"),
        columns,
        known,
    )


def find_names(path: Path) -> tuple[str, ...]:
    """Column names in the first 50 rows, in order of appearance."""
    names: dict[str, None] = {}
    for row in islice(read_rows(path), 50):
        if isinstance(row, Row):
            names.update(dict.fromkeys(name for name in row.values if name))
    if not names:
        raise UsageError("没有读到任何一行", where=str(path), hint="文件为空,或缺少表头")
    return tuple(names)


def choose_format(format_name: str, names: tuple[str, ...], path: Path) -> FileFormat | None:
    """The named export, else the one whose columns these are; None means a table with guessed columns."""
    if not format_name:
        return find_format(frozenset(names))
    if format_name == "table":
        return None
    for known in FORMATS:
        if known.name == format_name:
            return known
    raise UsageError(
        f"没有名为 {format_name} 的格式",
        where=str(path),
        hint=f"可以写 {'、'.join(['table', *(f.name for f in FORMATS)])}",
    )


def check_mapping(mapping: Mapping[str, str], names: tuple[str, ...], path: Path) -> Columns:
    """`--map text=评论内容` as columns. Raises UsageError for an unknown field or a column that is not in the file."""
    for canonical, name in mapping.items():
        if canonical not in CANONICAL:
            raise UsageError(f"--map 里没有 {canonical} 这一项", where=str(path), hint=f"可以写 {'、'.join(CANONICAL)}")
        if name not in names:
            raise UsageError(f"文件里没有 {name} 这一列", where=str(path), hint=f"有 {'、'.join(names[:30])}")
    return {canonical: (name,) for canonical, name in mapping.items()}


def read_file(plan: FilePlan, now: datetime, author_key: Callable[[str], str]) -> Iterator[FileBatch]:
    """Posts in batches of 1,000 rows. Same file, same posts: ids come from the rows."""
    reader = RowReader(plan.source, plan.columns, plan.known, now, author_key)
    rows = read_rows(plan.path)
    while True:
        chunk = list(islice(rows, BATCH_ROWS))
        if not chunk:
            return
        results = [row if isinstance(row, RejectedRow) else reader.read(row) for row in chunk]
        posts = tuple(item for item in results if isinstance(item, Post))
        yield FileBatch(len(chunk), posts, tuple(item for item in results if isinstance(item, RejectedRow)))


def list_inbox(folders: Sequence[Path]) -> list[Path]:
    """Importable files below the folders, by name; files still being written (`.part`, `.tmp`, hidden) are left alone."""
    found = chain.from_iterable(folder.rglob("*") for folder in folders)
    return sorted(path for path in found if path.is_file() and is_importable(path))


def is_importable(path: Path) -> bool:
    """By name only."""
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(ENDINGS) and not name.startswith((".", "~"))
