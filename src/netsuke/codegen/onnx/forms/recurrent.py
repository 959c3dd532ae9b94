"""LSTM and GRU; ONNX wants (time, batch, features) and one direction as an axis."""

from __future__ import annotations

import numpy as np

from netsuke.codegen.onnx.registry import writes
from netsuke.codegen.onnx.writer import NodeWriter
from netsuke.errors import GraphError
from netsuke.ir import Array, Tensor
from netsuke.ops import Gru, Lstm


def _real(tensor: Tensor) -> Array:
    assert tensor.data is not None
    return tensor.quant.dequantize(tensor.data) if tensor.quant else tensor.data


def _gates(array: Array, order: tuple[int, ...]) -> Array:
    parts = np.split(array, len(order))
    return np.concatenate([parts[index] for index in order])[None].astype(np.float32)


def _state(node: NodeWriter, index: int) -> str:
    tensor = node.inputs[index]
    if tensor.data is None:
        return node.node("Unsqueeze", node.get(index), node.ints(0))
    if np.any(_real(tensor)):
        raise GraphError(tensor.name, "is a constant first state other than zero; ONNX lacks it")
    return ""


def _real_bias(node: NodeWriter, index: int) -> Array:
    """Biases as reals: int32 ones have scale input · weights."""
    bias, x, weights = node.inputs[index], node.inputs[0], node.inputs[1]
    assert bias.data is not None
    if bias.data.dtype != np.int32 or x.quant is None or weights.quant is None:
        return _real(bias)
    return (bias.data * (x.quant.scale[0] * np.asarray(weights.quant.scale))).astype(np.float32)


@writes(Lstm)
def lstm(node: NodeWriter) -> None:
    order = (0, 3, 1, 2)  # ours is i, f, g, o; ONNX's is i, o, f, c
    weights, recurrent = (_gates(_real(node.inputs[i]), order) for i in (1, 2))
    bias = _gates(_real_bias(node, 3), order)
    hidden = recurrent.shape[-1]
    both = np.concatenate([bias, np.zeros_like(bias)], axis=1)
    states = [_state(node, 4), _state(node, 5)]
    _write(node, "LSTM", [weights, recurrent, both], states, hidden, {})


@writes(Gru)
def gru(node: NodeWriter) -> None:
    order = (0, 1, 2)
    weights, recurrent = (_gates(_real(node.inputs[i]), order) for i in (1, 2))
    biases = [_gates(_real_bias(node, 3), order), _gates(_real(node.inputs[4]), order)]
    both = np.concatenate(biases, axis=1)
    extra = {"linear_before_reset": int(node.op.reset_after)}
    hidden = recurrent.shape[-1]
    _write(node, "GRU", [weights, recurrent, both], [_state(node, 5)], hidden, extra)


def _write(
    node: NodeWriter,
    kind: str,
    constants: list[Array],
    states: list[str],
    hidden: int,
    attributes: dict[str, int],
) -> None:
    x = node.node("Transpose", node.get(0), perm=[1, 0, 2])
    inputs = [x, *(node.constant(array) for array in constants)]
    if any(states):
        inputs += ["", *states]
    direction = "reverse" if node.op.reverse else "forward"
    outputs = node.many(
        kind, len(node.outputs), *inputs, hidden_size=hidden, direction=direction, **attributes
    )
    sequence = node.node("Squeeze", outputs[0], node.ints(1))
    node.put(node.node("Transpose", sequence, perm=[1, 0, 2]))
    for index, state in enumerate(outputs[1:], start=1):
        node.put(node.node("Squeeze", state, node.ints(0)), index)
