"""The word lists of `config/lexicon/` as the steps use them; parsed by flows/wiring.py, never read from here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from tingfeng.errors import SettingsError
from tingfeng.text import normalise


@dataclass(frozen=True)
class Lexicon:
    """Compiled lists. `acts[act][group]` finds any word of the group in a normalised text."""

    acts: Mapping[str, Mapping[str, re.Pattern[str]]]
    ad_needed: int
    harm: re.Pattern[str]
    harm_negations: tuple[str, ...]
    near_misses: tuple[str, ...]
    stopwords: frozenset[str]


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern of normalised words, longest first."""
    plain = sorted({normalise(word) for word in words} - {""}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, plain)) or r"(?!)")


def build_lexicon(acts: Mapping[str, object], harm: Mapping[str, object], stopwords: str) -> Lexicon:
    """From the parsed TOML tables. Raises SettingsError naming table and key when one is missing or of the wrong type."""
    compiled: dict[str, dict[str, re.Pattern[str]]] = {}
    for act, table in acts.items():
        if not isinstance(table, Mapping):
            raise SettingsError(
                f"{act} 要写成一张表", where="config/lexicon/acts.toml", hint=f"例如 [{act}] 下面写 cues = […]"
            )
        compiled[act] = {
            name: any_of(read_words(value, f"acts.toml {act}.{name}"))
            for name, value in table.items()
            if name != "needed"
        }
    ad = cast(Mapping[str, object], acts.get("ad", {}))
    return Lexicon(
        acts=compiled,
        ad_needed=int(cast(int, ad.get("needed", 2))),
        harm=any_of(read_words(harm.get("words"), "harm.toml words")),
        harm_negations=tuple(read_words(harm.get("negations"), "harm.toml negations")),
        near_misses=tuple(read_words(harm.get("near_miss"), "harm.toml near_miss")),
        stopwords=frozenset(stopwords.split()),
    )


def read_words(value: object, where: str) -> Sequence[str]:
    """A list of strings. Raises SettingsError."""
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return value
    raise SettingsError("要写成文字列表", where=f"config/lexicon/{where}", hint='例如 ["退款", "赔偿"]')
