"""The only module that imports torch and transformers: training of the linear judge, and any local Hugging Face classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.ngrams import BUCKETS, Bags
from nlp.sentiment import CLASSES, choose_label
from tingfeng.errors import ModelError
from tingfeng.labels import Sentiment

try:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
except ImportError as missing:
    raise ModelError(
        f"没有安装 {missing.name}", where="训练与 Hugging Face 模型", hint="请运行 pip install 'tingfeng[models]'"
    ) from missing

# words that classifiers use for their classes
LABEL_WORDS: Mapping[str, Sentiment] = {
    **dict.fromkeys(("negative", "neg", "负面", "消极", "差评"), Sentiment.NEGATIVE),
    **dict.fromkeys(("neutral", "neu", "中性"), Sentiment.NEUTRAL),
    **dict.fromkeys(("positive", "pos", "正面", "积极", "好评"), Sentiment.POSITIVE),
}
ORDERS = {2: (Sentiment.NEGATIVE, Sentiment.POSITIVE), 3: CLASSES}
TOKENS_PER_BATCH = 8192
THRESHOLD = 0.5


def fit_linear(
    bags: Bags,
    labels: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float32],
    *,
    seed: int,
    epochs: int,
    batch: int = 64,
    rate: float = 0.35,
    decay: float = 2e-6,
    progress: Callable[[str, float], None] = lambda what, done: None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Softmax regression with Adagrad on sparse gradients; returns (weights [BUCKETS, 3], bias [3]).

    One thread and a seeded order: the same input gives the same bytes on the same machine.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    table = torch.nn.EmbeddingBag(BUCKETS, len(CLASSES), mode="sum", sparse=True)
    torch.nn.init.zeros_(table.weight)
    bias = torch.zeros(len(CLASSES), requires_grad=True)
    optimiser = torch.optim.Adagrad([*table.parameters(), bias], lr=rate)
    shuffle = np.random.default_rng(seed)
    sizes, ends = bags.sizes, bags.offsets + bags.sizes
    for epoch in range(epochs):
        order = shuffle.permutation(len(labels))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            flat = np.concatenate([bags.buckets[bags.offsets[i] : ends[i]] for i in chosen]).astype(np.int64)
            counts = sizes[chosen]
            offsets = np.concatenate(([0], np.cumsum(counts)[:-1]))
            share = np.repeat(1 / np.sqrt(counts), counts).astype(np.float32)
            scores = (
                table(torch.from_numpy(flat), torch.from_numpy(offsets), per_sample_weights=torch.from_numpy(share))
                + bias
            )
            losses = torch.nn.functional.cross_entropy(
                scores, torch.from_numpy(labels[chosen]), reduction="none", label_smoothing=0.02
            )
            loss = (losses * torch.from_numpy(weights[chosen])).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if start // batch % 100 == 0:
                progress("训练", (epoch + start / len(order)) / epochs)
        with torch.no_grad():
            table.weight.mul_(1 - decay * len(order) / batch)
    torch.set_num_threads(threads)
    return table.weight.detach().numpy().copy(), bias.detach().numpy().copy()


class TransformerSentiment:
    """A local sequence classifier with two or three classes; nothing is fetched from a hub."""

    def __init__(self, tokenizer: object, model: object, order: Sequence[Sentiment], name: str) -> None:
        self._tokenizer, self._model, self._order = tokenizer, model, tuple(order)
        self.name = name

    @classmethod
    def load(cls, folder: Path) -> TransformerSentiment:
        """Raises ModelError when the folder is not such a model or its classes are not sentiments."""
        if not (folder / "config.json").is_file():
            raise ModelError(
                "文件夹里没有 config.json",
                where=str(folder),
                hint='请写本地 Hugging Face 分类模型的文件夹,或用 model = "default"',
            )
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise ModelError(
                f"模型读不了({error})", where=str(folder), hint='请重新保存模型,或用 model = "default"'
            ) from error
        model.eval()
        return cls(tokenizer, model, read_order(model.config.id2label, folder), f"hf-{folder.name}")

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Batched by length, so that padding stays small and memory bounded."""
        found: list[dict[str, float]] = [{}] * len(texts)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        while order:
            longest = min(512, max(16, len(texts[order[-1]])))
            size = max(1, TOKENS_PER_BATCH // longest)
            chosen, order = order[-size:], order[:-size]
            encoded = self._tokenizer(
                [texts[i] or " " for i in chosen], truncation=True, max_length=512, padding=True, return_tensors="pt"
            )  # type: ignore[operator]
            with torch.no_grad():
                rows = torch.softmax(self._model(**encoded).logits, dim=1).tolist()  # type: ignore[operator]
            for index, row in zip(chosen, rows, strict=True):
                found[index] = {str(label): 0.0 for label in CLASSES} | {
                    str(label): round(value, 4) for label, value in zip(self._order, row, strict=True)
                }
        return found

    def label(self, probabilities: Mapping[str, float]) -> Sentiment:
        """The likeliest class at or above one half."""
        return choose_label(probabilities, THRESHOLD)


def read_order(names: Mapping[int, str], folder: Path) -> tuple[Sentiment, ...]:
    """Which output is which class; LABEL_0 … count as negative, (neutral,) positive."""
    words = [str(names[index]).lower() for index in sorted(names)]
    if all(word.startswith("label_") for word in words) and len(words) in ORDERS:
        return ORDERS[len(words)]
    order = tuple(LABEL_WORDS[word] for word in words if word in LABEL_WORDS)
    if len(order) != len(words) or len(order) not in ORDERS:
        raise ModelError(
            f"看不懂模型的类别:{'、'.join(words)}",
            where=str(folder),
            hint="需要 negative / neutral / positive 两类或三类",
        )
    return order
