"""How recurrent layers are written as ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array
from netsuke.ops.onnx_node import OnnxNode


def _known(node: OnnxNode, index: int) -> Array:
    tensor = node.inputs[index]
    if tensor.data is None:
        raise GraphError(tensor.name, "must be constant to be written as ONNX")
    return tensor.data if tensor.quant is None else tensor.quant.dequantize(tensor.data)


def gates(
    node: OnnxNode, order: Sequence[int], biases: tuple[int, int | None]
) -> tuple[str, str, str]:
    """Weights, recurrent weights and both biases, with the gates in ONNX's order."""

    def arranged(array: Array) -> Array:
        blocks = np.split(array, len(order))
        return np.concatenate([blocks[index] for index in order])

    first = _known(node, biases[0])
    second = np.zeros_like(first) if biases[1] is None else _known(node, biases[1])
    both = np.concatenate([arranged(first), arranged(second)])
    return (
        node.constant(arranged(_known(node, 1))[None]),
        node.constant(arranged(_known(node, 2))[None]),
        node.constant(both[None]),
    )


def write_layer(
    node: OnnxNode,
    kind: str,
    parameters: Sequence[str],
    states: int,
    reverse: bool,
    **attributes: Any,
) -> None:
    """One direction of a recurrent layer; the batch moves behind the time and back."""
    x = node.emit("Transpose", [node.read(0, (0, 1))], perm=[1, 0, 2])
    first = len(node.inputs) - states
    initial = []
    for index in range(first, len(node.inputs)):
        data = node.inputs[index].data
        if data is not None and not data.any():
            initial.append("")
        else:
            state = node.batched(index, (0,))
            initial.append(node.emit("Unsqueeze", [state, node.constant([0])]))
    inputs = [x, *parameters, "", *initial]
    while not inputs[-1]:
        inputs.pop()
    y, *finals = node.emit_many(
        kind,
        inputs,
        1 + states,
        hidden_size=node.outputs[0].shape[1],
        direction="reverse" if reverse else "forward",
        **attributes,
    )
    y = node.emit("Squeeze", [y, node.constant([1])])
    node.write(node.emit("Transpose", [y], perm=[1, 0, 2]))
    for index, final in enumerate(finals):
        node.write(node.emit("Squeeze", [final, node.constant([0])]), index=1 + index)
