"""Whether a name stands for the brand: other spellings of it, and words near a place that tell 苹果 the firm from 苹果 the fruit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import ahocorasick

from nlp.taxonomy import read_table, read_words
from tingfeng.errors import SettingsError
from tingfeng.records import Subject
from tingfeng.text import normalise

FILE = "lexicon/relevance.toml"
# characters to both sides of a place that are looked at; beyond, a word speaks with half its weight
WINDOW = 40
Span = tuple[int, int]


@dataclass(frozen=True)
class Sense:
    """Words that speak for the brand and against it; `keep`: whether a place stays that has neither."""

    speak_for: tuple[str, ...]
    speak_against: tuple[str, ...]
    keep: bool = True


@dataclass(frozen=True)
class Relevance:
    """The parsed file: spellings of characters and names, and senses by name."""

    variants: Mapping[str, str] = field(default_factory=dict)
    initials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    senses: Mapping[str, Sense] = field(default_factory=dict)

    def spellings(self, name: str) -> Iterator[str]:
        """Other ways to write a name: one character exchanged, and those listed."""
        if len(name) >= 2:
            for place, character in enumerate(name):
                for other in self.variants.get(character, ""):
                    if other != character:
                        yield name[:place] + other + name[place + 1 :]
        yield from self.initials.get(name, ())

    def sense_of(self, subject: Subject) -> Sense | None:
        """The sense of the subject's name with its own words; None when its name has but one sense."""
        sense = self.senses.get(normalise(subject.name))
        if sense is None and not subject.context and not subject.context_not:
            return None
        sense = sense or Sense((), (), keep=not subject.context)
        return Sense(
            (*sense.speak_for, *map(normalise, subject.context)),
            (*sense.speak_against, *map(normalise, subject.context_not)),
            sense.keep,
        )


def build_relevance(table: Mapping[str, object]) -> Relevance:
    """From the parsed file. Raises SettingsError naming the key."""
    variants = read_table(table.get("variants", {}), f"{FILE} [variants]")
    if not all(isinstance(value, str) and len(key) == 1 for key, value in variants.items()):
        raise SettingsError("variants 要写成 一个字 = \"别的写法\"", where=f"config/{FILE}", hint='例如 "果" = "菓"')
    initials = read_table(table.get("initials", {}), f"{FILE} [initials]")
    senses = {}
    for name, value in read_table(table.get("senses", {}), f"{FILE} [senses]").items():
        one = read_table(value, f"{FILE} senses.{name}")
        keep = one.get("keep", True)
        if not isinstance(keep, bool):
            raise SettingsError(f"senses.{name}.keep 要写 true 或 false", where=f"config/{FILE}")
        senses[normalise(name)] = Sense(
            tuple(map(normalise, read_words(one.get("for"), f"{FILE} senses.{name}.for"))),
            tuple(map(normalise, read_words(one.get("against"), f"{FILE} senses.{name}.against"))),
            keep,
        )
    return Relevance(
        {key: str(value) for key, value in variants.items()},
        {name: tuple(read_words(words, f"{FILE} initials.{name}")) for name, words in initials.items()},
        senses,
    )


class Disambiguator:
    """The words of all senses in one automaton. `senses`: subject number → its normalised name and sense.

    Only the name itself is doubted: an alias such as `iphone` has one sense, and speaks for the brand where the name stands beside it.
    """

    def __init__(self, named_senses: Mapping[int, tuple[str, Sense]]) -> None:
        self._name = {number: name for number, (name, _) in named_senses.items()}
        senses = {number: sense for number, (_, sense) in named_senses.items()}
        self._keep = {number: sense.keep for number, sense in senses.items()}
        signs: dict[str, dict[int, int]] = {}
        for number, sense in senses.items():
            for word, sign in chain(((w, 1) for w in sense.speak_for), ((w, -1) for w in sense.speak_against)):
                if word:
                    signs.setdefault(word, {})[number] = sign
        self._automaton = ahocorasick.Automaton()
        for word, by_number in signs.items():
            self._automaton.add_word(word, (len(word), by_number))
        if signs:
            self._automaton.make_automaton()

    def keep_meant(self, plain: str, found: Mapping[int, Sequence[Span]]) -> dict[int, list[Span]]:
        """Without the places where the common word is meant; subjects that have none left are gone."""
        doubtful = [number for number in found if number in self._keep]
        if not doubtful:
            return {number: list(spans) for number, spans in found.items()}
        words = [(end - length + 1, end + 1, signs) for end, (length, signs) in self._automaton.iter(plain)]
        kept = {number: list(spans) for number, spans in found.items() if number not in self._keep}
        for number in doubtful:
            told = [(start, end, signs[number]) for start, end, signs in words if number in signs]
            name = self._name[number]
            sure = [span for span in found[number] if plain[span[0] : span[1]] != name]
            unsure = [span for span in found[number] if span not in sure]
            places = sure + self._keep_places(number, unsure, [*told, *((a, b, 1) for a, b in sure)])
            if places:
                kept[number] = places
        return kept

    def _keep_places(self, number: int, spans: Iterable[Span], told: Sequence[tuple[int, int, int]]) -> list[Span]:
        places = []
        for start, end in spans:
            score = 0.0
            covered = False
            for word_start, word_end, sign in told:
                if word_start <= start and end <= word_end and word_end - word_start > end - start:
                    covered = covered or sign < 0
                    score += 2 * sign
                elif word_start != start or word_end != end:
                    near = word_end > start - WINDOW and word_start < end + WINDOW
                    score += sign if near else sign / 2
            if score > 0 or (score == 0 and self._keep[number] and not covered):
                places.append((start, end))
        return places
