"""Grey images in place of coloured ones.

An image with r = g = b = x gives in a first layer Σ_c w_c·r_c = (Σ_c w_c)·x, so ::

    w' = w_red + w_green + w_blue

is the layer that on the grey value does what the old one does on that value in all three channels.
The grey value is made by `netsuke.data.view.grey`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netsuke.compress.edits.edit import Edit, Kind
from netsuke.compress.edits.input_size import image_input
from netsuke.errors import GraphError
from netsuke.ir import Graph, Node, Tensor
from netsuke.ops import AveragePool2d, Clamp, Conv2d, MaxPool2d, Pad

GREY = "grey"
PER_CHANNEL_ALIKE = (AveragePool2d, Clamp, MaxPool2d, Pad)
"""Operators that do the same to every channel and may come before the first layer."""


def _offers(graph: Graph) -> tuple[Edit, ...]:
    name = image_input(graph)
    if name is None or graph.tensors[name].shape[2] != 3:
        return ()
    try:
        _greyed(graph, name, values=False)
    except GraphError:
        return ()
    return (Edit("input_colour", name, GREY),)


def _greyed(graph: Graph, name: str, values: bool = True) -> Graph:
    tensors = dict(graph.tensors)
    grey = {name}
    tensors[name] = _one_channel(tensors[name])
    for node in graph.nodes:
        if not grey.intersection(node.inputs):
            continue
        if isinstance(node.op, Conv2d) and node.op.groups == 1:
            weights = tensors[node.inputs[1]]
            tensors[weights.name] = _summed(node, weights, values)
        elif isinstance(node.op, PER_CHANNEL_ALIKE) and node.outputs[0] not in graph.outputs:
            grey.add(node.outputs[0])
            tensors[node.outputs[0]] = _one_channel(tensors[node.outputs[0]])
        else:
            raise GraphError(
                node.name,
                f"reads colours by {node.op.kind}; only a convolution over all channels can be "
                "made to read grey",
            )
    return replace(graph, tensors=tensors)


def _one_channel(tensor: Tensor) -> Tensor:
    return replace(tensor, shape=(*tensor.shape[:2], 1))


def _summed(node: Node, weights: Tensor, values: bool) -> Tensor:
    if weights.data is None or weights.dtype != "float32" or weights.shape[3] != 3:
        raise GraphError(node.name, "has no constant weights for three colours")
    shape = (*weights.shape[:3], 1)
    if not values:
        return replace(weights, shape=shape, data=np.broadcast_to(np.float32(0), shape))
    data = weights.data.sum(axis=3, keepdims=True, dtype=np.float64).astype(np.float32)
    data.setflags(write=False)
    return replace(weights, shape=shape, data=data)


def _apply(graph: Graph, edits: Sequence[Edit], origin: Graph) -> Graph:
    for edit in edits:
        name = image_input(graph)
        if name is None or name != edit.place or graph.tensors[name].shape[2] != 3:
            raise GraphError(edit.place, "is no one input (h, w, 3) of real numbers")
        if edit.value != GREY:
            raise GraphError(edit.place, f"colours can become {GREY!r}, not {edit.value!r}")
        graph = _greyed(graph, name)
    return graph


INPUT_COLOUR = Kind("input_colour", _offers, _apply)
