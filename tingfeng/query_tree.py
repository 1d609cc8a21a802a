"""The tree of a parsed query. One tree for the matcher in Python and for the translation of every store.

A text is matched as units (tingfeng/text.py): single Han characters, whole Latin or digit runs, a boundary where punctuation stood.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Term:
    """Consecutive units (a term or a phrase); `prefix`: the last unit is the beginning of a word. `title_only`: written `title:`."""

    units: tuple[str, ...]
    prefix: bool = False
    title_only: bool = False


@dataclass(frozen=True)
class Near:
    """One of `left` and one of `right` in either order, not overlapping, at most `distance` characters between them."""

    distance: int
    left: tuple[Term, ...]
    right: tuple[Term, ...]


@dataclass(frozen=True)
class FieldIs:
    """A closed-set or exact field holds one of the values: source, kind, author_type, region, subject, sentiment, act, owned, …"""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class NumberIs:
    """`name` is rating, likes, comments, reposts or views; `op` one of < <= = >= >. A post that does not state the number does not match."""

    name: str
    op: str
    value: float


@dataclass(frozen=True)
class TimeIs:
    """`counted_at` at or after `at` (op `since`) or before it (op `until`)."""

    op: str
    at: datetime


@dataclass(frozen=True)
class Pattern:
    """A regular expression on a linear-time engine over the normalised text; monitoring only."""

    pattern: str


@dataclass(frozen=True)
class And:
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    node: Node


Node = Term | Near | FieldIs | NumberIs | TimeIs | Pattern | And | Or | Not
