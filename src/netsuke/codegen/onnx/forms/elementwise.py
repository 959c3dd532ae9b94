"""Functions of one or two elements."""

from __future__ import annotations

import numpy as np

from netsuke.codegen.onnx.registry import writes
from netsuke.codegen.onnx.writer import NodeWriter
from netsuke.ir import Op
from netsuke.ops import (
    Abs,
    Add,
    Clamp,
    Dequantize,
    Div,
    Exp,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Log,
    Maximum,
    Minimum,
    Mul,
    Neg,
    Prelu,
    Quantize,
    Requantize,
    Rsqrt,
    Sigmoid,
    Sqrt,
    Square,
    Sub,
    Tanh,
)

PLAIN: dict[type[Op], str] = {
    Abs: "Abs",
    Exp: "Exp",
    Log: "Log",
    Neg: "Neg",
    Sigmoid: "Sigmoid",
    Sqrt: "Sqrt",
    Tanh: "Tanh",
    HardSwish: "HardSwish",
}
CLAMPED: dict[type[Op], str] = {Add: "Add", Sub: "Sub", Mul: "Mul", Div: "Div"}
PAIRS: dict[type[Op], str] = {Minimum: "Min", Maximum: "Max"}


@writes(*PLAIN)
def plain(node: NodeWriter) -> None:
    node.follow()
    node.put(node.node(PLAIN[node.kind], node.get(0)))


@writes(*CLAMPED)
def arithmetic(node: NodeWriter) -> None:
    node.follow()
    node.put(node.clamp(node.node(CLAMPED[node.kind], node.get(0), node.get(1))))


@writes(*PAIRS)
def extremum(node: NodeWriter) -> None:
    node.follow()
    node.put(node.node(PAIRS[node.kind], node.get(0), node.get(1)))


@writes(Clamp)
def clamp(node: NodeWriter) -> None:
    node.follow()
    node.put(node.clamp(node.get(0)))


@writes(Prelu)
def prelu(node: NodeWriter) -> None:
    node.follow()
    node.put(node.node("PRelu", node.get(0), node.get(1)))


@writes(LeakyRelu)
def leaky_relu(node: NodeWriter) -> None:
    node.follow()
    node.put(node.node("LeakyRelu", node.get(0), alpha=float(node.op.alpha)))


@writes(HardSigmoid)
def hard_sigmoid(node: NodeWriter) -> None:
    node.follow()
    alpha, beta = float(node.op.alpha), float(node.op.beta)
    node.put(node.node("HardSigmoid", node.get(0), alpha=alpha, beta=beta))


@writes(Gelu)
def gelu(node: NodeWriter) -> None:
    node.follow()
    kind = "tanh" if node.op.approximate else "none"
    node.put(node.node("Gelu", node.get(0), approximate=kind))


@writes(Rsqrt)
def rsqrt(node: NodeWriter) -> None:
    node.follow()
    node.put(node.node("Reciprocal", node.node("Sqrt", node.get(0))))


@writes(Square)
def square(node: NodeWriter) -> None:
    node.follow()
    node.put(node.node("Mul", node.get(0), node.get(0)))


@writes(Quantize, Dequantize, Requantize)
def conversion(node: NodeWriter) -> None:
    """Values are real here; what is stored is the tensor's own affair."""
    node.follow()
    tensor = node.outputs[0]
    if tensor.quant is None and tensor.dtype != "float32":
        node.put(node.node("Cast", node.get(0), to=_kind(node, tensor.dtype)))
    else:
        node.put(node.get(0))


def _kind(node: NodeWriter, dtype: str) -> int:
    return int(node.writer.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
