"""Sets what a trained encoder's numbers mean, on dev data alone: shares of encoder and linear model, temperatures, thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from nlp.evaluate import WANTED_RECALL
from nlp.outputs import EXCLUSIVE, OUTPUTS, SIZES, cut_head
from nlp.sentiment import softmax

Table = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]
NEGATIVE, POSITIVE = 0, 2
# from here down a text is no longer called negative, whatever recall is wanted
LEAST_NEGATIVE = 0.30
MOST_LOST = 0.002


def weigh_sources(sources: Sequence[str]) -> Table:
    """Each row's weight, so that every source counts alike; mean 1."""
    counts = {source: sources.count(source) for source in set(sources)}
    weights = np.array([1 / counts[source] for source in sources])
    return np.asarray(weights / weights.mean())


def fit_shares(
    network: Table, linear: Table, gold: npt.NDArray[np.int64], polar: Marks, weights: Table
) -> tuple[float, float]:
    """How much the scores [rows, 3] of both count: the pair with the least log loss, which is calibrated by that.

    `polar` rows are of sources that never say neutral: there only the two poles are compared.
    """

    def loss(shares: tuple[float, float]) -> float:
        scores = shares[0] * network + shares[1] * linear
        scores = np.where(polar[:, None] & (np.arange(3) == 1), -50.0, scores)
        told = softmax(scores)[np.arange(len(gold)), gold]
        return float((weights * -np.log(np.maximum(told, 1e-9))).mean())

    best, step = (1.0, 0.0), 0.4
    while step > 0.01:
        near = [(best[0] + a * step, max(0.0, best[1] + b * step)) for a in range(-2, 3) for b in range(-2, 3)]
        best, step = min(((max(0.05, a), b) for a, b in near), key=loss), step / 2
    return round(best[0], 4), round(best[1], 4)


def fit_head_temperature(scores: Table, wanted: Table) -> float:
    """For a head of several outputs: the temperature with the least log loss."""

    def loss(temperature: float) -> float:
        told = np.clip(1 / (1 + np.exp(-scores / temperature)), 1e-9, 1 - 1e-9)
        return float(-(wanted * np.log(told) + (1 - wanted) * np.log(1 - told)).mean())

    return min((round(0.4 + 0.05 * step, 2) for step in range(60)), key=loss)


def fit_limits(head: str, probabilities: Table, wanted: Table) -> dict[str, float]:
    """Output → the probability from which saying it gives the best F1; 0.5 for an output with fewer than ten examples."""
    limits = {}
    for place, label in enumerate(OUTPUTS[head]):
        told, real = probabilities[:, place], wanted[:, place] > 0.5
        grid = [round(0.1 + 0.02 * step, 2) for step in range(41)]
        limits[label] = 0.5 if real.sum() < 10 else max(grid, key=lambda limit: score_f1(told >= limit, real))
    return limits


def score_f1(told: Marks, real: Marks | Table) -> float:
    """F1 of one output, or of many taken together; where `real` is the share of the readers who say so, the mean of what each would score."""
    hit = float((told * real).sum())
    return 2 * hit / max(1.0, float(told.sum() + real.sum()))


def fit_negative_from(negative: Table, gold: npt.NDArray[np.int64], sources: Sequence[str]) -> float:
    """The highest probability from which calling a text negative finds WANTED_RECALL of them in every source.

    Never under LEAST_NEGATIVE: a source that asks for less misses the wanted recall, and the report says so.
    """
    lowest = 0.5
    for source in sorted(set(sources)):
        mine = negative[np.array([one == source for one in sources]) & (gold == NEGATIVE)]
        if len(mine) >= 20:
            lowest = min(lowest, float(np.quantile(mine, 1 - WANTED_RECALL)))
    return round(max(LEAST_NEGATIVE, lowest), 4)


def fit_sure_from(
    linear: Table, mixed: Table, gold: npt.NDArray[np.int64], polar: Marks, sources: Sequence[str]
) -> float:
    """The lowest confidence of the linear model from which its word costs no source more than MOST_LOST of its right answers.

    `linear` are its probabilities, `mixed` those of both models [rows, 3]; `polar` rows compare the two poles only.
    """
    poles = polar[:, None] & (np.arange(3) == 1)
    told, best = np.where(poles, -1.0, linear).argmax(axis=1), np.where(poles, -1.0, mixed).argmax(axis=1)
    lost = (best == gold).astype(float) - (told == gold)
    owners = np.array(sources)
    for limit in (round(0.80 + 0.01 * step, 2) for step in range(20)):
        sure = linear.max(axis=1) >= limit
        if all(lost[sure & (owners == source)].sum() <= MOST_LOST * (owners == source).sum() for source in set(sources)):
            return limit
    return 1.0


def fit_other_heads(
    network: npt.NDArray[np.float32], targets: npt.NDArray[np.float32], known: npt.NDArray[np.float32]
) -> tuple[Mapping[str, float], Mapping[str, Mapping[str, float]]]:
    """Temperatures and limits of the heads with several outputs, each on the dev rows that know it."""
    temperatures: dict[str, float] = {}
    limits: dict[str, Mapping[str, float]] = {}
    for place, name in enumerate(SIZES):
        rows = known[:, place] > 0
        if name in EXCLUSIVE or not rows.any():
            continue
        scores, wanted = cut_head(name, network)[rows], cut_head(name, targets)[rows]
        temperatures[name] = fit_head_temperature(scores, wanted)
        limits[name] = fit_limits(name, 1 / (1 + np.exp(-scores / temperatures[name])), wanted)
    return temperatures, limits
