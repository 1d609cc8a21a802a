"""Records to documents and back. A truth (family `posts`) is the post with its judgement; its projection is what `mentions` holds of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from store.correcting import keep_labels
from store.elasticsearch_client import Json
from store.elasticsearch_query import spell_units
from store.posts import Hit, StoredPost
from store.sqlite_rows import dump, from_ms, to_ms
from tingfeng.fingerprints import mention_id, text_hash
from tingfeng.labels import (
    Act,
    ComplaintStatus,
    Content,
    Owner,
    PostKind,
    Sentiment,
    Severity,
    Stage,
    TimePrecision,
    Topic,
)
from tingfeng.records import Author, Complaint, Engagement, JudgedPost, Mention, Opinion, Post
from tingfeng.text import normalise, split_units

COUNTS = ("likes", "comments", "reposts", "views")


def drop_empty(values: Json) -> Json:
    """Without what says nothing."""
    return {name: value for name, value in values.items() if value not in (None, "", (), [], {}) and value is not False}


def ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def pack_post(post: Post) -> Json:
    """A post as JSON."""
    author, seen, complaint = post.author, post.engagement, post.complaint
    return drop_empty({
        "source": post.source, "native_id": post.native_id, "kind": str(post.kind), "title": post.title, "text": post.text, "url": post.url,
        "author": drop_empty({"key": author.key, "type": author.verified_type, "band": author.follower_band, "region": author.region}),
        "published_ms": ms(post.published_at), "precision": str(post.published_precision), "published_words": post.published_words,
        "first_seen_ms": to_ms(post.first_seen_at), "counts": pack_counts(post),
        "approx": seen.approx, "engagement_ms": ms(seen.seen_at), "parent_id": post.parent_id, "root_id": post.root_id,
        "owned": post.owned, "rating": post.rating, "complaint": pack_complaint(complaint) if complaint else None, "extras": dict(post.extras),
    })  # fmt: skip


def pack_counts(post: Post) -> list[int | None]:
    """Engagement in the order of COUNTS."""
    seen = post.engagement
    return [seen.likes, seen.comments, seen.reposts, seen.views]


def pack_numbers(post: Post) -> list[float]:
    """What no index could hold is to be refused with these."""
    return [number for number in (*pack_counts(post), post.rating) if number is not None]


def pack_complaint(one: Complaint) -> Json:
    """A complaint as JSON."""
    times = {"replied_at": ms(one.replied_at), "completed_at": ms(one.completed_at)}
    return drop_empty({**one.__dict__, **times, "problems": list(one.problems), "demands": list(one.demands)})


def unpack_complaint(found: Mapping[str, Any]) -> Complaint:
    """The opposite of pack_complaint."""
    lists = {name: tuple(found.get(name, ())) for name in ("problems", "demands")}
    times = {name: from_ms(found.get(name)) for name in ("replied_at", "completed_at")}
    return Complaint(**{"ticket_no": "", **found, **lists, **times, "status": ComplaintStatus(found["status"])})


def unpack_post(found: Mapping[str, Any]) -> Post:
    """The opposite of pack_post."""
    first_seen = from_ms(found["first_seen_ms"])
    assert first_seen is not None
    author, get = found.get("author", {}), found.get
    seen = dict(zip(COUNTS, found["counts"], strict=True))
    return Post(
        found["source"], get("native_id", ""), PostKind(found["kind"]), get("text", ""), first_seen, get("title", ""), get("url", ""),
        Author(author.get("key", ""), author.get("type", ""), author.get("band", ""), author.get("region", "")),
        from_ms(get("published_ms")), TimePrecision(found["precision"]), get("published_words", ""),
        Engagement(**seen, approx=get("approx", False), seen_at=from_ms(get("engagement_ms"))), get("parent_id", ""), get("root_id", ""),
        get("owned", False), get("rating"), unpack_complaint(found["complaint"]) if "complaint" in found else None, get("extras", {}),
    )  # fmt: skip


def pack_mention(one: Mention) -> Json:
    """A mention as JSON, without its post's id."""
    return drop_empty({
        "subject": one.subject, "acts": list(map(str, one.acts)), "sentiment": str(one.sentiment), "probabilities": dict(one.probabilities),
        "harm_words": list(one.harm_words), "model": one.model, "corrected_by": one.corrected_by,
        "opinions": [[str(o.topic), str(o.polarity), o.aspect] for o in one.opinions], "severity": str(one.severity or ""),
        "stage": str(one.stage or ""), "owner": str(one.owner or ""), "demands": list(one.demands), "effort": dict(one.effort),
        "switched_to": one.switched_to, "corrected": list(one.corrected),
    })  # fmt: skip


