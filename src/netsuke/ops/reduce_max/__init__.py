"""The maximum over axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, Quant, QuantRule, Tensor
from netsuke.ops.reduction import Parameters, Reduction
from netsuke.ops.unary import require_quants, rescaling_table


@dataclass(frozen=True, slots=True)
class ReduceMax(Reduction):
    """y = max of x over the axes.

    Attributes
    ----------
    axes
        Axes of one sample.
    keepdims
        Reduced axes stay, with extent 1.
    """

    axes: tuple[int, ...]
    keepdims: bool = False

    rule: ClassVar[QuantRule] = QuantRule(shared=True)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        return (np.max(x, axis=self.axes, keepdims=self.keepdims),)

    def stored_parameters(self, x: Tensor, source: Quant, target: Quant) -> Parameters:
        return {} if source == target else {"table": rescaling_table(source, target)}

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        y = np.max(arrays[0], axis=self.normal_axes(inputs[0]), keepdims=self.keepdims)
        return (rescaling_table(source, target)[y.astype(np.int64) + 128],)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        axes = self.batch_axes(inputs[0])
        if not axes:
            return (values[0],)
        return (torch.amax(values[0], axes, keepdim=self.keepdims),)
