"""The public benchmark: the scorer gives the published figure for a published detector, and ours keeps its floor."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.nab import gaussian_scores, product_scores, run, sigmoid

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "nab"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the NAB series are not beside the checkout")


def test_scaled_sigmoid() -> None:
    assert sigmoid(0) == 0
    assert sigmoid(-1) == pytest.approx(-sigmoid(1))
    assert sigmoid(-1) > 0.98


@needs_data
@pytest.mark.shared
@pytest.mark.slow
def test_scorer_agrees_with_the_known_figures_of_a_simple_detector() -> None:
    # 59.4 raw and 70.9 with onset were measured with the benchmark's own scorer
    assert run(DATA, gaussian_scores, onset=False)["standard"] == pytest.approx(59.4, abs=0.5)
    assert run(DATA, gaussian_scores)["standard"] == pytest.approx(70.9, abs=0.5)


@needs_data
@pytest.mark.shared
@pytest.mark.slow
def test_product_rule_keeps_its_floor() -> None:
    # measured 57.8; the prototype it follows is said to reach 64.0 (docs/benchmarks.md says more)
    assert run(DATA, product_scores)["standard"] >= 57
