"""Writes a trained encoder as an int8 ONNX file."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch

from nlp.onnx_model import OnnxModel, cut_by_length, pack, quantise
from nlp.outputs import SIZES, STARTS
from nlp.torch_encoder import Encoder
from nlp.torch_training import pad

OPSET = 17
# how many heads of attention there are does not show in the weights
ATTENTION_KEY = "attention"


def export(encoder: Encoder, target: Path) -> None:
    """Both axes of a batch stay free. The full-size file exists only for a moment."""
    pieces = torch.full((2, 8), 5)
    pieces[1, 6:] = 1
    free = {0: "texts", 1: "pieces"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # the exporter warns of its own successor, and of shapes that are constant on purpose
        warnings.simplefilter("ignore")
        full = Path(folder) / "full.onnx"
        torch.onnx.export(
            encoder.eval(),
            (pieces, (pieces != 1).long()),
            str(full),
            dynamo=False,
            opset_version=OPSET,
            input_names=["pieces", "mask"],
            output_names=["outputs"],
            dynamic_axes={"pieces": free, "mask": free, "outputs": {0: "texts"}},
        )
        small = full.with_name("small.onnx")
        quantise(full, small)
        pack(note_attention(small, encoder.shape.attention), target)


def note_attention(file: Path, heads: int) -> bytes:
    """The content of the file with what nlp/torch_import.py cannot read from its weights."""
    import onnx

    model = onnx.load(file)
    onnx.helper.set_model_props(model, {ATTENTION_KEY: str(heads)})
    content: bytes = model.SerializeToString()
    return content


def measure_agreement(encoder: Encoder, exported: OnnxModel, rows: Sequence[Sequence[int]]) -> float:
    """Share of texts to which the exported network gives the sentiment of the full one."""
    place = slice(STARTS["sentiment"], STARTS["sentiment"] + SIZES["sentiment"])
    told = exported.run(rows)[:, place].argmax(axis=1)
    same = 0
    with torch.no_grad():
        for batch in cut_by_length(rows):
            full = encoder.eval()(*pad([rows[row] for row in batch]))[:, place].argmax(1).numpy()
            same += int((full == told[batch]).sum())
    return round(same / len(rows), 4)
