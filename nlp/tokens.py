"""Texts as piece numbers: a unigram tokenizer over a pruned vocabulary. The only module that imports tokenizers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from nlp.ngrams import cut_text
from tingfeng.errors import ModelError

try:
    from tokenizers import Tokenizer
    from tokenizers.models import Unigram
    from tokenizers.pre_tokenizers import Metaspace
except ImportError as missing:
    raise ModelError("没有安装 tokenizers", where="编码器", hint="请运行 pip install tokenizers") from missing

# the special pieces come first and keep their numbers
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
START, PAD, END, UNKNOWN = range(len(SPECIAL))
META = "▁"
Span = tuple[int, int]
T = TypeVar("T")


class PieceReader:
    """A unigram tokenizer: the likeliest split of a text into pieces wins (Kudo, 2018)."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def build(cls, scored: Mapping[str, float]) -> PieceReader:
        """From pieces with their log probabilities, in the order of their numbers, the special ones first."""
        tokenizer = Tokenizer(Unigram(list(scored.items()), unk_id=UNKNOWN, byte_fallback=False))
        tokenizer.pre_tokenizer = Metaspace(replacement=META, prepend_scheme="first")
        return cls(tokenizer)

    @classmethod
    def load(cls, file: Path, hint: str) -> PieceReader:
        """Raises ModelError naming the file, with the hint."""
        try:
            return cls(Tokenizer.from_str(file.read_text("utf-8")))
        except Exception as error:  # tokenizers raises nothing narrower for a damaged file
            raise ModelError(f"分词表缺失或损坏({error})", where=str(file), hint=hint) from error

    def save(self, file: Path) -> None:
        file.write_text(self._tokenizer.to_str(), "utf-8")

    def count(self) -> int:
        """How many pieces there are."""
        return int(self._tokenizer.get_vocab_size())

    def read(self, texts: Sequence[str], longest: int) -> list[list[int]]:
        """Piece numbers of each text, with start and end, at most `longest`; the text is normalised and cut first."""
        encodings = self._tokenizer.encode_batch_fast([cut_text(text) for text in texts])
        return [[START, *fit(one.ids, longest - 2), END] for one in encodings]

    def read_marked(
        self, texts: Sequence[str], marks: Sequence[Sequence[Span]], longest: int
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Like `read`, and for each text the places of the pieces that touch its marks (characters of the normalised text)."""
        rows, places = [], []
        for one, spans in zip(self._tokenizer.encode_batch([cut_text(text) for text in texts]), marks, strict=True):
            inside = {character for start, end in spans for character in range(start, end)}
            touched = [not inside.isdisjoint(range(*offset)) for offset in one.offsets] if inside else [False] * len(one.ids)
            rows.append([START, *fit(one.ids, longest - 2), END])
            places.append([place for place, hit in enumerate(fit(touched, longest - 2), 1) if hit])
        return rows, places

    def read_spans(self, plain: str) -> tuple[list[int], list[Span]]:
        """Piece numbers of one normalised text with the characters that each covers; neither start, end nor cutting."""
        one = self._tokenizer.encode(plain)
        return list(one.ids), list(one.offsets)


def fit(numbers: Sequence[T], longest: int) -> Sequence[T]:
    """At most `longest` numbers: of a long text the beginning and the end, where the verdict stands."""
    if len(numbers) <= longest:
        return numbers
    head = longest * 3 // 4
    return [*numbers[:head], *numbers[len(numbers) - (longest - head) :]]
