"""The matcher: what a query means. Stores translate the tree and must give the same answers."""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from tingfeng.query import Query
from tingfeng.query_pattern import compile_pattern
from tingfeng.query_tree import And, FieldIs, Near, Node, Not, NumberIs, Or, Pattern, Term, TimeIs
from tingfeng.records import Mention, Post
from tingfeng.text import SEPARATOR, encode_units, normalise, split_units

OF_MENTIONS = frozenset({"subject", "sentiment", "act", "topic", "severity", "stage"})
COMPARE = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt}


@dataclass(frozen=True)
class UnitText:
    """Title and text of a post, encoded once and matched many times; `lines` are both normalised, a line each, for patterns.

    A term never crosses from title to text; nor does a pattern, unless it names the line break.
    """

    title: str
    text: str
    lines: str

    @staticmethod
    def of(title: str, text: str) -> UnitText:
        head, body = normalise(title), normalise(text)
        return UnitText(encode_units(split_units(head)), encode_units(split_units(body)), f"{head}\n{body}")


def matches(query: Query, post: Post, mention: Mention | None) -> bool:
    """Whether the post (and the mention, for fields that belong to it) meets the query."""
    return meets(query.root, UnitText.of(post.title, post.text), post, mention)


def meets(node: Node, text: UnitText, post: Post, mention: Mention | None) -> bool:
    """The same for an encoded text."""
    if isinstance(node, Term):
        return holds_term(node, text)
    if isinstance(node, And):
        return all(meets(child, text, post, mention) for child in node.nodes)
    if isinstance(node, Or):
        return any(meets(child, text, post, mention) for child in node.nodes)
    if isinstance(node, Not):
        return not meets(node.node, text, post, mention)
    if isinstance(node, Near):
        return holds_near(node, text.title) or holds_near(node, text.text)
    if isinstance(node, Pattern):
        return compile_pattern(node.pattern).search(text.lines) is not None
    if isinstance(node, FieldIs):
        return bool(field_values(node.name, post, mention) & set(node.values))
    if isinstance(node, NumberIs):
        number = post.rating if node.name == "rating" else getattr(post.engagement, node.name)
        return number is not None and bool(COMPARE[node.op](number, node.value))
    assert isinstance(node, TimeIs)
    return post.counted_at >= node.at if node.op == "since" else post.counted_at < node.at


def needle_of(term: Term) -> str:
    """What to look for in an encoded text."""
    encoded = encode_units(term.units)
    return encoded[: -len(SEPARATOR)] if term.prefix else encoded


def holds_term(term: Term, text: UnitText) -> bool:
    """Whether the term stands in the title or the text."""
    needle = needle_of(term)
    return needle in text.title or (not term.title_only and needle in text.text)


def find_term(term: Term, encoded: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each occurrence in an encoded text; `end` at the separator after the last unit, so neighbours share one."""
    needle = needle_of(term)
    start = encoded.find(needle)
    while start >= 0:
        end = (
            encoded.find(SEPARATOR, start + len(needle) - 1)
            if not term.prefix
            else encoded.find(SEPARATOR, start + len(needle))
        )
        yield start, end
        start = encoded.find(needle, start + 1)


def holds_near(near: Near, encoded: str) -> bool:
    """Both sides, either order, not overlapping, at most `distance` characters between (a Latin word counts its letters)."""
    left = sorted(span for term in near.left for span in find_term(term, encoded))
    right = sorted(span for term in near.right for span in find_term(term, encoded))
    return follows(left, right, near.distance, encoded) or follows(right, left, near.distance, encoded)


def follows(first: list[tuple[int, int]], second: list[tuple[int, int]], distance: int, encoded: str) -> bool:
    """Whether one of `second` begins at most `distance` characters after the end of one of `first`; linear in the occurrences."""
    starts = [start for start, _ in second]
    for _, end in first:
        index = bisect_left(starts, end)
        # each unit has at least one character and brings one separator: n characters span at most 2n places
        if index < len(starts) and starts[index] - end <= 2 * distance:
            between = encoded[end : starts[index] + 1]
            if len(between) - between.count(SEPARATOR) <= distance:
                return True
    return False


def field_values(name: str, post: Post, mention: Mention | None) -> set[str]:
    """What the post or its mention says in a field; empty when it says nothing."""
    if name in OF_MENTIONS:
        return set() if mention is None else mention_values(name, mention)
    values = {
        "source": post.source,
        "kind": str(post.kind),
        "author_type": post.author.verified_type,
        "region": post.author.region,
        "owned": "true" if post.owned else "false",
    }
    return {values[name]} if values[name] else set()


def mention_values(name: str, mention: Mention) -> set[str]:
    """What a mention says in a field; empty when it was not judged."""
    if name == "act":
        return {str(act) for act in mention.acts}
    if name == "topic":
        return {str(opinion.topic) for opinion in mention.opinions}
    value = getattr(mention, name)
    return {str(value)} if value is not None else set()
