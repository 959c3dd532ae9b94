"""Linear scores of one vector of integer features, and the class with the largest one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Array, Cost, Kernel, Op, Tensor, TensorType

SUFFIX = {"int8": "s8", "uint8": "u8", "int16": "s16"}
MODES = ("scores", "class")
BITS = {"int16": 16, "int32": 24}
"""Type of the bias -> bits that no sum may exceed."""


@dataclass(frozen=True, slots=True)
class LinearModel(Op):
    """s[k] = b[k] + Σ w[k, c] · x[c], in integers, without requantization.

    Inputs: x ``(features,)`` int8, uint8 or int16; weights ``(units, features)`` int8 and bias
    ``(units,)`` int16 or int32, constants. Zero points of x are folded into the bias. The
    bias's type is that of the scores, and no sum may exceed 16 or 24 bits, which is
    checked for every input there can be.

    Attributes
    ----------
    mode
        ``"scores"``: ``(units,)`` of the bias's type. ``"class"``: ``(1,)`` uint8, the first k with
        the largest score; of a single score whether it is positive.
    """

    mode: str = "scores"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, weights, bias = inputs
        if self.mode not in MODES:
            raise GraphError(x.name, f"mode {self.mode!r} is none of {', '.join(MODES)}")
        if len(x.shape) != 1 or x.dtype not in SUFFIX:
            raise GraphError(x.name, f"must be a vector of integers, not {x.dtype}{list(x.shape)}")
        units = bias.shape[0] if bias.shape else 0
        if weights.shape != (units, *x.shape) or len(bias.shape) != 1:
            raise GraphError(
                x.name,
                f"weights {list(weights.shape)} and bias {list(bias.shape)} do not match "
                f"{list(x.shape)}",
            )
        if not 1 <= units <= 255:
            raise GraphError(x.name, f"{units} scores; a linear model has 1 to 255")
        if weights.dtype != "int8" or bias.dtype not in BITS:
            raise GraphError(
                x.name,
                f"weights must be int8 and bias int16 or int32, not {weights.dtype} and "
                f"{bias.dtype}",
            )
        _check_sums(x, weights, bias)
        if self.mode == "class":
            return (TensorType((1,), "uint8"),)
        return (TensorType((units,), bias.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x, weights, bias = arrays
        scores = bias.astype(np.int64) + weights.astype(np.int64) @ x.astype(np.int64)
        if self.mode == "scores":
            return (scores.astype(bias.dtype),)
        best = int(scores.argmax()) if len(scores) > 1 else int(scores[0] > 0)
        return (np.array([best], np.uint8),)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        return self.reference(*arrays)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(macs=inputs[1].elements)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        x, weights, bias = inputs
        suffix = SUFFIX[x.dtype]
        name = f"nsk_linear_model_{suffix}"
        name += "_class" if self.mode == "class" else ""
        name += "_narrow" if bias.dtype == "int16" else ""
        units, depth = weights.shape
        return (
            Kernel(
                name,
                f"linear_model/linear_model_{suffix}.c",
                "nsk_linear_model",
                {"units": units, "depth": depth},
                instructions=8.0 * weights.elements + 30.0 * units,
                flash=True,
                cycles=_avr_cycles(x, weights, bias) if "avr" in isa else 0.0,
            ),
        )

    def stream(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> Kernel | None:
        x, weights, bias = inputs
        if weights.data is None or bias.dtype != "int32" or weights.elements >= 1 << 16:
            return None
        units, depth = weights.shape
        decides = "_class" if self.mode == "class" else ""
        return Kernel(
            f"nsk_linear_model_{SUFFIX[x.dtype]}{decides}_stream",
            "linear_model/linear_model_stream.c",
            "nsk_linear_model",
            {"units": units, "depth": depth},
            constants={1: np.ascontiguousarray(weights.data.T)},
            scratch=4 + 4 * units,  # a place, then the sums
            instructions=12.0 * weights.elements + 30.0 * units,
            flash=True,
        )


def _avr_cycles(x: Tensor, weights: Tensor, bias: Tensor) -> float:
    """Clock cycles on an AVR: the loop's from instruction timing, a row's measured."""
    units, depth = weights.shape
    product = 12 if bias.dtype == "int16" else 14
    product += {"int16": 7 if bias.dtype == "int16" else 9}.get(x.dtype, 0)
    return float((product + (depth > 255)) * weights.elements + 37 * units + 16)


def _check_sums(x: Tensor, weights: Tensor, bias: Tensor) -> None:
    """Refuse sums that could exceed their bits for any x of its type."""
    if weights.data is None or bias.data is None:
        raise GraphError(x.name, "weights and bias of a linear model must be constants")
    low, high = np.iinfo(x.dtype).min, np.iinfo(x.dtype).max
    wide = weights.data.astype(np.int64)
    ends = np.stack([wide * low, wide * high])
    start = bias.data.astype(np.int64)
    largest = start + ends.max(0).sum(1)
    smallest = start + ends.min(0).sum(1)
    limit = 1 << (BITS[bias.dtype] - 1)
    for k in range(len(start)):
        if largest[k] >= limit or smallest[k] < -limit:
            raise QuantizationError(
                x.name,
                f"score {k} could reach {int(smallest[k]):,} to {int(largest[k]):,}, beyond "
                f"{BITS[bias.dtype]} bits; use smaller weights or a wider bias",
            )
