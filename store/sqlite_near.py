"""NEAR inside SQL: FTS5 counts tokens, the query language counts characters, so the matcher is asked about each candidate."""

from __future__ import annotations

import json
from functools import lru_cache

from tingfeng.query_match import holds_near
from tingfeng.query_tree import Near, Term
from tingfeng.text import encode_text


def dump_near(near: Near) -> str:
    """A Near as a parameter of SQL."""
    sides = [[[term.units, term.prefix, term.title_only] for term in side] for side in (near.left, near.right)]
    return json.dumps([near.distance, *sides])


@lru_cache(maxsize=256)
def load_near(text: str) -> Near:
    """The opposite of dump_near."""
    distance, left, right = json.loads(text)
    sides = [tuple(Term(tuple(units), prefix, title) for units, prefix, title in side) for side in (left, right)]
    return Near(distance, *sides)


def near_holds(near: str, title: str, text: str) -> bool:
    """The SQL function near_holds(near, title, text): what the matcher says."""
    node = load_near(near)
    return holds_near(node, encode_text(text)) or (bool(title) and holds_near(node, encode_text(title)))
