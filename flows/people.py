"""What people do – correct, forget, silence, acknowledge – and the audit of it. Posts and Desk are two databases, so an act on posts is
written down before it is done: a crash in between leaves an entry without an act, never an act without an entry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from flows.wiring import Wiring
from tingfeng.clock import show_time
from tingfeng.errors import TingfengError, UsageError
from tingfeng.fingerprints import mention_id, row_id
from tingfeng.labels import Act
from tingfeng.records import AuditEntry, Mention, Post, Silence

CORRECT = "mention.correct"
CORRECTED_POST = re.compile(r"\(内容 (\S+)\)$")
MOST_CORRECTIONS = 1_000_000


@contextmanager
def audited(wiring: Wiring, user: str, action: str, target: str, detail: str) -> Iterator[None]:
    """The entry first, then the act; when the act fails, a second entry says so."""
    wiring.desk.note(AuditEntry(wiring.clock.now(), user, action, target, detail))
    try:
        yield
    except TingfengError as error:
        wiring.desk.note(AuditEntry(wiring.clock.now(), user, f"{action}.failed", target, error.message))
        raise


def correct_mention(
    wiring: Wiring, post_id: str, subject: str, user: str, *, sentiment: str = "", acts: Sequence[str] = (), severity: str = ""
) -> Mention:
    """A person's labels for what a post says about a subject. Raises StoreError when the post does not mention it, UsageError without a label."""
    said = [sentiment, "、".join(acts), severity]
    if not any(said):
        raise UsageError("没有说改成什么", where="correct", hint="请给出 --sentiment、--act 或 --severity")
    if str(Act.OTHER) in acts and len(set(acts)) > 1:
        raise UsageError("other 只能单独出现", where="--act", hint="去掉 other,或只写它")
    id = mention_id(post_id, subject)
    with audited(wiring, user, CORRECT, id, f"{subject}:{' '.join(filter(None, said))}(内容 {post_id})"):
        return wiring.posts.correct_mention(
            id, sentiment=sentiment, acts=tuple(dict.fromkeys(acts)), severity=severity, user=user, now=wiring.clock.now()
        )


def list_corrections(wiring: Wiring) -> list[tuple[Post, Mention]]:
    """Every correction that stands, with its post: the audit knows which posts, the store what stands. The one that was made first comes first."""
    entries = wiring.desk.audit(MOST_CORRECTIONS, action=CORRECT)[::-1]
    ids = [found[1] for entry in entries if (found := CORRECTED_POST.search(entry.detail))]
    return [
        (one.post, mention)
        for one in wiring.posts.get_posts(list(dict.fromkeys(ids)))
        if one.judgement
        for mention in one.judgement.mentions
        if mention.corrected_by
    ]


def forget_posts(wiring: Wiring, user: str, *, author_key: str = "", source: str = "", before: datetime | None = None) -> int:
    """Deletes posts that meet every given condition, everywhere; how many. Raises UsageError without a condition."""
    wanted = [f"作者 {author_key}"] if author_key else []
    wanted += [f"来源 {source}"] if source else []
    wanted += [f"早于 {show_time(before)}"] if before else []
    if not wanted:
        raise UsageError("没有说删什么", where="forget", hint="请给出 --author、--source 或 --before")
    target, words = author_key or source or show_time(before), ",".join(wanted)
    with audited(wiring, user, "posts.delete", target, words):
        deleted = wiring.posts.delete_posts(author_key=author_key, source=source, before=before)
    wiring.desk.note(AuditEntry(wiring.clock.now(), user, "posts.deleted", target, f"{words}:{deleted} 条"))
    return deleted


def silence(wiring: Wiring, user: str, *, subject: str, rule: str, hours: float, reason: str) -> Silence:
    """Mutes notifications of a subject or rule for some hours. Raises UsageError when neither is given."""
    if not subject and not rule:
        raise UsageError("没有说静默什么", where="silence", hint="请给出 --subject 或 --rule")
    now = wiring.clock.now()
    made = Silence(
        row_id("silence", subject, rule, user, now.isoformat()), subject, rule, now + timedelta(hours=hours), user, reason, now
    )
    wiring.desk.add_silence(made)
    return made


def acknowledge(wiring: Wiring, incident_or_alert: str, user: str) -> list[str]:
    """Stops the repeats of an alert, or of every alert of an incident; their ids. Raises UsageError when there is none."""
    members = [id for one in wiring.desk.incidents(limit=10_000) if one.id == incident_or_alert for id in one.alert_ids]
    done = [id for id in members or [incident_or_alert] if wiring.desk.acknowledge(id, user, wiring.clock.now())]
    if not done:
        raise UsageError("没有这个事件或预警", where=incident_or_alert, hint="编号见 tingfeng incidents --json")
    return done
