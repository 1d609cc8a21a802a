"""What reading a file gives: rows, what could not be a row, where the file breaks off; and how a cell becomes text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from collectors.charset import replace_halves
from tingfeng.records import RejectedRow


@dataclass(frozen=True)
class Row:
    """One row: `number` counts from 1 as a person would (line of the file, row of the sheet); values as text, '' for nothing."""

    number: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class Damage(RejectedRow):
    """The file breaks off here: nothing after it has been read. `hint` says what a person can do."""

    hint: str = ""


@dataclass(frozen=True)
class Unfinished:
    """The last row has no line end yet: whoever writes the file may still be at it. Nothing of it was taken."""

    number: int


Item = Row | RejectedRow | Unfinished


def make_row(number: int, value: object, where: str) -> Row | RejectedRow:
    """A JSON object as a row; anything else, and what is nested too deep, is rejected."""
    if not isinstance(value, dict):
        return RejectedRow(where, "不是 JSON 对象")
    try:
        return Row(number, {replace_halves(str(key)): show_value(item) for key, item in value.items()})
    except RecursionError:
        return RejectedRow(where, "嵌套太深")


def show_value(value: object) -> str:
    """A cell as text: dates in ISO, whole floats without the point, nothing as ''."""
    if isinstance(value, str):
        return replace_halves(value.strip())
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, list):
        return ",".join(show_value(item) for item in value)
    if isinstance(value, dict):
        return replace_halves(json.dumps(value, ensure_ascii=False))
    return str(value)
