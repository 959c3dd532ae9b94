"""Functions of two operands that broadcast against each other."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import (
    Array,
    Axes,
    Box,
    Kernel,
    Link,
    Op,
    Quant,
    QuantRule,
    Range,
    Relayout,
    Tensor,
    TensorType,
    Tile,
    elementwise_tile,
)
from netsuke.ir.layout import Shape
from netsuke.ops.broadcast import batched, broadcast_shape, inplace_operands, walk_parameters
from netsuke.ops.fixed_point import (
    clamp_bounds,
    quantize_multiplier,
    requantize_away,
)
from netsuke.ops.links import broadcast_links
from netsuke.ops.lowering import clamped
from netsuke.ops.ranges import corner_ranges, point_ranges
from netsuke.ops.relayout import (
    permuted_elementwise,
    reordered_elementwise,
    reshaped_elementwise,
)
from netsuke.ops.unary import require_quants, rescaling_table

Parameters = dict[str, int | float | Array]


class Binary(Op):
    """y = clamp(f(a, b)) with NumPy's broadcasting; either side may be a constant."""

    low: float = -math.inf
    high: float = math.inf

    instructions: ClassVar[tuple[float, float]] = (20.0, 12.0)
    """Modelled instructions for one element: int8 and float."""
    clamps: ClassVar[bool] = True
    """Whether the kernels take a fused clamp."""
    monotone: ClassVar[bool] = True
    """Whether f rises or falls in each operand, however the other one is fixed."""

    @abstractmethod
    def real(self, a: Array, b: Array) -> Array:
        """f of arrays that broadcast."""

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        a, b = inputs
        if a.dtype != b.dtype:
            raise GraphError(
                a.name, f"{self.kind} takes equal element types, not {a.dtype} and {b.dtype}"
            )
        return (TensorType(broadcast_shape(a.name, a.shape, b.shape), a.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        with np.errstate(all="ignore"):
            y = self.real(*arrays)
        if self.low > -math.inf or self.high < math.inf:
            y = np.clip(y, self.low, self.high)
        return (y.astype(arrays[0].dtype),)

    @abstractmethod
    def stored(self, quants: Sequence[Quant], a: Array, b: Array) -> Array:
        """The integer meaning before the clamp: int64 values of the output.

        Parameters
        ----------
        quants
            Of a, b and the output.
        a, b
            Stored values as int64.
        """

    @abstractmethod
    def stored_parameters(self, quants: Sequence[Quant]) -> Parameters:
        """Fields of the int8 kernel's parameters besides those of the walk and the clamp."""

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        quants = require_quants(outputs[0], *inputs, *outputs)
        a, b = (array.astype(np.int64) for array in arrays)
        lower, upper = clamp_bounds(self.low, self.high, quants[2])
        return (np.clip(self.stored(quants, a, b), lower, upper).astype(np.int8),)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        a, b, (y,) = inputs[0].shape, inputs[1].shape, outputs
        parameters: Parameters = walk_parameters(y.name, y.shape, a, b)
        real = inputs[0].dtype == "float32"
        if real:
            parameters |= {"low": self.low, "high": self.high} if self.clamps else {}
        else:
            quants = require_quants(y, *inputs, y)
            parameters |= self.stored_parameters(quants)
            if self.clamps:
                lower, upper = clamp_bounds(self.low, self.high, quants[2])
                parameters |= {"low": lower, "high": upper}
        suffix = "f32" if real else "s8"
        return (
            Kernel(
                f"nsk_{self.kind}_{suffix}",
                f"{self.kind}/{self.kind}_{suffix}.c",
                f"nsk_{self.kind}_real" if real else f"nsk_{self.kind}",
                parameters,
                inplace=inplace_operands(y.shape, a, b),
                instructions=self.instructions[real] * y.elements,
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

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        follow = corner_ranges if self.monotone else point_ranges
        return follow(self, inputs, outputs, known)

    @abstractmethod
    def torch_function(self, torch: Any, a: Any, b: Any) -> Any:
        """f in PyTorch."""

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return broadcast_links(inputs, outputs[0])

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        y = self.torch_function(torch, *batched(inputs, values))
        if self.low > -math.inf or self.high < math.inf:
            y = clamped(torch, y, self.low, self.high)
        return (y,)


class Additive(Binary):
    """Sum or difference, in integers as LiteRT computes them.

    Both operands are brought to a common scale, twice the larger one, with 20 bits to spare::

        y = zero_y + away(away((a - zero_a) · 2^20, m_a) ± away((b - zero_b) · 2^20, m_b), m_y)

    The factors m_a and m_b are at most 1/2, so the sum stays below 2^28.
    """

    sign: ClassVar[int]

    def _factors(self, quants: Sequence[Quant]) -> list[tuple[int, int]]:
        a, b, y = (float(np.float32(quant.scale[0])) for quant in quants)
        twice = 2 * max(a, b)
        return [quantize_multiplier(r) for r in (a / twice, b / twice, twice / (y * (1 << 20)))]

    def stored(self, quants: Sequence[Quant], a: Array, b: Array) -> Array:
        factors = self._factors(quants)
        left = requantize_away((a - quants[0].zero_point[0]) << 20, *factors[0])
        right = requantize_away((b - quants[1].zero_point[0]) << 20, *factors[1])
        return requantize_away(left + self.sign * right, *factors[2]) + quants[2].zero_point[0]

    def stored_parameters(self, quants: Sequence[Quant]) -> Parameters:
        fields: Parameters = {}
        for name, quant, factor in zip("aby", quants, self._factors(quants), strict=True):
            fields[f"zero_{name}"] = quant.zero_point[0]
            fields[f"multiplier_{name}"], fields[f"shift_{name}"] = factor
        return fields


class Extremum(Binary):
    """Minimum or maximum. Operands of another quantization than the output pass a table first."""

    clamps: ClassVar[bool] = False
    rule: ClassVar[QuantRule] = QuantRule(shared=True)

    def stored(self, quants: Sequence[Quant], a: Array, b: Array) -> Array:
        tables = [rescaling_table(quant, quants[2]) for quant in quants[:2]]
        return self.real(tables[0][a + 128], tables[1][b + 128])

    def stored_parameters(self, quants: Sequence[Quant]) -> Parameters:
        return {
            f"table_{name}": rescaling_table(quant, quants[2])
            for name, quant in zip("ab", quants, strict=False)
            if quant != quants[2]
        }
