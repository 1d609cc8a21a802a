"""Text for matching: one normalised form and the units that every matcher and every index counts in.

The original is kept by its owner; what comes out here is for matching, counting and highlighting, not for showing as a quote.
Script is folded character by character: OpenCC's phrase table reads its context, so that 打坏 became 打坯 and the term 坏 no longer
stood in it. With a fold per character a term stands in the folded text exactly where it stood in the original.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# Private use: no unit can equal it (units() never yields such a character), it survives whitespace tokenizers, and FTS5's
# unicode61 takes category Co for part of a token.
BOUNDARY = "\ue000"

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_KANA = "\u3041-\u3096\u3099-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
# Vowel signs and accents that NFKC leaves apart from their letter: they continue a word, they do not break it.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u0900-\u0963\u0966-\u0dff"
    "\u0e31-\u0e3a\u0e47-\u0e4e\u0f71-\u0f84\u0f86-\u0fbc\u102b-\u103e"
)
_LETTER = rf"[^\W_{HAN}{_KANA}]"
_WORD = rf"[{HAN}]|{_LETTER}+(?:[{_MARKS}]+{_LETTER}*)*|[{_KANA}]+"
_PUNCTUATION = rf"(?:[^\w\s{HAN}{_KANA}{_MARKS}]|_)"
_BREAK = rf"\n|{_PUNCTUATION}+(?: {_PUNCTUATION}+)*"
_BREAKS = re.compile(_BREAK)
_UNITS = re.compile(f"{_WORD}|{BOUNDARY}")
_SPANS = re.compile(f"{_WORD}|(?P<boundary>{_BREAK})")
_HAN_ONLY = re.compile(f"[{HAN}]")

# Controls that are no white space, format characters (zero width, direction, soft hyphen, tags), variation selectors, blank
# Hangul fillers; lone surrogates are found by the same pass because they break every encoder behind us.
_UNCLEAN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff]"
)
_HAN_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
# Frequent words whose simplified form differs although each character is also simplified. 召回覆盖 is why 盖 is looked at.
_VARIANT_WORDS = re.compile("(?<=[回答])覆(?!盖)|瞭(?=解)|藉(?=[口此由助])")
_VARIANTS = {"覆": "复", "瞭": "了", "藉": "借"}


@cache
def _script_fold() -> tuple[frozenset[str], dict[int, str]]:
    """The characters that change from traditional to simplified, and what each becomes (OpenCC t2s, one by one)."""
    from opencc import OpenCC

    characters = [chr(code) for first, last in _HAN_RANGES for code in range(first, last + 1)]
    simplified = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    fold = {ord(old): new for old, new in zip(characters, simplified, strict=True) if old != new and len(new) == 1}
    for code, new in fold.items():
        fold[code] = fold.get(ord(new), new)
    return frozenset(map(chr, fold)), fold


def fold_script(text: str) -> str:
    """Traditional characters become simplified ones, one for one."""
    traditional, fold = _script_fold()
    if not traditional.isdisjoint(text):
        text = text.translate(fold)
    return _VARIANT_WORDS.sub(lambda found: _VARIANTS[found[0]], text)


def normalise(text: str) -> str:
    """NFKC, lower case, simplified script; controls and zero-width characters out, lone surrogates to U+FFFD, white space to one space.

    Idempotent. The result holds no line break and no space at either end.
    """
    if text.isascii():
        return " ".join(_clean(text).lower().split())
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _clean(text)).lower())
    return " ".join(fold_script(_clean(text)).split())


def _clean(text: str) -> str:
    if not _UNCLEAN.search(text):
        return text
    return _UNCLEAN.sub(lambda found: "\ufffd" if "\ud800" <= found[0] <= "\udfff" else "", text)


def join_fields(title: str, text: str) -> str:
    """The normalised title, a line break, the normalised text: what spans of matches point into."""
    return f"{normalise(title)}\n{normalise(text)}"


def units(normalised: str) -> list[str]:
    """Units of a normalised text: each Han character, each whole run of other letters and digits, BOUNDARY for each run of the rest.

    Spaces make no unit: beside Han they vanish, between two runs they separate. Underscore and emoji are boundaries.
    """
    # two passes without a match object per unit are twice as fast as one pass with them
    return _UNITS.findall(_BREAKS.sub(BOUNDARY, normalised))


def unit_spans(normalised: str) -> list[tuple[str, int, int]]:
    """(unit, start, end) in the normalised text, the same units in the same order as units()."""
    return [
        (BOUNDARY if found.lastgroup else found[0], found.start(), found.end()) for found in _SPANS.finditer(normalised)
    ]


def field_units(title: str, text: str) -> list[str]:
    """Units of title, one BOUNDARY, units of text; both are normalised here (again costs time only)."""
    return [*units(normalise(title)), BOUNDARY, *units(normalise(text))]


def term_units(text: str) -> tuple[str, ...]:
    """Units of a term or phrase as written, without boundaries at its ends; empty when it has nothing to match."""
    found = units(normalise(text))
    while found and found[0] == BOUNDARY:
        found.pop(0)
    while found and found[-1] == BOUNDARY:
        found.pop()
    return tuple(found)


def is_han(unit: str) -> bool:
    """Whether the unit is a Han character."""
    return _HAN_ONLY.fullmatch(unit) is not None
