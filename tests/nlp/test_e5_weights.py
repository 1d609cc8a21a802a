from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from nlp.e5_weights import BLOCK, E5File, widen
from tingfeng.errors import ModelError

HIDDEN = 32


def pack_quarter(numbers: np.ndarray[tuple[int], np.dtype[np.int64]], scale: float) -> bytes:
    """Numbers 0 … 15 as Q4_0 blocks of one scale."""
    packed = b""
    for block in numbers.reshape(-1, BLOCK):
        low, high = block[:16], block[16:]
        packed += struct.pack("<e", scale) + bytes((low | high << 4).astype(np.uint8))
    return packed


def build_file(pieces: list[str], tensors: dict[str, tuple[int, int, bytes]], *, block: int = BLOCK) -> bytes:
    """A file in the layout of the package: `tensors` = name → (kind, count, bytes)."""
    blobs = [piece.encode() for piece in pieces]
    offsets = np.cumsum([0, *map(len, blobs)]).astype("<u4").tobytes()
    scores = np.arange(len(pieces), dtype="<f4").tobytes()
    head = b"E5S1" + struct.pack("<i", 1) + struct.pack("<7ifi", HIDDEN, 1, 2, 64, len(pieces), 4, 1, 1e-12, block)
    head += struct.pack("<5iq", len(pieces), 0, 2, 1, 3, sum(map(len, blobs))) + offsets + scores + b"".join(blobs)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xFF01, 1, 0x21) + struct.pack("<i", len(tensors))
    entry = sum(2 + len(name) + struct.calcsize("<BIQQ") for name in tensors)
    at, directory, body = len(head) + entry, b"", b""
    for name, (kind, count, raw) in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, at, len(raw))
        at, body = at + len(raw), body + raw
    return head + directory + body


def quarter(rows: int, seed: int) -> tuple[tuple[int, int, bytes], np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """A packed random matrix and what it should read as."""
    numbers = np.random.default_rng(seed).integers(0, 16, rows * HIDDEN)
    wanted = ((numbers - 8) * 0.5).astype(np.float32).reshape(rows, HIDDEN)
    return (1, rows * HIDDEN, pack_quarter(numbers, 0.5)), wanted


PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "水壶"]


def test_pieces_and_shape_are_read() -> None:
    file = E5File(build_file(PIECES, {}))
    assert file.pieces == tuple(PIECES)
    assert file.scores.tolist() == [0, 1, 2, 3, 4, 5]
    assert (file.shape.hidden, file.shape.layers, file.shape.vocabulary) == (HIDDEN, 1, len(PIECES))


def test_low_four_bits_come_before_high_ones() -> None:
    block = struct.pack("<e", 1.0) + bytes([0x9 | 0x7 << 4] * 16)
    assert widen(np.frombuffer(block, np.uint8)).tolist() == [1.0] * 16 + [-1.0] * 16


def test_packed_matrix_is_widened() -> None:
    packed, wanted = quarter(3, seed=1)
    assert (E5File(build_file(PIECES, {"l0.q.w": packed})).tensor("l0.q.w", HIDDEN) == wanted).all()


def test_chosen_rows_are_those_of_the_whole_matrix() -> None:
    packed, wanted = quarter(6, seed=2)
    chosen = np.array([5, 0, 5])
    assert (E5File(build_file(PIECES, {"emb.word": packed})).rows("emb.word", chosen) == wanted[chosen]).all()


def test_full_numbers_stay_as_they_are() -> None:
    bias = np.linspace(-1, 1, HIDDEN, dtype="<f4")
    file = E5File(build_file(PIECES, {"l0.q.b": (0, HIDDEN, bias.tobytes()), "l0.k.b": (0, HIDDEN, bias.tobytes())}))
    assert (file.tensor("l0.k.b") == bias).all()
    assert (file.rows("l0.q.b", np.array([0])) == bias).all()


def test_missing_tensor_is_named() -> None:
    with pytest.raises(ModelError, match=r"l9\.q\.w"):
        E5File(build_file(PIECES, {})).tensor("l9.q.w")


@pytest.mark.parametrize("raw", [b"", b"GGUF" + bytes(200), build_file(PIECES, {})[:60], build_file(PIECES, {}, block=64)])
def test_other_and_broken_files_are_refused(raw: bytes) -> None:
    with pytest.raises(ModelError, match="e5-small-q4"):
        E5File(raw, "e5.bin")


def test_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="pip install"):
        E5File.load(tmp_path / "none.bin")
