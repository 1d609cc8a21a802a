"""Regular expressions of monitoring queries on RE2: linear time, so no hostile pattern can hang a run. The only import of re2."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Protocol, cast

import re2

from tingfeng.text import simplified_table


class CompiledPattern(Protocol):
    """What we use of a compiled RE2 expression."""

    def search(self, text: str) -> object | None: ...


@lru_cache(maxsize=512)
def compile_pattern(written: str) -> CompiledPattern:
    """Compiles for the normalised text: case does not count, traditional and full-width characters are folded as the text is.

    Raises ValueError, with RE2's own words, for an expression that RE2 refuses or that matches the empty text.
    """
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False  # else RE2 writes every mistake to stderr
    try:
        compiled = cast(CompiledPattern, re2.compile(fold_pattern(written), options))
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        raise ValueError(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from error
    if compiled.search("") is not None:
        raise ValueError("它连空文本也匹配")
    return compiled


def fold_pattern(written: str) -> str:
    """Only characters beyond ASCII are folded, and what they become is escaped: lower-casing all would turn \\D into \\d."""
    return "".join(char if char.isascii() else _fold_character(char) for char in written)


def _fold_character(char: str) -> str:
    folded = unicodedata.normalize("NFKC", char).lower().translate(simplified_table())
    return "".join(re2.escape(part) if part.isascii() else part for part in folded)
