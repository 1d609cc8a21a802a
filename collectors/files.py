"""Files as a source: CSV, JSONL, XLSX with a guessed or given column mapping, and exports that we know.

Used by `tingfeng import` and by the watched folder (`[sources.<name>] uses = "files"`, `targets = ["folder"]`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from collectors.base import SourceInfo
from collectors.file_csv import MAX_RECORD_CHARACTERS, MAX_RECORD_LINES
from collectors.file_formats import CANONICAL, FORMATS, Columns, FileFormat, find_format, guess_columns
from collectors.file_reader import ENDINGS, read_rows
from collectors.file_rows import RowReader
from collectors.file_sheet import MAX_BYTES, MAX_STRING_TAGS, MAX_TAGS
from collectors.file_values import Damage, Item, Row, Unfinished
from tingfeng.errors import EmptyFileError, FileError, UsageError
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
FILE_RULES = f"""
## 文件怎么读

* 认 {"、".join(ENDINGS)},文本文件可以再用 gzip 压缩;编码认 UTF-8、UTF-16(Excel 的“Unicode 文本”,请把 .txt 改名为 .tsv)、GB18030。
* 收件夹里的 CSV 与 JSONL 可能正在写:最后一行没有换行就先不读,报告里说“还没写完”,写完再读;文件一小时没有再变就照收。
  JSONL 的最后一行已经是完整的对象时马上读。`tingfeng import 文件` 总是读到最后一行。写好再改名(先叫 `.part`)最稳妥。
* 收件夹不存在就建好(写成相对路径时,在状态目录之下);空文件与只有表头的文件不算失败。
* 文件读到一半坏了:坏处之前的行照收,坏处写进拒收与采集台账,别的文件照常读;在文件换掉之前,每次采集都会再说一遍。
* 一条记录跨过 {MAX_RECORD_LINES} 行或 {MAX_RECORD_CHARACTERS:,} 个字符,就当作引号没有成对:只拒收它的第一行,其余逐行重读。
* 行 = 新 + 变 + 见过 + 拒收;同一文件里编号相同的第二行算“见过”。
* 一行(JSON 数组的一项)至多 1 MB;压缩的文本解压后至多 4 GB;XLSX 解压后至多 {MAX_BYTES // 1_000_000} MB、约 {MAX_TAGS // 40_000} 万格、
  约 {MAX_STRING_TAGS // 40_000} 万格不同的文字。超过时说明并停下。
* 日期可以是表格软件的天数(46000.5);半个字符(孤立的代理项)换成 U+FFFD。
"""
BATCH_ROWS = 1000
NAME_ROWS = 50  # rows whose columns are looked at
MOST_BAD_ROWS = 1_000_000  # in a row; then it is no file of posts, or one made to keep us busy


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
    """Some posts and rejections in file order; `rows` counts all rows read for this batch.

    `unfinished` counts rows left for later; `damage` says where the file breaks off (it is among `rejected` too), '' when it does not.
    """

    rows: int
    posts: tuple[Post, ...]
    rejected: tuple[RejectedRow, ...]
    unfinished: int = 0
    damage: str = ""


def plan_file(
    path: Path,
    *,
    format_name: str = "",
    mapping: Mapping[str, str] | None = None,
    source: str = "",
    whole: bool = True,
) -> FilePlan:
    """Looks at the first rows. Raises UsageError when no column could be text or time, FileError when no row can be read,
    EmptyFileError when there is none."""
    names = find_names(path, whole)
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


def find_names(path: Path, whole: bool = True) -> tuple[str, ...]:
    """Column names in the first 50 rows, in order of appearance."""
    names: dict[str, None] = {}
    problems: list[RejectedRow] = []
    unfinished = 0
    for row in islice(read_rows(path, whole), NAME_ROWS):
        if isinstance(row, Row):
            names.update(dict.fromkeys(name for name in row.values if name))
            if not row.values:
                problems.append(RejectedRow(f"第 {row.number} 行", "一列也没有"))
        elif isinstance(row, Unfinished):
            unfinished += 1
        else:
            problems.append(row)
    if not names and problems:
        worst = next((one for one in problems if isinstance(one, Damage)), problems[0])
        hint = worst.hint if isinstance(worst, Damage) else "开头的行没有一行读得了,请检查文件"
        raise FileError(worst.reason, where=f"{path} {worst.where}", hint=hint)
    if not names:
        raise EmptyFileError("没有读到任何一行", where=str(path), hint="文件为空,或只有表头", unfinished=unfinished)
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


def read_file(
    plan: FilePlan, now: datetime, author_key: Callable[[str], str], whole: bool = True
) -> Iterator[FileBatch]:
    """Posts in batches of 1,000 rows. Same file, same posts: ids come from the rows. `whole`: see read_rows."""
    reader = RowReader(plan.source, plan.columns, plan.known, now, author_key)
    rows = read_rows(plan.path, whole)
    bad = 0
    while chunk := list(islice(rows, BATCH_ROWS)):
        batch = read_batch(reader, chunk)
        bad = 0 if batch.posts else bad + batch.rows
        if bad >= MOST_BAD_ROWS:
            stop = Damage("之后", f"连续 {bad} 行都读不成帖子,停止读取", "请检查文件与列的对应")
            batch = replace(batch, rows=batch.rows + 1, rejected=(*batch.rejected, stop), damage=stop.reason)
            rows = iter(())
        yield batch


def read_batch(reader: RowReader, chunk: Sequence[Item]) -> FileBatch:
    """What became of each row."""
    results = [reader.read(row) if isinstance(row, Row) else row for row in chunk]
    posts = tuple(item for item in results if isinstance(item, Post))
    rejected = tuple(item for item in results if isinstance(item, RejectedRow))
    unfinished = len(results) - len(posts) - len(rejected)
    damage = next((f"{item.where}:{item.reason}" for item in rejected if isinstance(item, Damage)), "")
    return FileBatch(len(chunk) - unfinished, posts, rejected, unfinished, damage)


def list_inbox(folders: Sequence[Path]) -> list[Path]:
    """Importable files below the folders, by name; files still being written (`.part`, `.tmp`, hidden) are left alone."""
    found = chain.from_iterable(folder.rglob("*") for folder in folders)
    return sorted(path for path in found if path.is_file() and is_importable(path))


def is_importable(path: Path) -> bool:
    """By name only."""
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(ENDINGS) and not name.startswith((".", "~"))
