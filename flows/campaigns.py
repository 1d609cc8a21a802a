"""Campaigns that reach over batches: the same words by many authors within two hours are one, whoever judged the first of them, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flows.wiring import Wiring
from nlp.campaigns import WITHIN, Poster, find_campaigns
from store.correcting import keep_labels
from store.posts import StoredPost
from tingfeng.records import JudgedPost, Post


def widen_campaigns(
    wiring: Wiring, posts: Sequence[Post], judged: Sequence[JudgedPost], *, firsts: bool = False
) -> list[JudgedPost]:
    """The judgements of a batch, and of stored posts that only together with it are a campaign; both know of it.

    A campaign within the batch the pipeline has seen itself. The groups of copies stay as they are, and so do people's labels.
    `firsts`: the first of a group may be here, and its copies elsewhere.
    """
    by_id = {post.id: post for post in posts}
    mine = {one.post_id: one for one in judged}
    groups = sorted({one.duplicate_group for one in judged if one.is_copy or firsts})
    if not groups:
        return list(judged)
    own = [make_poster(by_id[one.post_id], one) for one in judged]
    since = min(poster.at for poster in own if poster.group in groups) - WITHIN
    stored = [one for one in wiring.posts.get_group(groups, since) if one.post.id not in mine]
    others = [make_poster(one.post, one.judgement) for one in stored if one.judgement]
    wider = set(find_campaigns([*own, *others])) - set(find_campaigns(own))
    if not wider:
        return list(judged)
    before = {one.post.id: one for one in stored if one.judgement and one.judgement.duplicate_group in wider}
    together = [by_id[id] for id, one in mine.items() if one.duplicate_group in wider] + [one.post for one in before.values()]
    again = {one.post_id: one for one in wiring.pipeline.judge(together).posts}
    fresh = [keep_group(again.get(one.post_id, one), one) for one in judged]
    return fresh + [one for id, old in before.items() if (one := join_campaign(again.get(id), old))]


def make_poster(post: Post, judged: JudgedPost) -> Poster:
    """Who wrote what, and when."""
    return Poster(judged.duplicate_group or judged.post_id, post.author.key, post.counted_at, post.kind)


def keep_group(new: JudgedPost, old: JudgedPost) -> JudgedPost:
    """The new judgement as the copy that the post is."""
    return replace(
        new, duplicate_group=old.duplicate_group, is_copy=old.is_copy, signature=old.signature, band_keys=old.band_keys
    )


def join_campaign(new: JudgedPost | None, stored: StoredPost) -> JudgedPost | None:
    """A stored post judged again; None when nothing is new: it was part of the campaign already."""
    old = stored.judgement
    if new is None or old is None:
        return None
    before = {mention.subject: mention for mention in old.mentions}
    mentions = tuple(keep_labels(one, before[one.subject]) if one.subject in before else one for one in new.mentions)
    changed = {one.subject: one.acts for one in mentions} != {one.subject: one.acts for one in old.mentions}
    return keep_group(replace(new, mentions=mentions), old) if changed else None
