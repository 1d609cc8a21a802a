"""The spike detector: negative-binomial tail and two-state burst evidence must agree; the negative share says whether it is a crisis.

Pure: `replay(state, bins)` gives the next state and one finding per interval. The same code runs in production, tests and
benchmarks. Formulas and measurements: ADR 0003.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from alerts.baseline import DAILY, FIFTEEN_MINUTES, Baseline, Profile
from alerts.levels import choose_level, explain
from alerts.special import surprise
from tingfeng.errors import StoreError
from tingfeng.records import Bin, Finding

VERSION = 1
BURST_RATIO = math.log(3)  # a burst is three times the expectation
MONTH_SECONDS = 30 * 86400
HOLD_SURPRISE = 3.5
MASKED_BELOW = 0.5
COLD_DAYS = 3
SHARE_HALF_LIFE_SECONDS = 14 * 86400
PROFILES = {profile.name: profile for profile in (FIFTEEN_MINUTES, DAILY)}


@dataclass
class Share:
    """Usual negative share and its over-dispersion."""

    negative: float = 1.5
    total: float = 10.0
    rho: float = 0.02

    @property
    def usual(self) -> float:
        """Between 0.1 % and 99 %."""
        return min(0.99, max(0.001, self.negative / self.total))


@dataclass
class DetectorState:
    """Everything learnt about one subject. `recent`: the last intervals as (negative, total, expected, coverage, harm)."""

    profile: str = FIFTEEN_MINUTES.name
    baseline: Baseline = field(default_factory=lambda: Baseline(FIFTEEN_MINUTES))
    share: Share = field(default_factory=Share)
    recent: list[tuple[int, int, float, float, int]] = field(default_factory=list)
    q0: float = 0.0
    q1: float = 0.0
    last_score: float = 0.0

    def to_json(self) -> str:
        """About 5 kB."""
        values = asdict(self) | {"version": VERSION}
        values["baseline"].pop("profile")
        return json.dumps(values, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> DetectorState:
        """Raises StoreError for a state of another version, which must be learnt anew."""
        try:
            values = json.loads(text)
            if values.pop("version") != VERSION:
                raise ValueError("版本不同")
            profile = PROFILES[values["profile"]]
            values["baseline"] = Baseline(profile, **values["baseline"])
            values["share"] = Share(**values["share"])
            values["recent"] = [tuple(row) for row in values["recent"]]
            return DetectorState(**values)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"检测器状态读不懂({error})", where="detector_state", hint="会从历史数据重新学习"
            ) from error


def new_state(profile: Profile = FIFTEEN_MINUTES) -> DetectorState:
    """Knows nothing yet."""
    return DetectorState(profile.name, Baseline(profile))


def replay(
    state: DetectorState, bins: Sequence[Bin], subject: str = "", *, volume: bool = False, rule: str = "spike"
) -> tuple[DetectorState, list[Finding]]:
    """Passes intervals in order of time through a copy of the state. `volume`: judge all mentions, as where a share means nothing."""
    state = copy.deepcopy(state)
    return state, [step(state, one, subject, volume, rule) for one in bins]


def step(state: DetectorState, one: Bin, subject: str, volume: bool, rule: str) -> Finding:
    """Scores one interval, then learns from it."""
    profile = PROFILES[state.profile]
    if one.coverage < MASKED_BELOW:
        state.recent = [*state.recent, (0, 0, 0.0, 0.0, 0)][-profile.windows[1] :]
        return Finding(
            rule, subject, one.start, None, state.last_score, masked=True, reasons=("采集覆盖不足一半,这段时间不判断",)
        )
    count = one.total if volume else one.negative
    expected = state.baseline.expect(one.start, one.coverage)
    state.recent = [*state.recent, (count, one.total, expected, one.coverage, one.harm)][-profile.windows[1] :]
    sums = [window_sums(state, size) for size in profile.windows]
    tails = [tail_of(state.baseline.dispersion[i], y, m) for i, (y, m) in enumerate(sums)]
    s_nb = max(tails)
    hourly = window_sums(state, profile.windows[0])
    burst = burst_evidence(state, count, expected, hourly[1], profile)
    score = round(min(s_nb / 3, burst / profile.odds), 3)
    lift, z_share, share_up = share_evidence(state)
    evidence = {
        "mu_1h": sums[0][1], "y_1h": sums[0][0], "mu_3h": sums[1][1], "y_3h": sums[1][0], "mu": expected, "s_nb": s_nb, "k": burst,
        "lift": lift, "z_share": z_share, "share": share_now(state), "share_base": state.share.usual, "days": state.baseline.days,
        "harm": sum(row[4] for row in state.recent),
    }  # fmt: skip
    evidence = {name: round(float(value), 4) for name, value in evidence.items()}
    level = choose_level(score, share_up, evidence, volume=volume)
    finding = Finding(
        rule=rule,
        subject=subject,
        at=one.start,
        level=level,
        score=score,
        negative=int(sums[1][0]),
        expected=round(sums[1][1], 2),
        total=sum(row[1] for row in state.recent),
        window_seconds=profile.seconds * profile.windows[1],
        share_up=share_up,
        reasons=explain(profile, evidence, share_up, volume) if level else (),
        evidence=evidence,
    )
    learn(state, one, count, s_nb, score, sums)
    return finding


def window_sums(state: DetectorState, size: int) -> tuple[float, float]:
    """(count, expected) over the last `size` intervals; masked ones give nothing to either."""
    rows = state.recent[-size:]
    return float(sum(row[0] for row in rows)), sum(row[2] for row in rows)


def tail_of(dispersion: float, count: float, mean: float) -> float:
    """S_NB of one window: fewer than three posts, or less than 1.3 times the expectation, never count."""
    return surprise(count, mean, dispersion) if count >= max(3.0, 1.3 * mean) else 0.0


def burst_evidence(state: DetectorState, count: float, mean: float, hour_mean: float, profile: Profile) -> float:
    """K: log10 evidence of a burst state (two-state model of Kleinberg, 2002, quasi-Poisson)."""
    spread = 1 + state.baseline.dispersion[0] * hour_mean
    gain = (count * BURST_RATIO - 2 * mean) / spread
    cost = math.log(MONTH_SECONDS / profile.seconds)
    calm, burst = min(state.q0, state.q1), min(state.q1, state.q0 + cost) - gain
    least = min(calm, burst)
    state.q0, state.q1 = calm - least, burst - least
    return max(0.0, cost + state.q0 - state.q1) / math.log(10)


def share_now(state: DetectorState) -> float:
    """Negative share of the long window."""
    total = sum(row[1] for row in state.recent)
    return sum(row[0] for row in state.recent) / total if total else 0.0


def share_evidence(state: DetectorState) -> tuple[float, float, bool]:
    """(lift, z, up?) by a beta-binomial test of the negative share of the long window."""
    k, n = sum(row[0] for row in state.recent), sum(row[1] for row in state.recent)
    usual, rho = state.share.usual, state.share.rho
    if n == 0:
        return 1.0, 0.0, False
    z = (k - n * usual) / math.sqrt(n * usual * (1 - usual) * (1 + (n - 1) * rho))
    lift = (k + 1) / (n * usual + 1)
    return lift, z, z >= 2 and lift >= 1.3


def learn(
    state: DetectorState, one: Bin, count: int, s_nb: float, score: float, sums: list[tuple[float, float]]
) -> None:
    """Updates baseline, dispersion and share; while something is going on they learn little or nothing."""
    # before the level is known every post is a surprise; holding back then would keep it unknown for ever
    hold = state.baseline.days >= COLD_DAYS and (s_nb >= HOLD_SURPRISE or state.q1 < state.q0)
    state.baseline.learn(one.start, count, one.coverage, hold)
    if not hold:
        for window, (y, m) in enumerate(sums):
            state.baseline.learn_dispersion(window, y, m)
    if score <= 0.7 and not hold:
        keep = 0.5 ** (PROFILES[state.profile].seconds / SHARE_HALF_LIFE_SECONDS)
        learn_rho(state)
        state.share.negative = state.share.negative * keep + one.negative
        state.share.total = state.share.total * keep + one.total
    state.last_score = score


def learn_rho(state: DetectorState) -> None:
    """Over-dispersion of the share, by the rule that serves the counts."""
    k, n = sum(row[0] for row in state.recent), sum(row[1] for row in state.recent)
    if n < 5:
        return
    share, usual = state.share, state.share.usual
    squared = (k - n * usual) ** 2 / (n * usual * (1 - usual) * (1 + (n - 1) * share.rho))
    step = 2 * 0.6931 * PROFILES[state.profile].seconds / SHARE_HALF_LIFE_SECONDS * (min(squared, 2.25) / 0.7785 - 1)
    share.rho = min(0.3, max(0.002, share.rho * math.exp(step * (n - 1) * share.rho / (1 + (n - 1) * share.rho))))
