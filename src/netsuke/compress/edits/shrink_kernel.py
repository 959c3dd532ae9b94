"""Smaller windows of weights: 7 x 7 to 5 x 5, 5 x 5 to 3 x 3.

The middle of the window stays. What is cut off is spread evenly over the rest, for each pair of
input and output channel, so that the sum of the window stays::

    w'[u, v] = w[u, v] + (Σ_outer w) / n'          n' taps that are left

Where neighbouring pixels are alike the layer then answers as before, and its mean response is the
same, Σ w' · E[x] = Σ w · E[x]: a batch normalization's mean goes on to be right. Among all windows
with that sum, this one changes the middle least (in squares). With outer taps of zero, nothing
changes at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netsuke.compress.edits.edit import Edit, Kind
from netsuke.compress.edits.windows import has_own_weights, kernel_axes
from netsuke.errors import GraphError
from netsuke.ir import Array, Graph, Node, constant
from netsuke.ops import Conv2d, DepthwiseConv2d, Slice
from netsuke.passes.edit import Edit as Alteration

SMALLEST = 3
"""Windows of one pixel mix no neighbours any more; they are not offered."""


def cropped_sides(sides: Sequence[int], target: int) -> tuple[int, int]:
    """Sides of at most `target`, smaller by whole borders: parity stays, and so does the centre.

    Examples
    --------
    >>> cropped_sides((7, 7), 5), cropped_sides((1, 7), 3), cropped_sides((10, 4), 6)
    ((5, 5), (1, 3), (6, 4))
    """
    height, width = (side - 2 * -(-max(0, side - target) // 2) for side in sides)
    return height, width


def cropped_weights(weights: Array, axes: Sequence[int], sides: Sequence[int]) -> Array:
    """The middle of a window of weights, with what was around it spread over it.

    Parameters
    ----------
    weights
        float32.
    axes
        The two axes of the window.
    sides
        Extents that these axes get, smaller by an even number.
    """
    index = [slice(None)] * weights.ndim
    for axis, side in zip(axes, sides, strict=True):
        border = (weights.shape[axis] - side) // 2
        index[axis] = slice(border, border + side)
    middle = weights[tuple(index)].astype(np.float64)
    both = tuple(axes)
    whole = weights.sum(axis=both, keepdims=True, dtype=np.float64)
    lost = whole - middle.sum(axis=both, keepdims=True)
    spread = middle + lost / (sides[0] * sides[1])
    return np.ascontiguousarray(spread, np.float32)


def _sides(graph: Graph, node: Node) -> tuple[int, int] | None:
    axes = kernel_axes(node.op)
    if axes is None or not has_own_weights(graph, node):
        return None
    shape = graph.tensors[node.inputs[1]].shape
    return shape[axes[0]], shape[axes[1]]


def _offers(graph: Graph) -> tuple[Edit, ...]:
    found = []
    for node in graph.nodes:
        sides = _sides(graph, node)
        if sides is None or _sees_all(graph, node, sides):
            continue
        found += [
            Edit("shrink_kernel", node.name, target)
            for target in range(max(sides) - 2, SMALLEST - 1, -2)
            if 0 not in cropped_sides(sides, target)
        ]
    return tuple(found)


def _sees_all(graph: Graph, node: Node, sides: tuple[int, int]) -> bool:
    """Whether a window is the whole map: then its weights are no neighbourhood, but a layer."""
    return graph.tensors[node.inputs[0]].shape[:2] == sides


def _apply(graph: Graph, edits: Sequence[Edit], origin: Graph) -> Graph:
    for edit in edits:
        graph = _shrunk(graph, edit)
    return graph


def _shrunk(graph: Graph, edit: Edit) -> Graph:
    node = next((node for node in graph.nodes if node.name == edit.place), None)
    sides = None if node is None else _sides(graph, node)
    if node is None or sides is None:
        raise GraphError(edit.place, "is no convolution whose window could shrink")
    if not isinstance(edit.value, int) or not 1 <= edit.value < max(sides):
        raise GraphError(edit.place, f"its window is {sides[0]} x {sides[1]}; it can't get {edit}")
    target = cropped_sides(sides, edit.value)
    if 0 in target:
        raise GraphError(edit.place, f"nothing would be left of {sides[0]} x {sides[1]} by {edit}")
    return _with_window(graph, node, sides, target)


def _with_window(
    graph: Graph, node: Node, sides: tuple[int, int], target: tuple[int, int]
) -> Graph:
    """The node with the middle of its window, and each output where it was."""
    op, axes, image = node.op, kernel_axes(node.op), graph.tensors[node.inputs[0]]
    assert isinstance(op, Conv2d | DepthwiseConv2d) and axes is not None
    pads, ranges = [], []
    for place, (old, new) in enumerate(zip(sides, target, strict=True)):
        border = (old - new) // 2 * op.dilation[place]
        before, after = (pad - border for pad in op.padding[place])
        pads.append((max(before, 0), max(after, 0)))
        # Where there is no padding to give up, the window passes over the image's first pixels.
        start = max(-before, 0)
        ranges.append((start, image.shape[place] - start - max(-after, 0), 1))
    alteration = Alteration(graph)
    weights = graph.tensors[node.inputs[1]]
    assert weights.data is not None
    data = cropped_weights(weights.data, axes, target)
    alteration.tensors[weights.name] = constant(weights.name, data)
    source = image.name
    if any(r != (0, extent, 1) for r, extent in zip(ranges, image.shape, strict=False)):
        cut = Slice((*ranges, (0, image.shape[2], 1)))
        source = alteration.add(cut, [source], node, f"{node.name}.middle")
    smaller = replace(op, padding=(pads[0], pads[1]))
    alteration.replace(node, smaller, [source, *node.inputs[1:]])
    return alteration.finish()


SHRINK_KERNEL = Kind("shrink_kernel", _offers, _apply)
