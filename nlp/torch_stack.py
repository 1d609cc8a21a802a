"""Fits the weights of nlp/stack.py: logistic regression held near the network's own word. No chance in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from nlp.outputs import EXCLUSIVE
from nlp.stack import OUTPUTS_WIDTH, PLACES, Stack, Table, join

ROUNDS = 80
LEAST_SCALE = 0.05
# penalty on every weight, in texts; by cross-validation over the invented posts that were kept apart
SHRINK = 400.0


def fit_stack(network: Table, hints: Table, wanted: Table, known: npt.NDArray[np.bool_], shrink: float = SHRINK) -> Stack:
    """`wanted` [subjects, outputs] 0 or 1; `known` [subjects, heads]: which heads somebody judged."""
    centre, scale = hints.mean(axis=0), np.maximum(hints.std(axis=0), LEAST_SCALE)
    told = torch.from_numpy(join(network, (hints - centre) / scale))
    base, target, judged = torch.from_numpy(network), torch.from_numpy(wanted), torch.from_numpy(known.astype(np.float64))
    weights = torch.zeros(told.shape[1], OUTPUTS_WIDTH, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(OUTPUTS_WIDTH, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def close() -> torch.Tensor:
        optimiser.zero_grad()
        loss = measure(base + told @ weights + bias, target, judged) + shrink / 2 * (weights**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(close)  # type: ignore[no-untyped-call]
    return Stack(weights.detach().numpy(), bias.detach().numpy(), centre, scale)


def measure(scores: torch.Tensor, target: torch.Tensor, judged: torch.Tensor) -> torch.Tensor:
    """Log loss of all heads over the subjects that know them."""
    total = scores.new_zeros(())
    for number, (head, place) in enumerate(PLACES.items()):
        part, wanted = scores[:, place], target[:, place]
        if head in EXCLUSIVE:
            loss = functional.cross_entropy(part, wanted, reduction="none")
        else:
            loss = functional.binary_cross_entropy_with_logits(part, wanted, reduction="none").sum(1)
        total = total + (loss * judged[:, number]).sum()
    return total
