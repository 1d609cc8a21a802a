"""What a query would find among stored posts, before anybody relies on it: hits, samples, what each clause brings, what to exclude."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nlp.relevance import Relevance
from nlp.subjects import positive_terms
from nlp.words import load_jieba
from tingfeng.query import Query
from tingfeng.query_match import UnitText, meets
from tingfeng.query_tree import And, FieldIs, Near, Node, Not, NumberIs, Or, Pattern, Term, TimeIs
from tingfeng.records import Mention, Post
from tingfeng.text import join_title, normalise

SAMPLES = 20
# a longer word around a term is worth showing when it makes up this much of the hits
LEAST_HITS, LEAST_SHARE = 2, 0.01
MOST_EXCLUSIONS = 20


@dataclass(frozen=True)
class ClauseShare:
    """A clause of the query. `hits`: hits that meet it; `alone`: hits that would be lost without it; `kept_out`: posts that a NOT turns away."""

    clause: str
    hits: int
    alone: int
    kept_out: int


@dataclass(frozen=True)
class Exclusion:
    """A longer word in which a term stands, in how many hits, with one of them."""

    word: str
    hits: int
    sample: str


@dataclass(frozen=True)
class Trial:
    """`posts` looked at; `samples` spread evenly over the hits, oldest first."""

    posts: int
    hits: int
    samples: tuple[Post, ...]
    clauses: tuple[ClauseShare, ...]
    exclusions: tuple[Exclusion, ...]


Seen = tuple[Post, UnitText, Mention | None]


def try_query(query: Query, posts: Iterable[tuple[Post, Mention | None]], relevance: Relevance) -> Trial:
    """`posts` may hold a post several times, once a mention; it counts once."""
    seen: list[Seen] = [(post, UnitText.of(post.title, post.text), mention) for post, mention in posts]
    hits = first_of_each([one for one in seen if meets(query.root, one[1], one[0], one[2])])
    hits.sort(key=lambda one: (one[0].counted_at, one[0].id))
    step = max(1, len(hits) / SAMPLES)
    samples = tuple(hits[int(place * step)][0] for place in range(min(SAMPLES, len(hits))))
    return Trial(
        posts=len({post.id for post, _, _ in seen}),
        hits=len(hits),
        samples=samples,
        clauses=tuple(share_clauses(query.root, seen, {post.id for post, _, _ in hits})),
        exclusions=suggest_exclusions(query.root, [post for post, _, _ in hits], relevance),
    )


def first_of_each(seen: Sequence[Seen]) -> list[Seen]:
    """One entry a post."""
    return list({one[0].id: one for one in reversed(seen)}.values())


def share_clauses(root: Node, seen: Sequence[Seen], hits: set[str]) -> Iterable[ClauseShare]:
    """Every leaf of the tree, in the order of writing."""
    for leaf, negative in walk_leaves(root, False):
        without = remove_leaf(root, leaf)
        meeting = {post.id for post, text, mention in seen if post.id in hits and meets(leaf, text, post, mention)}
        found = {post.id for post, text, mention in seen if without and meets(without, text, post, mention)}
        yield ClauseShare(
            f"NOT {describe_node(leaf)}" if negative else describe_node(leaf),
            0 if negative else len(meeting),
            0 if negative else len(hits - found),
            len(found - hits) if negative else 0,
        )


def walk_leaves(node: Node, negative: bool) -> Iterable[tuple[Node, bool]]:
    """(leaf, whether a NOT stands before it)."""
    if isinstance(node, And | Or):
        for child in node.nodes:
            yield from walk_leaves(child, negative)
    elif isinstance(node, Not):
        yield from walk_leaves(node.node, not negative)
    else:
        yield node, negative


def remove_leaf(node: Node, leaf: Node) -> Node | None:
    """The tree without one leaf; None when nothing is left."""
    if node is leaf:
        return None
    if isinstance(node, Not):
        inner = remove_leaf(node.node, leaf)
        return Not(inner) if inner else None
    if isinstance(node, And | Or):
        kept = tuple(found for child in node.nodes if (found := remove_leaf(child, leaf)) is not None)
        if not kept:
            return None
        return kept[0] if len(kept) == 1 else type(node)(kept)
    return node


def describe_node(node: Node) -> str:
    """A leaf as it is written."""
    if isinstance(node, Term):
        words = show_units(node)
        return f"title:{words}" if node.title_only else words
    if isinstance(node, Near):
        left, right = (" OR ".join(map(show_units, side)) for side in (node.left, node.right))
        return f"NEAR/{node.distance}({left} {right})"
    if isinstance(node, FieldIs):
        return f"{node.name}:{' OR '.join(node.values)}"
    if isinstance(node, NumberIs):
        return f"{node.name}:{node.op}{node.value:g}"
    if isinstance(node, TimeIs):
        return f"{node.op}:{node.at.isoformat()}"
    assert isinstance(node, Pattern)
    return f"/{node.pattern}/"


def show_units(term: Term) -> str:
    """Latin units apart, Han together."""
    text = ""
    for unit in term.units:
        text += f" {unit}" if text and (unit.isascii() or text[-1].isascii()) else unit
    return f"{text}*" if term.prefix else text


def suggest_exclusions(root: Node, hits: Sequence[Post], relevance: Relevance) -> tuple[Exclusion, ...]:
    """Longer words around a term that stand in several hits: those listed as another sense first, then those that jieba knows."""
    terms = ["".join(term.units) for term in positive_terms(root)]
    listed = {
        word for term in terms if term in relevance.senses for word in relevance.senses[term].speak_against if term in word
    }  # fmt: skip
    counts: Counter[str] = Counter()
    samples: dict[str, str] = {}
    for post in hits:
        plain = normalise(join_title(post.title, post.text))
        around = {word for word in listed if word in plain}
        around |= {word for word in load_jieba().lcut(plain) if any(term in word and len(word) > len(term) for term in terms)}
        for word in around:
            counts[word] += 1
            samples.setdefault(word, cut_around(plain, word))
    least = max(LEAST_HITS, LEAST_SHARE * len(hits))
    ranked = sorted(counts, key=lambda word: (word not in listed, -counts[word], word))
    return tuple(Exclusion(word, counts[word], samples[word]) for word in ranked if counts[word] >= least)[:MOST_EXCLUSIONS]


def cut_around(plain: str, word: str) -> str:
    """The word with twelve characters to both sides."""
    at = plain.find(word)
    return plain[max(0, at - 12) : at + len(word) + 12]
