"""One watch of one subject: where the state stands, which intervals to replay, which findings are new.

The state is kept at a horizon 24 hours back, where counts are final; the last day is replayed each time with what is known now.
A post that arrives later than that only teaches the baseline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.baseline import FIFTEEN_MINUTES, Profile
from alerts.detector import DetectorState, new_state, replay
from tingfeng.clock import floor_time
from tingfeng.records import Bin, Finding

HISTORY = timedelta(days=35)


@dataclass(frozen=True)
class Saved:
    """What was kept of the last watch: state at `until`, and the last interval whose finding was passed on."""

    state: DetectorState
    until: datetime
    evaluated: datetime


@dataclass(frozen=True)
class Watched:
    """The state to keep, and the findings that were not passed on before, oldest first; `recent` are all of the replayed day."""

    saved: Saved
    fresh: tuple[Finding, ...]
    recent: tuple[Finding, ...]


def horizon_of(profile: Profile) -> timedelta:
    """How far back counts are taken as final."""
    return timedelta(days=1) if profile.hourly else timedelta(days=2)


def first_bin(
    saved: Saved | None, earliest: datetime | None, now: datetime, profile: Profile = FIFTEEN_MINUTES
) -> datetime:
    """Where the bins for the next watch must begin: at the saved state, else at the earliest data of the last 35 days."""
    if saved is not None:
        return saved.until
    oldest = now - HISTORY
    return floor_time(max(oldest, earliest) if earliest else oldest, profile.seconds)


def watch_subject(
    subject: str,
    saved: Saved | None,
    bins: Sequence[Bin],
    now: datetime,
    *,
    profile: Profile = FIFTEEN_MINUTES,
    volume: bool = False,
    rule: str = "spike",
) -> Watched:
    """`bins`: all intervals from first_bin() to now, coverage measured. A first watch tells only of the newest interval.

    An interval that is not over (a day) is told of each time and learnt only when it is.
    """
    state = saved.state if saved else new_state(profile)
    border = floor_time(now - horizon_of(profile), profile.seconds)
    final = [one for one in bins if one.start < border]
    fresh_bins = bins[len(final) :]
    at_border, old = replay(state, final, subject, volume=volume, rule=rule)
    _, new = replay(at_border, fresh_bins, subject, volume=volume, rule=rule)
    told = saved.evaluated if saved else (bins[-2].start if len(bins) > 1 else now - timedelta(days=3650))
    every = [*old, *new]
    until = max(border, saved.until) if saved else border
    whole = [finding.at for finding in every if finding.at + timedelta(seconds=profile.seconds) <= now]
    last = whole[-1] if whole else told
    fresh = tuple(finding for finding in every if finding.at > told)
    return Watched(Saved(at_border, until, max(last, told)), fresh, tuple(every))
