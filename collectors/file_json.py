"""Rows of JSON Lines, and of one JSON array read item by item: however long the array, one item is in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from collectors.file_lines import BROKEN, MAX_LINE_BYTES, explain_damage, is_packed, read_lines, read_text
from collectors.file_values import Damage, Item, Row, Unfinished, make_row
from tingfeng.records import RejectedRow

SPACES = " \t\r\n\ufeff"
DECODER = json.JSONDecoder()


def read_jsonl(path: Path, whole: bool = True) -> Iterator[Item]:
    """One object a line; blank lines are skipped. Without `whole` a last line without its end counts only if it is an object already."""
    whole = whole or is_packed(path)
    for line in read_lines(path, whole):
        if not isinstance(line, tuple):
            yield line
        elif line[1].strip():
            row = parse_object(line[1], line[0])
            unfinished = not whole and isinstance(row, RejectedRow) and not line[1].endswith("\n")
            yield Unfinished(line[0]) if unfinished else row


def parse_object(line: str, number: int) -> Row | RejectedRow:
    """A JSON object as a Row; anything else is rejected."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return RejectedRow(f"第 {number} 行", f"不是完整的 JSON({str(error)[:60]})")
    return make_row(number, value, f"第 {number} 行")


class BrokenJsonError(ValueError):
    """What stands here is no JSON, or is too long for one value."""


class Window:
    """The part of a long JSON text that is being read."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text, self._at = "", 0

    def _grow(self) -> bool:
        piece = next(self._pieces, "")
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)

    def look(self) -> str:
        """The next character that is no space; '' at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in SPACES:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow():
                return ""

    def skip(self, character: str) -> bool:
        """True when this character stood next; it is behind us now."""
        found = self.look() == character
        self._at += found
        return found

    def value(self) -> object:
        """The next value. Raises BrokenJsonError."""
        self.look()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                end, problem = len(self._text), str(error)[:60]
            else:
                problem = ""
            # a number may go on in the next piece
            if not problem and end < len(self._text):
                self._at = end
                return value
            if len(self._text) - self._at > MAX_LINE_BYTES:
                raise BrokenJsonError(f"这一项超过 1 MB,或从这里起不是 JSON({problem})")
            if not self._grow():
                if not problem:
                    self._at = len(self._text)
                    return value
                raise BrokenJsonError(f"不是完整的 JSON,文件可能被截断({problem})")


def read_json(path: Path) -> Iterator[Item]:
    """One array of objects, or the array under `data`."""
    number = 0
    try:
        window = Window(read_text(path))
        if not find_array(window):
            yield Damage("开头", "JSON 里没有数组", '需要 [{…}, {…}] 或 {"data": [{…}]}')
            return
        for number, value in enumerate(read_items(window), 1):
            yield make_row(number, value, f"第 {number} 项")
    except BROKEN as error:
        yield explain_damage(error, f"第 {number + 1} 项")
    except OverflowError:
        yield Damage(f"第 {number + 1} 项", "解压后超过 4 GB,停止读取", "请拆成几个文件再导入")
    except BrokenJsonError as error:
        yield Damage(f"第 {number + 1} 项", str(error), "请重新导出;一行一个对象的 JSONL 可以逐行读取")


def find_array(window: Window) -> bool:
    """Stands behind the opening bracket afterwards. Raises BrokenJsonError."""
    if window.skip("["):
        return True
    if not window.skip("{"):
        return False
    while window.look() == '"':
        name = window.value()
        if not window.skip(":"):
            return False
        if name == "data" and window.skip("["):
            return True
        window.value()
        if not window.skip(","):
            return False
    return False


def read_items(window: Window) -> Iterator[object]:
    """Up to the closing bracket. Raises BrokenJsonError, also when something follows that nobody would read."""
    if not window.skip("]"):
        while True:
            yield window.value()
            if window.skip("]"):
                break
            if not window.skip(","):
                raise BrokenJsonError("不是完整的 JSON,文件可能被截断" if not window.look() else "两项之间没有逗号")
    if window.look() not in ("", ",", "}"):
        raise BrokenJsonError("数组后面还有内容,没有读")
