"""A matrix of small integers times a vector, requantized by a shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Cost, Kernel, Op, Tensor, TensorType
from netsuke.ops.projection.coding import Coding, chunk_coding, column_coding, smallest_coding
from netsuke.ops.projection.cost import (
    avr_chunk_cycles,
    avr_cycles,
    avr_stream_cycles,
    instructions,
)

DTYPES = {"int8": (-128, 127), "int16": (-32768, 32767)}
LARGEST = 128  # |x| of an int8
PLACES = 4  # sums of nibbles are scaled by 2^4
SCALED = ("nibbles", "chunk_nibbles")


@dataclass(frozen=True, slots=True)
class Projection(Op):
    """y[k] = clamp((b[k] + Σ w[k, j] · x[j]) >> shift, low, high).

    The first half of Bonsai, of ProtoNN and of a small network, and the whole of a linear model:
    everything is an integer, scales are powers of two, and zeros of w cost nothing. The shift
    rounds towards minus infinity, so b holds ``2^(shift - 1)`` where rounding to nearest is wanted.

    Inputs: x ``(features,)`` int8, w ``(rows, features)`` int8, b ``(rows,)`` int32; w and b are
    constants.

    Attributes
    ----------
    shift
        Bits that are dropped, 0 .. 31.
    low, high
        Bounds of y; a ReLU has ``low=0``.
    dtype
        Of y: ``"int8"`` or ``"int16"``.
    """

    shift: int = 0
    low: int = -128
    high: int = 127
    dtype: str = "int8"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, weights, bias = inputs
        if len(x.shape) != 1 or weights.shape[1:] != x.shape or bias.shape != weights.shape[:1]:
            raise GraphError(
                x.name,
                f"projection weights {list(weights.shape)} and bias {list(bias.shape)} do not "
                f"match {list(x.shape)}",
            )
        if not (1 <= weights.shape[0] <= 255 and 1 <= x.shape[0] <= 65535):
            raise GraphError(x.name, f"{list(weights.shape)} are not 1 .. 255 rows of 1 .. 65,535")
        if (x.dtype, weights.dtype, bias.dtype) != ("int8", "int8", "int32"):
            raise GraphError(x.name, "a projection takes int8, int8 weights and an int32 bias")
        if not (weights.is_constant and bias.is_constant):
            raise GraphError(x.name, "weights and bias of a projection must be constants")
        smallest, largest = DTYPES.get(self.dtype, (0, 0))
        if not (0 <= self.shift <= 31 and smallest <= self.low <= self.high <= largest):
            raise GraphError(
                x.name,
                f"shift {self.shift} or bounds {self.low} .. {self.high} are no {self.dtype}",
            )
        if accumulator_bound(weights, bias) >= 1 << 31:
            raise GraphError(x.name, "sums of this projection can exceed 32 bits")
        return (TensorType(weights.shape[:1], self.dtype),)

    def rows(self, *arrays: Array) -> Array:
        """y of many samples: x ``(n, features)`` to ``(n, rows)``."""
        x, weights, bias = (array.astype(np.float64) for array in arrays)
        # float64 holds every sum exactly (below 2^31) and is far faster than int64.
        sums = (x @ weights.T + bias).astype(np.int64) >> self.shift
        return np.clip(sums, self.low, self.high).astype(self.dtype)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (self.rows(arrays[0][None], *arrays[1:])[0],)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        return self.reference(*arrays)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(macs=inputs[1].elements)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        weights, bias = inputs[1].data, inputs[2].data
        assert weights is not None and bias is not None
        coding = smallest_coding(weights, accumulator_bound(inputs[1], inputs[2]))
        parameters = self._parameters(inputs, coding)
        places = PLACES if coding.name in SCALED else 0
        shape = len(weights), self.shift + places, parameters["narrow"], parameters["scaled_bias"]
        name = f"s8{'' if coding.name == 'dense' else '_' + coding.name}"
        wide = "_wide" if self.dtype == "int16" else ""
        return (
            Kernel(
                f"nsk_projection_{name}{wide}",
                f"projection/projection_{name}.c",
                "nsk_projection",
                parameters,
                constants={1: None, 2: None},
                instructions=instructions(coding, len(weights)),
                flash=True,
                cycles=avr_cycles(coding, *shape) if "avr" in isa else 0.0,
            ),
        )

    def stream(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> Kernel | None:
        weights = inputs[1].data
        assert weights is not None
        coding = column_coding(weights, accumulator_bound(inputs[1], inputs[2]))
        if coding is None:
            return None
        wide = "_wide" if self.dtype == "int16" else ""
        sums = 2 if coding.name == "column_nibbles" else 4
        return Kernel(
            f"nsk_projection_s8_{coding.name}{wide}",
            f"projection/projection_s8_{coding.name}.c",
            "nsk_projection",
            self._parameters(inputs, coding),
            constants={1: None, 2: None},
            scratch=sums * (1 + weights.shape[0]),
            instructions=15.0 * coding.entries + 10.0 * weights.shape[1],
            flash=True,
            cycles=avr_stream_cycles(coding, *weights.shape) if "avr" in isa else 0.0,
        )

    def chunked(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str], chunk: int
    ) -> Kernel | None:
        weights = inputs[1].data
        assert weights is not None
        coding = chunk_coding(weights, accumulator_bound(inputs[1], inputs[2]), chunk)
        if coding is None:
            return None
        rows, features = weights.shape
        chunks = -(-features // chunk)
        wide = "_wide" if self.dtype == "int16" else ""
        return Kernel(
            f"nsk_projection_s8_chunk_nibbles{wide}",
            "projection/projection_s8_chunk_nibbles.c",
            "nsk_projection",
            self._parameters(inputs, coding),
            constants={1: None, 2: None},
            scratch=2 + 3 * rows,
            instructions=9.0 * coding.entries + 18.0 * rows * chunks,
            flash=True,
            cycles=avr_chunk_cycles(coding, rows, chunks) if "avr" in isa else 0.0,
        )

    def _parameters(self, inputs: Sequence[Tensor], coding: Coding) -> dict[str, Any]:
        _, weights, bias = inputs
        assert bias.data is not None
        places = PLACES if coding.name in SCALED else 0
        stored = bias.data.astype(np.int64)
        scaled = bool((np.abs(stored) << places <= 32767).all())
        stored = stored << places if scaled else stored
        wide = bool((np.abs(stored) > 32767).any())
        most = accumulator_bound(weights, bias)
        room = [places, max(places, 8 - self.shift)]  # bits that a sum is shifted to the left
        return {
            "features": weights.shape[1],
            "rows": weights.shape[0],
            "shift": self.shift,
            "narrow": sum(most << up < 1 << 23 for up in room),
            "wide_bias": int(wide),
            "scaled_bias": int(scaled),
            "low": self.low,
            "high": self.high,
            "bias": stored.astype(np.int32 if wide else np.int16),
            "codes": coding.codes,
            **({} if coding.counts is None else {"counts": coding.counts}),
        }


def accumulator_bound(weights: Tensor, bias: Tensor) -> int:
    """The largest |b[k]| + Σ |w[k, j]| · 128 of constant weights and bias."""
    assert weights.data is not None and bias.data is not None
    sums = np.abs(weights.data.astype(np.int64)).sum(axis=1) * LARGEST
    return int((sums + np.abs(bias.data.astype(np.int64))).max(initial=0))
