"""Chooses the pieces of a big multilingual vocabulary that Chinese posts need. Training only."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from nlp.labelled import EMOTICON
from nlp.tokens import META, SPECIAL, UNKNOWN, PieceReader
from tingfeng.text import HAN, normalise

HAN_ONE = re.compile(f"[{HAN}]")
LEAST_PIECE, LEAST_EMOTICON = 3, 8
BATCH = 4096
# an emoticon is always read as one: no split of its characters can be likelier
EMOTICON_SCORE = 0.0


def count_pieces(scored: Mapping[str, float], texts: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
    """How often each piece of the big vocabulary, and each `[泪]`, is used in the texts."""
    reader = PieceReader.build(scored)
    names = list(scored)
    pieces: Counter[str] = Counter()
    emoticons: Counter[str] = Counter()
    for start in range(0, len(texts), BATCH):
        some = [normalise(text) for text in texts[start : start + BATCH]]
        for plain, numbers in zip(some, reader.read(some, longest=1 << 20), strict=True):
            emoticons.update(EMOTICON.findall(plain))
            pieces.update(names[number] for number in numbers)
    return pieces, emoticons


def choose_pieces(scored: Mapping[str, float], texts: Sequence[str]) -> dict[str, float]:
    """The special pieces, those used at least LEAST_PIECE times, all Han characters that survive normalising, ASCII, emoticons."""
    used, emoticons = count_pieces(scored, texts)
    kept = {piece for piece, count in used.items() if count >= LEAST_PIECE}
    chosen = {piece: scored[piece] for piece in SPECIAL}
    chosen |= {piece: score for piece, score in scored.items() if piece in kept or is_basic(piece)}
    common = sorted(word for word, count in emoticons.items() if count >= LEAST_EMOTICON)
    return chosen | dict.fromkeys(common, EMOTICON_SCORE)


def is_basic(piece: str) -> bool:
    """One Han character or ASCII sign, alone or after a space, as normalised texts have it."""
    sign = piece.removeprefix(META)
    if not sign:
        return piece == META
    return len(sign) == 1 and (bool(HAN_ONE.match(sign)) or sign in string.printable) and normalise(sign) == sign


def find_sources(scored: Mapping[str, float], chosen: Collection[str]) -> list[list[int]]:
    """For each chosen piece the rows of the big table whose mean it begins with: its own, or those of what an emoticon says."""
    place = {piece: number for number, piece in enumerate(scored)}
    reader = PieceReader.build(scored)
    found = []
    for piece in chosen:
        inside = [number for number in reader.read_spans(piece.strip("[]"))[0] if number != place[META]]
        found.append([place[piece]] if piece in place else inside or [UNKNOWN])
    return found
