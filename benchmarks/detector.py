"""How well crises are found in made series: `python -m benchmarks.detector --brands 20` prints JSON.

Ours runs beside two baselines in the same run. Thresholds are set on one seed for at most 0.1 false alarms per brand and week and
reported on another; the row `levels` is what people are told: 黄 and above, through the life cycle, nothing calibrated.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from alerts.detector import new_state, replay
from alerts.lifecycle import advance
from alerts.special import surprise
from benchmarks.simulate_series import DAY, HOUR, LEARNING, WEEK, Brand, Curve, simulate_brands
from tingfeng.labels import Level
from tingfeng.records import Alert, Finding

BUDGET = 0.1  # false alarms per brand-week
CALM = 2 * HOUR
NEARLY_POISSON = 1e-4
Span = tuple[int, int]


@dataclass
class Tally:
    """What one detector did over all brands."""

    crises: int = 0
    found: int = 0
    opened_inside: int = 0
    false: int = 0
    festivals: int = 0
    festival_alarms: int = 0
    quiet: int = 0
    quiet_up: int = 0
    weeks: float = 0.0

    def __post_init__(self) -> None:
        self.by_size: dict[str, list[int]] = {}
        self.delays: list[float] = []

    @property
    def false_per_week(self) -> float:
        """Per brand."""
        return self.false / self.weeks if self.weeks else 0.0

    def to_dict(self) -> dict[str, object]:
        """Rounded, for people."""
        return {
            "crises": self.crises,
            "recall": round(self.found / max(1, self.crises), 3),
            "opened_inside": round(self.opened_inside / max(1, self.crises), 3),
            "recall_by_size": {size: round(sum(hits) / len(hits), 3) for size, hits in sorted(self.by_size.items())},
            "false_per_brand_week": round(self.false_per_week, 3),
            "festival_alarms": f"{self.festival_alarms}/{self.festivals}",
            "quiet_hours_in_alarm_per_week": round(self.quiet_up / max(1, self.quiet) * WEEK / HOUR, 2),
            "delay_hours_median": round(median(self.delays), 2) if self.delays else None,
            "delay_hours_p90": round(float(np.quantile(self.delays, 0.9)), 2) if self.delays else None,
        }


def score_product(brand: Brand) -> list[float]:
    """The score of ours."""
    return [finding.score for finding in replay(new_state(), brand.bins)[1]]


def score_gaussian(brand: Brand) -> list[float]:
    """Deviations of the last hour from the mean of hours in the last seven days."""
    sums = rolling_sums(brand, HOUR)
    total, squares = np.concatenate([[0.0], np.cumsum(sums)]), np.concatenate([[0.0], np.cumsum(sums**2)])
    at = np.arange(len(sums))
    first = np.maximum(0, at - WEEK)
    n = np.maximum(1, at - first)
    mean = (total[at] - total[first]) / n
    deviation = np.sqrt(np.maximum((squares[at] - squares[first]) / n - mean**2, 0.05))
    return [float(z) if one >= 3 else 0.0 for z, one in zip((sums - mean) / deviation, sums, strict=True)]


def score_poisson(brand: Brand) -> list[float]:
    """-log10 of the Poisson tail of the last three hours, expected from the last seven days."""
    sums, single = rolling_sums(brand, 3 * HOUR), np.array([one.negative for one in brand.bins], dtype=float)
    total = np.concatenate([[0.0], np.cumsum(single)])
    scores = []
    for i, count in enumerate(sums):
        first = max(0, i - WEEK)
        mean = (total[i] - total[first]) / max(1, i - first) * 3 * HOUR
        scores.append(surprise(float(count), mean, NEARLY_POISSON) if count >= max(3, 1.3 * mean) else 0.0)
    return scores


def rolling_sums(brand: Brand, size: int) -> Curve:
    """Negative posts of the last `size` intervals at each."""
    total = np.cumsum([one.negative for one in brand.bins], dtype=np.float64)
    before = np.concatenate([np.zeros(size), total[:-size]])
    return np.asarray(total - before, dtype=np.float64)


DETECTORS: Mapping[str, Callable[[Brand], list[float]]] = {
    "product": score_product,
    "gaussian_7d": score_gaussian,
    "poisson_7d": score_poisson,
}


def find_spans(scores: Sequence[float], theta: float) -> list[Span]:
    """Up at `theta`, down after two hours below half of it; what stands before the scored weeks is left out."""
    spans: list[Span] = []
    begun, last = -1, -1
    for i, score in enumerate(scores[LEARNING:], LEARNING):
        if begun < 0 and score >= theta:
            begun = i
        if begun >= 0 and score >= theta / 2:
            last = i
        if begun >= 0 and i - last >= CALM:
            spans.append((begun, i))
            begun = -1
    return [*spans, (begun, len(scores))] if begun >= 0 else spans


def find_told(findings: Sequence[Finding]) -> list[Span]:
    """From the edge at which an alert first stands at 黄 or above until it is resolved."""
    spans: list[Span] = []
    alert: Alert | None = None
    begun = -1
    for i, finding in enumerate(findings):
        step = advance(alert, finding)
        alert = step.alert
        for change in step.changes:
            if begun < 0 and change.edge != "resolve" and change.level.rank >= Level.YELLOW.rank:
                begun = i
            elif begun >= 0 and change.edge == "resolve":
                spans.append((begun, i))
                begun = -1
    spans = [*spans, (begun, len(findings))] if begun >= 0 else spans
    return [span for span in spans if span[1] > LEARNING]


def add_brand(tally: Tally, brand: Brand, spans: Sequence[Span]) -> None:
    """Compares the spans of one brand with its truth."""
    spoken_for = np.zeros(len(brand.bins), dtype=bool)
    for one in brand.happenings:
        if one.kind != "hype":  # an alarm at praise is false
            spoken_for[one.start : one.tail] = True
        opened = [start for start, _ in spans if one.start <= start < one.end]
        if one.kind == "festival":
            tally.festivals += 1
            tally.festival_alarms += bool(opened)
        if one.is_crisis:
            found = any(start < one.end and end > one.start for start, end in spans)
            tally.crises += 1
            tally.found += found
            tally.opened_inside += bool(opened)
            tally.by_size.setdefault(one.kind, []).append(int(found))
            if opened:
                tally.delays.append((opened[0] - one.start) / HOUR)
    tally.false += sum(not spoken_for[start] for start, _ in spans if start >= LEARNING)
    up = np.zeros(len(brand.bins), dtype=bool)
    for start, end in spans:
        up[start:end] = True
    scored = np.arange(len(brand.bins)) >= LEARNING
    tally.quiet += int((scored & ~spoken_for).sum())
    tally.quiet_up += int((scored & ~spoken_for & up).sum())
    tally.weeks += (len(brand.bins) - LEARNING) / WEEK


def tally_scores(brands: Sequence[Brand], scores: Sequence[Sequence[float]], theta: float) -> Tally:
    """All brands at one threshold."""
    tally = Tally()
    for brand, own in zip(brands, scores, strict=True):
        add_brand(tally, brand, find_spans(own, theta))
    return tally


def set_threshold(brands: Sequence[Brand], scores: Sequence[Sequence[float]]) -> float:
    """The lowest threshold within the budget, of 60 between the scores' median peak of a day and their maximum."""
    peaks = [max(own[i : i + DAY]) for own in scores for i in range(LEARNING, len(own), DAY)]
    grid = np.quantile(peaks, np.linspace(0.5, 1.0, 60))
    fitting = (theta for theta in grid if theta > 0 and tally_scores(brands, scores, theta).false_per_week <= BUDGET)
    return float(next(fitting, grid[-1]))


