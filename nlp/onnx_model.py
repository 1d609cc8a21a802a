"""A network in an ONNX file, packed by gzip when its name ends so, run on the CPU. The only module that imports onnxruntime."""

from __future__ import annotations

import gzip
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.tokens import PAD
from tingfeng.errors import ModelError

try:
    import onnxruntime
except ImportError as missing:
    raise ModelError("没有安装 onnxruntime", where="编码器", hint="请运行 pip install onnxruntime") from missing

# pieces in a batch with its padding: about 12 posts, which stay in the cache of a core; 2048 are a quarter slower
BUDGET = 512
PACKED = ".gz"
# pieces of padding that are cheaper than a batch more
SPARE = 16
# both fused forms take longer than their parts: together a ninth of the time of the network
SLOW_FUSIONS = ("SkipLayerNormFusion", "BiasGeluFusion")


class OnnxModel:
    """Pieces to the outputs of all heads. Batches go side by side, one thread each, as many as there are cores."""

    def __init__(self, session: onnxruntime.InferenceSession, threads: int) -> None:
        self._session, self._threads = session, threads

    @classmethod
    def load(cls, file: Path, hint: str, threads: int = 0) -> OnnxModel:
        """`threads` 0: one for each core that this process may use. Raises ModelError naming the file, with the hint."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(
                unpack(file), options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOW_FUSIONS
            )
        except Exception as error:  # onnxruntime has an exception of its own for each way a file can be broken
            raise ModelError(f"模型文件缺失或损坏({shorten(error)})", where=str(file), hint=hint) from error
        return cls(session, threads or len(os.sched_getaffinity(0)))

    def run(self, rows: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        """Outputs float32 [texts, outputs] in the order of the rows."""
        batches = cut_by_length(rows)
        if len(batches) < 2 or self._threads < 2:
            parts = [self._run_batch([rows[place] for place in batch]) for batch in batches]
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                parts = list(pool.map(self._run_batch, [[rows[place] for place in batch] for batch in batches]))
        outputs = np.empty((len(rows), parts[0].shape[1] if parts else 0), dtype=np.float32)
        for batch, part in zip(batches, parts, strict=True):
            outputs[batch] = part
        return outputs

    def _run_batch(self, rows: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        pieces = np.full((len(rows), max(map(len, rows))), PAD, dtype=np.int64)
        for place, row in enumerate(rows):
            pieces[place, : len(row)] = row
        (outputs,) = self._session.run(None, {"pieces": pieces, "mask": (pieces != PAD).astype(np.int64)})
        return np.asarray(outputs, dtype=np.float32)


def cut_by_length(rows: Sequence[Sequence[int]], budget: int = BUDGET, spare: int = SPARE) -> list[list[int]]:
    """Places of rows of like length, the longest batch first; each at most `budget` pieces with its padding, of which `spare` may be padding."""
    order = sorted(range(len(rows)), key=lambda place: -len(rows[place]))
    batches: list[list[int]] = []
    padding = 0
    for place in order:
        longest = len(rows[batches[-1][0]]) if batches else 0
        padding += longest - len(rows[place])
        if batches and padding <= spare and (len(batches[-1]) + 1) * longest <= budget:
            batches[-1].append(place)
        else:
            batches.append([place])
            padding = 0
    return batches


def unpack(file: Path) -> bytes:
    """The content of an ONNX file. Raises OSError, EOFError or zlib.error when it is missing or damaged."""
    return gzip.decompress(file.read_bytes()) if file.suffix == PACKED else file.read_bytes()


def pack(content: bytes, file: Path) -> None:
    """Writes an ONNX file; the same content gives the same bytes."""
    file.write_bytes(gzip.compress(content, mtime=0) if file.suffix == PACKED else content)


def shorten(error: Exception) -> str:
    """The first line of what went wrong."""
    return str(error).strip().split("\n")[0][:160]


def quantise(source: Path, target: Path) -> None:
    """Weights as int8 with a scale per channel; seven bits, so that older processors do not overflow. Activations: a scale for each token.

    Needs the package onnx.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from nlp.onnx_tokens import scale_by_token

    # it advises a preparation that changes nothing here, in the name of the root logger
    logging.disable(logging.WARNING)
    try:
        quantize_dynamic(source, target, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
    finally:
        logging.disable(logging.NOTSET)
    model = onnx.load(target)
    scale_by_token(model)
    onnx.save(model, target)
