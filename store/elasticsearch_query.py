"""Translates a query tree into Elasticsearch's query DSL over the documents of `mentions`.

NEAR counts characters, so a unit of several characters takes as many places in the index: FILLERs stand behind it. What the index cannot
say exactly all the same (a prefix inside NEAR, a very long unit) becomes a condition that holds for every match and perhaps for more;
`exact` is then False and each document is asked again by the matcher, as on SQLite.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from store.elasticsearch_client import Json
from store.sqlite_rows import to_ms
from tingfeng.errors import QuerySyntaxError
from tingfeng.query import Query
from tingfeng.query_tree import And, FieldIs, Near, Node, Not, NumberIs, Or, Pattern, Term, TimeIs

LONGEST = 100  # the whitespace tokenizer cuts at 255
FILLER = "_"  # no unit: those are word-like, or the boundary
NEVER = "__"  # no token either
WIDEST = 64  # places that a unit may take; NEAR over more than that asks the matcher
MOST_PAIRS = 100  # of what stands left and right, in all NEARs of a query: the server limits clauses; more of them ask the matcher
DEEPEST = 24  # the server refuses bool queries nested more than 30 deep
EVERYTHING: Json = {"match_all": {}}
NOTHING: Json = {"match_none": {}}
FIELDS = {"act": "acts", "topic": "topics"}
RANGES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


@dataclass(frozen=True)
class Condition:
    """A query clause."""

    clause: Json
    exact: bool


def encode_unit(unit: str) -> str:
    """A unit as one token. A very long one is cut and marked with its hash: equal tokens still mean equal units."""
    if len(unit) <= LONGEST:
        return unit
    return f"{unit[:LONGEST]}…{hashlib.blake2b(unit.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def spell_units(units: Sequence[str]) -> list[str]:
    """Tokens of consecutive units, as many as they have characters."""
    return [token for unit in units for token in (encode_unit(unit), *[FILLER] * (min(len(unit), WIDEST) - 1))]


def spell_phrase(units: Sequence[str]) -> list[str]:
    """What stands for the units in a query: the last one's fillers say nothing more."""
    return [*spell_units(units[:-1]), encode_unit(units[-1])]


def translate(query: Query | None) -> Condition:
    """The condition of a query; None means everything. Raises QuerySyntaxError for what only monitoring may use."""
    if query is None:
        return Condition(EVERYTHING, True)
    writer = Writer()
    clause = writer.write(query.root, True, 0)
    return Condition(clause, writer.exact)


class Writer:
    """Writes clauses; `upper`: the clause may hold for more documents than the node, else for fewer (inside NOT)."""

    def __init__(self) -> None:
        self.exact = True
        self._pairs = 0

    def write(self, node: Node, upper: bool, depth: int) -> Json:
        if isinstance(node, And | Or | Not) and depth >= DEEPEST:
            return self._guess(upper, EVERYTHING)
        if isinstance(node, And):
            return {"bool": {"filter": [self.write(child, upper, depth + 1) for child in node.nodes]}}
        if isinstance(node, Or):
            return any_of([self.write(child, upper, depth + 1) for child in node.nodes])
        if isinstance(node, Not):
            return {"bool": {"must_not": [self.write(node.node, not upper, depth + 1)]}}
        if isinstance(node, Term):
            return any_of([self._term(node, name, upper) for name in (("title",) if node.title_only else ("title", "body"))])
        if isinstance(node, Near):
            return self._near(node, upper)
        if isinstance(node, FieldIs):
            values = [value for value in node.values if value]
            return {"terms": {FIELDS.get(node.name, node.name): values}} if values else NOTHING
        if isinstance(node, NumberIs):
            return {"term": {node.name: node.value}} if node.op == "=" else {"range": {node.name: {RANGES[node.op]: node.value}}}
        if isinstance(node, TimeIs):
            return {"range": {"counted_ms": {"gte" if node.op == "since" else "lt": to_ms(node.at)}}}
        assert isinstance(node, Pattern)
        raise QuerySyntaxError("搜索里不能用正则表达式", position=0, hint="请改用词、短语或 NEAR")

    def _guess(self, upper: bool, clause: Json) -> Json:
        """A clause that holds for more than it should: the matcher will be asked."""
        self.exact = False
        return clause if upper else NOTHING

    def _term(self, term: Term, name: str, upper: bool) -> Json:
        """A term in one field."""
        if not term.prefix:
            return phrase(name, spell_phrase(term.units))
        beginning = {"prefix": {name: term.units[-1][:LONGEST]}}
        before = term.units[:-1]
        if not before and len(term.units[0]) <= LONGEST:
            return beginning
        return self._guess(upper, {"bool": {"filter": [phrase(name, spell_phrase(before)), beginning]}} if before else beginning)

    def _near(self, near: Near, upper: bool) -> Json:
        """Both sides in one field, in either order."""
        pairs = [(left, right) for left in near.left for right in near.right]
        self._pairs += len(pairs)
        if near.distance < WIDEST and self._pairs <= MOST_PAIRS and not any(term.prefix for term in (*near.left, *near.right)):
            # each pair by itself: a disjunction inside an interval would hide a longer term behind a shorter one
            orders = [order for pair in pairs for order in (pair, pair[::-1])]
            return any_of([follow(name, first, second, near.distance) for name in ("title", "body") for first, second in orders])
        fields = [
            {"bool": {"filter": [any_of([self._term(term, name, True) for term in side]) for side in (near.left, near.right)]}}
            for name in ("title", "body")
        ]
        return self._guess(upper, any_of(fields))


def follow(name: str, first: Term, second: Term, distance: int) -> Json:
    """One term after the other, with at most so many characters between."""
    rules: list[Json] = [{"match": {"query": " ".join(spell_units(term.units)), "ordered": True, "max_gaps": 0}} for term in (first, second)]
    if first == second:  # the server would make one rule of two equal ones, and miscount what stands between
        rules[1]["match"]["filter"] = {"not_containing": {"match": {"query": NEVER}}}
    return {"intervals": {name: {"all_of": {"intervals": rules, "ordered": True, "max_gaps": distance}}}}


def any_of(clauses: list[Json]) -> Json:
    """At least one."""
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses, "minimum_should_match": 1}}


def phrase(name: str, tokens: list[str]) -> Json:
    """Tokens one after the other."""
    return {"term": {name: tokens[0]}} if len(tokens) == 1 else {"match_phrase": {name: " ".join(tokens)}}
