"""How operators are written as ONNX.

An operator's folder may hold a file ``to_onnx.py`` with one function, ``export(op, node)``, that
says in ONNX's operators what the operator does. It is loaded when a graph is written, so nothing
else knows it. The functions here serve families of operators.

Tensors of our graphs have no batch axis; in ONNX the batch comes first. The *order* of a tensor
says how the other axes stand in the file: ``file = sample.transpose(order)``. An export reads its
inputs in the order that its ONNX operator needs, and says in which order its outputs come.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from netsuke.ir import Array, Axes, Op, Tensor


class OnnxNode(Protocol):
    """What an export sees of the file being written."""

    @property
    def inputs(self) -> Sequence[Tensor]:
        """Our tensors."""

    @property
    def outputs(self) -> Sequence[Tensor]:
        """Our tensors."""

    def order(self, index: int = 0) -> Axes:
        """The order in which an input already is in the file."""

    def read(self, index: int, order: Axes | None = None) -> str:
        """Name of an input as real numbers in an order, by default the one it is in."""

    def operands(self) -> tuple[list[str], Axes]:
        """All inputs in one order and with as many axes as the output, for broadcasting."""

    def aligned(self, index: int, rank: int, order: Axes) -> str:
        """An input with axes of extent 1 in front, up to a rank, in an order."""

    def batched(self, index: int, order: Axes) -> str:
        """As `read`, with a constant repeated for every sample of the batch."""

    def weights(self, index: int, arrange: Callable[[Array], Array], axis: int) -> str:
        """A constant, rearranged; `axis` is where the axis of its scales comes to stand."""

    def bias(self, index: int) -> str:
        """A bias; integers count in steps of input 0's scale times input 1's."""

    def constant(self, data: Any) -> str:
        """A new constant."""

    def emit(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Append an ONNX node with one output."""

    def emit_many(
        self, kind: str, inputs: Sequence[str], count: int, **attributes: Any
    ) -> list[str]:
        """Append an ONNX node with several outputs."""

    def write(self, name: str, order: Axes | None = None, index: int = 0) -> None:
        """Say which name an output has, and in which order; by default in ours."""

    def alias(self, name: str, order: Axes) -> None:
        """Say that output 0 is another view of what has this name already."""


Export = Callable[[Any, OnnxNode], None]


def channels_first(rank: int) -> Axes:
    """The order with the last axis in front."""
    return (rank - 1, *range(rank - 1))


def clamped(node: OnnxNode, name: str, low: float, high: float) -> str:
    """The fused clamp of an operator as Relu or Clip, if there is one."""
    if low == 0.0 and high == math.inf:
        return node.emit("Relu", [name])
    if low == -math.inf and high == math.inf:
        return name
    bounds = ["" if math.isinf(bound) else node.constant(bound) for bound in (low, high)]
    return node.emit("Clip", [name, *bounds] if bounds[1] else [name, bounds[0]])


def unary(kind: str) -> Export:
    """An elementwise operator without attributes."""

    def export(op: Op, node: OnnxNode) -> None:
        order = node.order()
        node.write(node.emit(kind, [node.read(0, order)]), order)

    return export


def binary(kind: str) -> Export:
    """An elementwise operator of two operands with a fused clamp."""

    def export(op: Any, node: OnnxNode) -> None:
        names, order = node.operands()
        result = node.emit(kind, names)
        low, high = getattr(op, "low", -math.inf), getattr(op, "high", math.inf)
        node.write(clamped(node, result, low, high), order)

    return export


def reduction(kind: str) -> Export:
    """A reduction over axes."""

    def export(op: Any, node: OnnxNode) -> None:
        order, rank = node.order(), len(node.inputs[0].shape)
        reduced = {axis % rank for axis in op.axes}
        axes = sorted(1 + order.index(axis) for axis in reduced)
        result = node.emit(
            kind, [node.read(0, order), node.constant(axes)], keepdims=int(op.keepdims)
        )
        node.write(result, order if op.keepdims else remaining(order, reduced))

    return export


def remaining(order: Axes, removed: set[int]) -> Axes:
    """The order of what is left when axes vanish."""
    kept = [axis for axis in range(len(order)) if axis not in removed]
    return tuple(kept.index(axis) for axis in order if axis not in removed)


def unchanged(op: Op, node: OnnxNode) -> None:
    """An operator that changes nothing in real numbers."""
    order = node.order()
    node.write(node.emit("Identity", [node.read(0, order)]), order)


def edges(padding: tuple[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Padding as ONNX lists it: top, left, bottom, right."""
    (top, bottom), (left, right) = padding
    return [top, left, bottom, right]
