"""Fits the weights of nlp/layer.py: logistic regression on character grams, added to what the stack says. No chance in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from nlp.gram_heads import Buckets, Weights
from nlp.layer import COLUMNS
from nlp.ngrams import hash_texts
from nlp.stack import Table
from nlp.torch_grams import spread
from nlp.torch_stack import measure
from tingfeng.errors import UsageError

ROUNDS, REMEMBERED = 80, 10
MOST_GRAMS = 30_000
# penalty on every weight, in texts
SHRINK = 0.3
# a gram that stands in more of the other texts is not what the corrections are about
COMMON = 0.03


def fit_grams(
    used: Sequence[str], others: Sequence[str], base: Table, wanted: Table, worth: npt.NDArray[np.float64], shrink: float = SHRINK
) -> tuple[Buckets, Weights]:
    """Grams of the texts in `used`, with their weights. Of these and then the `others`: scores `base` and what is `wanted` (0 … 1), both
    [texts, outputs], and what each head of a text is `worth` [texts, heads]. Raises UsageError when no gram is typical of them."""
    buckets = choose_grams(used, others)
    if not len(buckets):
        raise UsageError("改正过的话里没有别处少见的词,学不到什么", where="train --with-corrections", hint="多改正几条不同的")
    told = spread([hash_texts([*used, *others])], buckets).double()
    start, target, judged = (torch.from_numpy(table.astype(np.float64)) for table in (base, wanted, worth))
    weights = torch.zeros(len(buckets), len(COLUMNS), dtype=torch.float64, requires_grad=True)
    columns = torch.from_numpy(COLUMNS)
    optimiser = torch.optim.LBFGS([weights], max_iter=ROUNDS, history_size=REMEMBERED, line_search_fn="strong_wolfe")

    def close() -> torch.Tensor:
        optimiser.zero_grad()
        scores = start.index_add(1, columns, torch.sparse.mm(told, weights))
        loss = measure(scores, target, judged) + shrink / 2 * (weights**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(close)  # type: ignore[no-untyped-call]
    return buckets, weights.detach().numpy().astype(np.float32)


def choose_grams(texts: Sequence[str], others: Sequence[str]) -> Buckets:
    """Those of the texts that are rare in the others; when they are too many, those of the most texts."""
    found, counts = np.unique(hash_texts(texts).buckets, return_counts=True)
    elsewhere, often = np.unique(hash_texts(others).buckets, return_counts=True)
    typical = ~np.isin(found, elsewhere[often > COMMON * len(others)])
    found, counts = found[typical], counts[typical]
    return np.sort(found[np.argsort(-counts, kind="stable")[:MOST_GRAMS]])
