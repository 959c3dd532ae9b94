"""Multiplications and additions by constants as part of a layer."""

from __future__ import annotations

import math

import numpy as np

from netsuke.ir import Array, Graph, Node, Tensor
from netsuke.ops.add import Add
from netsuke.ops.div import Div
from netsuke.ops.mul import Mul
from netsuke.ops.sub import Sub
from netsuke.passes.edit import Edit
from netsuke.passes.linear import bounds, is_linear, is_unbounded, transform_outputs, with_bounds


def fold_scale(graph: Graph) -> Graph:
    """Fold y = f·x + a, per channel, into the layer before it or else into the layer after it.

    Before: the layer's weights and bias take the factor, the bias the addend, and the layer the
    clamp. After: the weights of each input channel take the factor; the bias takes the response to
    the addend, which must be the same at every position (so not with a zero border).
    """
    edit = Edit(graph)
    for name in [node.name for node in graph.nodes]:
        node = edit.node(name)
        if node is not None:
            affine = _affine(edit, node)
            if affine is not None and not _into_producer(edit, node, *affine):
                _into_reader(edit, node, *affine)
    return edit.finish()


def _affine(edit: Edit, node: Node) -> tuple[str, Array, Array] | None:
    """(activation, factor, addend) of a node that is y = factor · x + addend per channel."""
    if not isinstance(node.op, Add | Sub | Mul | Div):
        return None
    a, b = edit.inputs(node)
    if a.is_constant == b.is_constant or a.dtype != "float32":
        return None
    x, c = (b, a) if a.is_constant else (a, b)
    if x.shape != edit.outputs(node)[0].shape or c.elements not in (
        1,
        c.shape[-1] if c.shape else 1,
    ):
        return None
    assert c.data is not None
    value = c.data.astype(np.float64).reshape(-1)
    one, none = np.ones_like(value), np.zeros_like(value)
    if isinstance(node.op, Add):
        return x.name, one, value
    if isinstance(node.op, Sub):
        return (x.name, -one, value) if a.is_constant else (x.name, one, -value)
    if isinstance(node.op, Mul):
        return x.name, value, none
    if a.is_constant or not value.all():
        return None
    return x.name, 1.0 / value, none


def _into_producer(edit: Edit, node: Node, x: str, factor: Array, addend: Array) -> bool:
    layer = edit.sole_producer(x)
    if layer is None or not is_linear(edit, layer) or not is_unbounded(layer.op):
        return False
    folded = transform_outputs(edit, layer, factor, addend)
    low, high = bounds(node.op) or (-math.inf, math.inf)
    edit.replace(folded, op=with_bounds(folded.op, low, high))
    return edit.bypass(node, x)


def _into_reader(edit: Edit, node: Node, x: str, factor: Array, addend: Array) -> bool:
    (output,) = node.outputs
    if not edit.has_one_reader(output) or not is_unbounded(node.op):
        return False
    (layer,) = edit.readers(output)
    if not is_linear(edit, layer) or layer.inputs[0] != output or output in layer.inputs[1:]:
        return False
    tensors = edit.inputs(layer)
    channels = layer.op.weight_inputs(tensors)
    if channels is None:
        return False
    depth = tensors[0].shape[-1]
    factor, addend = np.broadcast_to(factor, depth), np.broadcast_to(addend, depth)
    shift = _response(layer, tensors, addend)
    if shift is None:
        return False
    (index,) = layer.op.rule.weights
    assert layer.op.rule.bias is not None
    weights, bias = tensors[index], tensors[layer.op.rule.bias]
    assert weights.data is not None and bias.data is not None
    inputs = list(layer.inputs)
    inputs[0] = x
    scaled = (weights.data * factor[channels]).astype(np.float32)
    inputs[index] = edit.constant(f"{weights.name}_folded", scaled)
    if shift.any():
        moved = (bias.data + shift).astype(np.float32)
        inputs[layer.op.rule.bias] = edit.constant(f"{bias.name}_folded", moved)
    edit.replace(layer, inputs=inputs)
    return True


def _response(layer: Node, tensors: tuple[Tensor, ...], addend: Array) -> Array | None:
    """What a linear layer makes of a constant input, per output channel; None if it varies."""
    weights, bias = (tensors[i].data for i in (*layer.op.rule.weights, layer.op.rule.bias or 0))
    assert weights is not None and bias is not None
    if not addend.any():
        return np.zeros_like(bias, np.float64)
    image = np.broadcast_to(addend, tensors[0].shape)
    op = with_bounds(layer.op, -math.inf, math.inf)
    (response,) = op.reference(image, weights.astype(np.float64), np.zeros(bias.shape))
    rows = response.reshape(-1, bias.size)
    if np.ptp(rows, axis=0).max(initial=0.0) > 1e-9 * max(np.abs(rows).max(initial=0.0), 1e-30):
        return None
    return rows[0]
