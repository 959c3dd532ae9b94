"""Layers that slide a window of weights over an image."""

from __future__ import annotations

from collections.abc import Sequence

from netsuke.ir import Graph, Node, Op, Tensor
from netsuke.ops import Conv2d, DepthwiseConv2d


def kernel_axes(op: Op) -> tuple[int, int] | None:
    """Axes of the weights that run down and across the window; None for other operators."""
    if isinstance(op, Conv2d):
        return 1, 2
    return (0, 1) if isinstance(op, DepthwiseConv2d) else None


def window_of(op: Op, inputs: Sequence[Tensor]) -> tuple[int, int] | None:
    """(height, width) of the weights' window, if it has no border of padding."""
    axes = kernel_axes(op)
    if axes is None or not isinstance(op, Conv2d | DepthwiseConv2d):
        return None
    if any(map(any, op.padding)) or op.dilation != (1, 1):
        return None
    return inputs[1].shape[axes[0]], inputs[1].shape[axes[1]]


def has_own_weights(graph: Graph, node: Node) -> bool:
    """Whether a node's weights and bias are constants that hold real numbers."""
    tensors = graph.in_of(node)
    return all(t.is_constant and t.dtype == "float32" and t.quant is None for t in tensors[1:])
