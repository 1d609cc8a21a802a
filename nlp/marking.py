"""Marks in a text the names of the subject that is judged and of the others, so that a model judges places, not names."""

from __future__ import annotations

from collections.abc import Sequence

Span = tuple[int, int]
# pieces of their own; each begins as the mean of the characters that it holds (nlp/vocabulary.py)
OWN, OTHER = "[本家]", "[别家]"


def mark_subject(plain: str, own: Sequence[Span], others: Sequence[Span]) -> str:
    """`plain` with OWN and OTHER for the names; of names that overlap the first stands, the subject's own before another's."""
    named = sorted([(span, 0, OWN) for span in own] + [(span, 1, OTHER) for span in others])
    parts: list[str] = []
    at = 0
    for (start, end), _, sign in named:
        if start >= at:
            parts += [plain[at:start], sign]
            at = end
    return "".join([*parts, plain[at:]])
