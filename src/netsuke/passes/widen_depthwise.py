"""Depthwise convolutions of one channel, as what they are."""

from __future__ import annotations

from dataclasses import replace

from netsuke.ir import Graph, Tensor
from netsuke.ops.conv2d import Conv2d
from netsuke.ops.depthwise_conv2d import DepthwiseConv2d
from netsuke.passes.edit import Edit


def widen_depthwise(graph: Graph) -> Graph:
    """Turn depthwise convolutions of one input channel into convolutions.

    With one channel every output channel sees the same pixels, so the fast convolution kernels
    serve. Sums, scales and roundings are the same: ``w[u, v, k]`` becomes ``w[k, u, v, 0]``.
    """
    edit = Edit(graph)
    for node in graph.nodes:
        op = node.op
        if not isinstance(op, DepthwiseConv2d):
            continue
        x, weights, _ = edit.inputs(node)
        if x.shape[2] != 1 or weights.data is None:
            continue
        conv = Conv2d(op.stride, op.dilation, op.padding, 1, op.low, op.high)
        edit.replace(node, conv, [x.name, edit.store(_turned(weights)), node.inputs[2]])
    return edit.finish()


def _turned(weights: Tensor) -> Tensor:
    assert weights.data is not None
    data = weights.data.transpose(2, 0, 1)[..., None].copy()
    quant = weights.quant
    if quant is not None and quant.axis is not None:
        quant = replace(quant, axis=0)
    return Tensor(weights.name, tuple(data.shape), weights.dtype, quant, data)
