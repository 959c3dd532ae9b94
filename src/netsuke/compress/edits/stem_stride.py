"""A first convolution that moves by two pixels instead of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netsuke.compress.edits.edit import Edit, Kind
from netsuke.compress.edits.reflow import reflow
from netsuke.compress.edits.windows import kernel_axes
from netsuke.errors import GraphError
from netsuke.ir import Graph, Node, Op
from netsuke.ops import Conv2d, DepthwiseConv2d
from netsuke.ops.window import output_extent, same_padding

STRIDE = 2


def stem(graph: Graph) -> Node | None:
    """The convolution before all others; None when there is none, or more than one."""
    behind: set[str] = set()
    first: list[Node] = []
    for node in graph.nodes:
        if any(name in behind for name in node.inputs):
            behind.update(node.outputs)
        elif node.op.rule.weights and not graph.tensors[node.inputs[0]].is_constant:
            first.append(node)
            behind.update(node.outputs)
    return first[0] if len(first) == 1 and kernel_axes(first[0].op) is not None else None


def _offers(graph: Graph) -> tuple[Edit, ...]:
    node = stem(graph)
    if node is None or not isinstance(node.op, Conv2d | DepthwiseConv2d):
        return ()
    if node.op.stride != (1, 1) or min(graph.tensors[node.name].shape[:2]) < 2 * STRIDE:
        return ()
    try:
        reflow(graph, {}, {node.name: _strided(graph, node)}, values=False)
    except GraphError:
        return ()
    return (Edit("stem_stride", node.name, STRIDE),)


def _strided(graph: Graph, node: Node) -> Op:
    """The convolution with the larger stride; padding to ceil(size / stride) goes on to be so."""
    op, axes = node.op, kernel_axes(node.op)
    assert axes is not None and isinstance(op, Conv2d | DepthwiseConv2d)
    image, weights = graph.in_of(node)[:2]
    pads = []
    for place, axis in enumerate(axes):
        size, kernel, pad = image.shape[place], weights.shape[axis], op.padding[place]
        dilation = op.dilation[place]
        was_same = any(pad) and output_extent(size, kernel, 1, dilation, pad) == size
        is_same = output_extent(size, kernel, STRIDE, dilation, pad) == -(-size // STRIDE)
        pads.append(
            same_padding(size, kernel, STRIDE, dilation) if was_same and not is_same else pad
        )
    return replace(op, stride=(STRIDE, STRIDE), padding=(pads[0], pads[1]))


def _apply(graph: Graph, edits: Sequence[Edit], origin: Graph) -> Graph:
    for edit in edits:
        node = stem(graph)
        if node is None or node.name != edit.place or edit.value != STRIDE:
            raise GraphError(edit.place, f"is no first convolution that can have {edit}")
        if node.op.stride != (1, 1):  # type: ignore[attr-defined]
            raise GraphError(edit.place, "moves by more than one pixel already")
        graph = reflow(graph, {}, {node.name: _strided(graph, node)})
    return graph


STEM_STRIDE = Kind("stem_stride", _offers, _apply)
