"""Addition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, Kernel, Tensor
from netsuke.ops.add.table import table_kernels
from netsuke.ops.add.ties import without_ties
from netsuke.ops.binary import Additive
from netsuke.ops.couples import LARGEST_SHIFT
from netsuke.ops.fixed_point import clamp_bounds
from netsuke.ops.pairs import slower_kernels, suits
from netsuke.ops.unary import require_quants

_EACH = {"mve": (4.25, 2.75), "avx512vnni": (2.5, 1.5), "avx2": (5.0, 3.0), "neon": (8.0, 5.0)}
"""Instructions of an element by instruction set: scales that differ, and equal ones."""
_CORES = frozenset({"dsp", *_EACH})


@dataclass(frozen=True, slots=True)
class Add(Additive):
    """y = clamp(a + b), with NumPy's broadcasting."""

    low: float = -math.inf
    high: float = math.inf

    sign: ClassVar[int] = 1
    instructions: ClassVar[tuple[float, float]] = (70.0, 12.0)

    def real(self, a: Array, b: Array) -> Array:
        return a + b

    def torch_function(self, torch: Any, a: Any, b: Any) -> Any:
        return a + b

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        portable = Additive.kernels(self, inputs, outputs, isa)
        shapes = {tensor.shape for tensor in (*inputs, *outputs)}
        if inputs[0].dtype != "int8" or len(shapes) > 1:
            return portable
        if suits(isa):
            slower = slower_kernels(portable, outputs[0].elements, isa)
            return (*self._by_tables(inputs, outputs[0], isa), *slower)
        if not _CORES & isa:
            return portable
        parameters = self._plain(inputs, outputs[0])
        if parameters is None:
            return portable
        upward = without_ties(parameters)
        given = {"dsp": {**(upward or parameters), "ties": int(not upward)}}
        each = {"dsp": (11.5, 8.5) if upward else (23.0, 15.0), **_EACH}
        found = (
            Kernel(
                f"nsk_add_s8_{name}",
                f"add/add_s8_{name}.c",
                "nsk_add_plain",
                given.get(name, parameters),
                inplace=((0, 0), (1, 0)),
                instructions=each[name][not parameters["right_minor"]] * outputs[0].elements + 40,
            )
            for name in ("mve", "avx512vnni", "avx2", "neon", "dsp")
            if name in isa
        )
        return (*found, *portable)

    def _by_tables(
        self, inputs: Sequence[Tensor], output: Tensor, isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        quants = require_quants(output, *inputs, output)
        values: Array = np.arange(-128, 128)
        exact = self.stored(quants, values[:, None], values[None, :])
        factors = [quant.scale[0] / quants[2].scale[0] for quant in quants[:2]]
        bounds = clamp_bounds(self.low, self.high, quants[2])
        return table_kernels(factors, exact, bounds, output.elements, isa)

    def _plain(self, inputs: Sequence[Tensor], output: Tensor) -> dict[str, int] | None:
        """Parameters with which the DSP and MVE kernels are exact, or None."""
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
