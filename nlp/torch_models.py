"""The only module that imports torch and transformers: training of the linear judge, and any local Hugging Face classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.heads import Heads
from nlp.ngrams import BUCKETS, Bags
from nlp.sentiment import CLASSES, choose_label
from tingfeng.errors import ModelError
from tingfeng.labels import Sentiment
from tingfeng.text import normalise

try:
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
except ImportError as missing:
    raise ModelError(
        f"没有安装 {missing.name}", where="训练与 Hugging Face 模型", hint="请运行 pip install 'tingfeng[models]'"
    ) from missing

NEGATIVE, NEUTRAL, POSITIVE = range(len(CLASSES))
# words that classifiers use for their classes
LABEL_WORDS: Mapping[str, Sentiment] = {
    **dict.fromkeys(("negative", "neg", "负面", "消极", "差评"), Sentiment.NEGATIVE),
    **dict.fromkeys(("neutral", "neu", "中性"), Sentiment.NEUTRAL),
    **dict.fromkeys(("positive", "pos", "正面", "积极", "好评"), Sentiment.POSITIVE),
}
ORDERS = {2: (Sentiment.NEGATIVE, Sentiment.POSITIVE), 3: CLASSES}
TOKENS_PER_BATCH = 8192
LONGEST_TEXT = 512
THRESHOLD = 0.5


def fit_linear(
    bags: Bags,
    labels: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float32],
    polar: npt.NDArray[np.bool_],
    *,
    rounds: int,
    decay: float = 0.3,
    two_way: float = 0.7,
    progress: Callable[[str, float], None] = lambda what, done: None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Softmax regression with L2 `decay` by L-BFGS over all texts; returns (weights float32 [BUCKETS, 3], bias [3]).

    `weights` per text. `polar` marks texts of sources that never say neutral: `two_way` of their loss compares negative and
    positive only, so that they do not teach that nothing is neutral. Grams are scaled by rarity (idf), folded into the weights.
    One thread and no chance in it: the same input gives the same bytes on the same machine.
    """
    frequency = np.bincount(bags.buckets, minlength=BUCKETS)
    rarity = np.log((len(labels) + 1) / (frequency + 1)) + 1
    rarity /= np.sqrt(np.mean(rarity[bags.buckets] ** 2))
    owners = np.repeat(np.arange(len(labels), dtype=np.int32), bags.sizes)
    values = (rarity[bags.buckets] / np.sqrt(bags.sizes)[owners]).astype(np.float32)
    by_bucket = np.argsort(bags.buckets, kind="stable")
    rows = SparseSum(bags.buckets, bags.offsets, values)
    columns = SparseSum(owners[by_bucket], np.cumsum(frequency) - frequency, values[by_bucket])
    gold, mass, two = torch.from_numpy(labels), torch.from_numpy(weights), torch.from_numpy(polar)
    table = torch.zeros(BUCKETS, len(CLASSES), requires_grad=True)
    bias = torch.zeros(len(CLASSES), requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [table, bias], max_iter=rounds, max_eval=2 * rounds, history_size=8, line_search_fn="strong_wolfe"
    )
    evaluations = 0

    def measure_loss() -> torch.Tensor:
        nonlocal evaluations
        scores = (rows.of(table.detach()) + bias.detach()).requires_grad_(True)
        loss = (torch.where(two, split_loss(scores, gold, two_way), split_loss(scores, gold, 0.0)) * mass).sum()
        (slope,) = torch.autograd.grad(loss, scores)
        table.grad = columns.of(slope) + decay * table.detach()
        bias.grad = slope.sum(0)
        evaluations += 1
        progress("训练", min(1.0, evaluations / (rounds * 1.2)))
        return loss.detach() + decay / 2 * (table.detach() ** 2).sum()

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        optimiser.step(measure_loss)  # type: ignore[no-untyped-call]
    finally:
        torch.set_num_threads(threads)
    folded = table.detach().numpy() * rarity[:, None]
    return folded.astype(np.float32), bias.detach().numpy().copy()


class SparseSum:
    """A sparse matrix as weighted bags of column numbers; `of` multiplies it with a dense one, in a fixed order."""

    def __init__(
        self, members: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64], values: npt.NDArray[np.float32]
    ) -> None:
        self._members, self._values = torch.from_numpy(members), torch.from_numpy(values)
        self._offsets = torch.from_numpy(offsets.astype(np.int32))

    def of(self, dense: torch.Tensor) -> torch.Tensor:
        """float32 [bags, columns of `dense`]."""
        return torch.nn.functional.embedding_bag(
            self._members, dense, self._offsets, mode="sum", per_sample_weights=self._values
        )


