"""Words of harm to people and animals, told as having happened or nearly so: `没过敏` is none, `差点起火` is harm (LABELS §6)."""

from __future__ import annotations

from nlp.lexicon import HARM, Lexicon
from nlp.reading import Reading

REACH = 10


def find_harm(reading: Reading, lexicon: Lexicon) -> tuple[str, ...]:
    """Distinct words in order of appearance, the longest of those that overlap."""
    hits = reading.hits(HARM)
    if not hits:
        return ()
    harmless = [(hit.start, hit.end) for hit in hits if hit.name == "harmless"]
    words: dict[str, None] = {}
    kept_end = -1
    for hit in sorted((hit for hit in hits if hit.name == "words"), key=lambda hit: (hit.start, -hit.end)):
        if hit.end <= kept_end or any(start < hit.end and hit.start < end for start, end in harmless):
            continue
        near = any(word in reading.before(hit, REACH) for word in lexicon.near_misses)
        if near or reading.told(hit):
            words[reading.words(hit)] = None
            kept_end = hit.end
    return tuple(words)
