"""Operators that move elements and compute nothing: what they share.

Integers move as they are, so the integer meaning is the float meaning on stored integers, provided
that every tensor has the same quantization.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from netsuke.errors import QuantizationError
from netsuke.ir import Array, Cost, Op, QuantRule, Range, Tensor
from netsuke.ops.ranges import rising_ranges


def same_quant(kind: str, tensors: Sequence[Tensor]) -> None:
    """Check that all tensors have one quantization.

    Raises
    ------
    QuantizationError
        Naming the two tensors that differ.
    """
    first = tensors[0]
    for tensor in tensors[1:]:
        if tensor.quant != first.quant:
            raise QuantizationError(
                tensor.name,
                f"{kind} needs one quantization for all its tensors, but {first.name!r} has "
                f"{_describe(first)} and this one {_describe(tensor)}; "
                "put a requantize node between",
            )


def _describe(tensor: Tensor) -> str:
    quant = tensor.quant
    if quant is None:
        return "none"
    if len(quant.scale) > 1:
        return f"{len(quant.scale)} scales along axis {quant.axis}"
    return f"scale {quant.scale[0]:.9g} and zero point {quant.zero_point[0]}"


class Movement(Op):
    """An operator whose outputs are elements of its inputs."""

    rule: ClassVar[QuantRule] = QuantRule(shared=True)

    def moved(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        """The inputs whose elements move (the others are indices)."""
        return inputs

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        same_quant(self.kind, [*self.moved(inputs), *outputs])
        return self.reference(*arrays)

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        return rising_ranges(self, inputs, outputs, known)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(elementary=sum(tensor.elements for tensor in outputs))


def leading(shape: Sequence[int], axis: int) -> int:
    """Number of blocks before an axis: the product of the extents in front of it."""
    return math.prod(shape[:axis])


def contiguous(shape: Sequence[int], axis: int) -> bool:
    """Whether pieces along an axis are one block of memory each."""
    return leading(shape, axis) == 1
