"""Fits the weights of nlp/gram_heads.py: logistic regression, each output for itself. No chance in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from nlp.gram_heads import SHARES, Buckets, GramHeads, Weights, find_places, hash_both
from nlp.ngrams import Bags
from nlp.stack import HEADS, OUTPUTS_WIDTH, WIDTHS, Table

ROUNDS, REMEMBERED = 60, 6
# a gram of fewer texts is not learnt from
LEAST_TEXTS = 3
# of an output that fewer texts have the grams say nothing
LEAST_HAVING = 15
# penalty on every weight, in texts
SHRINK = 0.125
# of each output so many grams are kept: opinions .581 with 1,300 on posts kept apart, .583 with these, .584 with 60,000, in 0.2, 2.6 and 6.3 MB
KEPT = 20_000


def fit_gram_heads(parts: Sequence[str], marked: Sequence[str], wanted: Table, known: npt.NDArray[np.bool_]) -> GramHeads:
    """Of subjects their clauses and marked texts; `wanted` [subjects, outputs] 0 … 1; `known` [subjects, heads]: which heads somebody judged."""
    bags = hash_both(parts, marked)
    buckets, counts = np.unique(np.concatenate([one.buckets for one in bags]), return_counts=True)
    often = counts >= LEAST_TEXTS
    buckets, told = buckets[often].astype(np.int32), spread(bags, buckets[often].astype(np.int32))
    rarity = scale_by_rarity(told, counts[often])
    judges = widen(known)
    having = (wanted * judges).sum(axis=0)
    learnt = (having >= LEAST_HAVING) & (SHARES > 0)
    target, judged = (torch.from_numpy(table.astype(np.float32)) for table in (wanted, judges * learnt))
    odds = having / np.maximum(judges.sum(axis=0) - having, 1)
    bias = torch.from_numpy(np.where(learnt, np.log(np.maximum(odds, 1e-3)), 0.0).astype(np.float32)).requires_grad_()
    weights = torch.zeros(len(buckets), OUTPUTS_WIDTH, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=ROUNDS, history_size=REMEMBERED, line_search_fn="strong_wolfe")

    def close() -> torch.Tensor:
        optimiser.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(told @ (weights * rarity) + bias, target, reduction="none") * judged
        penalty: torch.Tensor = loss.sum() + SHRINK / 2 * ((weights**2).sum() + (bias**2).sum())
        penalty.backward()  # type: ignore[no-untyped-call]
        return penalty

    optimiser.step(close)  # type: ignore[no-untyped-call]
    return keep_heaviest(buckets, counts[often], (weights * rarity).detach().numpy(), bias.detach().numpy())


def scale_by_rarity(told: torch.Tensor, counts: npt.NDArray[np.int64]) -> torch.Tensor:
    """Inverse document frequency of the grams [grams, 1], such that a text of middling length still weighs one in each kind."""
    rare = torch.from_numpy((np.log(told.shape[0] / counts) + 1).astype(np.float32))
    texts, grams = told.indices()
    lengths = torch.zeros(told.shape[0]).index_add(0, texts, (told.values() * rare[grams]) ** 2).sqrt()
    return (rare / (lengths.mean() / 2**0.5))[:, None]


def widen(known: npt.NDArray[np.bool_]) -> Table:
    """Heads to outputs: 1 where somebody judged."""
    return np.repeat(known.astype(np.float64), [WIDTHS[head] for head in HEADS], axis=1)


def keep_heaviest(
    buckets: Buckets, counts: npt.NDArray[np.int64], weights: Weights, bias: Weights, kept: int = KEPT
) -> GramHeads:
    """Without the weights that say little, for they are small or their gram is rare: the file is a sixtieth."""
    said = np.abs(weights) * np.sqrt(counts)[:, None]
    if len(said) > kept:
        least = np.partition(said, len(said) - kept, axis=0)[len(said) - kept]
        weights = np.where(said >= least, weights, 0)
    used = weights.any(axis=1)
    return GramHeads.plain(buckets[used], weights[used].astype(np.float32), bias.astype(np.float32))


def spread(bags: Sequence[Bags], buckets: Buckets) -> torch.Tensor:
    """Sparse [texts, grams]; as in judging, a text weighs one in each kind."""
    texts, places, values = [], [], []
    for one in bags:
        found, known = find_places(buckets, one.buckets)
        text = np.repeat(np.arange(len(one.sizes)), one.sizes)[known]
        texts.append(text)
        places.append(found[known])
        values.append(1 / np.sqrt(one.sizes[text]))
    where = torch.from_numpy(np.stack([np.concatenate(texts), np.concatenate(places)]))
    size = (len(bags[0].sizes), len(buckets))
    told = torch.from_numpy(np.concatenate(values).astype(np.float32))
    return torch.sparse_coo_tensor(where, told, size, check_invariants=True).coalesce()
