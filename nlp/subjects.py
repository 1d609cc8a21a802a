"""Finds the mentions of tracked subjects in a text: one automaton over the terms of all subjects, not a loop over subjects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import ahocorasick

from nlp.relevance import Disambiguator, Relevance, Sense
from tingfeng.errors import QuerySyntaxError, SettingsError
from tingfeng.query import parse_query
from tingfeng.query_match import UnitText, meets
from tingfeng.query_tree import And, FieldIs, Near, Node, Not, NumberIs, Or, Term, TimeIs
from tingfeng.records import Post, Subject
from tingfeng.text import BOUNDARY, SEPARATOR, UNIT, encode_units, join_title, normalise, split_units

Span = tuple[int, int]


@dataclass(frozen=True)
class SubjectMatch:
    """A subject and where it stands: character spans in `normalise(join_title(title, text))`, in order; () when only fields matched."""

    name: str
    spans: tuple[Span, ...]


Ends = dict[tuple[int, bool], None]


class SubjectMatcher:
    """Raises SettingsError naming the subject when its query is wrong or it has nothing to match."""

    def __init__(self, subjects: Sequence[Subject], relevance: Relevance | None = None) -> None:
        relevance = relevance or Relevance()
        self._names = [subject.name for subject in subjects]
        self._trees: dict[int, Node] = {}
        self._always: list[int] = []
        # encoded term → (subject, exclude) of those who look for it; an `exclude` hides the occurrences inside it
        terms: dict[str, Ends] = {}
        senses: dict[int, tuple[str, Sense]] = {}
        for number, subject in enumerate(subjects):
            self._add(terms, number, subject, relevance)
            sense = relevance.sense_of(subject) if not subject.query else None
            if sense is not None:
                senses[number] = (normalise(subject.name), sense)
        self._automaton = ahocorasick.Automaton()
        for encoded, ends in terms.items():
            self._automaton.add_word(encoded, (len(encoded), tuple(ends)))
        if terms:
            self._automaton.make_automaton()
        self._empty = not terms
        self._senses = Disambiguator(senses)

    def _add(self, terms: dict[str, Ends], number: int, subject: Subject, relevance: Relevance) -> None:
        if subject.query:
            try:
                tree = parse_query(subject.query).root
            except QuerySyntaxError as error:
                raise SettingsError(error.message, where=f"监测对象 {subject.name} 的 query") from error
            self._trees[number] = tree
            positive = [term.units for term in positive_terms(tree)]
            if not positive:
                self._always.append(number)
            for units in positive:
                terms.setdefault(encode_units(units), {})[number, False] = None
            return
        words = (subject.name, *subject.aliases)
        for word in (*words, *(other for name in words for other in relevance.spellings(name))):
            terms.setdefault(encode_units(clean_units(word, subject.name)), {})[number, False] = None
        for word in subject.exclude:
            terms.setdefault(encode_units(clean_units(word, subject.name)), {})[number, True] = None

    @property
    def reads_fields(self) -> bool:
        """Whether some subject is found by more than the words of a post and whom its source names."""
        return any(asks_field(tree) for tree in self._trees.values())

    def match(self, post: Post) -> list[SubjectMatch]:
        """Subjects of a post, in the order they were given; those that only its source names (`post.about`) have no spans."""
        found = self._find_spans(join_title(post.title, post.text))
        declared = self._find_spans(post.about) if post.about else {}
        text: UnitText | None = None
        matched = []
        for number in sorted({*found, *declared, *self._always}):
            if number in self._trees:
                text = text or UnitText.of(join_title(post.about, post.title), post.text)
                if not meets(self._trees[number], text, post, None):
                    continue
            matched.append(SubjectMatch(self._names[number], tuple(found.get(number, ()))))
        return matched

    def matches_text(self, text: str) -> bool:
        """Whether a post with this text may mention a subject; used before a detail page is fetched. Never a false no."""
        return bool(self._always) or bool(self._find_spans(text, doubt=False))

    def _find_spans(self, text: str, doubt: bool = True) -> dict[int, list[Span]]:
        normalised = normalise(text)
        units = split_units(normalised)
        if self._empty or not units:
            return {}
        encoded = encode_units(units)
        hits = list(self._automaton.iter(encoded))
        if not hits:  # most texts name nobody
            return {}
        places = [unit.span() for unit in UNIT.finditer(normalised)]
        found: dict[int, list[Span]] = {}
        hidden: dict[int, list[Span]] = {}
        for end, (length, ends) in hits:
            first, last = encoded.count(SEPARATOR, 0, end - length + 1), encoded.count(SEPARATOR, 0, end) - 1
            for number, exclude in ends:
                (hidden if exclude else found).setdefault(number, []).append((places[first][0], places[last][1]))
        for number, spans in hidden.items():
            if number in found:
                found[number] = [a for a in found[number] if not any(h[0] <= a[0] and a[1] <= h[1] for h in spans)]
        left = {number: spans for number, spans in found.items() if spans}
        meant = self._senses.keep_meant(normalised, left) if doubt else left
        return {number: sorted(set(spans)) for number, spans in meant.items()}


def clean_units(word: str, subject: str) -> tuple[str, ...]:
    """Units of a name or alias. Raises SettingsError when it holds nothing that can be matched."""
    units = split_units(normalise(word))
    while units and units[-1] == BOUNDARY:
        units.pop()
    while units and units[0] == BOUNDARY:
        units.pop(0)
    if not units:
        raise SettingsError(f"“{word}”里没有可以匹配的字", where=f"监测对象 {subject}", hint="请写汉字、字母或数字")
    return tuple(units)


def positive_terms(node: Node) -> Iterator[Term]:
    """Terms that can be the reason of a match; none when a prefix, a pattern or a field alone can be."""
    terms = list(walk_terms(node))
    return iter(()) if not covers(node) else iter(terms)


def covers(node: Node) -> bool:
    """Whether every match of the node holds at least one of its terms as whole units."""
    if isinstance(node, Term):
        return not node.prefix
    if isinstance(node, And):
        return any(covers(child) for child in node.nodes)
    if isinstance(node, Or):
        return all(covers(child) for child in node.nodes)
    return isinstance(node, Near) and not any(term.prefix for term in (*node.left, *node.right))


def asks_field(node: Node) -> bool:
    """Whether a part of the query looks at anything but words."""
    if isinstance(node, And | Or):
        return any(map(asks_field, node.nodes))
    if isinstance(node, Not):
        return asks_field(node.node)
    return isinstance(node, FieldIs | NumberIs | TimeIs)


def walk_terms(node: Node) -> Iterator[Term]:
    """All terms outside NOT."""
    if isinstance(node, Term):
        yield node
    elif isinstance(node, Near):
        yield from (*node.left, *node.right)
    elif isinstance(node, And | Or):
        for child in node.nodes:
            if not isinstance(child, Not):
                yield from walk_terms(child)
