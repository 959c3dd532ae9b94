"""Axes in another order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Kernel, Link, Tensor, TensorType, View
from netsuke.ops.movement import Movement
from netsuke.ops.strided import row_strides, strided_kernel


@dataclass(frozen=True, slots=True)
class Transpose(Movement):
    """Axis i of y is axis ``axes[i]`` of x.

    Attributes
    ----------
    axes
        A permutation of the axes of one sample.
    """

    axes: tuple[int, ...]

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if sorted(self.axes) != list(range(len(x.shape))):
            raise GraphError(
                x.name, f"transpose axes {list(self.axes)} do not permute those of {list(x.shape)}"
            )
        return (TensorType(tuple(x.shape[axis] for axis in self.axes), x.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        return (np.ascontiguousarray(x.transpose(self.axes)),)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        strides = row_strides(inputs[0].shape)
        return (strided_kernel(outputs[0], [strides[axis] for axis in self.axes], 0),)

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        long = [axis for axis in self.axes if inputs[0].shape[axis] != 1]
        if long == sorted(long):  # only axes of extent 1 move
            return (View(("out", 0), ("in", 0), 0),)
        return ()

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return tuple(
            Link(("in", 0, axis), ("out", 0, place)) for place, axis in enumerate(self.axes)
        )

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        (x,) = values
        if inputs[0].is_constant:
            return (x.permute(self.axes),)
        return (x.permute(0, *(axis + 1 for axis in self.axes)),)
