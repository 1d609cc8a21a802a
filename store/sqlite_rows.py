"""Records to rows and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tingfeng.fingerprints import text_hash
from tingfeng.labels import Act, ComplaintStatus, Owner, PostKind, Sentiment, Severity, Stage, TimePrecision, Topic
from tingfeng.records import Author, Complaint, Engagement, Mention, Opinion, Post
from tingfeng.text import BOUNDARY, HAN, UNIT, WORDLIKE, normalise

BOUNDARY_TOKEN = "\ue000"
OTHER_TOKEN, OTHER_END = "\ue001", "\ue002"
HAN_RANGE = tuple((HAN[i], HAN[i + 2]) for i in range(0, len(HAN), 3))

POST_COLUMNS = (
    "id", "source", "native_id", "kind", "title", "text", "url", "author_key", "author_type", "follower_band", "region",
    "published_ms", "precision", "published_words", "counted_ms", "first_seen_ms", "likes", "comments", "reposts", "views",
    "approx", "engagement_ms", "parent_id", "root_id", "owned", "rating", "complaint", "status", "problems", "extras",
    "text_hash", "state_hash",
)  # fmt: skip

MENTION_COLUMNS = (
    "id", "post_row", "subject", "counted_ms", "source", "author_key", "sentiment", "acts", "probabilities", "harm_words",
    "harm", "is_copy", "model", "corrected_by", "topics", "severity", "stage", "details",
)  # fmt: skip


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970, UTC."""
    return round(at.timestamp() * 1000)


def from_ms(value: int | None) -> datetime | None:
    """The opposite of to_ms."""
    return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


def to_signed(value: int) -> int:
    """An unsigned 64-bit number as SQLite keeps it."""
    return value - (1 << 64) if value >> 63 else value


def from_signed(value: int) -> int:
    """The opposite of to_signed."""
    return value & ((1 << 64) - 1)


def is_han(unit: str) -> bool:
    """Whether the unit is one Han character."""
    return len(unit) == 1 and any(low <= unit <= high for low, high in HAN_RANGE)


def encode_token(unit: str) -> str:
    """A unit as exactly one token of FTS5's unicode61. Han and ASCII stay as they are; any other character becomes its code
    between private marks, so that the tokenizer can neither split it nor fold it and prefixes still are prefixes."""
    if unit == BOUNDARY:
        return BOUNDARY_TOKEN
    if unit.isascii() or is_han(unit):
        return unit
    return "".join(c if c.isascii() else f"{OTHER_TOKEN}{ord(c):x}{OTHER_END}" for c in unit)


@lru_cache(maxsize=1 << 16)
def token_of(run: str) -> str:
    """The token of one find of UNIT; the few thousand characters in use come from the cache."""
    return encode_token(run) if WORDLIKE.match(run) else BOUNDARY_TOKEN


def index_text(text: str) -> str:
    """What the full-text index holds of a title or text: split_units, encoded."""
    return " ".join(map(token_of, UNIT.findall(normalise(text)))) if text else ""


ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dump(value: object) -> str:
    """Compact JSON."""
    return ENCODER.encode(value)


def join_marked(values: Sequence[str]) -> str:
    """`,a,b,` so that one value can be looked for with instr()."""
    return f",{','.join(values)}," if values else ""


def split_marked(text: str) -> list[str]:
    """The opposite of join_marked."""
    return [part for part in text.split(",") if part]


def post_row(post: Post, id: str) -> tuple[object, ...]:
    """Values in the order of POST_COLUMNS; the id is handed in, for to compute it takes a hash."""
    complaint, engagement = post.complaint, post.engagement
    packed = "" if complaint is None else pack_complaint(complaint)
    counts = (engagement.likes, engagement.comments, engagement.reposts, engagement.views)
    return (
        id, post.source, post.native_id, str(post.kind), post.title, post.text, post.url, post.author.key,
        post.author.verified_type, post.author.follower_band, post.author.region,
        None if post.published_at is None else to_ms(post.published_at), str(post.published_precision), post.published_words,
        to_ms(post.counted_at), to_ms(post.first_seen_at), *counts, int(engagement.approx),
        None if engagement.seen_at is None else to_ms(engagement.seen_at), post.parent_id, post.root_id,
        "true" if post.owned else "false", post.rating, packed, "" if complaint is None else str(complaint.status),
        "" if complaint is None else join_marked(complaint.problems), dump(dict(post.extras)),
        text_hash(f"{post.title}\x1f{post.text}"), text_hash(dump([*counts, post.rating, packed, post.url])),
    )  # fmt: skip


