"""Finds thousands of cues in one pass. A cue is written as people would: literal characters and four marks.

`a…b` up to eight characters between, `a_b` up to two, both within a clause; `a→b` in the same clause or the next; `(a|b)` either;
`a?` or not; `^a` at the beginning of a clause, `a$` at its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import ahocorasick

from tingfeng.errors import SettingsError
from tingfeng.text import normalise

GAPS = {"…": 8, "_": 2, "→": 30}
ACROSS = GAPS["→"]
MOST_FORMS = 4000
# `态度…好` does not stand in `态度还不好`
TURNED = re.compile(r"[不没无未](?![仅但光知到止多久几错少断管论])")
SPLIT = re.compile(r"([…_→])")


class Tag(NamedTuple):
    """What a cue stands for: `family` is the step that reads it, `name` the group within."""

    family: str
    name: str


class Hit(NamedTuple):
    """A cue that was found: character span in the normalised text, group, and number of the clause."""

    start: int
    end: int
    name: str
    clause: int


@dataclass(frozen=True)
class Pattern:
    """A cue that was read: the words of each part, the gap before each further part, and whether it is bound to the clause's edges."""

    parts: tuple[tuple[str, ...], ...]
    gaps: tuple[int, ...]
    at_start: bool
    at_end: bool


def read_cue(written: str, where: str) -> Pattern:
    """Raises SettingsError for brackets that do not pair, an empty part, a gap inside brackets or too many forms."""
    text = written.strip()
    at_start, at_end = text.startswith("^"), text.endswith("$")
    marked = SPLIT.split(text.removeprefix("^").removesuffix("$"))
    parts = tuple(read_part(part, written, where) for part in marked[0::2])
    return Pattern(parts, tuple(GAPS[mark] for mark in marked[1::2]), at_start, at_end)


def read_part(part: str, written: str, where: str) -> tuple[str, ...]:
    """The words that one part of a cue stands for, normalised."""
    forms, rest = read_choices(part, 0)
    if rest != len(part):
        raise SettingsError(f"“{written}”的括号不成对", where=where, hint="例如 (不|拒绝)…退款;… 和 _ 要写在括号外面")
    if len(forms) > MOST_FORMS:
        raise SettingsError(f"“{written}”的写法超过 {MOST_FORMS} 种", where=where, hint="请拆成几条")
    words = tuple(dict.fromkeys(normalise(form) for form in forms))
    if not all(words):
        raise SettingsError(f"“{written}”里有空的一段", where=where, hint="… 和 _ 两边都要有字")
    return words


def read_choices(text: str, at: int) -> tuple[list[str], int]:
    """The forms of `a|b?(c|d)` from `at` on, and where they ended: at a closing bracket, or at the end."""
    done: list[str] = []
    forms = [""]
    while at < len(text) and text[at] != ")":
        if text[at] == "|":
            done, forms, at = done + forms, [""], at + 1
            continue
        if text[at] == "(":
            choices, at = read_choices(text, at + 1)
            if at >= len(text):
                return forms, len(text) + 1
            at += 1
        else:
            choices, at = [text[at]], at + 1
        if at < len(text) and text[at] == "?":
            choices, at = [*choices, ""], at + 1
        if len(forms) * len(choices) > MOST_FORMS:
            return forms * len(choices), len(text)
        forms = [head + tail for head, tail in product(forms, choices)]
    return [*done, *forms], at


Key = str | tuple[int, int]
Span = tuple[int, int]


@dataclass(frozen=True)
class Ending:
    """What the automaton knows at the end of a word: the cues it is, whether it may begin a longer one, and those it may go on with.

    `joins`: a word before it, or (number, place) of a cue that is read so far → numbers and places of the cues that go on here.
    """

    word: str
    latin: bool
    whole: list[tuple[Tag, bool, bool]]
    begins: list[bool]
    joins: dict[Key, list[tuple[int, int]]]


