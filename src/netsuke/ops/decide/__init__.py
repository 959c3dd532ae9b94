"""Scores to a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Kernel, Op, Tensor, TensorType

SUFFIX = {"int8": "s8", "int16": "s16", "int32": "s32"}

AVR_EACH = {"s8": 12.0, "s16": 17.0, "s32": 27.0}
"""Cycles a score on an AVR, from the instructions that avr-gcc writes."""


@dataclass(frozen=True, slots=True)
class Decide(Op):
    """y = the first position of the largest score; with one score, whether it is above zero.

    Inputs: scores ``(classes,)`` of int8, int16 or int32, or ``(1,)`` for two classes. The output
    is one byte, ``(1,)`` uint8: on the smallest devices four would be a waste.
    """

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if len(x.shape) != 1 or not 1 <= x.shape[0] <= 255 or x.dtype not in SUFFIX:
            raise GraphError(
                x.name,
                f"decide takes 1 to 255 integer scores, not {x.dtype}{list(x.shape)}",
            )
        return (TensorType((1,), "uint8"),)

    def rows(self, *arrays: Array) -> Array:
        """y of many samples: ``(n, classes)`` to ``(n, 1)``."""
        (x,) = arrays
        decided = x > 0 if x.shape[1] == 1 else x.argmax(axis=1)[:, None]
        return np.asarray(decided, np.uint8)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (self.rows(arrays[0][None])[0],)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        return self.reference(*arrays)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        suffix = SUFFIX[inputs[0].dtype]
        return (
            Kernel(
                f"nsk_decide_{suffix}",
                f"decide/decide_{suffix}.c",
                "nsk_decide",
                {"scores": inputs[0].shape[0]},
                instructions=6.0 * inputs[0].elements,
                flash=True,
                cycles=self._avr_cycles(inputs) if "avr" in isa else 0.0,
            ),
        )

    def _avr_cycles(self, inputs: Sequence[Tensor]) -> float:
        scores = inputs[0].shape[0]
        return 10.0 if scores == 1 else AVR_EACH[SUFFIX[inputs[0].dtype]] * scores + 12.0
