"""What commands print: tables and JSON on stdout, progress and messages on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


# what a terminal obeys instead of showing: control characters but line break and tab, and marks that turn the direction of writing
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def show_obeyed(text: str) -> str:
    """The text with such characters written out (`\\x1b`), so that a post cannot steer the terminal."""
    return OBEYED.sub(lambda found: f"\\x{ord(found[0]):02x}" if ord(found[0]) < 256 else f"\\u{ord(found[0]):04x}", text)


def print_json(value: object) -> None:
    """One JSON document."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    sys.stdout.write(OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


def print_line(text: str = "") -> None:
    """A line on stdout."""
    sys.stdout.write(show_obeyed(text) + "\n")


def print_note(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(show_obeyed(text) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str = "没有") -> None:
    """A table; text is printed as it is, never read as markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print_line(f"{title}:{empty}")
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(show_obeyed(str(value))) for value in row))
    Console().print(table)


@contextmanager
def show_progress() -> Iterator[Progress]:
    """A progress bar on stderr; silent when nobody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield progress
