"""Remembers how a post was judged, by what it says: who sends the same words again is answered without reading them again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.subjects import SubjectMatch
from tingfeng.labels import Content
from tingfeng.records import Mention, Post

KEPT = 20_000


@dataclass(frozen=True)
class Known:
    """All that a judgement takes from the words of a post; the mentions are those of the post that said them first."""

    content: Content
    mentions: tuple[Mention, ...]
    words: tuple[str, ...]

    def mentions_of(self, post_id: str) -> tuple[Mention, ...]:
        """The same said of another post."""
        return tuple(replace(mention, post_id=post_id) for mention in self.mentions)


class KnownPosts:
    """Belongs to one pipeline, so its models are part of every key. Keeps the `kept` posts that were asked for last."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._found: OrderedDict[bytes, Known] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    def get(self, key: bytes) -> Known | None:
        """None for what was never told, or forgotten."""
        if key in self._found:
            self._found.move_to_end(key)
        return self._found.get(key)

    def put(self, key: bytes, known: Known) -> None:
        """The one asked for longest ago is forgotten where there are too many."""
        self._found[key] = known
        self._found.move_to_end(key)
        if len(self._found) > self._kept:
            self._found.popitem(last=False)


def hash_post(post: Post, matches: Sequence[SubjectMatch]) -> bytes:
    """Sixteen bytes, equal for posts of which the steps after the matching see the same."""
    said = (post.kind, post.rating, post.title, post.text, [(match.name, match.spans) for match in matches])
    return hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=16).digest()
