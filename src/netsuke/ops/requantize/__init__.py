"""From stored integers to stored integers of another scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from netsuke.ir import Array, Link, Tensor, TensorType, View
from netsuke.ops.links import broadcast_links
from netsuke.ops.unary import Unary


@dataclass(frozen=True, slots=True)
class Requantize(Unary):
    """y = clamp(round(scale_x / scale_y · (x - zero_x)) + zero_y).

    In real numbers, and so in `reference` and PyTorch, it changes nothing.
    """

    dtype: str = "int8"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape, self.dtype),)

    def real(self, x: Array) -> Array:
        return x

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        if inputs[0].type != outputs[0].type or inputs[0].quant != outputs[0].quant:
            return ()
        return (View(("out", 0), ("in", 0), 0),)

    def torch_function(self, torch: Any, x: Any) -> Any:
        return x

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return broadcast_links(inputs, outputs[0])
