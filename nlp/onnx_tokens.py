"""Rewrites a dynamically quantised network so that each token has a scale of its own, in the place of one for the whole batch.

ONNX's DynamicQuantizeLinear takes its scale from the largest value of the batch: a text is then judged a little differently beside other
texts, and coarsely beside one with an outlier. With a scale for each token (Yao et al., ZeroQuant, 2022) the neighbours do not matter.
Needs the package onnx.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LEVELS, ZERO, LEAST = 127.0, 128, 1e-6
CONTRIB = "com.microsoft"
SCALES = "quant_scales_mul"
CONSTANTS = {"tokens.levels": LEVELS, "tokens.shift": ZERO + 0.5, "tokens.least": LEAST, "tokens.one": 1.0}
ZERO_NAME = "tokens.zero"


def scale_by_token(model: Any) -> None:
    """Changes an onnx.ModelProto in place. Raises ValueError when a product is not as quantize_dynamic writes it."""
    from onnx import helper, numpy_helper

    graph = model.graph
    scales = {node.output[0]: tuple(node.input) for node in graph.node if node.op_type == "Mul" and SCALES in node.output[0]}
    products = {node.output[0]: node for node in graph.node if node.op_type == "MatMulInteger"}
    casts = {node.output[0]: products[node.input[0]] for node in graph.node if node.op_type == "Cast" and node.input[0] in products}
    gone = {*scales, *products, *casts}
    nodes, done = [], 0
    for node in graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            nodes += quantise_rows(node)
        elif node.op_type == "Mul" and node.input[0] in casts:
            nodes += multiply(node, casts[node.input[0]], *scales[node.input[1]])
            done += 1
        elif node.output[0] not in gone:
            nodes.append(node)
    if done != len(products):
        raise ValueError(f"{len(products) - done} of {len(products)} products are not followed by their scales")
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(numpy_helper.from_array(np.array(value, np.float32), name) for name, value in CONSTANTS.items())
    graph.initializer.append(numpy_helper.from_array(np.array(ZERO, np.uint8), ZERO_NAME))
    model.opset_import.append(helper.make_opsetid(CONTRIB, 1))


def quantise_rows(node: Any) -> list[Any]:
    """x [..., width] → uint8 around 128, with max|x| ÷ 127 of each row as its scale [..., 1]."""
    from onnx import TensorProto, helper

    x, (whole, scale, _) = node.input[0], node.output
    parts = ("high", "low", "negated", "most", "inverse", "wide", "shifted")
    high, low, negated, most, inverse, wide, shifted = (f"{whole}.{part}" for part in parts)
    return [
        helper.make_node("ReduceMax", [x], [high], axes=[-1], keepdims=1),
        helper.make_node("ReduceMin", [x], [low], axes=[-1], keepdims=1),
        helper.make_node("Neg", [low], [negated]),
        helper.make_node("Max", [high, negated, "tokens.least"], [most]),
        helper.make_node("Div", [most, "tokens.levels"], [scale]),
        helper.make_node("Div", ["tokens.levels", most], [inverse]),
        helper.make_node("Mul", [x, inverse], [wide]),
        helper.make_node("Add", [wide, "tokens.shift"], [shifted]),
        helper.make_node("Cast", [shifted], [whole], to=TensorProto.UINT8),
    ]


def multiply(node: Any, product: Any, row_scale: str, column_scale: str) -> list[Any]:
    """The product of the rows with the weights, their scale of each column within, that of each row after it."""
    from onnx import helper

    plain = f"{node.output[0]}.plain"
    inputs = [product.input[0], product.input[1], "tokens.one", column_scale, ZERO_NAME, product.input[3]]
    return [
        helper.make_node("MatMulIntegerToFloat", inputs, [plain], domain=CONTRIB),
        helper.make_node("Mul", [plain, row_scale], [node.output[0]]),
    ]
