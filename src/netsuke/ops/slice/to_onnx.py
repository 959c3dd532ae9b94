"""Write it as ONNX."""

from __future__ import annotations

from netsuke.ops.onnx_node import OnnxNode
from netsuke.ops.slice import Slice


def export(op: Slice, node: OnnxNode) -> None:
    order, shape = node.order(), node.inputs[0].shape
    cut = [axis for axis in order if op.ranges[axis] != (0, shape[axis], 1)]
    starts = [op.ranges[axis][0] for axis in cut]
    ends = [start + count * step for start, count, step in (op.ranges[axis] for axis in cut)]
    # A negative end would count from behind; what lies before the first element is far below.
    ends = [end if end >= 0 else -shape[axis] - 1 for axis, end in zip(cut, ends, strict=True)]
    axes = [1 + order.index(axis) for axis in cut]
    steps = [op.ranges[axis][2] for axis in cut]
    numbers = [node.constant(values) for values in (starts, ends, axes, steps)]
    x = node.read(0, order)
    node.write(node.emit("Slice", [x, *numbers]) if cut else node.emit("Identity", [x]), order)
