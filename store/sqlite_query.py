"""Translates a query tree into SQL over `posts p`, `mentions m` and the full-text table `search`; the answer is the matcher's.

What text a hit must hold goes into one expression of FTS5 (`match`), which drives the search; the rest becomes SQL. NEAR is looked
for by tokens, of which there are never more than characters, and confirmed by the matcher inside SQL (sqlite_near.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from store.sqlite_near import dump_near
from store.sqlite_rows import encode_token, to_ms
from store.sqlite_schema import LOUD, LOUD_FROM
from tingfeng.errors import QuerySyntaxError
from tingfeng.query import Query
from tingfeng.query_tree import And, FieldIs, Near, Node, Not, NumberIs, Or, Pattern, Term, TimeIs

COLUMNS = {
    "source": "p.source", "kind": "p.kind", "author_type": "p.author_type", "region": "p.region", "owned": "p.owned",
    "subject": "m.subject", "sentiment": "m.sentiment", "severity": "m.severity", "stage": "m.stage",
}  # fmt: skip
MARKED = {"act": "m.acts", "topic": "m.topics"}
ROLLED = frozenset({"subject", "source", "sentiment"})
LABELS = frozenset({"act", "topic", "severity", "stage"})
MOST_PAIRS = 16  # of a NEAR; beyond it both sides are only asked for
FROM_BELOW = frozenset({">", ">="})


@dataclass(frozen=True)
class Condition:
    """`match`: FTS5 expression that every hit meets, '' for none. `sql` with `parameters`: what else holds; bound to rows :lo … :hi.

    `since_ms`, `until_ms`: the span that the query itself names. `rolled`: the whole query when the roll-ups can
    answer it: fields that they keep, at most one of them a label with one value, and then no source.
    `few`: a statement for the rows of posts among which all hits are, found along an index of rare values; '' when there is none.
    """

    match: str = ""
    sql: str = "1"
    parameters: dict[str, object] = field(default_factory=dict)
    since_ms: int | None = None
    until_ms: int | None = None
    rolled: tuple[FieldIs, ...] | None = None
    few: str = ""

    @property
    def reads_posts(self) -> bool:
        """Whether `sql` needs the row of the post."""
        return "p." in self.sql

    @property
    def reads_index(self) -> bool:
        """Whether the full-text index is asked."""
        return bool(self.match) or "MATCH" in self.sql


def translate(query: Query | None, with_unmatched: bool = False) -> Condition:
    """The condition of a query; None means everything. Raises QuerySyntaxError for what only monitoring may use."""
    if query is None:
        return Condition(rolled=())
    holding: list[str] = []
    lacking: list[str] = []
    others: list[Node] = []
    spans: list[TimeIs] = []
    for node in flatten(query.root):
        guard = guard_of(node)
        if guard is not None:
            holding.append(guard)
        if isinstance(node, Not) and (text := text_of(node.node)) is not None:
            lacking.append(text)
        elif isinstance(node, TimeIs):
            spans.append(node)
        elif text_of(node) is None:
            others.append(node)
    if lacking and not holding:
        others += [node for node in flatten(query.root) if isinstance(node, Not) and text_of(node.node) is not None]
        lacking = []
    # without posts that have no mention, the mention knows source and post
    writer = Writer(COLUMNS | {"row": "p.row"} if with_unmatched else COLUMNS | {"source": "m.source", "row": "m.post_row"})
    parts = [writer.write(node) for node in sorted(others, key=lambda node: isinstance(node, Near))]
    fields = tuple(node for node in others if isinstance(node, FieldIs) and node.name in ROLLED | LABELS)
    few = write_few(others, Writer(COLUMNS, writer.parameters))
    return Condition(
        match=join_text(holding, lacking),
        sql=" AND ".join(parts) or "1",
        parameters=writer.parameters,
        since_ms=max((to_ms(one.at) for one in spans if one.op == "since"), default=None),
        until_ms=min((to_ms(one.at) for one in spans if one.op == "until"), default=None),
        rolled=fields if len(fields) == len(others) and not holding and can_roll(fields) else None,
        few=few,
    )


def write_few(nodes: Sequence[Node], writer: Writer) -> str:
    """Rows of posts that are loud enough for an index of few rows (sqlite_schema.py), and of the sources asked for."""
    number = next((one for one in nodes if isinstance(one, NumberIs) and one.name in LOUD and one.op in FROM_BELOW and one.value >= LOUD_FROM), None)
    if number is None:
        return ""
    sources = [writer.write(one) for one in nodes if isinstance(one, FieldIs) and one.name == "source"]
    # the figure must stand in the statement for SQLite to see that the index holds every such row
    wanted = [f"p.{number.name} >= {LOUD_FROM}", f"p.{number.name} {number.op} {writer.keep(number.value)}", *sources]
    return f"SELECT p.row FROM posts p INDEXED BY posts_by_{number.name} WHERE {' AND '.join(wanted)}"


def can_roll(fields: tuple[FieldIs, ...]) -> bool:
    """Whether one roll-up holds all of these fields."""
    labels = [one for one in fields if one.name in LABELS]
    if not labels:
        return True
    return len(labels) == 1 and len(labels[0].values) == 1 and all(one.name != "source" for one in fields)


def flatten(node: Node) -> list[Node]:
    """What must hold all together."""
    return [one for child in node.nodes for one in flatten(child)] if isinstance(node, And) else [node]


def match_term(term: Term) -> str:
    """A term as an FTS5 phrase; tokens hold no quotes, so nothing needs escaping."""
    phrase = '"' + " ".join(encode_token(unit) for unit in term.units) + '"' + (" *" if term.prefix else "")
    return f"title : {phrase}" if term.title_only else phrase


def join_text(holding: Iterable[str], lacking: Iterable[str]) -> str:
    """`(a) AND (b) NOT ((c) OR (d))`; '' when nothing must be held."""
    held = " AND ".join(f"({text})" for text in holding)
    missed = " OR ".join(f"({text})" for text in lacking)
    return f"({held}) NOT ({missed})" if held and missed else held


def text_of(node: Node) -> str | None:
    """The node as an FTS5 expression that says exactly the same; None where there is none."""
    if isinstance(node, Term):
        return match_term(node)
    if isinstance(node, Or):
        parts = [text_of(child) for child in node.nodes]
        return None if None in parts else " OR ".join(f"({part})" for part in parts)
    if isinstance(node, And):
        held = [text_of(child) for child in flatten(node) if not isinstance(child, Not)]
        missed = [text_of(child.node) for child in flatten(node) if isinstance(child, Not)]
        if not held or None in held or None in missed:
            return None
        return join_text(filter(None, held), filter(None, missed))
    return None


def guard_of(node: Node) -> str | None:
    """An FTS5 expression that holds wherever the node does; None where there is none."""
    exact = text_of(node)
    if exact is not None:
        return exact
    if isinstance(node, Near):
        return match_near(node)
    if isinstance(node, And | Or):
        parts = [guard_of(child) for child in node.nodes]
        known = [part for part in parts if part is not None]
        if not known or (isinstance(node, Or) and len(known) < len(parts)):
            return None
        return (" AND " if isinstance(node, And) else " OR ").join(f"({part})" for part in known)
    return None


def match_near(near: Near) -> str:
    """Both sides within as many tokens; tokens have at least one character, so nothing is missed."""
    terms = [*near.left, *near.right]
    if len(near.left) * len(near.right) > MOST_PAIRS or any(term.title_only for term in terms):
        sides = (" OR ".join(map(match_term, side)) for side in (near.left, near.right))
        return " AND ".join(f"({side})" for side in sides)
    pairs = (f"NEAR({match_term(a)} {match_term(b)}, {near.distance})" for a in near.left for b in near.right)
    return " OR ".join(pairs)


class Writer:
    """Writes nodes as SQL that is true or false, never NULL, and collects the parameters."""

    def __init__(self, columns: Mapping[str, str], parameters: dict[str, object] | None = None) -> None:
        """`parameters`: those of another part of the same statement."""
        self._columns = columns
        self.parameters = {} if parameters is None else parameters

    def keep(self, value: object) -> str:
        """The name of a parameter."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def write(self, node: Node) -> str:
        """The node, exactly."""
        text = text_of(node)
        if text is not None:
            return self.write_match(text)
        if isinstance(node, And | Or):
            return (
                "("
                + (" AND " if isinstance(node, And) else " OR ").join(self.write(child) for child in node.nodes)
                + ")"
            )
        if isinstance(node, Not):
            return f"NOT {self.write(node.node)}"
        if isinstance(node, Near):
            return f"({self.write_match(match_near(node))} AND near_holds({self.keep(dump_near(node))}, p.title, p.text))"
        if isinstance(node, FieldIs):
            return self.write_field(node)
        if isinstance(node, NumberIs):
            return f"COALESCE(p.{node.name} {node.op} {self.keep(node.value)}, 0)"
        if isinstance(node, TimeIs):
            return f"(p.counted_ms {'>=' if node.op == 'since' else '<'} {self.keep(to_ms(node.at))})"
        assert isinstance(node, Pattern)
        raise QuerySyntaxError("搜索里不能用正则表达式", position=0, hint="请改用词、短语或 NEAR")

    def write_match(self, text: str) -> str:
        """Posts that the full-text index names."""
        found = f"SELECT rowid FROM search WHERE search MATCH {self.keep(text)} AND rowid BETWEEN :lo AND :hi"
        return f"{self._columns['row']} IN ({found})"

    def write_field(self, node: FieldIs) -> str:
        """A field holds one of the values; an empty value never matches."""
        values = [value for value in node.values if value]
        if not values:
            return "0"
        if node.name in MARKED:
            column = MARKED[node.name]
            found = (f"COALESCE(instr({column}, {self.keep(f',{value},')}) > 0, 0)" for value in values)
            return "(" + " OR ".join(found) + ")"
        if len(values) == 1:
            return f"{self._columns[node.name]} IS {self.keep(values[0])}"
        return f"COALESCE({self._columns[node.name]} IN ({', '.join(map(self.keep, values))}), 0)"
