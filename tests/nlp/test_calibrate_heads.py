from __future__ import annotations

import numpy as np
import pytest

from nlp.calibrate_heads import (
    LEAST_SAFETY,
    find_middle,
    fit_head_limits,
    fit_limit,
    fit_recall,
    fit_shared_limit,
    fit_topic_limit,
    pass_limit,
)
from nlp.outputs import OUTPUTS
from nlp.stack import HEADS, WIDTHS


def test_limit_parts_what_is_from_what_is_not() -> None:
    told = np.array([0.3] * 20 + [0.2] * 80)
    assert 0.2 < fit_limit(told, np.arange(100) < 20) <= 0.3


def test_rare_label_keeps_one_half() -> None:
    assert fit_limit(np.linspace(0, 1, 100), np.arange(100) > 95) == 0.5


def test_shared_limit_is_good_for_all_labels_together() -> None:
    told, real = np.full((100, 2), 0.1), np.zeros((100, 2), dtype=bool)
    told[:40, 0], real[:40, 0] = 0.5, True
    told[:40, 1], real[:40, 1] = 0.7, True
    told[40:, 1] = 0.4
    assert 0.4 < fit_shared_limit(told, real) <= 0.5


def test_what_one_of_two_readers_says_counts_half() -> None:
    told = np.array([0.9] * 20 + [0.5] * 60 + [0.1] * 20)
    agreed = np.where(told > 0.8, 1.0, 0.0)
    halves = np.where(told > 0.8, 1.0, np.where(told > 0.3, 0.5, 0.0))
    assert fit_limit(told, agreed) > 0.5
    assert fit_limit(told, halves) <= 0.5


def test_the_middle_of_the_best_limits_is_taken() -> None:
    assert find_middle({0.1: 0.2, 0.2: 0.895, 0.3: 0.9, 0.4: 0.892, 0.5: 0.7}) == 0.3


def test_wanted_recall_is_found() -> None:
    told, real = np.linspace(0, 1, 1001), np.ones(1001, dtype=bool)
    assert (told >= fit_recall(told, real, 0.95)).mean() == pytest.approx(0.95, abs=0.01)


def test_of_a_topic_only_the_likeliest_polarity_is_said() -> None:
    row = np.zeros((1, len(OUTPUTS["aspects"])))
    row[0, :3] = (0.15, 0.2, 0.16)
    assert pass_limit(row, 0.5)[0, :3].tolist() == [False, True, False]
    assert not pass_limit(row, 0.52).any()


def test_limit_of_topics_tells_real_ones_from_the_rest() -> None:
    size = len(OUTPUTS["aspects"])
    told, real = np.full((60, size), 0.01), np.zeros((60, size), dtype=bool)
    told[:, 0], real[:, 0] = 0.45, True
    told[:30, 5], told[:30, 4], real[:30, 5] = 0.25, 0.2, True
    told[30:, 5] = 0.3
    limit = fit_topic_limit(told, real)
    assert 0.32 < limit <= 0.46
    assert (pass_limit(told, limit) == real).all()


def test_hopeless_safety_does_not_call_everything_harm() -> None:
    found = {head: np.zeros((50, WIDTHS[head])) for head in HEADS}
    wanted = {head: np.zeros((50, WIDTHS[head])) for head in HEADS}
    wanted["severity"][:, -1] = 1.0
    assert fit_head_limits(found, wanted)["severity"]["safety"] == LEAST_SAFETY
