"""Translates a query tree into SQL over `posts p` and `mentions m`.

What SQL cannot say exactly (NEAR counts characters, full-text search counts tokens) becomes a condition that holds for every
match and perhaps for more; `exact` is then False and each row is asked again by the matcher.
"""

from __future__ import annotations

from dataclasses import dataclass

from store.sqlite_rows import encode_token, to_ms
from tingfeng.errors import QuerySyntaxError
from tingfeng.query import Query
from tingfeng.query_tree import And, FieldIs, Near, Node, Not, NumberIs, Or, Pattern, Term, TimeIs

COLUMNS = {
    "source": "p.source", "kind": "p.kind", "author_type": "p.author_type", "region": "p.region", "owned": "p.owned",
    "subject": "m.subject", "sentiment": "m.sentiment", "severity": "m.severity", "stage": "m.stage",
}  # fmt: skip
MARKED = {"act": "m.acts", "topic": "m.topics"}


@dataclass(frozen=True)
class Condition:
    """SQL with its parameters."""

    sql: str
    parameters: tuple[object, ...]
    exact: bool


def translate(query: Query | None) -> Condition:
    """The condition of a query; None means everything. Raises QuerySyntaxError for what only monitoring may use."""
    if query is None:
        return Condition("1", (), True)
    parameters: list[object] = []
    exact = [True]
    sql = write(query.root, True, parameters, exact)
    return Condition(sql, tuple(parameters), exact[0])


def write(node: Node, upper: bool, parameters: list[object], exact: list[bool]) -> str:
    """`upper`: the SQL may hold for more rows than the node; else for fewer (inside NOT)."""
    if isinstance(node, And | Or):
        parts = [write(child, upper, parameters, exact) for child in node.nodes]
        return "(" + (" AND " if isinstance(node, And) else " OR ").join(parts) + ")"
    if isinstance(node, Not):
        return f"NOT {write(node.node, not upper, parameters, exact)}"
    if isinstance(node, Term):
        parameters.append(match_term(node))
        return "p.row IN (SELECT rowid FROM search WHERE search MATCH ?)"
    if isinstance(node, Near):
        exact[0] = False
        if not upper:
            return "0"
        parameters.append(
            f"({' OR '.join(map(match_term, node.left))}) AND ({' OR '.join(map(match_term, node.right))})"
        )
        return "p.row IN (SELECT rowid FROM search WHERE search MATCH ?)"
    if isinstance(node, FieldIs):
        return write_field(node, parameters)
    if isinstance(node, NumberIs):
        parameters.append(node.value)
        return f"COALESCE(p.{node.name} {node.op} ?, 0)"
    if isinstance(node, TimeIs):
        parameters.append(to_ms(node.at))
        return f"(p.counted_ms {'>=' if node.op == 'since' else '<'} ?)"
    assert isinstance(node, Pattern)
    raise QuerySyntaxError("搜索里不能用正则表达式", position=0, hint="请改用词、短语或 NEAR")


def write_field(node: FieldIs, parameters: list[object]) -> str:
    """A field holds one of the values; an empty value never matches."""
    values = [value for value in node.values if value]
    if not values:
        return "0"
    if node.name in MARKED:
        parameters += [f",{value}," for value in values]
        return "(" + " OR ".join(f"COALESCE(instr({MARKED[node.name]}, ?) > 0, 0)" for _ in values) + ")"
    parameters += values
    return f"COALESCE({COLUMNS[node.name]} IN ({','.join('?' * len(values))}), 0)"


def match_term(term: Term) -> str:
    """A term as an FTS5 phrase; tokens hold no quotes, so nothing needs escaping."""
    phrase = '"' + " ".join(encode_token(unit) for unit in term.units) + '"' + (" *" if term.prefix else "")
    return f"title : {phrase}" if term.title_only else phrase
