from __future__ import annotations

import numpy as np
import pytest

from nlp.calibrate import (
    LEAST_NEGATIVE,
    fit_head_temperature,
    fit_limits,
    fit_negative_from,
    fit_shares,
    fit_sure_from,
    score_f1,
    weigh_sources,
)
from nlp.outputs import OUTPUTS

CHANCE = np.random.default_rng(2)
GOLD = CHANCE.integers(0, 3, 3000)
NOISE = CHANCE.normal(size=(3000, 3))
EVEN = np.ones(3000)


def test_useless_teammate_gets_no_share() -> None:
    good = 2.0 * np.eye(3)[GOLD] + NOISE
    shares = fit_shares(good, CHANCE.normal(size=(3000, 3)), GOLD, np.zeros(3000, dtype=bool), EVEN)
    assert shares[0] > 0.5
    assert shares[1] < 0.1


def test_two_teammates_that_err_apart_share() -> None:
    one, two = 2.0 * np.eye(3)[GOLD] + NOISE, 2.0 * np.eye(3)[GOLD] + CHANCE.normal(size=(3000, 3))
    shares = fit_shares(one, two, GOLD, np.zeros(3000, dtype=bool), EVEN)
    assert shares[0] == pytest.approx(shares[1], rel=0.25)


def test_polar_rows_do_not_ask_about_neutral() -> None:
    boasting = np.zeros((200, 3))
    boasting[:, 1] = 30.0
    boasting[:, 0] = 1.0
    gold, polar = np.zeros(200, dtype=np.int64), np.ones(200, dtype=bool)
    assert fit_shares(boasting, np.zeros((200, 3)), gold, polar, np.ones(200))[0] > 1


def test_sources_count_alike_whatever_their_size() -> None:
    weights = weigh_sources(["a"] * 9 + ["b"])
    assert weights[:9].sum() == pytest.approx(weights[9])
    assert weights.mean() == pytest.approx(1)


def test_boasting_head_is_calmed() -> None:
    wanted = (CHANCE.random((4000, 2)) < 0.7).astype(float)
    assert fit_head_temperature(np.full((4000, 2), 2 * np.log(0.7 / 0.3)), wanted) == pytest.approx(2.0, abs=0.15)


def test_limit_is_where_f1_is_best_and_one_half_for_rare_outputs() -> None:
    size = len(OUTPUTS["acts"])
    wanted, told = np.zeros((100, size)), np.full((100, size), 0.05)
    wanted[:30, 0] = 1
    told[:30, 0], told[30:, 0] = 0.31, 0.2
    limits = fit_limits("acts", told, wanted)
    assert 0.2 < limits[OUTPUTS["acts"][0]] <= 0.31
    assert limits[OUTPUTS["acts"][1]] == 0.5


def test_f1_of_nothing_said_is_zero() -> None:
    assert score_f1(np.zeros(3, dtype=bool), np.ones(3, dtype=bool)) == 0


def test_negative_limit_finds_the_wanted_recall_in_the_hardest_source() -> None:
    negative = np.concatenate([np.full(100, 0.9), np.linspace(0.3, 0.8, 101)])
    found = fit_negative_from(negative, np.zeros(201, dtype=np.int64), ["easy"] * 100 + ["hard"] * 101)
    assert found == pytest.approx(0.34, abs=0.005)


def test_linear_model_is_believed_where_it_costs_nothing() -> None:
    linear = np.array([[0.95, 0.03, 0.02]] * 500 + [[0.85, 0.1, 0.05]] * 500)
    gold = np.array([0] * 500 + [0, 2] * 250)
    mixed = np.eye(3)[gold]
    assert fit_sure_from(linear, mixed, gold, np.zeros(1000, dtype=bool), ["a"] * 1000) == 0.86


def test_linear_model_that_is_never_safe_is_never_believed_alone() -> None:
    gold = np.full(100, 2)
    linear = np.array([[1.0, 0.0, 0.0]] * 100)
    assert fit_sure_from(linear, np.eye(3)[gold], gold, np.zeros(100, dtype=bool), ["a"] * 100) == 1.0


def test_negative_limit_has_a_floor_and_ignores_tiny_sources() -> None:
    gold = np.zeros(130, dtype=np.int64)
    hopeless = fit_negative_from(np.full(130, 0.01), gold, ["a"] * 130)
    tiny = fit_negative_from(np.array([0.9] * 125 + [0.01] * 5), gold, ["a"] * 125 + ["b"] * 5)
    assert (hopeless, tiny) == (LEAST_NEGATIVE, 0.5)
