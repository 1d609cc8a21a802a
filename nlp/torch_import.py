"""Reads an exported encoder back: its int8 weights times their scales are a state that training can begin from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nlp.encoder_judge import MODEL_FILE, PIECES_FILE
from nlp.onnx_model import unpack
from nlp.torch_encoder import LAYER_PLACES, count_layers
from nlp.torch_export import ATTENTION_KEY
from nlp.torch_tuning import ATTENTION, Start
from tingfeng.errors import UsageError

PRODUCT, QUANTISED = "MatMulIntegerToFloat", "_quantized"
PARTS = ("weight", "bias")
NEEDED = ("words.weight", "places.weight", "norm.weight", "norm.bias", "layers.0.look.weight", "heads.sentiment.weight")
RETRY = "请给 tingfeng train 写出的文件夹"
Array = npt.NDArray[Any]


def read_exported(folder: Path) -> Start:
    """The encoder of a model's folder. Raises UsageError naming the file that is missing, damaged or no encoder of ours."""
    pieces, (state, attention) = read_pieces(folder / PIECES_FILE), read_network(folder / MODEL_FILE)
    if len(pieces) != len(state["words.weight"]):
        told = f"分词表有 {len(pieces)} 片,网络有 {len(state['words.weight'])} 片"
        raise UsageError(told, where=str(folder / PIECES_FILE), hint=f"{MODEL_FILE} 与 {PIECES_FILE} 要是同一次训练的")
    return Start(state, pieces, attention)


def read_pieces(file: Path) -> dict[str, float]:
    """Pieces with their log probabilities, in the order of their numbers."""
    try:
        return {str(piece): float(score) for piece, score in json.loads(file.read_text("utf-8"))["model"]["vocab"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = f"--start 要的是检查点,或含 {MODEL_FILE} 与 {PIECES_FILE} 的文件夹"
        raise UsageError(f"分词表缺失或损坏({error})", where=str(file), hint=hint) from error


def read_network(file: Path) -> tuple[dict[str, torch.Tensor], int]:
    """State by the names of nlp/torch_encoder.py, and the number of attention heads."""
    try:
        import onnx
    except ImportError as missing:
        raise UsageError("没有安装 onnx", where="train --start", hint="请运行 pip install 'tingfeng[models]'") from missing
    try:
        model = onnx.load_from_string(unpack(file))
        state = read_state(model, {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer})
        noted = {one.key: one.value for one in model.metadata_props}
        attention = int(noted.get(ATTENTION_KEY, ATTENTION))
    except Exception as error:  # protobuf and onnx have an exception of their own for each way a file can be broken
        raise UsageError(f"网络缺失或损坏({str(error)[:160]})", where=str(file), hint=RETRY) from error
    gone = find_gone(state)
    if gone:
        raise UsageError(f"网络里没有 {'、'.join(gone[:5])}", where=str(file), hint=RETRY)
    return state, attention


def find_gone(state: Mapping[str, torch.Tensor]) -> list[str]:
    """Names that an encoder must have and this one lacks: what is not given would begin at random."""
    gone = [name for name in NEEDED if name not in state]
    if gone:
        return gone
    parts = [f"{place}.{part}" for place in LAYER_PLACES.values() for part in PARTS]
    return [name for layer in range(count_layers(state)) for part in parts if (name := f"layers.{layer}.{part}") not in state]


def read_state(model: Any, stored: Mapping[str, Array]) -> dict[str, torch.Tensor]:
    """What is stored at full size keeps its name; a table of the int8 ones is named by itself, a product by the bias that is added to it."""
    found = {name: array for name, array in stored.items() if array.dtype == np.float32 and name.endswith((".weight", ".bias"))}
    found |= {name.removesuffix(QUANTISED): widen(stored, name) for name in stored if name.endswith(f".weight{QUANTISED}")}
    readers = {name: node for node in model.graph.node for name in node.input}
    for node in model.graph.node:
        if node.op_type == PRODUCT:
            added = readers[readers[node.output[0]].output[0]]
            (bias,) = [name for name in added.input if name.endswith(".bias")]
            found[f"{bias.removesuffix('.bias')}.weight"] = widen(stored, node.input[1]).T
    return {name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in found.items()}


def widen(stored: Mapping[str, Array], name: str) -> Array:
    """An int8 table as float32: one scale for all of it, or one for each column."""
    start = name.removesuffix(QUANTISED)
    whole = stored[name].astype(np.float32) - stored[f"{start}_zero_point"].astype(np.float32)
    return np.asarray(whole * stored[f"{start}_scale"], dtype=np.float32)
