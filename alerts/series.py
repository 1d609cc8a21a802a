"""Series of any step: the profile that fits."""

from __future__ import annotations

from alerts.baseline import DAILY, FIFTEEN_MINUTES, Baseline, Profile
from alerts.detector import PROFILES, DetectorState


def profile_for_step(seconds: int) -> Profile:
    """Windows of one and three hours, or of one and three steps where a step is longer than that."""
    if seconds == FIFTEEN_MINUTES.seconds:
        return FIFTEEN_MINUTES
    if seconds >= DAILY.seconds:
        return Profile(f"{seconds}s", seconds, (1, 3), False, DAILY.odds)
    return Profile(f"{seconds}s", seconds, (max(1, round(3600 / seconds)), max(3, round(10800 / seconds))), True, FIFTEEN_MINUTES.odds)


def state_for_step(seconds: int) -> DetectorState:
    """A state that knows nothing, for a series of this step."""
    profile = profile_for_step(seconds)
    PROFILES.setdefault(profile.name, profile)
    return DetectorState(profile.name, Baseline(profile))
