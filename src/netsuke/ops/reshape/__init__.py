"""The same elements under another shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from netsuke.errors import GraphError
from netsuke.ir import Array, Axes, Kernel, Link, Op, Relayout, Tensor, TensorType, View
from netsuke.ir.layout import permuted_shape, reshape_axes
from netsuke.ops.links import equal_products, reshape_links
from netsuke.ops.movement import Movement
from netsuke.ops.relayout import with_fields


@dataclass(frozen=True, slots=True)
class Reshape(Movement):
    """y = x with another shape; the order of the elements stays.

    Attributes
    ----------
    shape
        Shape of one sample of the output.
    """

    shape: tuple[int, ...]

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if math.prod(self.shape) != x.elements or any(extent < 0 for extent in self.shape):
            raise GraphError(
                x.name,
                f"reshape cannot turn {list(x.shape)} ({x.elements} elements) "
                f"into {list(self.shape)}",
            )
        return (TensorType(self.shape, x.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        return (x.reshape(self.shape),)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        size = outputs[0].size
        return (
            Kernel(
                "nsk_reshape_any",
                "reshape/reshape_any.c",
                "nsk_reshape",
                {"size": size},
                inplace=((0, 0),),
                instructions=20 + size,
            ),
        )

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        return (View(("out", 0), ("in", 0), 0),)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        moved = reshape_axes(inputs[0].shape, self.shape, axes)
        if moved is None:
            return None
        op = with_fields(self, {"shape": permuted_shape(self.shape, moved[0])})
        return Relayout(op, (axes,), (moved[0],), order=moved[1])

    def resized(self, before: Sequence[Tensor], after: Sequence[Tensor]) -> Op:
        source, target = after[0].shape, list(self.shape)
        for left, right in equal_products(before[0].shape, self.shape):
            if all(source[axis] == before[0].shape[axis] for axis in left):
                continue
            if len(right) != 1:
                raise GraphError(
                    before[0].name,
                    f"reshape to {list(self.shape)} says nothing about {list(source)}",
                )
            target[right[0]] = math.prod(source[axis] for axis in left)
        return replace(self, shape=tuple(target))

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return reshape_links(inputs[0].shape, self.shape)

    def cut(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Op:
        return replace(self, shape=outputs[0].shape)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        (x,) = values
        batch = () if inputs[0].is_constant else (x.shape[0],)
        return (x.reshape(*batch, *self.shape),)
