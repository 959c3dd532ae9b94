"""The sum over axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Quant, Tensor
from netsuke.ops.reduction import Parameters, Reduction
from netsuke.ops.unary import require_quants


@dataclass(frozen=True, slots=True)
class ReduceSum(Reduction):
    """y = Σ x over the axes.

    In integers, as LiteRT: y = round(sum · scale + bias) + zero point in float32, with
    scale = scale_x / scale_y and bias = -zero_x · scale · extent.

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
        return (x.sum(axis=self.axes, keepdims=self.keepdims, dtype=np.float64).astype(x.dtype),)

    def stored_parameters(self, x: Tensor, source: Quant, target: Quant) -> Parameters:
        self.check_sums(x)
        scale = np.float32(source.scale[0]) / np.float32(target.scale[0])
        bias = np.float32(-source.zero_point[0]) * scale * np.float32(self.extent(x))
        return {"scale": float(scale), "bias": float(bias), "zero": target.zero_point[0]}

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        fields = self.stored_parameters(inputs[0], source, target)
        sums = self.sums(inputs[0], arrays[0]).astype(np.float32)
        exact = sums * np.float32(fields["scale"]) + np.float32(fields["bias"])
        y = np.trunc(exact.astype(np.float64) + np.copysign(0.5, exact)) + fields["zero"]
        return (np.clip(y, -128, 127).astype(np.int8),)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        axes = self.batch_axes(inputs[0])
        if not axes:
            return (values[0],)
        return (torch.sum(values[0], axes, keepdim=self.keepdims),)