def pack_complaint(complaint: Complaint) -> str:
    """A complaint as JSON."""
    return dump(
        {
            **complaint.__dict__,
            "replied_at": complaint.replied_at and to_ms(complaint.replied_at),
            "completed_at": complaint.completed_at and to_ms(complaint.completed_at),
        }
    )


def unpack_complaint(text: str) -> Complaint | None:
    """The opposite of pack_complaint; '' is None."""
    if not text:
        return None
    values = json.loads(text)
    values |= {
        "problems": tuple(values["problems"]),
        "demands": tuple(values["demands"]),
        "status": ComplaintStatus(values["status"]),
    }
    values |= {"replied_at": from_ms(values["replied_at"]), "completed_at": from_ms(values["completed_at"])}
    return Complaint(**values)


def read_post(row: sqlite3.Row) -> Post:
    """A Post from a row of `posts`."""
    first_seen = from_ms(row["first_seen_ms"])
    assert first_seen is not None
    return Post(
        source=row["source"],
        native_id=row["native_id"],
        kind=PostKind(row["kind"]),
        text=row["text"],
        first_seen_at=first_seen,
        title=row["title"],
        url=row["url"],
        author=Author(row["author_key"], row["author_type"], row["follower_band"], row["region"]),
        published_at=from_ms(row["published_ms"]),
        published_precision=TimePrecision(row["precision"]),
        published_words=row["published_words"],
        engagement=Engagement(
            row["likes"],
            row["comments"],
            row["reposts"],
            row["views"],
            bool(row["approx"]),
            from_ms(row["engagement_ms"]),
        ),
        parent_id=row["parent_id"],
        root_id=row["root_id"],
        owned=row["owned"] == "true",
        rating=row["rating"],
        complaint=unpack_complaint(row["complaint"]),
        extras=json.loads(row["extras"]),
    )


def read_mention(row: sqlite3.Row, post_id: str) -> Mention:
    """A Mention from a row of `mentions`."""
    return Mention(
        post_id=post_id,
        subject=row["subject"],
        acts=tuple(Act(act) for act in split_marked(row["acts"])),
        sentiment=Sentiment(row["sentiment"]),
        probabilities=json.loads(row["probabilities"]),
        harm_words=tuple(split_marked(row["harm_words"])),
        model=row["model"],
        corrected_by=row["corrected_by"],
        severity=Severity(row["severity"]) if row["severity"] else None,
        stage=Stage(row["stage"]) if row["stage"] else None,
        **unpack_details(row["details"]),
    )


def pack_details(mention: Mention) -> str:
    """What a mention says beyond the columns, as JSON; only what was judged."""
    found: dict[str, object] = {
        "opinions": [[opinion.topic, opinion.polarity, opinion.aspect] for opinion in mention.opinions],
        "owner": mention.owner or "",
        "demands": list(mention.demands),
        "effort": dict(mention.effort),
        "switched_to": mention.switched_to,
        "corrected": list(mention.corrected),
    }
    return dump({name: value for name, value in found.items() if value})


def unpack_details(text: str) -> dict[str, Any]:
    """The opposite of pack_details, as arguments of Mention."""
    found: dict[str, Any] = json.loads(text)
    return found | {
        "opinions": tuple(
            Opinion(Topic(topic), Sentiment(polarity), aspect) for topic, polarity, aspect in found.get("opinions", ())
        ),
        "owner": Owner(found["owner"]) if "owner" in found else None,
        "demands": tuple(found.get("demands", ())),
        "corrected": tuple(found.get("corrected", ())),
    }
