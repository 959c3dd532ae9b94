"""Fully connected layer on the last axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import (
    Addends,
    Array,
    Cost,
    Kernel,
    Link,
    Op,
    QuantRule,
    Range,
    Relayout,
    Tensor,
    TensorType,
)
from netsuke.ir.layout import Shape, reorder_tensor
from netsuke.ops.conv2d.pairs import pair_kernels
from netsuke.ops.dense.avr import avr_kernels
from netsuke.ops.dense.column import column_geometry, row_kernels
from netsuke.ops.dense.dsp import dsp_kernels
from netsuke.ops.dense.fours import four_kernels
from netsuke.ops.dense.mve import mve_kernels
from netsuke.ops.dense.sparse import sparse_kernels
from netsuke.ops.dense.wide import wide_kernels
from netsuke.ops.links import other_axes_links, same_positions
from netsuke.ops.lowering import clamped
from netsuke.ops.pairs import slower_kernels
from netsuke.ops.ranges import accumulated_ranges, filters_of, fixed_addends
from netsuke.ops.relayout import channels_of_weights
from netsuke.ops.requant import Requant, channel_requant, folded_bias


@dataclass(frozen=True, slots=True)
class Dense(Op):
    """y[..., k] = clamp(b[k] + Σ w[k, c] · x[..., c]).

    Inputs: x ``(..., depth)``, weights ``(units, depth)``, bias ``(units,)``.

    Attributes
    ----------
    low, high
        Fused clamp (a ReLU is ``low=0``).
    """

    low: float = -math.inf
    high: float = math.inf

    rule: ClassVar[QuantRule] = QuantRule(weights={1: 0}, bias=2)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, weights, bias = inputs
        if not x.shape or len(weights.shape) != 2 or x.shape[-1] != weights.shape[1]:
            raise GraphError(
                x.name, f"dense weights {list(weights.shape)} do not match {list(x.shape)}"
            )
        if bias.shape != weights.shape[:1]:
            raise GraphError(x.name, f"dense bias {list(bias.shape)} is not one a unit")
        return (TensorType((*x.shape[:-1], weights.shape[0]), x.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x, weights, bias = arrays
        return (np.clip(x @ weights.T + bias, self.low, self.high),)

    def requant(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Requant:
        return channel_requant(inputs, outputs[0], 0, self.low, self.high, True)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        x, weights, bias = arrays
        requant = self.requant(inputs, outputs)
        assert inputs[1].quant is not None
        # float64 holds every partial sum exactly (below 2^53) and is far faster than int64.
        centred = x.astype(np.float64) - requant.input_zero
        kernel = weights.astype(np.float64) - inputs[1].quant.zero_point[0]
        return (requant.apply((centred @ kernel.T).astype(np.int64) + bias),)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(macs=outputs[0].elements * inputs[1].shape[1])

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        macs = self.cost(inputs, outputs).macs
        units, depth = inputs[1].shape
        shape = {"rows": math.prod(inputs[0].shape[:-1]), "units": units, "depth": depth}
        if inputs[0].dtype == "float32":
            return (
                Kernel(
                    "nsk_dense_f32",
                    "dense/dense_f32.c",
                    "nsk_dense_real",
                    {**shape, "low": self.low, "high": self.high},
                    instructions=4.0 * macs,
                ),
            )
        requant = self.requant(inputs, outputs)
        assert inputs[1].quant is not None
        zero = {"weight_zero": inputs[1].quant.zero_point[0]}
        folded = folded_bias(inputs, requant, 0)
        name = "nsk_dense_s8" if folded is None else "nsk_dense_s8_folded"
        portable = Kernel(
            name,
            f"dense/{name.removeprefix('nsk_')}.c",
            "nsk_dense",
            {**shape, **requant.parameters(), **zero},
            constants={} if folded is None else {2: folded},
            instructions=_instructions(
                shape["rows"], folded is not None, macs, outputs[0].elements
            ),
        )
        rows = row_kernels({**shape, **zero}, requant, inputs, outputs)
        mve = mve_kernels(shape, requant, inputs, outputs, isa)
        wide = wide_kernels(shape, requant, inputs, isa)
        dsp = dsp_kernels(shape, requant, inputs, outputs, isa)
        pairs = pair_kernels(column_geometry(shape), requant, inputs, outputs, isa)
        slower = slower_kernels((portable, *rows), outputs[0].elements, isa)
        fours = four_kernels(shape, requant, inputs, isa)
        avr = avr_kernels(shape, requant, inputs, isa)
        special = (*avr, *mve, *wide, *dsp, *(pairs if shape["rows"] > 2 else ()), *fours)
        sparse = sparse_kernels(shape, requant, inputs, outputs, isa)
        return (*special, *sparse, *slower)

    def reordered(self, inputs: Sequence[Tensor], order: Array) -> Relayout | None:
        if not inputs[1].is_constant:
            return None
        return Relayout(self, constants={1: reorder_tensor(inputs[1], 1, order)})

    def reshaped(self, inputs: Sequence[Tensor], shapes: Sequence[Shape]) -> Relayout | None:
        return Relayout(self) if shapes[0][-1:] == inputs[0].shape[-1:] else None

    def weight_inputs(self, inputs: Sequence[Tensor]) -> Array | None:
        return channels_of_weights(inputs[1].shape[1], 1, 2)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        last = len(inputs[0].shape) - 1
        links = same_positions(("out", 0, last), ("in", 1, 0), ("in", 2, 0))
        rows = other_axes_links(inputs[:1], outputs[0], last)
        return (*links, *rows, Link(("in", 0, last), ("in", 1, 1)))

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        taps = filters_of(inputs[1]), 1, False
        return accumulated_ranges(self, *taps, inputs, outputs, known)

    def addends(self, inputs: Sequence[Tensor], known: Sequence[Range]) -> Addends | None:
        return fixed_addends(filters_of(inputs[1]), 1, False, inputs, known)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        y = torch.nn.functional.linear(*values)
        return (clamped(torch, y, self.low, self.high),)


def _instructions(rows: int, folded: bool, macs: int, elements: int) -> float:
    """Executed instructions of the portable kernels; two rows at a time share their loads."""
    if not folded:
        return 6.0 * macs + 40.0 * elements
    return 2.5 * macs + 50.0 * elements if rows > 1 else 4.0 * macs + 40.0 * elements
