"""The clamp: ReLU, ReLU6 and every other activation that only cuts off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, Kernel, Quant, Tensor, View
from netsuke.ops.fixed_point import clamp_bounds, requantize_away
from netsuke.ops.lowering import clamped
from netsuke.ops.unary import STORED, Unary, ratio_multiplier, require_quants


@dataclass(frozen=True, slots=True)
class Clamp(Unary):
    """y = min(max(x, low), high); a ReLU is ``Clamp(low=0)``."""

    low: float = -math.inf
    high: float = math.inf

    rising: ClassVar[bool] = True

    def real(self, x: Array) -> Array:
        return np.clip(x, self.low, self.high)

    def real_parameters(self) -> dict[str, int | float | Array]:
        return {"low": self.low, "high": self.high}

    def table(self, source: Quant, target: Quant) -> Array:
        """By a fixed-point factor, as LiteRT does."""
        scaled = requantize_away(STORED - source.zero_point[0], *ratio_multiplier(source, target))
        lower, upper = clamp_bounds(self.low, self.high, target)
        return np.clip(scaled + target.zero_point[0], lower, upper).astype(np.int8)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        source, target, count = inputs[0].quant, outputs[0].quant, outputs[0].elements
        if source is None or target is None or source != target:
            return Unary.kernels(self, inputs, outputs, isa)
        require_quants(outputs[0], inputs[0])
        lower, upper = clamp_bounds(self.low, self.high, target)
        return (
            Kernel(
                "nsk_clamp_s8",
                "clamp/clamp_s8.c",
                "nsk_clamp_stored",
                {"count": count, "low": lower, "high": upper},
                inplace=((0, 0),),
                instructions=7.0 * count,
            ),
        )

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        source, target = inputs[0].quant, outputs[0].quant
        if target is None:
            binds = (self.low, self.high) != (-math.inf, math.inf)
        else:
            binds = clamp_bounds(self.low, self.high, target) != target.range
        if binds or source != target:
            return ()
        return (View(("out", 0), ("in", 0), 0),)

    def torch_function(self, torch: Any, x: Any) -> Any:
        return clamped(torch, x, self.low, self.high)
