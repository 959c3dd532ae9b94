"""Addition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.binary import Additive
from netsuke.ops.couples import LARGEST_SHIFT
from netsuke.ops.fixed_point import clamp_bounds
from netsuke.ops.unary import require_quants


@dataclass(frozen=True, slots=True)
class Add(Additive):
    """y = clamp(a + b), with NumPy's broadcasting."""

    low: float = -math.inf
    high: float = math.inf

    sign: ClassVar[int] = 1

    def real(self, a: Array, b: Array) -> Array:
        return a + b

    def torch_function(self, torch: Any, a: Any, b: Any) -> Any:
        return a + b

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        portable = Additive.kernels(self, inputs, outputs, isa)
        shapes = {tensor.shape for tensor in (*inputs, *outputs)}
        if "dsp" not in isa or inputs[0].dtype != "int8" or len(shapes) > 1:
            return portable
        parameters = self._plain(inputs, outputs[0])
        if parameters is None:
            return portable
        dsp = Kernel(
            "nsk_add_s8_dsp",
            "add/add_s8_dsp.c",
            "nsk_add_plain",
            parameters,
            inplace=((0, 0), (1, 0)),
            instructions=(17.0 if parameters["right_minor"] else 11.0) * outputs[0].elements,
        )
        return (dsp, *portable)

    def _plain(self, inputs: Sequence[Tensor], output: Tensor) -> dict[str, int] | None:
        """Parameters with which the DSP kernel is exact, or None."""
        quants = require_quants(output, *inputs, output)
        factors = self._factors(quants)
        swapped = factors[0] != (1 << 30, 0)
        (half, minor), scaled = factors[1::-1] if swapped else factors[:2], factors[2]
        zeros = [quant.zero_point[0] for quant in quants]
        major_zero, minor_zero = zeros[1::-1] if swapped else zeros[:2]
        right, right_minor = -scaled[1], -minor[1]
        equal = minor == half
        fits = 1 <= right <= LARGEST_SHIFT and (equal or 1 <= right_minor <= LARGEST_SHIFT)
        if half != (1 << 30, 0) or not fits:
            return None
        low, high = clamp_bounds(self.low, self.high, quants[2])
        return {
            "count": output.elements,
            "swapped": int(swapped),
            "offset_major": -(major_zero + (minor_zero if equal else 0)) << 20,
            "offset_minor": -minor_zero << 21,
            "multiplier_minor": minor[0],
            "round_minor": (1 << right_minor) >> 1,
            "right_minor": 0 if equal else right_minor,
            "multiplier_y": scaled[0],
            "round_y": (1 << right >> 1) + (zeros[2] << right),
            "right_y": right,
            "low": low,
            "high": high,
        }
