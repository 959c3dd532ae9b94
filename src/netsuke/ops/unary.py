"""Functions of one element, and their one int8 form: a table of 256 entries."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import (
    Array,
    Axes,
    Box,
    Kernel,
    Link,
    Op,
    Quant,
    Range,
    Relayout,
    Tensor,
    TensorType,
    Tile,
    elementwise_tile,
)
from netsuke.ir.layout import Shape
from netsuke.ops.fixed_point import quantize_multiplier, requantize_away
from netsuke.ops.links import broadcast_links
from netsuke.ops.ranges import corner_ranges, point_ranges
from netsuke.ops.relayout import (
    permuted_elementwise,
    reordered_elementwise,
    reshaped_elementwise,
)

STORED = np.arange(-128, 128, dtype=np.int64)
"""Every int8, in the order of a table."""

SMALLEST_SCALE = 2.0**-40
"""Scales from this to its reciprocal are taken: any product of three is a normal float32."""


def require_quants(place: Tensor, *tensors: Tensor) -> list[Quant]:
    """Quantizations of int8 tensors with one scale each.

    Raises
    ------
    QuantizationError
        When a tensor is not int8, has no quantization or several scales, a zero point beyond int8,
        or a scale with which float32 cannot compute.
    """
    quants = []
    for tensor in tensors:
        quant = tensor.quant
        if tensor.dtype != "int8" or quant is None or len(quant.scale) != 1:
            raise QuantizationError(
                place.name,
                f"{tensor.name!r} ({tensor.dtype}) must be int8 with one scale: elementwise "
                "operators compute in float32, or in int8 where all of their tensors are quantized",
            )
        low, high = quant.range
        if quant.bits != 8 or not low <= quant.zero_point[0] <= high:
            raise QuantizationError(
                place.name, f"the zero point of {tensor.name!r}, {quant.zero_point[0]}, is no int8"
            )
        if not SMALLEST_SCALE <= quant.scale[0] <= 1 / SMALLEST_SCALE:
            raise QuantizationError(
                place.name, f"the scale of {tensor.name!r}, {quant.scale[0]:g}, is beyond 2^±40"
            )
        quants.append(quant)
    return quants


def real_table(function: Callable[[Array], Array], source: Quant, target: Quant) -> Array:
    """Tabulate a real function as TensorFlow Lite does: int8 ``(256,)`` for stored -128 .. 127.

    In float32: dequantize, apply, multiply by 1 / scale, round half away from zero, add the zero
    point, clamp. A value that is not a number becomes the zero point.
    """
    one = np.float32(1.0)
    centred = (STORED - source.zero_point[0]).astype(np.float32)
    with np.errstate(all="ignore"):
        values = function(np.float32(source.scale[0]) * centred).astype(np.float32)
        ratio = values * (one / np.float32(target.scale[0]))
    exact = np.nan_to_num(ratio, nan=0.0).astype(np.float64)
    rounded = np.trunc(exact + np.copysign(0.5, exact)) + target.zero_point[0]
    return np.clip(rounded, -128, 127).astype(np.int8)


def ratio_multiplier(source: Quant, target: Quant, factor: float = 1.0) -> tuple[int, int]:
    """Fixed-point form of source scale · factor / target scale, computed in float32."""
    scale = np.float32(source.scale[0]) * np.float32(factor)
    return quantize_multiplier(float(scale / np.float32(target.scale[0])))


def rescaling_table(source: Quant, target: Quant) -> Array:
    """Tabulate the change from one quantization to another; the identity for equal ones."""
    scaled = requantize_away(STORED - source.zero_point[0], *ratio_multiplier(source, target))
    return np.clip(scaled + target.zero_point[0], -128, 127).astype(np.int8)


def table_kernel(table: Array, count: int) -> Kernel:
    """The call that looks `count` elements up in an int8 table of 256."""
    return Kernel(
        "nsk_table_s8",
        "table/table_s8.c",
        "nsk_table",
        {"count": count, "table": table},
        inplace=((0, 0),),
        instructions=6.0 * count,
    )


class Unary(Op):
    """y = f(x), element by element. Subclasses define `real` and, if need be, `table`."""

    instructions: ClassVar[float] = 40.0
    """Modelled instructions of the float kernel for one element."""
    rising: ClassVar[bool] = False
    """Whether f never falls; integers are looked up instead."""

    @abstractmethod
    def real(self, x: Array) -> Array:
        """f of float32 values, computed at least as precisely."""

    def real_parameters(self) -> dict[str, int | float | Array]:
        """Fields of the float kernel's parameters besides `count`."""
        return {}

    def table(self, source: Quant, target: Quant) -> Array:
        """The int8 meaning: outputs for stored inputs -128 .. 127."""
        return real_table(self.real, source, target)

    def lookup(self, source: Tensor, output: Tensor) -> Array | None:
        """The table of the int8 meaning; None where elements are not all looked up alike."""
        return self.table(*require_quants(output, source, output))

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (x.type,)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        with np.errstate(all="ignore"):
            return (self.real(arrays[0]).astype(arrays[0].dtype),)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        return (self.table(source, target)[arrays[0].astype(np.int64) + 128],)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        count = outputs[0].elements
        if inputs[0].dtype != "float32":
            source, target = require_quants(outputs[0], inputs[0], outputs[0])
            return (table_kernel(self.table(source, target), count),)
        return (
            Kernel(
                f"nsk_{self.kind}_f32",
                f"{self.kind}/{self.kind}_f32.c",
                f"nsk_{self.kind}_real",
                {"count": count, **self.real_parameters()},
                inplace=((0, 0),),
                instructions=self.instructions * count,
            ),
        )

    def tile(self, inputs: Sequence[Tensor], box: Box) -> Tile | None:
        return elementwise_tile(self, inputs, box)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_elementwise(self, inputs, axes)

    def reordered(self, inputs: Sequence[Tensor], order: Array) -> Relayout | None:
        return reordered_elementwise(self, inputs, order)

    def reshaped(self, inputs: Sequence[Tensor], shapes: Sequence[Shape]) -> Relayout | None:
        return reshaped_elementwise(self, inputs, shapes)

    def torch_function(self, torch: Any, x: Any) -> Any:
        """f in PyTorch."""
        raise GraphError(self.kind, "has no PyTorch lowering")

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return broadcast_links(inputs, outputs[0])

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        if inputs[0].dtype == outputs[0].dtype == "int8" and inputs[0].quant is not None:
            (table,) = self.quantized(inputs, outputs, STORED.astype(np.int8))
            return (_looked_up(table, known[0]),)
        if self.rising:
            return corner_ranges(self, inputs, outputs, known)
        return point_ranges(self, inputs, outputs, known)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        return (self.torch_function(torch, values[0]),)


def _looked_up(table: Array, known: Range) -> Range:
    """The smallest and the largest entry between two stored values."""
    low, high = np.broadcast_arrays(known.low, known.high)
    pairs, places = np.unique(np.stack([low.ravel(), high.ravel()]), axis=1, return_inverse=True)
    entries = [table[int(a) + 128 : int(b) + 129] for a, b in pairs.T]
    ends = (np.array([end(part) for part in entries], np.int8) for end in (np.min, np.max))
    return Range(*(end[places].reshape(low.shape) for end in ends))
