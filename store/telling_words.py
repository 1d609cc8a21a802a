"""Words that stand out: one formula for every engine."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

MOST_POSTS = 20_000


def count_words(rows: Iterable[tuple[str, Sequence[str]]]) -> Counter[str]:
    """Rows of (author, or post without one; words). Each author counts a word once."""
    seen = {(author, word) for author, words in rows for word in words}
    return Counter(word for _, word in seen)


def score_words(front: Counter[str], back: Counter[str], limit: int) -> list[tuple[str, float, int]]:
    """Log-odds with a prior, as z-score (Monroe et al., 2008, "Fightin' Words"): (word, z, count), the most telling first."""
    total_front, total_back = sum(front.values()), sum(back.values())
    scored = []
    for word, n in front.items():
        prior, rest = 0.01 * (back[word] or 1), max(0, back[word] - n)
        a = math.log((n + prior) / (total_front + 0.01 * total_back - n - prior + 1))
        b = math.log((rest + prior) / (max(1, total_back - total_front) + 0.01 * total_back - rest - prior + 1))
        z = (a - b) / math.sqrt(1 / (n + prior) + 1 / (rest + prior))
        if n >= 2 and z > 0:
            scored.append((word, round(z, 3), n))
    return sorted(scored, key=lambda item: (-item[1], item[0]))[:limit]
