"""Sets from which probability a head says a label, on subjects of posts that the network had not seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from nlp.calibrate import score_f1
from nlp.evaluate import WANTED_RECALL
from nlp.outputs import ACTS, OUTPUTS, TOWARD
from nlp.sentiment import CLASSES
from nlp.stack import Table
from tingfeng.labels import Sentiment, Severity

GRID = tuple(round(0.1 + 0.02 * step, 2) for step in range(36))
# harm to people is to be found; under the least limit every second post would be one
WANTED_SAFETY, LEAST_SAFETY = 0.95, 0.05
LEAST_NEGATIVE = 0.15
# under this no sentiment is likely enough to be called one
UNCERTAIN_UNDER = 0.4
FEW = 10
NEARLY = 0.01


def fit_head_limits(found: Mapping[str, Table], wanted: Mapping[str, Table]) -> dict[str, dict[str, float]]:
    """Both head → [subjects, outputs]; `wanted`: the share of the readers who say so. Acts and opinions: the best F1; negative and safety: the
    wanted recall of what at least half of them say.

    One limit for all acts: one for each was worse on posts left out (macro-F1 .733 against .740, four times five folds).
    """
    negative, safety = TOWARD.index(Sentiment.NEGATIVE), OUTPUTS["severity"].index(Severity.SAFETY)
    act = fit_shared_limit(found["acts"], wanted["acts"])
    sad = fit_recall(found["toward"][:, negative], wanted["toward"][:, negative] >= 0.5, WANTED_RECALL)
    harm = fit_recall(found["severity"][:, safety], wanted["severity"][:, safety] >= 0.5, WANTED_SAFETY)
    return {
        "toward": {"negative": min(0.5, max(LEAST_NEGATIVE, sad)), "least": UNCERTAIN_UNDER},
        "acts": dict.fromkeys(map(str, ACTS), act),
        "aspects": {"topic": fit_topic_limit(found["aspects"], wanted["aspects"])},
        "severity": {"safety": min(0.5, max(LEAST_SAFETY, harm))},
        "spam": {"spam": fit_limit(found["spam"][:, 0], wanted["spam"][:, 0])},
    }


def fit_limit(told: Table, real: Table | npt.NDArray[np.bool_]) -> float:
    """The middle of the limits whose F1 is about the best; 0.5 where there are too few to tell."""
    return 0.5 if real.sum() < FEW else find_middle({limit: score_f1(told >= limit, real) for limit in GRID})


def fit_shared_limit(told: Table, real: Table | npt.NDArray[np.bool_]) -> float:
    """The same for labels that share a limit: by the mean of their F1."""
    labels = range(real.shape[1])
    return find_middle({limit: float(np.mean([score_f1(told[:, n] >= limit, real[:, n]) for n in labels])) for limit in GRID})


def find_middle(tried: Mapping[float, float]) -> float:
    """Of the limits that are within NEARLY of the best score the middle one: the very best is often luck."""
    good = sorted(limit for limit, score in tried.items() if score >= max(tried.values()) - NEARLY)
    return good[len(good) // 2]


def fit_recall(told: Table, real: npt.NDArray[np.bool_], wanted: float) -> float:
    """The highest limit that finds the wanted share of them."""
    return round(float(np.quantile(told[real], 1 - wanted)), 4) if real.any() else 0.5


def fit_topic_limit(told: Table, real: Table | npt.NDArray[np.bool_]) -> float:
    """The limit of all polarities of a topic together: the best F1 of all opinions, where of each topic only the likeliest is said.

    A limit that the likeliest polarity alone must reach was worse on posts left out: opinions .586 either way, topics .665 against .675.
    """
    return find_middle({limit: score_f1(pass_limit(told, limit), real) for limit in GRID})


def pass_limit(told: Table, limit: float) -> npt.NDArray[np.bool_]:
    """Which opinions are said."""
    three = told.reshape(len(told), -1, len(CLASSES))
    likeliest = three == three.max(axis=2, keepdims=True)
    return np.asarray(likeliest & (three.sum(axis=2, keepdims=True) >= limit)).reshape(told.shape)