def unpack_mention(found: Mapping[str, Any], post_id: str) -> Mention:
    """The opposite of pack_mention."""
    get = found.get
    return Mention(
        post_id, get("subject", ""), tuple(map(Act, get("acts", ()))), Sentiment(found["sentiment"]), get("probabilities", {}),
        tuple(get("harm_words", ())), get("model", ""), get("corrected_by", ""),
        tuple(Opinion(Topic(t), Sentiment(p), aspect) for t, p, aspect in get("opinions", ())),
        Severity(found["severity"]) if "severity" in found else None, Stage(found["stage"]) if "stage" in found else None,
        Owner(found["owner"]) if "owner" in found else None, tuple(get("demands", ())), get("effort", {}), get("switched_to", ""),
        tuple(get("corrected", ())),
    )  # fmt: skip


def hash_text(post: Post) -> str:
    """Changes when the text does."""
    return text_hash(f"{post.title}\x1f{post.text}")


def hash_state(post: Post) -> str:
    """Changes when what is seen beside the text does."""
    seen, complaint = post.engagement, post.complaint
    packed = "" if complaint is None else dump(pack_complaint(complaint))
    return text_hash(dump([seen.likes, seen.comments, seen.reposts, seen.views, post.rating, packed, post.url]))


def new_truth(post: Post, month: str) -> Json:
    """The truth of a post seen for the first time: unjudged, and not in `mentions` yet."""
    return {
        "id": post.id, "month": month, "rev": next_rev(0), "counted_ms": to_ms(post.counted_at), "source": post.source,
        "author_key": post.author.key, "text_hash": hash_text(post), "state_hash": hash_state(post), "judged": False, "hidden": True,
        "docs": [], "group": "", "is_copy": False, "numbers": pack_numbers(post), "post": pack_post(post), "mentions": [],
    }  # fmt: skip


