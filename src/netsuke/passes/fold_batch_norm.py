"""Batch normalization as part of another layer."""

from __future__ import annotations

import numpy as np

from netsuke.ir import Graph, Node
from netsuke.ops.batch_norm import BatchNorm
from netsuke.ops.depthwise_conv2d import DepthwiseConv2d
from netsuke.ops.reshape import Reshape
from netsuke.passes.edit import Edit
from netsuke.passes.linear import bounds, is_linear, is_unbounded, transform_outputs, with_bounds


def fold_batch_norm(graph: Graph) -> Graph:
    """Fold batch normalizations into the layers before them.

    y = (w·x + b - mean) · f + offset with f = scale / √(variance + epsilon) is a layer with
    weights f·w and bias f·(b - mean) + offset. Where there is no such layer, the normalization
    becomes a depthwise 1x1 convolution with weights f and bias offset - f·mean.
    """
    edit = Edit(graph)
    for node in graph.nodes:
        if isinstance(node.op, BatchNorm) and all(
            tensor.is_constant for tensor in edit.inputs(node)[1:]
        ):
            current = edit.node(node.name)
            if current is not None:
                _fold(edit, current)
    return edit.finish()


def _fold(edit: Edit, node: Node) -> None:
    assert isinstance(node.op, BatchNorm)
    arrays = [t.data.astype(np.float64) for t in edit.inputs(node)[1:] if t.data is not None]
    scale, offset, mean, variance = arrays
    factor, addend = node.op.affine(scale, offset, mean, variance)
    layer = edit.sole_producer(node.inputs[0])
    if layer is not None and is_linear(edit, layer) and is_unbounded(layer.op):
        folded = transform_outputs(edit, layer, factor, addend)
        edit.replace(folded, op=with_bounds(folded.op, node.op.low, node.op.high))
        edit.bypass(node, node.inputs[0])
        return
    (x, *_), (y,) = edit.inputs(node), edit.outputs(node)
    low, high = bounds(node.op) or (0.0, 0.0)
    source = x.name
    if len(x.shape) != 3:
        image = (1, x.elements // max(x.shape[-1], 1), x.shape[-1])
        source = edit.add(Reshape(image), [source], node, f"{y.name}_image")
    weights = edit.constant(f"{y.name}_factor", factor.astype(np.float32).reshape(1, 1, -1))
    bias = edit.constant(f"{y.name}_addend", addend.astype(np.float32))
    op = DepthwiseConv2d(low=low, high=high)
    if len(x.shape) == 3:
        edit.replace(node, op, [source, weights, bias])
        return
    flat = edit.add(op, [source, weights, bias], node, f"{y.name}_normal")
    edit.replace(node, Reshape(x.shape), [flat])