def measure_levels(brands: Sequence[Brand]) -> Tally:
    """The levels and the life cycle as people get them."""
    tally = Tally()
    for brand in brands:
        add_brand(tally, brand, find_told(replay(new_state(), brand.bins)[1]))
    return tally


def measure(count: int, seed: int, calibration_seed: int) -> dict[str, object]:
    """One row per detector."""
    tuning, brands = simulate_brands(count, calibration_seed), simulate_brands(count, seed)
    rows: dict[str, object] = {"brands": count, "seed": seed, "calibration_seed": calibration_seed}
    for name, detector in DETECTORS.items():
        theta = set_threshold(tuning, [detector(brand) for brand in tuning])
        begun = time.perf_counter()
        scores = [detector(brand) for brand in brands]
        spent = time.perf_counter() - begun
        micros = spent / sum(len(brand.bins) for brand in brands) * 1e6
        result = tally_scores(brands, scores, theta).to_dict()
        rows[name] = {"threshold": round(theta, 3)} | result | {"micros_per_bin": round(micros, 1)}
    rows["levels"] = measure_levels(brands).to_dict()
    return rows


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brands", type=int, default=20)
    parser.add_argument("--seed", type=int, default=33)
    parser.add_argument("--calibration-seed", type=int, default=11)
    chosen = parser.parse_args()
    print(json.dumps(measure(chosen.brands, chosen.seed, chosen.calibration_seed), ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
