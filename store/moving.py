"""Moving everything from one PostStore to another: posts, judgements, corrections, what is still to be judged. Resumable and verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from store.posts import PostStore, StoredPost
from tingfeng.errors import StoreError

BATCH = 500


class MovableStore(PostStore, Protocol):
    """What moving needs beyond the contract."""

    def read_stored(self, after: str, limit: int) -> list[StoredPost]:
        """The next posts in the order of their ids."""
        ...


@dataclass(frozen=True)
class Verdict:
    """What comparing found: `differing` and `missing` ids in the target (the first ones), and how many posts were compared."""

    compared: int
    differing: tuple[str, ...]
    missing: tuple[str, ...]


def move_posts(source: MovableStore, target: MovableStore, now: datetime, after: str = "") -> Iterator[tuple[str, int]]:
    """Copies what comes after an id; yields (last id, how many) after each batch that is safe in the target."""
    while batch := source.read_stored(after, BATCH):
        result = target.add_posts([one.post for one in batch])
        if result.spooled or result.refused:
            left = len(result.spooled) + len(result.refused)
            raise StoreError(f"目标没有收下 {left} 条", where="migrate", hint="请看 tingfeng doctor 与 deadletter")
        target.save_judged([one.judgement for one in batch if one.judgement], now)
        target.unjudge_posts([one.post.id for one in batch if one.judgement and not one.judged])
        after = batch[-1].post.id
        yield after, len(batch)


def compare_stores(source: MovableStore, target: MovableStore, tell: Callable[[int], None] = lambda n: None) -> Verdict:
    """Every post of the source against the target's, field by field. Posts that only the target has are none of our business."""
    walk = walk_stored(target)
    compared, differing, missing = 0, list[str](), list[str]()
    other = next(walk, None)
    for mine in walk_stored(source):
        while other is not None and other.post.id < mine.post.id:
            other = next(walk, None)
        if other is None or other.post.id != mine.post.id:
            missing.append(mine.post.id)
        elif normal_form(mine) != normal_form(other):
            differing.append(mine.post.id)
        compared += 1
        tell(1)
    return Verdict(compared, tuple(differing[:20]), tuple(missing[:20]))


def walk_stored(store: MovableStore) -> Iterator[StoredPost]:
    """All posts in the order of their ids."""
    after = ""
    while batch := store.read_stored(after, BATCH):
        yield from batch
        after = batch[-1].post.id


def normal_form(one: StoredPost) -> StoredPost:
    """Without what engines may order differently."""
    if one.judgement is None:
        return one
    mentions = tuple(sorted(one.judgement.mentions, key=lambda mention: mention.subject))
    judgement = replace(one.judgement, mentions=mentions, band_keys=tuple(sorted(one.judgement.band_keys)))
    return replace(one, judgement=judgement)
