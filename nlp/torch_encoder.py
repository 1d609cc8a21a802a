"""The encoder with its heads as a torch module: BERT with the layout of multilingual-e5, fewer layers and a smaller vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from nlp.e5_weights import E5File
from nlp.vocabulary import find_sources

# names of a layer in the file → where they go
LAYER_PLACES: Mapping[tuple[str, ...], str] = {
    ("q", "k", "v"): "look",
    ("ao",): "join",
    ("aln",): "join_norm",
    ("fi",): "widen",
    ("fo",): "narrow",
    ("oln",): "narrow_norm",
}
# what the heads read, in widths of the encoder
POOLED = 3
# share of what each half of a layer adds that is left out, while learning
DROPPED = 0.1


@dataclass(frozen=True)
class EncoderShape:
    """Sizes of an encoder. `positions`: the most pieces a text may have. `heads`: name → outputs of each.

    `own`: number of the piece that marks the subject (nlp/marking.py).
    """

    vocabulary: int
    heads: Mapping[str, int]
    hidden: int = 384
    layers: int = 6
    attention: int = 12
    inner: int = 1536
    positions: int = 128
    own: int = -1


class Layer(nn.Module):
    """Self-attention and a feed-forward net, each followed by a layer norm over the sum with its input."""

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.attention = shape.attention
        self.look = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.join = nn.Linear(shape.hidden, shape.hidden)
        self.join_norm = nn.LayerNorm(shape.hidden, eps=1e-12)
        self.widen = nn.Linear(shape.hidden, shape.inner)
        self.narrow = nn.Linear(shape.inner, shape.hidden)
        self.narrow_norm = nn.LayerNorm(shape.hidden, eps=1e-12)
        self.drop = nn.Dropout(DROPPED)

    def forward(self, states: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """`states` [texts, pieces, hidden]; `hidden` [texts, 1, 1, pieces] is added to the attention: very small at padding."""
        texts, pieces, width = states.shape
        three = self.look(states).view(texts, pieces, 3, self.attention, width // self.attention)
        query, key, value = three.permute(2, 0, 3, 1, 4).unbind(0)
        # written out: torch's fused attention is slower on a CPU for texts this short (0.46 against 0.27 s a batch, backward too)
        weights = torch.softmax(query @ key.transpose(-1, -2) * key.shape[-1] ** -0.5 + hidden, dim=-1)
        seen = weights @ value
        states = self.join_norm(states + self.drop(self.join(seen.transpose(1, 2).reshape(texts, pieces, width))))
        return self.narrow_norm(states + self.drop(self.narrow(functional.gelu(self.widen(states)))))  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """Pieces to the outputs of all heads; every head reads mean and maximum over the pieces, and the subject's own pieces."""

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.hidden)
        self.places = nn.Embedding(shape.positions, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=1e-12)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.drop = nn.Dropout(DROPPED)
        self.heads = nn.ModuleDict({name: nn.Linear(POOLED * shape.hidden, size) for name, size in shape.heads.items()})

    def forward(self, pieces: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Both [texts, pieces], `mask` 1 for a piece and 0 for padding; returns all heads side by side."""
        pooled = self.drop(self.pool(pieces, mask))
        return torch.cat([head(pooled) for head in self.heads.values()], dim=1)

    def pool(self, pieces: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Mean and maximum over the pieces, and the mean over the marks of the subject or the first piece: [texts, 3 · hidden]."""
        states = self.norm(self.words(pieces) + self.places.weight[: pieces.shape[1]])
        real = mask.to(states.dtype)
        hidden = ((1.0 - real) * -1e4)[:, None, None, :]
        for layer in self.layers:
            states = layer(states, hidden.to(states.dtype))
        kept = real[:, :, None]
        mean = (states * kept).sum(1) / kept.sum(1)
        highest = (states + (kept - 1.0) * 1e4).amax(1)
        marks = (pieces == self.shape.own).to(states.dtype)
        first = functional.pad((marks.sum(1, keepdim=True) == 0).to(states.dtype), (0, pieces.shape[1] - 1))
        mine = (marks + first)[:, :, None]
        return torch.cat([mean, highest, (states * mine).sum(1) / mine.sum(1)], dim=1)

    def split(self, outputs: torch.Tensor) -> dict[str, torch.Tensor]:
        """The outputs of each head by its name."""
        parts = torch.split(outputs, list(self.shape.heads.values()), dim=1)
        return dict(zip(self.shape.heads, parts, strict=True))


def start_encoder(
    file: E5File, scored: Mapping[str, float], chosen: Sequence[str], shape: EncoderShape, seed: int
) -> Encoder:
    """An encoder whose pieces and lower layers begin as in the file; heads begin at random, by the seed."""
    torch.manual_seed(seed)
    encoder = Encoder(shape)
    sources = find_sources(scored, chosen)
    table = file.rows("emb.word", np.array([row for rows in sources for row in rows]))
    starts = np.cumsum([0, *map(len, sources)])[:-1]
    means = np.add.reduceat(table, starts) / np.array([[len(rows)] for rows in sources])
    kind = file.tensor("emb.type", shape.hidden)[0]
    with torch.no_grad():
        encoder.words.weight.copy_(torch.from_numpy(means))
        encoder.places.weight.copy_(torch.from_numpy(file.tensor("emb.pos", shape.hidden)[: shape.positions] + kind))
    fill(file, ("emb.ln",), encoder.norm)
    for number, layer in enumerate(encoder.layers):
        for names, place in LAYER_PLACES.items():
            fill(file, tuple(f"l{number}.{name}" for name in names), layer.get_submodule(place))
    return encoder


def fill(file: E5File, names: Sequence[str], module: nn.Module) -> None:
    """Weights and biases from the file; several names are stacked on one another."""
    weight, bias = module.get_parameter("weight"), module.get_parameter("bias")
    with torch.no_grad():
        weights = np.concatenate([file.tensor(f"{name}.w") for name in names])
        weight.copy_(torch.from_numpy(weights.reshape(weight.shape)))
        bias.copy_(torch.from_numpy(np.concatenate([file.tensor(f"{name}.b") for name in names])))


def count_layers(state: Mapping[str, torch.Tensor]) -> int:
    """How many layers a saved encoder has."""
    return 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers."))
