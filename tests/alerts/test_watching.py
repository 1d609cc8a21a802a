"""One watch after another: what is replayed, what is passed on, what only teaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.baseline import DAILY
from alerts.detector import new_state, replay
from alerts.watching import Saved, Watched, first_bin, watch_subject
from tingfeng.clock import parse_iso
from tingfeng.records import Bin

START = parse_iso("2026-10-01T00:00")
STEP = timedelta(minutes=15)
BINS = [Bin(START + i * STEP, 1 + i % 2, 8) for i in range(96 * 12)]


def watch(bins: Sequence[Bin], upto: int, saved: Saved | None = None) -> Watched:
    """A watch just after the interval `upto` - 1 has ended."""
    now = START + upto * STEP
    start = first_bin(saved, START, now)
    return watch_subject("暖芽", saved, [one for one in bins[:upto] if one.start >= start], now)


def times(watched: Watched) -> list[datetime]:
    return [finding.at for finding in watched.fresh]


def test_a_first_watch_tells_only_of_the_newest_interval() -> None:
    assert times(watch(BINS, 900)) == [BINS[899].start]


def test_the_kept_state_stands_a_day_back() -> None:
    saved = watch(BINS, 900).saved
    assert saved.until == BINS[900 - 96].start
    assert saved.state == replay(new_state(), BINS[: 900 - 96], "暖芽")[0]


def test_after_downtime_every_interval_is_passed_on_once_in_order() -> None:
    first = watch(BINS, 500)
    assert times(watch(BINS, 900, first.saved)) == [one.start for one in BINS[500:900]]


def test_watching_twice_at_one_instant_tells_nothing_new() -> None:
    first = watch(BINS, 500)
    again = watch(BINS, 500, first.saved)
    assert again.fresh == ()
    assert again.saved == first.saved


def test_steps_of_any_length_end_in_the_same_state() -> None:
    saved: Saved | None = None
    for upto in (300, 301, 420, 777, 900):
        saved = watch(BINS, upto, saved).saved
    assert saved == watch(BINS, 900).saved


def test_posts_that_arrive_after_a_day_teach_but_raise_no_finding() -> None:
    first = watch(BINS, 900)
    flooded = [replace(one, negative=60, total=80) if 780 <= i < 800 else one for i, one in enumerate(BINS)]
    later = watch(flooded, 901, replace(first.saved, until=BINS[700].start))
    assert [finding.level for finding in later.fresh] == [None]
    assert later.saved.state.baseline.level > first.saved.state.baseline.level


def test_late_posts_of_the_last_day_are_seen_in_the_window() -> None:
    first = watch(BINS, 900)
    late = [replace(one, negative=20, total=30) if 894 <= i < 900 else one for i, one in enumerate(BINS)]
    finding = watch(late, 901, first.saved).fresh[-1]
    assert finding.evidence["y_3h"] >= 120
    assert finding.level


def test_a_subject_without_data_begins_at_the_earliest_data_or_35_days_back() -> None:
    now = parse_iso("2026-11-20T00:10")
    assert first_bin(None, None, now) == parse_iso("2026-10-16T00:00")
    assert first_bin(None, parse_iso("2026-11-18T08:07"), now) == parse_iso("2026-11-18T08:00")
    assert first_bin(None, parse_iso("2026-11-18T08:07"), now, DAILY) == parse_iso("2026-11-18T00:00")
