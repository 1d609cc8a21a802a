"""The query language: one parser, one tree (query_tree.py), one matcher."""

from __future__ import annotations

from dataclasses import dataclass

from tingfeng.query_tree import Node


@dataclass(frozen=True)
class Query:
    """A parsed query: what was written and its tree."""

    text: str
    root: Node