def split_loss(scores: torch.Tensor, gold: torch.Tensor, two_way: float) -> torch.Tensor:
    """Cross-entropy per text: `two_way` of it between negative and positive alone, the rest between all three."""
    three = torch.nn.functional.cross_entropy(scores, gold, reduction="none")
    if not two_way:
        return three
    side = (gold == POSITIVE).long()
    two = torch.nn.functional.cross_entropy(scores[:, [NEGATIVE, POSITIVE]], side, reduction="none")
    return two_way * two + (1 - two_way) * three


class TransformerSentiment:
    """A local sequence classifier with two or three classes; nothing is fetched from a hub."""

    engine = "hf"
    heads: Heads | None = None

    def __init__(self, tokenizer: object, model: object, order: Sequence[Sentiment], longest: int, name: str) -> None:
        self._tokenizer, self._model, self._order, self._longest = tokenizer, model, tuple(order), longest
        self.name = name

    @classmethod
    def load(cls, folder: Path) -> TransformerSentiment:
        """Raises ModelError when the folder is not such a model, is not trained, or its classes are not sentiments."""
        hint = '请写本地 Hugging Face 分类模型的文件夹,或用 model = "linear"'
        if not (folder / "config.json").is_file():
            raise ModelError("文件夹里没有 config.json", where=str(folder), hint=hint)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model, loaded = AutoModelForSequenceClassification.from_pretrained(
                folder, local_files_only=True, output_loading_info=True
            )
        except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"模型读不了({error})", where=str(folder), hint=hint) from error
        if loaded["missing_keys"]:
            absent = "、".join(sorted(loaded["missing_keys"])[:3])
            raise ModelError(f"模型缺少训练好的参数:{absent}", where=str(folder), hint=hint)
        model.eval()
        longest = min(LONGEST_TEXT, int(getattr(model.config, "max_position_embeddings", LONGEST_TEXT)))
        return cls(tokenizer, model, read_order(model.config.id2label, folder), longest, f"hf-{folder.name}")

    def judge(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Batched by length, so that padding stays small and memory bounded. Two-class models give neutral 0."""
        alike = {str(label): round(1 / len(CLASSES), 4) for label in CLASSES}
        found = [dict(alike) for _ in texts]
        order = sorted((i for i, text in enumerate(texts) if normalise(text)), key=lambda i: len(texts[i]))
        while order:
            size = max(1, TOKENS_PER_BATCH // min(self._longest, max(16, len(texts[order[-1]]))))
            chosen, order = order[-size:], order[:-size]
            for index, row in zip(chosen, self._weigh([texts[i] for i in chosen]), strict=True):
                found[index] = {str(label): 0.0 for label in CLASSES} | {
                    str(label): round(value, 4) for label, value in zip(self._order, row, strict=True)
                }
        return found

    def _weigh(self, texts: Sequence[str]) -> list[list[float]]:
        """Probabilities in the model's own order. Half surrogates, which tokenizers refuse, become question marks."""
        readable = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        encoded = self._tokenizer(  # type: ignore[operator]
            readable, truncation=True, max_length=self._longest, padding=True, return_tensors="pt"
        )
        with torch.no_grad():
            rows: list[list[float]] = torch.softmax(self._model(**encoded).logits, dim=1).tolist()  # type: ignore[operator]
        return rows

    def label(self, probabilities: Mapping[str, float]) -> Sentiment:
        """The likeliest class at or above one half."""
        return choose_label(probabilities, THRESHOLD)


def read_order(names: Mapping[int, str], folder: Path) -> tuple[Sentiment, ...]:
    """Which output is which class; LABEL_0 … count as negative, (neutral,) positive. Raises ModelError."""
    words = [str(names[index]).lower() for index in sorted(names)]
    if all(word.startswith("label_") for word in words) and len(words) in ORDERS:
        return ORDERS[len(words)]
    order = tuple(LABEL_WORDS[word] for word in words if word in LABEL_WORDS)
    if len(order) != len(words) or sorted(order) not in [sorted(known) for known in ORDERS.values()]:
        raise ModelError(
            f"看不懂模型的类别:{'、'.join(words)}",
            where=str(folder),
            hint="需要 negative / neutral / positive 两类或三类",
        )
    return order