def next_rev(rev: int) -> int:
    """A number that grows with every change of a truth, also over deletion and return: no older projection can replace a newer one."""
    return max(rev + 1, time.time_ns() // 1_000_000)


def with_post(truth: Json, post: Post) -> Json | None:
    """The truth after a later sight of the post; None when nothing is new. A changed text makes it unjudged."""
    text, state = hash_text(post), hash_state(post)
    if text == truth["text_hash"] and state == truth["state_hash"]:
        return None
    merged = merge_posts(unpack_post(truth["post"]), post)
    changed = {
        **truth, "text_hash": text, "state_hash": state, "post": pack_post(merged), "author_key": post.author.key,
        "counted_ms": to_ms(merged.counted_at),
    }  # fmt: skip
    changed |= {"numbers": pack_numbers(merged)} if truth.get("hidden") else {}
    return changed | ({"judged": False} if text != truth["text_hash"] else {})


def merge_posts(old: Post, new: Post) -> Post:
    """The later sight; what it does not state stays, and so does when the post was first seen."""
    seen = new.engagement
    counts = {name: getattr(seen, name) if getattr(seen, name) is not None else getattr(old.engagement, name) for name in COUNTS}
    engagement = Engagement(**counts, approx=seen.approx, seen_at=seen.seen_at or old.engagement.seen_at)
    return replace(
        new, first_seen_at=old.first_seen_at, published_at=new.published_at or old.published_at, engagement=engagement,
        rating=new.rating if new.rating is not None else old.rating,
    )  # fmt: skip


def with_judgement(truth: Json, one: JudgedPost, now_ms: int) -> Json:
    """The truth after judging; a person's label stands."""
    kept = {found["subject"]: unpack_mention(found, truth["id"]) for found in truth["mentions"] if found.get("corrected_by")}
    mentions = {
        mention.subject: pack_mention(keep_labels(mention, kept[mention.subject]) if mention.subject in kept else mention)
        for mention in one.mentions
    }
    fields = {name: value for name, value in truth.items() if name not in ("hidden", "numbers")}
    return {
        **fields, "judged": True, "judged_ms": now_ms, "content": str(one.content),
        "mentions": list(mentions.values()),
        "group": one.duplicate_group or truth["id"], "is_copy": one.is_copy, "bands": [str(key) for key in one.band_keys],
        "signature": str(one.signature), "words": " ".join(one.words).split(),
    }  # fmt: skip


def read_stored(truth: Json) -> StoredPost:
    """The post with what was judged last, corrections included."""
    judged, post = bool(truth["judged"]), unpack_post(truth["post"])
    if "content" not in truth:
        return StoredPost(post, None, judged)
    mentions = tuple(unpack_mention(found, truth["id"]) for found in truth["mentions"])
    judgement = JudgedPost(
        truth["id"], Content(truth["content"]), mentions, truth["group"], truth["is_copy"], int(truth["signature"]),
        tuple(map(int, truth["bands"])), tuple(truth["words"]),
    )  # fmt: skip
    return StoredPost(post, judgement, judged)


def needed_docs(truth: Json) -> list[str]:
    """Ids of the documents in `mentions` that should stand for a truth."""
    if truth.get("gone") or truth.get("hidden"):
        return []
    return [mention_id(truth["id"], found.get("subject", "")) for found in truth["mentions"]] or [truth["id"]]


def make_docs(truth: Json) -> list[Json]:
    """Those documents, in the order of needed_docs."""
    keys = needed_docs(truth)
    if not keys:
        return []
    shared = shared_fields(truth)
    if not truth["mentions"]:
        return [shared | {"key": truth["id"], "matched": False, "shown": {"post": truth["post"]}}]
    return [shared | mention_fields(found) | {"key": key, "shown": {"post": truth["post"], "mention": found}}
            for key, found in zip(keys, truth["mentions"], strict=True)]  # fmt: skip


def shared_fields(truth: Json) -> Json:
    """What every document of a post holds of it."""
    post = truth["post"]
    author, complaint = post.get("author", {}), post.get("complaint", {})
    fields = {
        "post_id": truth["id"], "counted_ms": truth["counted_ms"], "group": truth["group"], "source": truth["source"], "kind": post["kind"],
        "author_type": author.get("type"), "region": author.get("region"), "author_key": truth["author_key"], "rating": post.get("rating"),
        "problems": split_commas(complaint.get("problems", ())), "status": complaint.get("status"), "words": truth.get("words"),
        "extras": post.get("extras"), "title": index_units(post.get("title", "")), "body": index_units(post.get("text", "")),
        **dict(zip(COUNTS, post["counts"], strict=True)),
    }  # fmt: skip
    return drop_empty(fields) | {"owned": "true" if post.get("owned") else "false", "is_copy": truth["is_copy"]}


def mention_fields(found: Mapping[str, Any]) -> Json:
    """What a mention adds."""
    fields = {
        "subject": found.get("subject"), "sentiment": found["sentiment"], "acts": found.get("acts"), "severity": found.get("severity"),
        "topics": sorted({topic for topic, _, _ in found.get("opinions", ())}), "stage": found.get("stage"),
    }  # fmt: skip
    return drop_empty(fields) | {"matched": True, "harm": bool(found.get("harm_words"))}


def index_units(text: str) -> str:
    """What is indexed of a title or text: units joined by blanks."""
    return " ".join(spell_units(split_units(normalise(text))))


def split_commas(values: Iterable[str]) -> list[str]:
    """Values as they are counted: SQLite joins them by commas, so a comma inside a value parts it on either engine."""
    return [part for value in values for part in value.split(",") if part]


def read_hit(source: Json, copies: Mapping[str, int]) -> Hit:
    """A hit from a document of `mentions`; `copies` by group."""
    shown = source["shown"]
    mention = unpack_mention(shown["mention"], source["post_id"]) if "mention" in shown else None
    is_copy, group = bool(source.get("is_copy")), source.get("group", "")
    return Hit(unpack_post(shown["post"]), mention, is_copy, 0 if is_copy or not group else copies.get(group, 0))
