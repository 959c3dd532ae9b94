"""A tensor cut into pieces along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import ITEMSIZE, Array, Axes, Kernel, Link, Op, Relayout, Tensor, TensorType, View
from netsuke.ops.movement import Movement, contiguous, leading
from netsuke.ops.relayout import with_fields

OUTPUTS = 32
"""Most outputs that the C kernels make; ``NSK_SPLIT_OUTPUTS`` in C."""


@dataclass(frozen=True, slots=True)
class Split(Movement):
    """y0, y1, ... = x cut along an axis.

    Attributes
    ----------
    axis
        Axis of one sample, not negative.
    sizes
        Extent of each piece along the axis.
    """

    axis: int
    sizes: tuple[int, ...]

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if not 0 <= self.axis < len(x.shape):
            raise GraphError(x.name, f"{list(x.shape)} has no axis {self.axis} to split")
        if sum(self.sizes) != x.shape[self.axis] or any(size < 0 for size in self.sizes):
            raise GraphError(
                x.name,
                f"split cannot cut axis {self.axis} of {list(x.shape)} into {list(self.sizes)}",
            )
        return tuple(
            TensorType((*x.shape[: self.axis], size, *x.shape[self.axis + 1 :]), x.dtype)
            for size in self.sizes
        )

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        cuts = list(accumulate(self.sizes))[:-1]
        return tuple(np.ascontiguousarray(piece) for piece in np.split(x, cuts, self.axis))

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        (x,) = inputs
        if len(outputs) > OUTPUTS:
            raise GraphError(
                x.name,
                f"is cut into {len(outputs)} pieces, the C kernels make at most {OUTPUTS}; "
                "nest several splits",
            )
        rows = leading(x.shape, self.axis)
        inner = math.prod(x.shape[self.axis + 1 :]) * ITEMSIZE[x.dtype]
        return (
            Kernel(
                f"nsk_split{len(outputs)}_any",
                "split/split_any.c",
                "nsk_split",
                {"rows": rows, "run": np.array([size * inner for size in self.sizes], np.int32)},
                instructions=20.0 * rows * len(outputs) + x.size,
            ),
        )

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        if len(outputs) > 1 and not contiguous(inputs[0].shape, self.axis):
            return ()
        views, offset = [], 0
        for number, tensor in enumerate(outputs):
            views.append(View(("out", number), ("in", 0), offset))
            offset += tensor.size
        # Tensors in the arena are 4-byte aligned; kernels rely on it.
        return tuple(views) if all(view.offset % 4 == 0 for view in views) else ()

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        op = with_fields(self, {"axis": axes.index(self.axis)})
        return Relayout(op, (axes,), (axes,) * len(self.sizes))

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        rank = len(inputs[0].shape)
        axis, start = self.axis % rank, 0
        links = []
        for number, tensor in enumerate(outputs):
            inner = np.arange(tensor.shape[axis])
            links.append(Link(("in", 0, axis), ("out", number, axis), (start + inner, inner)))
            links += [
                Link(("in", 0, other), ("out", number, other))
                for other in range(rank)
                if other != axis
            ]
            start += tensor.shape[axis]
        return tuple(links)

    def cut(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Op:
        axis = self.axis % len(inputs[0].shape)
        return replace(self, sizes=tuple(tensor.shape[axis] for tensor in outputs))

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        (x,) = values
        return tuple(torch.split(x, self.sizes, self.axis + (not inputs[0].is_constant)))
