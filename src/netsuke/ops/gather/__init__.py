"""Slices picked by constant indices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import ITEMSIZE, Array, Axes, Kernel, Link, QuantRule, Relayout, Tensor, TensorType
from netsuke.ops.movement import Movement, leading
from netsuke.ops.relayout import permuted_axis


@dataclass(frozen=True, slots=True)
class Gather(Movement):
    """y[..., i, j, ...] = x[..., indices[i, j], ...] along an axis.

    Inputs: x of any shape, constant int32 or int64 indices of any shape; negative indices count
    from the end.

    Attributes
    ----------
    axis
        Axis of one sample, not negative.
    """

    axis: int

    rule: ClassVar[QuantRule] = QuantRule(shared=True, float_inputs=(1,))

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, indices = inputs
        if not 0 <= self.axis < len(x.shape):
            raise GraphError(x.name, f"{list(x.shape)} has no axis {self.axis} to gather from")
        if indices.data is None or indices.dtype not in ("int32", "int64"):
            raise GraphError(indices.name, "gather needs constant int32 or int64 indices")
        extent = x.shape[self.axis]
        wrong = indices.data[(indices.data < -extent) | (indices.data >= extent)]
        if wrong.size:
            raise GraphError(
                indices.name,
                f"holds the index {int(wrong.flat[0])}, but axis {self.axis} of {x.name!r} has "
                f"{extent} elements",
            )
        shape = (*x.shape[: self.axis], *indices.shape, *x.shape[self.axis + 1 :])
        return (TensorType(shape, x.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x, indices = arrays
        return (np.take(x, indices, self.axis),)

    def moved(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        return inputs[:1]

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        x, indices = inputs
        assert indices.data is not None
        rows, extent = leading(x.shape, self.axis), x.shape[self.axis]
        return (
            Kernel(
                "nsk_gather_any",
                "gather/gather_any.c",
                "nsk_gather",
                {
                    "rows": rows,
                    "extent": extent,
                    "count": indices.elements,
                    "run": math.prod(x.shape[self.axis + 1 :]) * ITEMSIZE[x.dtype],
                },
                constants={1: np.asarray(indices.data % max(extent, 1), np.int32)},
                instructions=15.0 * rows * indices.elements + outputs[0].size,
            ),
        )

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        if len(inputs[1].shape) > 1:
            return None
        moved = permuted_axis(self, axes, self.axis, removed=not inputs[1].shape)
        return Relayout(moved.op, (axes, None), moved.outputs)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        x, indices = inputs
        shift = len(indices.shape) - 1
        others = tuple(
            Link(("in", 0, other), ("out", 0, other if other < self.axis else other + shift))
            for other in range(len(x.shape))
            if other != self.axis
        )
        return others if shift else (*others, *self._picked(x, indices))

    def _picked(self, x: Tensor, indices: Tensor) -> tuple[Link, ...]:
        """Each place of a list of indices, what it picks, and positions that nobody picks."""
        assert indices.data is not None
        extent = x.shape[self.axis]
        picked, places = indices.data % max(extent, 1), np.arange(indices.elements)
        unread = np.setdiff1d(np.arange(extent), picked)
        return (
            Link(("in", 0, self.axis), ("out", 0, self.axis), (picked, places)),
            Link(("in", 1, 0), ("out", 0, self.axis)),
            Link(("in", 0, self.axis), ("in", 0, self.axis), (unread, unread)),
        )

    def renumbered(
        self, inputs: Sequence[Tensor], stay: Sequence[Sequence[Array]]
    ) -> Mapping[int, Array]:
        x, indices = inputs
        left = stay[0][self.axis]
        if indices.data is None or len(left) == x.shape[self.axis]:
            return {}
        kept = (indices.data % x.shape[self.axis])[np.ix_(*stay[1])]
        return {1: np.searchsorted(left, kept).astype(indices.data.dtype)}

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, indices = values
        axis = self.axis + (not inputs[0].is_constant)
        picks = (indices.long() % inputs[0].shape[self.axis]).reshape(-1)
        shape = (*x.shape[:axis], *inputs[1].shape, *x.shape[axis + 1 :])
        return (x.index_select(axis, picks).reshape(shape),)
