"""Clamps as part of the layer that they follow."""

from __future__ import annotations

from netsuke.ir import Graph, Node
from netsuke.ops.clamp import Clamp
from netsuke.ops.max_pool2d import MaxPool2d
from netsuke.passes.edit import Edit
from netsuke.passes.linear import bounds, with_bounds


def fuse_activation(graph: Graph) -> Graph:
    """Fuse each clamp (ReLU, ReLU6) into the node before it, when that can clamp.

    The node must have no other reader, and in integers both outputs the same quantization: then
    the stored bounds are the same. A clamp moves through a max pooling, which keeps the order
    of numbers, to the layer before it.
    """
    edit = Edit(graph)
    for name in [node.name for node in graph.nodes]:
        node = edit.node(name)
        if node is not None and isinstance(node.op, Clamp):
            _fuse(edit, node, node.op)
    return edit.finish()


def _fuse(edit: Edit, node: Node, clamp: Clamp) -> None:
    (source,), (output,) = edit.inputs(node), edit.outputs(node)
    if source.quant != output.quant or source.dtype != output.dtype:
        return
    layer = edit.sole_producer(source.name)
    while layer is not None and isinstance(layer.op, MaxPool2d):
        layer = edit.sole_producer(layer.inputs[0])
    if layer is None or len(layer.outputs) != 1:
        return
    limits = bounds(layer.op)
    if limits is None or edit.tensors[layer.name].quant != source.quant:
        return
    low, high = (min(max(limit, clamp.low), clamp.high) for limit in limits)
    edit.replace(layer, with_bounds(layer.op, low, high))
    edit.bypass(node, source.name)
