"""Finds the mentions of tracked subjects in a text: one table over the terms of all subjects, not a loop over subjects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tingfeng.errors import QuerySyntaxError, SettingsError
from tingfeng.query import parse_query
from tingfeng.query_match import UnitText, meets
from tingfeng.query_tree import And, Near, Node, Not, Or, Term
from tingfeng.records import Post, Subject
from tingfeng.text import BOUNDARY, join_title, normalise, split_units, unit_spans

Span = tuple[int, int]


@dataclass(frozen=True)
class SubjectMatch:
    """A subject and where it stands: character spans in `normalise(join_title(title, text))`, in order; () when only fields matched."""

    name: str
    spans: tuple[Span, ...]


@dataclass
class Step:
    """A step in the tree of all terms: the next units, and (subject, exclude) of the terms that end here.

    An `exclude` hides the occurrences inside it.
    """

    next: dict[str, Step] = field(default_factory=dict)
    ends: list[tuple[int, bool]] = field(default_factory=list)


class SubjectMatcher:
    """Raises SettingsError naming the subject when its query is wrong or it has nothing to match."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._names = [subject.name for subject in subjects]
        self._trees: dict[int, Node] = {}
        self._always: list[int] = []
        self._first = Step()
        for number, subject in enumerate(subjects):
            self._add(number, subject)

    def _add(self, number: int, subject: Subject) -> None:
        if subject.query:
            try:
                tree = parse_query(subject.query).root
            except QuerySyntaxError as error:
                raise SettingsError(error.message, where=f"监测对象 {subject.name} 的 query") from error
            self._trees[number] = tree
            terms = [term.units for term in positive_terms(tree)]
            if not terms:
                self._always.append(number)
            for units in terms:
                self._index(units, number, exclude=False)
            return
        for word in (subject.name, *subject.aliases):
            self._index(clean_units(word, subject.name), number, exclude=False)
        for word in subject.exclude:
            self._index(clean_units(word, subject.name), number, exclude=True)

    def _index(self, units: tuple[str, ...], number: int, *, exclude: bool) -> None:
        step = self._first
        for unit in units:
            step = step.next.setdefault(unit, Step())
        if (number, exclude) not in step.ends:
            step.ends.append((number, exclude))

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
        return bool(self._always) or bool(self._find_spans(text))

    def _find_spans(self, text: str) -> dict[int, list[Span]]:
        normalised = normalise(text)
        units = split_units(normalised)
        places: list[tuple[str, int, int]] = []  # made at the first hit only: most texts have none
        found: dict[int, list[Span]] = {}
        hidden: dict[int, list[Span]] = {}
        for at, unit in enumerate(units):
            step, last = self._first.next.get(unit), at
            while step is not None:
                for subject, exclude in step.ends:
                    places = places or list(unit_spans(normalised))
                    (hidden if exclude else found).setdefault(subject, []).append((places[at][1], places[last][2]))
                last += 1
                step = step.next.get(units[last]) if last < len(units) else None
        for number, spans in hidden.items():
            if number in found:
                found[number] = [a for a in found[number] if not any(h[0] <= a[0] and a[1] <= h[1] for h in spans)]
        return {number: sorted(set(spans)) for number, spans in found.items() if spans}


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
