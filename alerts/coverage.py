"""How much of each interval the sources have seen, from the capture ledger: silence of a source is not silence of the public."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tingfeng.records import Bin, CaptureRun

LIVE = timedelta(hours=48)
Span = tuple[float, float]


def covered_spans(runs: Sequence[CaptureRun]) -> Mapping[str, list[Span]]:
    """Per source the spans of publish time that runs vouch for, joined, in order (seconds since 1970)."""
    spans: dict[str, list[Span]] = {}
    for run in sorted(
        (run for run in runs if run.covers_from and run.covers_until), key=lambda run: str(run.covers_from)
    ):
        assert run.covers_from
        assert run.covers_until
        start, end = run.covers_from.timestamp(), run.covers_until.timestamp()
        own = spans.setdefault(run.source, [])
        if own and start <= own[-1][1]:
            own[-1] = (own[-1][0], max(own[-1][1], end))
        else:
            own.append((start, end))
    return spans


def measure_coverage(bins: Sequence[Bin], runs: Sequence[CaptureRun], weights: Mapping[str, float]) -> list[Bin]:
    """The bins with their coverage: Σ weight × share covered ÷ Σ weight, over sources that were live in the 48 h before.

    `weights`: usual volume per source; unknown ones weigh 1. Without any vouching run (files only) coverage stays 1.
    """
    spans = covered_spans(runs)
    if not spans or not bins:
        return list(bins)
    seconds = (bins[1].start - bins[0].start).total_seconds() if len(bins) > 1 else 900.0
    places = dict.fromkeys(spans, 0)
    measured = []
    for one in bins:
        start = one.start.timestamp()
        total = seen = 0.0
        for source, own in spans.items():
            while places[source] < len(own) and own[places[source]][1] <= start:
                places[source] += 1
            share, live = share_covered(own, places[source], start, start + seconds)
            if live:
                weight = max(1.0, weights.get(source, 1.0))
                total += weight
                seen += weight * share
        measured.append(replace(one, coverage=round(seen / total, 4) if total else 0.0))
    return measured


def share_covered(own: list[Span], place: int, start: float, end: float) -> tuple[float, bool]:
    """(share of [start, end) covered, whether the source was live)."""
    covered = 0.0
    at = place
    while at < len(own) and own[at][0] < end:
        covered += max(0.0, min(end, own[at][1]) - max(start, own[at][0]))
        at += 1
    before = own[place - 1][1] if place else None
    live = covered > 0 or (before is not None and start - before < LIVE.total_seconds())
    return min(1.0, covered / (end - start)), live


def first_seen(runs: Sequence[CaptureRun]) -> datetime | None:
    """The earliest instant any run vouches for."""
    starts = [run.covers_from for run in runs if run.covers_from]
    return min(starts) if starts else None
