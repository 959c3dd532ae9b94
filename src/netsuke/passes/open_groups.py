"""Grouped convolutions one by one, and shuffles as lists of positions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netsuke.ir import Graph, Node, Quant, Tensor, constant, verify
from netsuke.ops import ChannelShuffle, Concat, Conv2d, Gather, Split


def open_groups(graph: Graph) -> Graph:
    """Return the same computation with channels that can be cut one by one.

    A convolution with G groups needs equally many channels in each, and a shuffle between two of
    them ties channels to each other that are not even neighbours; after a few layers of ShuffleNet
    (arXiv:1707.01083, arXiv:1807.11164) all channels are one unit, and nothing can be cut. So each
    group becomes a convolution of its own between a split and a concatenation, and a shuffle a
    gather::

        y_g = conv(x_g, w_g)                   out[i·G + g] = in[g·(c / G) + i]

    Graphs without a shuffle are returned as they are: there groups lose the same channels each,
    and the layer stays one. Values are the same bit for bit, in floats and in integers.
    """
    if not any(isinstance(node.op, ChannelShuffle) for node in graph.nodes):
        return graph
    tensors = dict(graph.tensors)
    nodes: list[Node] = []
    for node in graph.nodes:
        if isinstance(node.op, ChannelShuffle):
            nodes.append(_gather(node, node.op.groups, tensors))
        elif isinstance(node.op, Conv2d) and node.op.groups > 1 and _is_constant(graph, node):
            nodes += _opened(node, node.op, tensors)
        else:
            nodes.append(node)
    used = {name for node in nodes for name in (*node.inputs, *node.outputs)}
    used.update(graph.inputs, graph.outputs)
    kept = {name: tensor for name, tensor in tensors.items() if name in used}
    return verify(replace(graph, nodes=tuple(nodes), tensors=kept))


def _is_constant(graph: Graph, node: Node) -> bool:
    return all(tensor.is_constant for tensor in graph.in_of(node)[1:])


def _gather(node: Node, groups: int, tensors: dict[str, Tensor]) -> Node:
    shape = tensors[node.inputs[0]].shape
    order = np.arange(shape[-1]).reshape(groups, -1).T.ravel()
    positions = _store(tensors, constant(f"{node.name}.positions", order.astype(np.int32)))
    return Node(Gather(len(shape) - 1), (node.inputs[0], positions), node.outputs)


def _opened(node: Node, op: Conv2d, tensors: dict[str, Tensor]) -> list[Node]:
    """Split, a convolution a group, concatenation."""
    x, weights, bias = (tensors[name] for name in node.inputs)
    y = tensors[node.name]
    depth, each = x.shape[2] // op.groups, y.shape[2] // op.groups
    parts = [_piece(tensors, x, f"{node.name}.in", depth) for _ in range(op.groups)]
    single = replace(op, groups=1)
    convolutions = []
    for number, part in enumerate(parts):
        rows = slice(number * each, (number + 1) * each)
        names = [_store(tensors, _rows(tensor, rows)) for tensor in (weights, bias)]
        result = _piece(tensors, y, f"{node.name}.out", each)
        convolutions.append(Node(single, (part, *names), (result,)))
    split = Node(Split(2, (depth,) * op.groups), (x.name,), tuple(parts))
    results = tuple(convolution.name for convolution in convolutions)
    return [split, *convolutions, Node(Concat(2), results, node.outputs)]


def _piece(tensors: dict[str, Tensor], whole: Tensor, wish: str, channels: int) -> str:
    """A tensor like another one, with fewer channels."""
    return _store(tensors, replace(whole, name=wish, shape=(*whole.shape[:2], channels)))


def _rows(tensor: Tensor, rows: slice) -> Tensor:
    """Some filters of a constant."""
    assert tensor.data is not None
    return constant(tensor.name, tensor.data[rows], _quant_rows(tensor.quant, rows))


def _quant_rows(quant: Quant | None, rows: slice) -> Quant | None:
    if quant is None or quant.axis != 0 or len(quant.scale) == 1:
        return quant
    return replace(quant, scale=quant.scale[rows], zero_point=quant.zero_point[rows])


def _store(tensors: dict[str, Tensor], tensor: Tensor) -> str:
    name, number = tensor.name, 1
    while name in tensors:
        name, number = f"{tensor.name}_{number}", number + 1
    tensors[name] = replace(tensor, name=name)
    return name
