"""A network without padding: SAME becomes VALID in all its convolutions and poolings."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Graph, Node, Op, Tensor, constant, verify
from netsuke.ops import AveragePool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, Reshape
from netsuke.passes.edit import own_constants

WINDOWS = (AveragePool2d, Conv2d, DepthwiseConv2d, MaxPool2d)
Shape = tuple[int, ...]


def without_padding(graph: Graph) -> Graph:
    """Return the graph with every window inside its image.

    Images shrink at each window; a dense layer behind them keeps the weights of the middle,
    scaled by √(old / new) so that its sums keep their deviation. Poolings over a whole image stay
    such.

    Raises
    ------
    GraphError
        When the graph has no padding, or cannot do without: images become too small, or two
        branches no longer have one shape.
    """
    graph = own_constants(graph)
    if not any(_is_padded(node.op) for node in graph.nodes):
        raise GraphError(graph.name, "has no padding that could be left out")
    tensors = dict(graph.tensors)
    flat: dict[str, tuple[Shape, Shape]] = {}  # of a flattened image: its shape before and now
    nodes: list[Node] = []
    for node in graph.nodes:
        old = graph.in_of(node)
        op = _without(node.op, old, [tensors[name] for name in node.inputs])
        if isinstance(op, Reshape) and op != node.op:
            flat[node.outputs[0]] = (old[0].shape, tensors[node.inputs[0]].shape)
        elif isinstance(op, Dense) and node.inputs[0] in flat:
            weights = tensors[node.inputs[1]]
            assert weights.data is not None
            data = _middle(weights.data, *flat[node.inputs[0]])
            tensors[weights.name] = constant(weights.name, data)
        elif node.inputs[0] in flat and not node.op.rule.weights:
            flat[node.outputs[0]] = flat[node.inputs[0]]
        results = op.infer([tensors[name] for name in node.inputs])
        for name, found in zip(node.outputs, results, strict=True):
            if min(found.shape, default=1) < 1:
                raise GraphError(node.name, "nothing is left of the image without padding")
            tensors[name] = replace(tensors[name], shape=found.shape)
        nodes.append(replace(node, op=op))
    return verify(replace(graph, nodes=tuple(nodes), tensors=tensors, ports={}))


def _is_padded(op: Op) -> bool:
    return isinstance(op, WINDOWS) and any(map(any, op.padding))


def _without(op: Op, old: tuple[Tensor, ...] | list[Tensor], new: list[Tensor]) -> Op:
    """The operator without padding, for inputs that may have shrunk."""
    if isinstance(op, AveragePool2d | MaxPool2d) and op.kernel == old[0].shape[:2]:
        height, width = new[0].shape[:2]
        stride = (height, width) if op.stride == op.kernel else op.stride
        return replace(op, kernel=(height, width), stride=stride, padding=((0, 0), (0, 0)))
    if isinstance(op, WINDOWS) and _is_padded(op):
        return replace(op, padding=((0, 0), (0, 0)))
    if isinstance(op, Reshape) and new[0].elements != old[0].elements:
        if len(op.shape) != 1 or len(old[0].shape) != 3:
            raise GraphError(
                new[0].name, f"is reshaped to {list(op.shape)}, which is not one row of an image"
            )
        return Reshape((new[0].elements,))
    return op


def _middle(weights: Array, before: Shape, now: Shape) -> Array:
    """The weights ``(units, h·w·c)`` of the middle ``now`` of an image ``before``."""
    units = len(weights)
    corner = [(a - b) // 2 for a, b in zip(before[:2], now[:2], strict=True)]
    spans = [slice(start, start + extent) for start, extent in zip(corner, now[:2], strict=True)]
    middle = weights.reshape(units, *before)[:, spans[0], spans[1], :]
    scale = math.sqrt(math.prod(before) / math.prod(now))
    return np.ascontiguousarray(middle.reshape(units, -1) * np.float32(scale))
