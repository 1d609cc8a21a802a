from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlp.stack import HEADS, OUTPUTS_WIDTH, PLACES, STACK_FILE, Stack, to_probabilities
from nlp.torch_stack import fit_stack
from tingfeng.errors import ModelError

CHANCE = np.random.default_rng(4)
HINTS = (CHANCE.random((400, 3)) < 0.5).astype(float)
KNOWN = np.ones((400, len(HEADS)), dtype=bool)
COMPLAINT = PLACES["acts"].start


def empty(hints: int = 3) -> Stack:
    wide = OUTPUTS_WIDTH + hints
    return Stack(np.zeros((wide, OUTPUTS_WIDTH)), np.zeros(OUTPUTS_WIDTH), np.zeros(hints), np.ones(hints))


def truth_of_first_hint() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    wanted = np.zeros((400, OUTPUTS_WIDTH))
    wanted[:, COMPLAINT] = HINTS[:, 0]
    for head in ("toward", "severity", "owner", "stage"):
        wanted[:, PLACES[head].start] = 1.0
    return wanted


def test_empty_stack_lets_the_network_speak() -> None:
    network = CHANCE.normal(size=(5, OUTPUTS_WIDTH))
    assert np.allclose(empty().weigh(network, HINTS[:5]), network)


def test_heads_of_one_label_add_up_and_others_do_not_have_to() -> None:
    found = to_probabilities(CHANCE.normal(size=(5, OUTPUTS_WIDTH)))
    assert np.allclose(found["severity"].sum(axis=1), 1)
    assert found["acts"].max() < 1


def test_a_hint_that_knows_is_believed() -> None:
    stack = fit_stack(np.zeros((400, OUTPUTS_WIDTH)), HINTS, truth_of_first_hint(), KNOWN, shrink=1.0)
    told = to_probabilities(stack.weigh(np.zeros((400, OUTPUTS_WIDTH)), HINTS))["acts"][:, 0]
    assert told[HINTS[:, 0] > 0].min() > 0.9
    assert told[HINTS[:, 0] == 0].max() < 0.1


def test_strong_penalty_keeps_the_word_of_the_network() -> None:
    stack = fit_stack(np.zeros((400, OUTPUTS_WIDTH)), HINTS, truth_of_first_hint(), KNOWN, shrink=1e9)
    assert np.abs(stack.weights).max() < 1e-3


def test_head_that_nobody_judged_is_left_alone() -> None:
    known = KNOWN.copy()
    known[:, HEADS.index("acts")] = False
    stack = fit_stack(np.zeros((400, OUTPUTS_WIDTH)), HINTS, truth_of_first_hint(), known, shrink=1.0)
    assert np.allclose(stack.weights[:, PLACES["acts"]], 0)


def test_stack_is_the_same_after_saving(tmp_path: Path) -> None:
    stack = fit_stack(np.zeros((400, OUTPUTS_WIDTH)), HINTS, truth_of_first_hint(), KNOWN)
    stack.save(tmp_path / STACK_FILE)
    again = Stack.load(tmp_path / STACK_FILE, "")
    network = CHANCE.normal(size=(4, OUTPUTS_WIDTH))
    assert np.allclose(again.weigh(network, HINTS[:4]), stack.weigh(network, HINTS[:4]), atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_damaged_file_is_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / STACK_FILE
    file.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        Stack.load(file, "git checkout")
    assert STACK_FILE in caught.value.where
    assert caught.value.hint == "git checkout"


def test_stack_of_other_heads_is_refused(tmp_path: Path) -> None:
    Stack(np.zeros((4, 4)), np.zeros(4), np.zeros(1), np.ones(1)).save(tmp_path / STACK_FILE)
    with pytest.raises(ModelError, match="形状"):
        Stack.load(tmp_path / STACK_FILE, "")
