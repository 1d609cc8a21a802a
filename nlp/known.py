"""What is remembered of a judged post: who sends the same words again is answered without reading them again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.subjects import SubjectMatch
from tingfeng.labels import Content
from tingfeng.records import Mention, Post

# posts that a pipeline remembers, those asked for last; each pipeline for itself, so that its models need not be part of the key
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


def hash_post(post: Post, matches: Sequence[SubjectMatch]) -> bytes:
    """Sixteen bytes, equal for posts of which the steps of judging see the same; `matches`: subjects found by more than the words."""
    said = (post.kind, post.rating, post.about, post.title, post.text, [(match.name, match.spans) for match in matches])
    return hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=16).digest()
