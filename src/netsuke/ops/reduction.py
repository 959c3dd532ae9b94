"""Reductions over axes of one sample."""

from __future__ import annotations

from collections.abc import Sequence

from netsuke.errors import GraphError
from netsuke.ir import Axes, Link, Op, Relayout, Tensor, TensorType
from netsuke.ops.broadcast import normal_axis
from netsuke.ops.relayout import drop_axes, with_fields


class Reduction(Op):
    """y = f over the axes `axes` of x, which vanish or stay with extent 1."""

    axes: tuple[int, ...]
    keepdims: bool

    def normal_axes(self, x: Tensor) -> tuple[int, ...]:
        """The axes from the front, ascending."""
        return tuple(sorted({normal_axis(x.name, axis, len(x.shape)) for axis in self.axes}))

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        axes = self.normal_axes(x)
        if any(x.shape[axis] == 0 for axis in axes):
            raise GraphError(x.name, f"{self.kind} over no elements of {list(x.shape)}")
        shape = [1 if axis in axes else extent for axis, extent in enumerate(x.shape)]
        if not self.keepdims:
            shape = [extent for axis, extent in enumerate(x.shape) if axis not in axes]
        return (TensorType(tuple(shape), x.dtype),)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        reduced = self.normal_axes(inputs[0])
        op = with_fields(self, {"axes": tuple(sorted(axes.index(axis) for axis in reduced))})
        return Relayout(op, (axes,), (axes if self.keepdims else drop_axes(axes, reduced),))

    def batch_axes(self, x: Tensor) -> tuple[int, ...]:
        """The axes behind a leading batch axis."""
        return tuple(axis + 1 for axis in self.normal_axes(x))

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        reduced = self.normal_axes(inputs[0])
        kept = [axis for axis in range(len(inputs[0].shape)) if axis not in reduced]
        places = kept if self.keepdims else range(len(kept))
        return tuple(
            Link(("in", 0, axis), ("out", 0, place))
            for axis, place in zip(kept, places, strict=True)
        )
