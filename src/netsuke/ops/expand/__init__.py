"""Elements repeated along axes of extent 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Axes, Kernel, Link, Op, Relayout, Tensor, TensorType, View
from netsuke.ops.links import broadcast_links
from netsuke.ops.movement import Movement
from netsuke.ops.relayout import permuted_fields
from netsuke.ops.strided import row_strides, strided_kernel


@dataclass(frozen=True, slots=True)
class Expand(Movement):
    """y = x broadcast to a shape, by NumPy's rule.

    Attributes
    ----------
    shape
        Shape of one sample of the output.
    """

    shape: tuple[int, ...]

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        tail = self.shape[len(self.shape) - len(x.shape) :]
        if len(x.shape) > len(self.shape) or any(
            extent not in (1, wanted) for extent, wanted in zip(x.shape, tail, strict=True)
        ):
            raise GraphError(
                x.name, f"expand cannot broadcast {list(x.shape)} to {list(self.shape)}"
            )
        return (TensorType(self.shape, x.dtype),)

    def resized(self, before: Sequence[Tensor], after: Sequence[Tensor]) -> Op:
        shape = list(self.shape)
        for axis, extent in enumerate(reversed(after[0].shape), 1):
            if extent != before[0].shape[-axis]:
                shape[-axis] = extent
        return replace(self, shape=tuple(shape))

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        return (np.ascontiguousarray(np.broadcast_to(x, self.shape)),)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        shape = inputs[0].shape
        strides = [
            0 if extent == 1 else stride
            for extent, stride in zip(shape, row_strides(shape), strict=True)
        ]
        return (strided_kernel(outputs[0], [0] * (len(self.shape) - len(shape)) + strides, 0),)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        if len(axes) != len(self.shape):
            return None
        return permuted_fields(self, axes, {"shape": self.shape})

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return broadcast_links(inputs, outputs[0])

    def cut(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Op:
        return replace(self, shape=outputs[0].shape)

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        if outputs[0].elements != inputs[0].elements:
            return ()
        return (View(("out", 0), ("in", 0), 0),)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        (x,) = values
        if inputs[0].is_constant:
            return (x.broadcast_to(self.shape),)
        new = len(self.shape) - len(inputs[0].shape)
        x = x.reshape(x.shape[0], *(1,) * new, *x.shape[1:])
        return (x.broadcast_to(x.shape[0], *self.shape),)
