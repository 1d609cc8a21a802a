"""The scorer of the Numenta Anomaly Benchmark, written from its description (Lavin & Ahmad, 2015), for the realTweets files.

One threshold for all files, chosen on the scored data itself, as the benchmark does. Scores are normalised: 0 = never fires, 100 = perfect.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from alerts.detector import replay
from alerts.series import state_for_step
from flows.detect import read_series
from tingfeng.clock import parse_iso
from tingfeng.records import Bin

PROBATION_SHARE, PROBATION_ROWS = 0.15, 750
ONSET = timedelta(hours=12)
ONSET_FACTOR = 1.25
PROFILES: Mapping[str, tuple[float, float, float]] = {
    "standard": (1, 0.11, 1),
    "reward_low_FP": (1, 0.22, 1),
    "reward_low_FN": (1, 0.11, 2),
}


@dataclass(frozen=True)
class Scored:
    """One file: instants, scores of a detector, anomaly windows."""

    name: str
    times: Sequence[datetime]
    scores: Sequence[float]
    windows: Sequence[tuple[datetime, datetime]]


def read_windows(folder: Path) -> Mapping[str, list[tuple[datetime, datetime]]]:
    """Windows by file name."""
    listed = json.loads((folder / "realTweets_windows.json").read_text("utf-8"))
    return {Path(name).name: [(parse_iso(a), parse_iso(b)) for a, b in windows] for name, windows in listed.items()}


def sigmoid(position: float) -> float:
    """The benchmark's scaled sigmoid: near 1 at the left edge of a window, 0 at its right edge, -1 far behind it."""
    return 2 / (1 + math.exp(5 * position)) - 1


def weigh_rows(one: Scored) -> list[tuple[float, int, float]]:
    """(score, window number or -1, weight) of each row after probation; the weight is the gain inside, the loss outside a window."""
    skipped = min(int(PROBATION_SHARE * len(one.times)), PROBATION_ROWS)
    rows = []
    for index in range(skipped, len(one.times)):
        at = one.times[index]
        inside = next((n for n, (a, b) in enumerate(one.windows) if a <= at <= b), -1)
        if inside >= 0:
            start, end = one.windows[inside]
            position = -((end - at) / (end - start)) if end > start else -1.0
            rows.append((one.scores[index], inside, sigmoid(position) / sigmoid(-1)))
            continue
        before = [(a, b) for a, b in one.windows if b < at]
        if before:
            start, end = before[-1]
            distance = (at - end) / max(end - start, timedelta(minutes=5))
            rows.append((one.scores[index], -1, sigmoid(distance) if distance <= 3 else -1.0))
        else:
            rows.append((one.scores[index], -1, -1.0))
    return rows


def score_files(files: Sequence[Scored], profile: str) -> tuple[float, float]:
    """(best normalised score, its threshold)."""
    gain, loss, miss = PROFILES[profile]
    rows = sorted(
        ((score, f, window, weight) for f, one in enumerate(files) for score, window, weight in weigh_rows(one)),
        reverse=True,
    )
    total = sum(len(one.windows) for one in files)
    null, perfect = -miss * total, gain * total
    best: dict[tuple[int, int], float] = {}
    raw, top = null, (null, math.inf)
    for place, (score, file, window, weight) in enumerate(rows):
        if window < 0:
            raw += loss * weight
        else:
            old = best.get((file, window))
            new = gain * weight
            if old is None:
                raw += miss + new
            elif new > old:
                raw += new - old
            best[(file, window)] = max(new, old if old is not None else new)
        last = place + 1 == len(rows) or rows[place + 1][0] < score
        if last and raw > top[0]:
            top = (raw, score)
    return round(100 * (top[0] - null) / (perfect - null), 1), top[1]


def keep_onsets(times: Sequence[datetime], scores: Sequence[float]) -> list[float]:
    """A score only where it exceeds 1.25 times the highest of the last twelve hours: alerts are episodes."""
    kept: list[float] = []
    window: list[tuple[datetime, float]] = []
    for at, score in zip(times, scores, strict=True):
        while window and at - window[0][0] > ONSET:
            window.pop(0)
        highest = max((value for _, value in window), default=0.0)
        kept.append(score if score > ONSET_FACTOR * highest else 0.0)
        while window and window[-1][1] <= score:
            window.pop()
        window.append((at, score))
    return kept


def product_scores(file: Path) -> tuple[list[datetime], list[float]]:
    """The product's detector on the file as it is."""
    rows = read_series(file)
    seconds = int((rows[1][0] - rows[0][0]).total_seconds())
    bins = [Bin(at, int(value), int(value)) for at, value, _ in rows]
    _, findings = replay(state_for_step(seconds), bins, volume=True)
    return [row[0] for row in rows], [finding.score for finding in findings]


def gaussian_scores(file: Path) -> tuple[list[datetime], list[float]]:
    """Baseline: z over the mean and deviation of the last seven days."""
    rows = read_series(file)
    size, total, squares, scores = 2016, 0.0, 0.0, []
    values = [value for _, value, _ in rows]
    for place, value in enumerate(values):
        n = min(place, size)
        mean = total / n if n else value
        deviation = math.sqrt(max(squares / n - mean * mean, 0.0)) if n else 0.0
        scores.append(max(0.0, (value - mean) / deviation) if deviation > 0 else 0.0)
        total, squares = total + value, squares + value * value
        if place >= size:
            total, squares = total - values[place - size], squares - values[place - size] ** 2
    return [row[0] for row in rows], scores


def run(
    folder: Path, detector: Callable[[Path], tuple[list[datetime], list[float]]], *, onset: bool = True
) -> Mapping[str, float]:
    """Score per profile over all files."""
    windows = read_windows(folder)
    files = []
    for file in sorted((folder / "realTweets").glob("*.csv")):
        times, scores = detector(file)
        files.append(Scored(file.name, times, keep_onsets(times, scores) if onset else scores, windows[file.name]))
    return {profile: score_files(files, profile)[0] for profile in PROFILES} | {
        "threshold": round(score_files(files, "standard")[1], 3)
    }
