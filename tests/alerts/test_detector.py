"""The detector on made series: quiet stays quiet, a crisis is seen in time, a loud day is only loud, blindness is not silence."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.baseline import DAILY, PRIOR
from alerts.detector import DetectorState, new_state, replay
from alerts.watching import first_bin, watch_subject
from tingfeng.clock import SHANGHAI, parse_iso
from tingfeng.errors import StoreError
from tingfeng.labels import Level
from tingfeng.records import Bin, Finding

START = parse_iso("2026-10-01T00:00")
STEP = timedelta(minutes=15)


def draw(rng: random.Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def make_series(
    days: int,
    per_hour: float,
    share: float = 0.2,
    seed: int = 1,
    lift: Callable[[int], tuple[float, float]] = lambda i: (1.0, 1.0),
) -> list[Bin]:
    """`lift(i)` multiplies negatives and others of the interval i."""
    rng, bins = random.Random(seed), []
    for i in range(days * 96):
        at = START + i * STEP
        rate = per_hour / 4 * PRIOR[at.astimezone(SHANGHAI).hour]
        worse, louder = lift(i)
        negative = draw(rng, rate * share * worse)
        bins.append(Bin(at, negative, negative + draw(rng, rate * (1 - share) * louder)))
    return bins


def levels(findings: list[Finding]) -> list[Level | None]:
    return [finding.level for finding in findings]


def test_five_quiet_weeks_give_next_to_no_yellow() -> None:
    loud = [
        finding
        for seed in range(4)
        for finding in replay(new_state(), make_series(35, 10, seed=seed))[1]
        if finding.level and finding.level.rank
    ]
    assert len(loud) <= 2


def test_a_crisis_is_orange_or_red_within_two_hours() -> None:
    at = 21 * 96 + 52
    bins = make_series(22, 20, lift=lambda i: (12.0, 1.5) if i >= at else (1.0, 1.0))
    findings = replay(new_state(), bins)[1]
    first = next(
        i for i, finding in enumerate(findings) if i >= at and finding.level and finding.level.rank >= Level.ORANGE.rank
    )
    assert first - at <= 8
    assert findings[first].share_up
    assert "倍" in findings[first].reasons[0]


def test_a_festival_that_lifts_everything_is_blue_at_most() -> None:
    at = 21 * 96 + 80
    findings = replay(
        new_state(), make_series(23, 20, lift=lambda i: (4.0, 4.0) if at <= i < at + 100 else (1.0, 1.0))
    )[1]
    high = [finding for finding in findings[at:] if finding.level and finding.level.rank > Level.YELLOW.rank]
    assert high == []


def test_harm_raises_by_one_level_and_never_alone() -> None:
    at = 21 * 96 + 52
    bins = make_series(22, 20, lift=lambda i: (6.0, 1.5) if i >= at else (1.0, 1.0))
    plain = replay(new_state(), bins)[1]
    harmed = replay(new_state(), [replace(one, harm=one.negative) if i >= at else one for i, one in enumerate(bins)])[1]
    raised = [(a.level, b.level) for a, b in zip(plain, harmed, strict=True) if a.level]
    assert all(b and a and b.rank == min(a.rank + 1, 3) for a, b in raised)
    calm = replay(new_state(), [replace(one, harm=one.negative) for one in make_series(21, 10)])[1]
    assert all(finding.level is None for finding in calm[-96:])


def test_a_masked_interval_is_neither_scored_nor_learnt() -> None:
    state, _ = replay(new_state(), make_series(10, 10))
    after, findings = replay(state, [Bin(START + timedelta(days=10), 0, 0, coverage=0.2)])
    assert findings[0].masked
    assert after.baseline.a == state.baseline.a


def test_an_outage_with_backfill_raises_nothing() -> None:
    bins = make_series(20, 20)
    out = range(18 * 96, 18 * 96 + 40)
    blind = [replace(one, negative=0, total=0, coverage=0.0) if i in out else one for i, one in enumerate(bins)]
    findings = replay(new_state(), blind)[1]
    assert all(finding.level is None or finding.level is Level.BLUE for finding in findings[18 * 96 :])


def test_half_coverage_expects_less() -> None:
    state, _ = replay(new_state(), make_series(14, 20))
    at = START + timedelta(days=14, hours=12)
    full, half = (replay(state, [Bin(at, 1, 5, coverage)])[1][0].evidence["mu"] for coverage in (1.0, 0.5))
    assert half == pytest.approx(full / 2, rel=0.01)


def test_the_first_day_is_blue_at_most() -> None:
    findings = replay(new_state(), make_series(1, 40, lift=lambda i: (15.0, 1.0) if i > 60 else (1.0, 1.0)))[1]
    assert {level for level in levels(findings) if level} <= {Level.BLUE}


def test_fewer_than_three_posts_are_never_a_spike() -> None:
    state, _ = replay(new_state(), [Bin(START + i * STEP, 0, 0) for i in range(96 * 30)])
    _, findings = replay(state, [Bin(START + timedelta(days=30), 2, 2)])
    assert findings[0].level is None


def test_replay_is_pure_and_can_be_cut_anywhere() -> None:
    bins = make_series(12, 10)
    whole, findings = replay(new_state(), bins)
    middle, first = replay(new_state(), bins[:500])
    restored = DetectorState.from_json(middle.to_json())
    assert len(middle.to_json()) < 12_000
    end, second = replay(restored, bins[500:])
    assert [*first, *second] == findings
    assert end.to_json() == whole.to_json()


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(StoreError):
        DetectorState.from_json(new_state().to_json().replace('"version":1', '"version":0'))


def test_daily_volume_flags_the_day_of_a_burst() -> None:
    days = [Bin(START + timedelta(days=d), 0, 1 if d % 40 == 7 else 0) for d in range(200)]
    days[150] = replace(days[150], total=5)
    findings = replay(new_state(DAILY), days, volume=True, rule="volume")[1]
    flagged = [i for i, finding in enumerate(findings) if finding.level and finding.level.rank >= Level.YELLOW.rank]
    assert flagged
    assert set(flagged) <= {150, 151, 152}


def test_watching_in_steps_passes_every_interval_once() -> None:
    bins = make_series(6, 10)
    saved, told = None, []
    for upto in range(96, len(bins) + 1, 37):
        now = bins[upto - 1].start + STEP
        start = first_bin(saved, START, now)
        watched = watch_subject("暖芽", saved, [one for one in bins[:upto] if one.start >= start], now)
        saved = watched.saved
        told += [finding.at for finding in watched.fresh]
    assert told == sorted(set(told))
    assert told == [one.start for one in bins if told[0] <= one.start <= told[-1]]
    assert saved
    assert saved.until == bins[-1].start.replace() - timedelta(days=1) + STEP or saved.until <= bins[-1].start
