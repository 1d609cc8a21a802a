"""One meaning of matching: how a text becomes units. Used by the query matcher, the subject matcher and every store.

Normalised text: NFKC, lower case, traditional → simplified character by character, control and zero-width characters out.
Units: one Han character each; a run of other letters or digits whole; a run of punctuation is one BOUNDARY; white space
only separates, so it vanishes beside Han.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

BOUNDARY = "\u00b6"
SEPARATOR = "\x1f"
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
UNIT = re.compile(rf"[{HAN}]|[^\W_{HAN}]+|(?:[^\w\s]|_)+")
WORDLIKE = re.compile(r"[^\W_]", re.UNICODE)
DROPPED = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\ud800-\udfff]"
)
SPACES = re.compile(r"\s+")
ASCII_ONLY = re.compile(r"[\x20-\x7e]*")


@lru_cache(maxsize=1)
def simplified_table() -> dict[int, str]:
    """Traditional → simplified for single characters, from opencc's tables; built once (0.1 s)."""
    from opencc import OpenCC

    characters = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000), *range(0xF900, 0xFB00))]
    converted = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, converted, strict=True)
    table = {ord(old): new for old, new in pairs if old != new and len(new) == 1}
    # one step leads to another traditional character (U+85B4): follow it, or normalising twice would differ
    return {code: table.get(ord(new), new) for code, new in table.items()}


@lru_cache(maxsize=1)
def traditional_characters() -> re.Pattern[str]:
    """Those that simplified_table changes: to look for one costs a twentieth of translating a text that has none."""
    return re.compile(f"[{''.join(map(chr, simplified_table()))}]")


@lru_cache(maxsize=16)  # several steps in a row ask for the same text
def normalise(text: str) -> str:
    """The normalised text; idempotent; never raises, not even on half surrogates."""
    if ASCII_ONLY.fullmatch(text):
        return SPACES.sub(" ", text.lower()).strip()
    text = unicodedata.normalize("NFKC", DROPPED.sub("", text)).lower()
    if traditional_characters().search(text):
        text = text.translate(simplified_table())
    return SPACES.sub(" ", DROPPED.sub("", text)).strip()


def split_units(normalised: str) -> list[str]:
    """Units of a normalised text, boundaries as BOUNDARY."""
    return [unit if WORDLIKE.match(unit) else BOUNDARY for unit in UNIT.findall(normalised)]


def unit_spans(normalised: str) -> Iterator[tuple[str, int, int]]:
    """(unit, start, end) with character offsets into the normalised text."""
    for found in UNIT.finditer(normalised):
        unit = found.group()
        yield (unit if WORDLIKE.match(unit) else BOUNDARY), found.start(), found.end()


def join_title(title: str, text: str) -> str:
    """Title and text as one text in which nothing crosses from one to the other."""
    return f"{title}。{text}" if title else text


def encode_units(units: list[str] | tuple[str, ...]) -> str:
    """Units as one string in which a term is found by `in`: each unit stands between separators."""
    return SEPARATOR + SEPARATOR.join(units) + SEPARATOR if units else ""


def encode_text(text: str) -> str:
    """encode_units of a raw text."""
    return encode_units(split_units(normalise(text)))