class CueBook:
    """All cues of all steps in one automaton. Reading a text changes nothing in it."""

    def __init__(self, cues: Mapping[Tag, Iterable[str]]) -> None:
        self._patterns: list[tuple[Tag, Pattern]] = []
        endings: dict[str, Ending] = {}
        for tag, lines in cues.items():
            for pattern in (read_cue(line, f"{tag.family} {tag.name}") for line in lines):
                self._add(endings, tag, pattern)
        self._automaton = ahocorasick.Automaton()
        for word, ending in endings.items():
            ending.whole[:] = dict.fromkeys(ending.whole)
            self._automaton.add_word(word, ending)
        self._automaton.make_automaton()
        self._empty = not endings

    def _add(self, endings: dict[str, Ending], tag: Tag, pattern: Pattern) -> None:
        for word in {word for part in pattern.parts for word in part}:
            if word not in endings:
                endings[word] = Ending(word, is_latin(word[0]) or is_latin(word[-1]), [], [], {})
        places = [[endings[word] for word in part] for part in pattern.parts]
        if len(places) == 1:
            for ending in places[0]:
                ending.whole.append((tag, pattern.at_start, pattern.at_end))
            return
        number = len(self._patterns)
        self._patterns.append((tag, pattern))
        for ending in places[0]:
            ending.begins[:] = [True]
        for place in range(1, len(places)):
            keys: list[Key] = list(pattern.parts[0]) if place == 1 else [(number, place - 1)]
            for ending in places[place]:
                for key in keys:
                    ending.joins.setdefault(key, []).append((number, place))

    def find(self, plain: str, clauses: Sequence[tuple[int, int]]) -> dict[str, list[Hit]]:
        """Family → hits in order of their ends. `clauses` are the spans of the clauses, in order."""
        found: dict[str, list[Hit]] = {}
        if self._empty or not clauses:
            return found
        number, (clause_start, clause_end), last = 0, clauses[0], len(clauses) - 1
        begun: dict[Key, Span] = {}  # what may go on → where the cue began and where this part ended, the latest of each
        older = 0  # where the clause before this one begins
        for end, ending in self._automaton.iter(plain):
            end += 1
            if end > clause_end:
                while end > clause_end and number < last:
                    number += 1
                    older = clause_start
                    clause_start, clause_end = clauses[number]
                begun = {key: span for key, span in begun.items() if span[0] >= older}
            start = end - len(ending.word)
            if start < clause_start or end > clause_end or (ending.latin and inside_word(plain, start, end)):
                continue
            for (family, name), at_start, at_end in ending.whole:
                if (not at_start or start == clause_start) and (not at_end or end == clause_end):
                    found.setdefault(family, []).append(Hit(start, end, name, number))
            if begun and ending.joins:
                common = ending.joins.keys() & begun.keys()
                if common:
                    steps = [(begun[key], step) for key in common for step in ending.joins[key]]
                    self._join(plain, sorted(steps), (start, end), begun, found, (clause_start, clause_end, number))
            if ending.begins:
                begun[ending.word] = (start, end)
        return found

    def _join(
        self,
        plain: str,
        steps: list[tuple[Span, tuple[int, int]]],
        span: Span,
        begun: dict[Key, Span],
        found: dict[str, list[Hit]],
        clause: tuple[int, int, int],
    ) -> None:
        """Goes on with cues that were begun in this clause, each with its nearest beginning."""
        start, end = span
        done: set[tuple[int, int]] = set()
        for (first, before), step in reversed(steps):
            tag, pattern = self._patterns[step[0]]
            gap = pattern.gaps[step[1] - 1]
            if step in done or not 0 <= start - before <= gap or (before < clause[0] and gap != ACROSS):
                continue
            if pattern.at_start and first != clause[0]:
                continue
            if gap != ACROSS and start > before and TURNED.search(plain, before, start):
                continue
            done.add(step)
            if step[1] < len(pattern.parts) - 1:
                begun[step] = (first, end)
            elif not pattern.at_end or end == clause[1]:
                found.setdefault(tag.family, []).append(Hit(first, end, tag.name, clause[2]))


def inside_word(plain: str, start: int, end: int) -> bool:
    """Whether a Latin cue is cut out of a longer word: `app` in `happy`."""
    first, last = plain[start], plain[end - 1]
    return (is_latin(first) and start > 0 and is_latin(plain[start - 1])) or (
        is_latin(last) and end < len(plain) and is_latin(plain[end])
    )


def is_latin(character: str) -> bool:
    """a letter of the ASCII alphabet; digits are left free: 等了3天."""
    return "a" <= character <= "z"
