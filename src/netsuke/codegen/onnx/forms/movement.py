"""Operators that move elements."""

from __future__ import annotations

import numpy as np

from netsuke.codegen.onnx.registry import writes
from netsuke.codegen.onnx.writer import NodeWriter
from netsuke.ops import (
    ChannelShuffle,
    Concat,
    Expand,
    Gather,
    Pad,
    Reshape,
    Resize,
    Slice,
    Split,
    Transpose,
)


@writes(Concat)
def concat(node: NodeWriter) -> None:
    node.follow()
    rank = len(node.outputs[0].shape)
    values = []
    for index, tensor in enumerate(node.inputs):
        value = node.get(index)
        values.append(_batched(node, value) if tensor.is_constant else value)
    node.put(node.node("Concat", *values, axis=node.axis(node.op.axis, rank)))


def _batched(node: NodeWriter, value: str) -> str:
    """A constant, repeated for every sample of the batch."""
    source = next(t for t in node.inputs if not t.is_constant)
    batch = node.node("Shape", node.writer.value(source.name, node.layout), start=0, end=1)
    shape = node.node("Concat", batch, node.node("Shape", value), axis=0)
    return node.node("Expand", value, shape)


@writes(Split)
def split(node: NodeWriter) -> None:
    node.follow()
    rank = len(node.inputs[0].shape)
    axis, sizes = node.axis(node.op.axis, rank), node.ints(*node.op.sizes)
    parts = node.many("Split", len(node.outputs), node.get(0), sizes, axis=axis)
    for index, part in enumerate(parts):
        node.put(part, index)


@writes(Slice)
def cut(node: NodeWriter) -> None:
    node.follow()
    rank = len(node.inputs[0].shape)
    starts, stops, steps = [], [], []
    for start, count, step in node.op.ranges:
        stop = start + count * step
        starts.append(start)
        stops.append(stop if stop >= 0 else np.iinfo(np.int64).min)
        steps.append(step)
    axes = [node.axis(axis, rank) for axis in range(rank)]
    numbers = [node.ints(*values) for values in (starts, stops, axes, steps)]
    node.put(node.node("Slice", node.get(0), *numbers))


@writes(Pad)
def pad(node: NodeWriter) -> None:
    node.follow()
    rank = len(node.inputs[0].shape)
    before, after = [0] * (rank + 1), [0] * (rank + 1)
    for axis, (first, last) in enumerate(node.op.padding):
        before[node.axis(axis, rank)], after[node.axis(axis, rank)] = first, last
    inputs = [node.get(0), node.ints(*before, *after)]
    if node.op.mode == "constant":
        inputs.append(node.constant(node.op.value))
    node.put(node.node("Pad", *inputs, mode=node.op.mode))


@writes(Reshape)
def reshape(node: NodeWriter) -> None:
    node.put(node.node("Reshape", node.get(0), node.ints(-1, *node.op.shape)))


@writes(Transpose)
def transpose(node: NodeWriter) -> None:
    node.put(node.node("Transpose", node.get(0), perm=[0, *(axis + 1 for axis in node.op.axes)]))


@writes(Gather)
def gather(node: NodeWriter) -> None:
    indices = node.inputs[1]
    assert indices.data is not None
    name = node.constant(indices.data, np.int64)
    node.put(node.node("Gather", node.get(0), name, axis=node.op.axis + 1))


@writes(Expand)
def expand(node: NodeWriter) -> None:
    shape, target = node.inputs[0].shape, node.op.shape
    aligned = (1,) * (len(target) - len(shape)) + shape
    value = node.node("Reshape", node.get(0), node.ints(-1, *aligned))
    node.put(node.node("Expand", value, node.ints(1, *target)))


@writes(ChannelShuffle)
def channel_shuffle(node: NodeWriter) -> None:
    *outer, channels = node.inputs[0].shape
    groups = node.op.groups
    rank = len(outer)
    parts = node.node("Reshape", node.get(0), node.ints(-1, *outer, groups, channels // groups))
    axes = [*range(rank + 1), rank + 2, rank + 1]
    mixed = node.node("Transpose", parts, perm=axes)
    node.put(node.node("Reshape", mixed, node.ints(-1, *outer, channels)))


@writes(Resize)
def resize(node: NodeWriter) -> None:
    node.follow(images=True)
    node.put(
        node.node(
            "Resize",
            node.get(0),
            "",
            "",
            node.ints(*node.op.size),
            axes=[2, 3],
            mode="nearest" if node.op.mode == "nearest" else "linear",
            coordinate_transformation_mode=node.op.coordinates,
            nearest_mode=node.op.rounding,
        )
    )
