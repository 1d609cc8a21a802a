"""Lines of a text file, packed or not, in whatever encoding Excel and its friends write; what breaks is said, never raised."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from collectors.file_values import Damage, Unfinished
from tingfeng.records import RejectedRow

MAX_LINE_BYTES = 1_000_000
MAX_TOTAL_BYTES = 4_000_000_000  # of a packed file; a text file of any size is streamed
BROKEN = (EOFError, OSError, zlib.error)
Line = tuple[int, str]


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The file, unpacked on the fly when it ends in .gz. Reading from it raises one of BROKEN where the file is damaged."""
    with cast(BinaryIO, gzip.open(path, "rb") if is_packed(path) else path.open("rb")) as stream:
        yield stream


def is_packed(path: Path) -> bool:
    """By name only."""
    return path.suffix.lower() == ".gz"


def find_encoding(path: Path) -> str:
    """The byte-order mark, else utf-8-sig unless the first 64 kB are not UTF-8, then gb18030 (a superset of GBK and GB2312)."""
    head = b""
    try:
        with open_bytes(path) as stream:
            while len(head) < 65536 and (part := stream.read(8192)):
                head += part
    except BROKEN:
        pass  # who reads the rows will meet it again and say so
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        head[: head.rfind(b"\n") + 1 or len(head)].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return "utf-8-sig" if error.start > len(head) - 4 else "gb18030"
    return "utf-8-sig"


def read_lines(path: Path, whole: bool = True) -> Iterator[Line | RejectedRow | Unfinished]:
    """(number, text with its line end); an over-long or undecodable line is rejected by number; a damaged file ends with a Damage.

    Without `whole` a last line that breaks off inside a character is Unfinished.
    """
    encoding = find_encoding(path)
    number = 0
    try:
        with open_bytes(path) as stream:
            pieces = read_wide(stream) if encoding == "utf-16" else read_pieces(stream, is_packed(path))
            for number, raw in enumerate(pieces, 1):
                if isinstance(raw, str):
                    yield number, raw
                    continue
                if not raw:
                    yield RejectedRow(f"第 {number} 行", "一行超过 1 MB")
                    continue
                try:
                    yield number, raw.decode(encoding)
                except UnicodeDecodeError:
                    if not whole and not raw.endswith(b"\n"):
                        yield Unfinished(number)
                    else:
                        yield RejectedRow(f"第 {number} 行", f"不是 {encoding.removesuffix('-sig')} 编码")
    except BROKEN as error:
        yield explain_damage(error, f"第 {number + 1} 行")
    except OverflowError:
        yield Damage(f"第 {number + 1} 行", "解压后超过 4 GB,停止读取", "请拆成几个文件再导入")


def read_pieces(stream: BinaryIO, packed: bool) -> Iterator[bytes]:
    """Lines as bytes, b"" for one that is too long. Raises OverflowError when a packed file never ends."""
    total = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        total += len(raw)
        too_long = len(raw) > MAX_LINE_BYTES
        while too_long and raw and not raw.endswith(b"\n"):
            raw = stream.readline(MAX_LINE_BYTES)
            total += len(raw)
        if packed and total > MAX_TOTAL_BYTES:
            raise OverflowError
        yield b"" if too_long else raw


def read_wide(stream: BinaryIO) -> Iterator[bytes | str]:
    """The same of a UTF-16 file, where a line end is two bytes long: decoded on the way, what is no character replaced."""
    total = 0
    with io.TextIOWrapper(stream, "utf-16", errors="replace", newline="\n") as text:
        while line := text.readline(MAX_LINE_BYTES + 1):
            total += len(line)
            too_long = len(line) > MAX_LINE_BYTES
            while too_long and line and not line.endswith("\n"):
                line = text.readline(MAX_LINE_BYTES)
                total += len(line)
            if total > MAX_TOTAL_BYTES:
                raise OverflowError
            yield b"" if too_long else line


def read_text(path: Path) -> Iterator[str]:
    """The whole text in pieces of 64 k characters. Raises one of BROKEN, or OverflowError when a packed file never ends."""
    encoding = find_encoding(path)
    total = 0
    with open_bytes(path) as stream, io.TextIOWrapper(stream, encoding, errors="replace", newline="") as text:
        while piece := text.read(65536):
            total += len(piece)
            if total > MAX_TOTAL_BYTES and is_packed(path):
                raise OverflowError
            yield piece


def explain_damage(error: Exception, where: str) -> Damage:
    """In words, with what to do."""
    if isinstance(error, EOFError):
        return Damage(where, "文件在这里断了,压缩文件不完整", "请重新传一份;前面的行已读入")
    if isinstance(error, zlib.error | gzip.BadGzipFile):
        return Damage(where, "文件在这里坏了,不是完好的 gzip", "请重新压缩,或去掉 .gz 后缀;前面的行已读入")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return Damage(where, f"文件读不下去({reason})", "请检查权限与磁盘")
