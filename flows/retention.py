"""Retention: posts older than the settings allow are deleted, a day at a time, with an entry in the audit."""

from __future__ import annotations

from datetime import datetime, timedelta

from flows.people import forget_posts
from flows.wiring import Wiring
from tingfeng.clock import floor_time

USER = "retention"


def expiry(wiring: Wiring) -> datetime | None:
    """Posts published before this have had their time; None when posts are kept for good."""
    days = wiring.settings.store.keep_days
    return floor_time(wiring.clock.now(), 86_400) - timedelta(days=days) if days else None


def drop_expired(wiring: Wiring) -> int:
    """How many posts went; no entry in the audit when there were none. Copied backups are not reached."""
    before = expiry(wiring)
    if before is None or not wiring.posts.search(until=before, limit=1, with_unmatched=True, count_up_to=0).hits:
        return 0
    return forget_posts(wiring, USER, before=before)
