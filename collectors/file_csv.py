"""Rows of a CSV or TSV file. A quote that is never closed costs its own line, not the rest of the file."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from collectors.file_lines import MAX_LINE_BYTES, Line, is_packed, read_lines
from collectors.file_values import Item, Row, Unfinished
from tingfeng.records import RejectedRow

MAX_RECORD_LINES = 500  # a field with more lines, or more characters, is a quote that was never closed
MAX_RECORD_CHARACTERS = 200_000
MAX_READ_AGAIN = 100_000  # lines; a file with more broken quotes is read line by line


class OpenQuoteError(csv.Error):
    """A record goes on for too long."""


class LineFeed:
    """What csv.reader reads from. Remembers the lines of the present record (`taken`), and gives lines that were put back again."""

    def __init__(self, lines: Iterator[Line | RejectedRow | Unfinished]) -> None:
        self._lines = lines
        self._back: deque[Line] = deque()
        self._size = self._read_again = 0
        self.taken: list[Line] = []
        self.aside: list[RejectedRow | Unfinished] = []
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        most = MAX_RECORD_LINES if self._read_again < MAX_READ_AGAIN else 1
        if len(self.taken) >= most or self._size > MAX_RECORD_CHARACTERS:
            raise OpenQuoteError
        line = self._back.popleft() if self._back else self._read()
        self.taken.append(line)
        self._size += len(line[1])
        return line[1].replace("\0", "")

    def _read(self) -> Line:
        for line in self._lines:
            if isinstance(line, tuple):
                return line
            self.aside.append(line)
        self.ended = True
        raise StopIteration

    def start_record(self) -> None:
        """The next line begins a new record."""
        self.taken, self._size = [], 0

    def put_back(self, lines: list[Line]) -> None:
        """They will be read again."""
        self._read_again += len(lines)
        self._back.extendleft(reversed(lines))

    def take_aside(self) -> list[RejectedRow | Unfinished]:
        """What was met on the way and is no line; each is given once."""
        aside, self.aside = self.aside, []
        return aside


def read_csv(path: Path, delimiter: str, whole: bool = True) -> Iterator[Item]:
    """A header row, then rows; a row with too many or too few cells is rejected by its line number.

    Without `whole` a last record that is not closed by a line end is Unfinished.
    """
    csv.field_size_limit(MAX_LINE_BYTES)
    whole = whole or is_packed(path)
    feed = LineFeed(read_lines(path, whole))
    delimiter = find_delimiter(feed, delimiter)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        feed.start_record()
        problem: csv.Error | None = None
        try:
            cells = next(reader, None)
        except csv.Error as error:
            cells, problem = [], error
        yield from feed.take_aside()
        if cells is None:
            return
        if not whole and is_unfinished(feed, problem):
            yield Unfinished(feed.taken[0][0])
            return
        if header and len(feed.taken) > 1 and len(cells) != len(header):
            problem = problem or csv.Error()
        row = recover(feed, delimiter, problem) if problem else cells
        if isinstance(row, RejectedRow):
            yield row
        elif not header:
            header = [cell.strip() for cell in row]
        elif any(cell.strip() for cell in row):
            yield fit_header(header, row, feed.taken[0][0])


def find_delimiter(feed: LineFeed, usual: str) -> str:
    """Excel writes tabs into what it calls Unicode text, and semicolons where the comma is a decimal point."""
    first = next(feed, "")
    feed.put_back(feed.taken)
    return usual if usual in first else max("\t;", key=first.count) if {"\t", ";"} & set(first) else usual


def is_unfinished(feed: LineFeed, problem: csv.Error | None) -> bool:
    """The record stands at the end of the file and lacks its line end or its closing quote."""
    return not feed.taken[-1][1].endswith("\n") or (problem is not None and feed.ended)


def recover(feed: LineFeed, delimiter: str, problem: csv.Error) -> list[str] | RejectedRow:
    """The cells of a single line that only breaks the letter of the rules; else a rejection, its other lines put back."""
    (number, text), *others = feed.taken
    if others:
        feed.put_back(others)
        return RejectedRow(
            f"第 {number} 行", f"引号没有成对或列数不对,一直连到第 {others[-1][0]} 行;后面 {len(others)} 行已逐行重读"
        )
    if feed.ended or isinstance(problem, OpenQuoteError):
        return RejectedRow(f"第 {number} 行", "引号没有收尾")
    try:
        return next(csv.reader([text.replace("\0", "")], delimiter=delimiter))
    except csv.Error as error:
        return RejectedRow(f"第 {number} 行", f"CSV 读不下去了({error})")


def fit_header(header: list[str], cells: list[str], number: int) -> Row | RejectedRow:
    """A row when there is a cell for each column."""
    if len(cells) != len(header):
        return RejectedRow(f"第 {number} 行", f"有 {len(cells)} 列,表头是 {len(header)} 列")
    return Row(number, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
