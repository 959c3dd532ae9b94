"""From stored integers to stored integers of another scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, Box, Kernel, Link, Quant, Range, Tensor, TensorType, Tile, View
from netsuke.ops.fixed_point import quantize_multiplier, requantize, requantize_away
from netsuke.ops.links import broadcast_links
from netsuke.ops.unary import STORED, Unary, require_quants, table_kernel

BLOCK = 16


@dataclass(frozen=True, slots=True)
class Requantize(Unary):
    """y = clamp(round(scale_x / scale_y · (x - zero_x)) + zero_y).

    In real numbers, and so in `reference` and PyTorch, it changes nothing. In integers it is
    LiteRT's kernel: ties of the last rounding go up in whole blocks of 16 elements, which it
    computes with vectors, and away from zero in the elements that remain.
    """

    dtype: str = "int8"

    rising: ClassVar[bool] = True

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        return (TensorType(x.shape, self.dtype),)

    def real(self, x: Array) -> Array:
        return x

    def factor(self, source: Quant, target: Quant) -> tuple[int, int]:
        """scale_x / scale_y in fixed point."""
        ratio = float(np.float32(source.scale[0])) / float(np.float32(target.scale[0]))
        return quantize_multiplier(ratio)

    def tables(self, source: Quant, target: Quant) -> tuple[Array, Array]:
        """Outputs for stored -128 .. 127, in whole blocks and in the elements that remain."""
        centred, factor = STORED - source.zero_point[0], self.factor(source, target)
        return tuple(
            np.clip(rule(centred, *factor) + target.zero_point[0], -128, 127).astype(np.int8)
            for rule in (requantize, requantize_away)
        )

    def lookup(self, source: Tensor, output: Tensor) -> Array | None:
        blocks, rest = self.tables(*require_quants(output, source, output))
        if output.elements < BLOCK:
            return rest
        return blocks if output.elements % BLOCK == 0 or np.array_equal(blocks, rest) else None

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        blocks, rest = self.tables(*require_quants(outputs[0], inputs[0], outputs[0]))
        index = arrays[0].astype(np.int64).ravel() + 128
        whole = index.size - index.size % BLOCK
        y = np.concatenate([blocks[index[:whole]], rest[index[whole:]]])
        return (y.reshape(arrays[0].shape),)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        source, target = require_quants(outputs[0], inputs[0], outputs[0])
        count = outputs[0].elements
        multiplier, shift = self.factor(source, target)
        computed = Kernel(
            "nsk_requantize_s8",
            "requantize/requantize_s8.c",
            "nsk_requantize_scale",
            {
                "count": count,
                "zero_x": source.zero_point[0],
                "zero_y": target.zero_point[0],
                "multiplier": multiplier,
                "shift": shift,
            },
            inplace=((0, 0),),
            instructions=18.0 * count,
        )
        table = self.lookup(inputs[0], outputs[0])
        return (computed,) if table is None else (table_kernel(table, count), computed)

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        if inputs[0].type != outputs[0].type or inputs[0].quant != outputs[0].quant:
            return ()
        return (View(("out", 0), ("in", 0), 0),)

    def tile(self, inputs: Sequence[Tensor], box: Box) -> Tile | None:
        return None  # how a tie is rounded depends on the place of an element

    def torch_function(self, torch: Any, x: Any) -> Any:
        return x

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        if inputs[0].dtype == outputs[0].dtype == "int8":
            blocks, rest = self.tables(*require_quants(outputs[0], inputs[0], outputs[0]))
            if not np.array_equal(blocks, rest):
                return None  # how a tie is rounded depends on the place of an element
        return Unary.value_ranges(self, inputs, outputs, known)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return broadcast_links(inputs, outputs[0])
