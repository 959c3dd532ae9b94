"""The nearest of stored vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Cost, Kernel, Op, Tensor, TensorType

SUFFIX = {"int8": "s8", "uint8": "u8"}
MODES = ("class", "sum")


@dataclass(frozen=True, slots=True)
class Nearest(Op):
    """What the `count` vectors with the smallest ``|x - v|²`` say; of equal ones the first.

    Inputs: x ``(features,)`` int8 or uint8; constants: vectors ``(n, features)`` of the same type
    and values ``(n,)`` int16, each vector's class or number.

    Attributes
    ----------
    count
        Vectors that are asked, 1..255.
    mode
        ``"class"``: the value that most of them have, the smallest of equals, ``(1,)`` uint8.
        ``"sum"``: the sum of their values, ``(1,)`` int32.
    """

    count: int
    mode: str = "class"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, vectors, values = inputs
        if x.dtype not in SUFFIX or len(x.shape) != 1 or x.elements * 65025 >= 1 << 31:
            raise GraphError(x.name, "nearest vectors need one vector of int8 or uint8")
        if vectors.data is None or values.data is None:
            raise GraphError(vectors.name, "vectors and their values must be constants")
        if vectors.dtype != x.dtype or vectors.shape != (values.elements, *x.shape):
            raise GraphError(vectors.name, f"is not {x.dtype}[{values.elements}, {x.elements}]")
        if values.dtype != "int16" or len(values.shape) != 1:
            raise GraphError(values.name, "must be a vector of int16")
        if self.mode not in MODES or not 1 <= self.count <= min(255, values.elements):
            raise GraphError(x.name, f"{self.count} of {values.elements} cannot be asked")
        if self.mode == "class" and not 0 <= values.data.min() <= values.data.max() <= 255:
            raise GraphError(values.name, "a class lies between 0 and 255")
        return (TensorType((1,), "uint8" if self.mode == "class" else "int32"),)

    def rows(self, *arrays: Array) -> Array:
        """The outputs for many samples ``(n, features)``: ``(n, 1)``."""
        x, vectors, values = (array.astype(np.int64) for array in arrays)
        distance = np.square(x).sum(1)[:, None] + np.square(vectors).sum(1) - 2 * (x @ vectors.T)
        near = values[np.argsort(distance, axis=1, kind="stable")[:, : self.count]]
        if self.mode == "sum":
            return near.sum(1, keepdims=True).astype(np.int32)
        seen = [np.bincount(row, minlength=256).argmax() for row in near]
        return np.array(seen, np.uint8)[:, None]

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
        suffix = SUFFIX[inputs[0].dtype]
        vectors, features = inputs[1].shape
        return (
            Kernel(
                f"nsk_nearest_{suffix}" + ("_sum" if self.mode == "sum" else ""),
                f"nearest/nearest_{suffix}.c",
                "nsk_nearest",
                {"vectors": vectors, "features": features, "count": self.count},
                scratch=6 * self.count,
                instructions=7.0 * vectors * features,
                flash=True,
                # Measured in simavr: 55.5 a difference, 50 a vector.
                cycles=vectors * (55.5 * features + 50.0) if "avr" in isa else 0.0,
            ),
        )
