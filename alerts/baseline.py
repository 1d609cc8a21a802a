"""The expected count of an interval: level × hour of day × hour of week, learnt with forgetting, incidents held out.

Formulas: ADR 0003. All state is plain numbers, so that it can be stored as JSON and replayed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tingfeng.clock import SHANGHAI

# Posts by hour of day before anything is learnt: trough at 4–5, peaks at 12 and 20–22. Set by hand after the simulator of
# ADR 0003, not measured; eight expected posts an hour outweigh it. Mean 1.
CURVE = (
    2,
    1.3,
    0.9,
    0.7,
    0.65,
    0.8,
    1.4,
    2.3,
    3.2,
    3.7,
    3.9,
    3.9,
    4.2,
    3.9,
    3.7,
    3.7,
    3.8,
    3.9,
    4,
    4.5,
    4.9,
    5,
    4.5,
    3.2,
)
PRIOR = tuple(value * 24 / sum(CURVE) for value in CURVE)
LEVEL_HALF_LIFE, SHAPE_HALF_LIFE, DISPERSION_HALF_LIFE = (timedelta(days=7), timedelta(days=28), timedelta(days=14))
DAY = 86400


@dataclass(frozen=True)
class Profile:
    """How a series is cut: `seconds` an interval; `windows` in intervals; whether hours of the day are known.

    `odds`: log10 odds of a burst that count as a score of 1. A day is looked at once, a quarter of an hour 96 times a day, so a
    day needs less: 20 to 1 against 158 to 1 (ADR 0003).
    """

    name: str
    seconds: int
    windows: tuple[int, int]
    hourly: bool
    odds: float

    @property
    def per_day(self) -> float:
        """Intervals a day."""
        return DAY / self.seconds


FIFTEEN_MINUTES = Profile("15min", 900, (4, 12), True, 2.2)
DAILY = Profile("daily", DAY, (1, 3), False, 1.3)


@dataclass
class Baseline:
    """Learns while it is told the counts; `level` is the expected count of a mean interval."""

    profile: Profile
    a: float = 0.0
    b: float = 0.0
    hour_counts: list[float] = field(default_factory=lambda: [0.0] * 24)
    hour_exposure: list[float] = field(default_factory=lambda: [0.0] * 24)
    week_counts: list[float] = field(default_factory=lambda: [0.0] * 168)
    week_exposure: list[float] = field(default_factory=lambda: [0.0] * 168)
    dispersion: list[float] = field(default_factory=lambda: [0.15, 0.15])
    learnt: float = 0.0  # intervals

    @property
    def days(self) -> float:
        """Days learnt, coverage counted."""
        return self.learnt / self.profile.per_day

    @property
    def level(self) -> float:
        """Expected count of a mean interval; a tenth of a post a day before anything is known."""
        return max(self.a / self.b if self.b > 0 else 0.0, 0.1 / self.profile.per_day)

    def shape(self, start: datetime) -> tuple[float, float]:
        """(hour of day, hour of week) factors at the middle of the interval that begins at `start`."""
        local = start.astimezone(SHANGHAI)
        if not self.profile.hourly:
            day = local.weekday()
            return 1.0, self._week(day * 24)
        at = local.hour + (local.minute + self.profile.seconds / 120) / 60 - 0.5
        low = int(at // 1)
        part = at - low
        hour = (1 - part) * self._hour(low % 24) + part * self._hour((low + 1) % 24)
        return hour, self._week(local.weekday() * 24 + local.hour)

    def _hour(self, hour: int) -> float:
        return (self.hour_counts[hour] + 8 * PRIOR[hour]) / (self.hour_exposure[hour] + 8)

    def _week(self, hour: int) -> float:
        return (self.week_counts[hour] + 16) / (self.week_exposure[hour] + 16)

    def expect(self, start: datetime, coverage: float) -> float:
        """Expected count of the interval."""
        hour, week = self.shape(start)
        return self.level * hour * week * coverage

    def learn(self, start: datetime, count: float, coverage: float, hold: bool) -> None:
        """Takes in a final count; far above the expectation it is cut, the more so while `hold` says that something is going on."""
        hour, week = self.shape(start)
        shape = hour * week
        mean = self.level * shape * coverage
        spread = (mean + self.dispersion[0] * mean * mean) ** 0.5
        taken = count if self.days < 1 else min(count, mean + spread) if hold else min(count, mean + 3 * spread + 1)
        keep = 0.5 ** (self.profile.seconds / LEVEL_HALF_LIFE.total_seconds())
        self.a = self.a * keep + taken
        self.b = self.b * keep + shape * coverage
        self.learnt += coverage
        local = start.astimezone(SHANGHAI)
        level = self.level
        weight = 1 / (1 + self.dispersion[0] * level * 3600 / self.profile.seconds)
        fade = 0.5 ** (self.profile.seconds / SHAPE_HALF_LIFE.total_seconds())
        if self.profile.hourly:
            for values, more in (
                (self.hour_counts, weight * taken / week),
                (self.hour_exposure, weight * level * coverage),
            ):
                values[local.hour] = values[local.hour] * fade + more
        place = local.weekday() * 24 + (local.hour if self.profile.hourly else 0)
        for values, more in (
            (self.week_counts, weight * taken / hour),
            (self.week_exposure, weight * level * coverage),
        ):
            values[place] = values[place] * fade + more

    def learn_dispersion(self, window: int, count: float, mean: float) -> None:
        """Huber's proposal 2 on the squared residual of a window sum, so that crises do not inflate it."""
        phi = self.dispersion[window]
        if mean <= 0:
            return
        squared = (count - mean) ** 2 / (mean + phi * mean * mean)
        half_life = DISPERSION_HALF_LIFE.total_seconds() * min(1.0, max(0.15, self.days / 14))
        eta = 2 * 0.6931 * self.profile.seconds / half_life
        step = eta * (min(squared, 2.25) / 0.7785 - 1) * phi * mean / (1 + phi * mean)
        self.dispersion[window] = min(2.0, max(0.01, phi * (2.718281828**step)))
