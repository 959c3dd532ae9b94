"""Reductions over axes of one sample."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import (
    Array,
    Axes,
    Cost,
    Kernel,
    Link,
    Op,
    Quant,
    Range,
    Relayout,
    Tensor,
    TensorType,
)
from netsuke.ops.broadcast import normal_axis
from netsuke.ops.fixed_point import INT32_MAX
from netsuke.ops.ranges import rising_ranges
from netsuke.ops.relayout import drop_axes, with_fields
from netsuke.ops.unary import require_quants

Parameters = dict[str, int | float | Array]


def merge_axes(axes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbouring (extent, step) that one larger extent replaces; at least one pair.

    Examples
    --------
    >>> merge_axes([(4, 48), (6, 8)])
    [(24, 8)]
    """
    merged: list[tuple[int, int]] = []
    for extent, step in axes:
        if extent == 1:
            continue
        if merged and merged[-1][1] == step * extent:
            merged[-1] = (merged[-1][0] * extent, step)
        else:
            merged.append((extent, step))
    return merged or [(1, 0)]


class Reduction(Op):
    """y = f over the axes `axes` of x, which vanish or stay with extent 1."""

    axes: tuple[int, ...]
    keepdims: bool

    instructions: ClassVar[float] = 8.0
    """Modelled instructions for one element of x."""

    def normal_axes(self, x: Tensor) -> tuple[int, ...]:
        """The axes from the front, ascending."""
        return tuple(sorted({normal_axis(x.name, axis, len(x.shape)) for axis in self.axes}))

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        axes = self.normal_axes(x)
        if 0 in x.shape:
            raise GraphError(x.name, f"{self.kind} over no elements of {list(x.shape)}")
        shape = [1 if axis in axes else extent for axis, extent in enumerate(x.shape)]
        if not self.keepdims:
            shape = [extent for axis, extent in enumerate(x.shape) if axis not in axes]
        return (TensorType(tuple(shape), x.dtype),)

    def extent(self, x: Tensor) -> int:
        """How many elements become one."""
        return math.prod(x.shape[axis] for axis in self.normal_axes(x))

    def sums(self, x: Tensor, stored: Array) -> Array:
        """Sums of stored integers, in int64 and with the axes that `keepdims` asks for.

        Raises
        ------
        QuantizationError
            When so many elements are added up that int32 could overflow.
        """
        self.check_sums(x)
        return stored.astype(np.int64).sum(axis=self.normal_axes(x), keepdims=self.keepdims)

    def check_sums(self, x: Tensor) -> None:
        """Refuse reductions whose int32 sum could overflow; see `sums`."""
        reach = 256 * self.extent(x)
        if reach > INT32_MAX:
            raise QuantizationError(
                x.name, f"the sum of {self.extent(x):,} int8 could reach {reach:,}, beyond int32"
            )

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(elementary=inputs[0].elements)

    def walk_parameters(self, x: Tensor) -> Parameters:
        """Extents and steps of the kept axes, and of the reduced ones."""
        reduced = self.normal_axes(x)
        steps = [math.prod(x.shape[axis + 1 :]) for axis in range(len(x.shape))]
        fields: Parameters = {}
        for name, axes in (
            ("kept", [axis for axis in range(len(steps)) if axis not in reduced]),
            ("reduced", list(reduced)),
        ):
            merged = merge_axes([(x.shape[axis], steps[axis]) for axis in axes])
            if len(merged) > 6:
                raise GraphError(x.name, f"{len(merged)} {name} axes; kernels walk over 6")
            fields[f"{name}_axes"] = len(merged)
            fields[f"{name}_extent"] = np.array([extent for extent, _ in merged], np.int32)
            fields[f"{name}_step"] = np.array([step for _, step in merged], np.int32)
        return fields

    @abstractmethod
    def stored_parameters(self, x: Tensor, source: Quant, target: Quant) -> Parameters:
        """Fields of the int8 kernel's parameters besides those of the walk."""

    def real_parameters(self, x: Tensor) -> Parameters:
        """Fields of the float kernel's parameters besides those of the walk."""
        return {}

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        (x,), real = inputs, inputs[0].dtype == "float32"
        if real:
            parameters = self.real_parameters(x)
        else:
            parameters = self.stored_parameters(x, *require_quants(outputs[0], x, outputs[0]))
        suffix = "f32" if real else "s8"
        return (
            Kernel(
                f"nsk_{self.kind}_{suffix}",
                f"{self.kind}/{self.kind}_{suffix}.c",
                f"nsk_{self.kind}_real" if real else f"nsk_{self.kind}",
                self.walk_parameters(x) | parameters,
                instructions=self.instructions * x.elements + 30.0 * outputs[0].elements,
            ),
        )

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        reduced = self.normal_axes(inputs[0])
        op = with_fields(self, {"axes": tuple(sorted(axes.index(axis) for axis in reduced))})
        return Relayout(op, (axes,), (axes if self.keepdims else drop_axes(axes, reduced),))

    def batch_axes(self, x: Tensor) -> tuple[int, ...]:
        """The axes behind a leading batch axis."""
        return tuple(axis + 1 for axis in self.normal_axes(x))

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        return rising_ranges(self, inputs, outputs, known)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        reduced = self.normal_axes(inputs[0])
        kept = [axis for axis in range(len(inputs[0].shape)) if axis not in reduced]
        places = kept if self.keepdims else range(len(kept))
        return tuple(
            Link(("in", 0, axis), ("out", 0, place))
            for axis, place in zip(kept, places, strict=True)
        )
