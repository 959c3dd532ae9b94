"""The mean over axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import QuantizationError
from netsuke.ir import Array, Quant, Range, Tensor
from netsuke.ops.fixed_point import quantize_multiplier, requantize, requantize_away
from netsuke.ops.reduction import Parameters, Reduction
from netsuke.ops.unary import require_quants

LARGEST_BIAS = 1 << 24


@dataclass(frozen=True, slots=True)
class ReduceMean(Reduction):
    """y = mean of x over the axes.

    In integers, as LiteRT: the sum of centred values times a factor that holds 1 / extent, rounded
    away from zero. The mean over an image ``(h, w, c)`` that keeps its axes has a kernel of its
    own there: the zero points become one rounded bias, and channels in whole blocks of 16 round
    ties up.

    Attributes
    ----------
    axes
        Axes of one sample.
    keepdims
        Reduced axes stay, with extent 1.
    """

    axes: tuple[int, ...]
    keepdims: bool = False

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        return (x.mean(axis=self.axes, keepdims=self.keepdims, dtype=np.float64).astype(x.dtype),)

    def _is_image(self, x: Tensor) -> bool:
        return self.keepdims and len(x.shape) == 3 and self.normal_axes(x) == (0, 1)

    def stored_parameters(self, x: Tensor, source: Quant, target: Quant) -> Parameters:
        self.check_sums(x)
        extent = self.extent(x)
        scale_x, scale_y = np.float32(source.scale[0]), np.float32(target.scale[0])
        zero_x, zero_y = source.zero_point[0], target.zero_point[0]
        if self._is_image(x):
            factor = float(scale_x / (np.float32(extent) * scale_y))
            multiplier, shift = quantize_multiplier(factor)
            moved = np.float32(zero_x) * scale_x / scale_y
            moved += np.float32(0.5) if moved > 0 else np.float32(-0.5)
            offset, bias, ties_up = 0, zero_y - int(moved), x.shape[2] & ~15
            if abs(bias) > LARGEST_BIAS:
                raise QuantizationError(
                    x.name,
                    f"its zero point is {bias:,} steps of the output, beyond {LARGEST_BIAS:,}; "
                    "the scales of input and output do not match",
                )
        else:
            multiplier, shift = quantize_multiplier(float(scale_x) / float(scale_y))
            bits = min(extent.bit_length() - 1, 32, 31 + shift)
            multiplier, shift = (multiplier << bits) // extent, shift - bits
            offset, bias, ties_up = extent * zero_x, zero_y, 0
        return {
            "offset": offset,
            "bias": bias,
            "multiplier": multiplier,
            "shift": shift,
            "ties_up": ties_up,
        }

    def real_parameters(self, x: Tensor) -> Parameters:
        return {"extent": float(self.extent(x))}

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        fields = self.stored_parameters(inputs[0], source, target)
        sums = self.sums(inputs[0], arrays[0]) - fields["offset"]
        factor = int(fields["multiplier"]), int(fields["shift"])
        index = np.arange(sums.size).reshape(sums.shape)
        y = np.where(
            index < fields["ties_up"], requantize(sums, *factor), requantize_away(sums, *factor)
        )
        return (np.clip(y + fields["bias"], -128, 127).astype(np.int8),)

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        if self._is_image(inputs[0]) and inputs[0].quant is not None:
            return None  # how a tie is rounded depends on the number of channels
        return Reduction.value_ranges(self, inputs, outputs, known)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        axes = self.batch_axes(inputs[0])
        if not axes:
            return (values[0],)
        return (torch.mean(values[0], axes, keepdim=self.keepdims),)
