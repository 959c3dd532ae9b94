"""Scores of prototypes by their distance: the second half of ProtoNN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Cost, Kernel, Op, Tensor, TensorType

ACTIVE = 0.95  # of the prototypes lie within the table's reach, for modelled cycles


@dataclass(frozen=True, slots=True)
class Prototypes(Op):
    """y[l] = Σ_j s[j, l] · K(|z - b_j|²), K a table of a falling function.

    Gupta et al. 2017, "ProtoNN: compressed and accurate kNN for resource-scarce devices",
    equation 2: K(r) = exp(-γ² r). In integers K is ``table[min(r >> shift, entries - 1)]``, whose
    last entry is 0.

    Inputs: z ``(size,)`` int8, b ``(prototypes, size)`` int8, s ``(prototypes, outputs)`` int8,
    table ``(entries,)`` uint8, all but z constant. Output: ``(outputs,)`` int32.

    Attributes
    ----------
    shift
        Bits of the squared distance that are dropped, 0 .. 31.
    """

    shift: int = 0

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        z, places, scores, table = inputs
        if [tensor.dtype for tensor in inputs] != ["int8", "int8", "int8", "uint8"]:
            raise GraphError(z.name, "prototypes take int8 and a table of uint8")
        if not all(tensor.is_constant for tensor in inputs[1:]):
            raise GraphError(z.name, "prototypes, their scores and table must be constants")
        count = places.shape[0] if len(places.shape) == 2 else 0
        if not 1 <= count <= 32767 or places.shape[1:] != z.shape or not 1 <= z.shape[0] <= 255:
            raise GraphError(
                z.name, f"prototypes {list(places.shape)} do not match {list(z.shape)}"
            )
        if len(scores.shape) != 2 or scores.shape[0] != count or not 1 <= scores.shape[1] <= 255:
            raise GraphError(z.name, f"scores {list(scores.shape)} are not one row a prototype")
        entries = table.elements
        if len(table.shape) != 1 or not 2 <= entries <= 256 or not 0 <= self.shift <= 31:
            raise GraphError(z.name, f"{entries} entries of the table, not 2 .. 256")
        assert table.data is not None
        if int(table.data[-1]) != 0:
            raise GraphError(z.name, "the table's last entry is not 0")
        return (TensorType((scores.shape[1],), "int32"),)

    def rows(self, *arrays: Array) -> Array:
        """y of many samples: z ``(n, size)`` to ``(n, outputs)``."""
        z, places, scores, table = (array.astype(np.int64) for array in arrays)
        squares = np.square(z).sum(axis=1)[:, None] + np.square(places).sum(axis=1)
        entries = (squares - 2 * (z @ places.T)) >> self.shift
        near = table[np.minimum(entries, len(table) - 1)]
        return (near @ scores).astype(np.int32)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (self.rows(arrays[0][None], *arrays[1:])[0],)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        return self.reference(*arrays)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(macs=inputs[1].elements + inputs[2].elements)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        count, size = inputs[1].shape
        results = inputs[2].shape[1]
        return (
            Kernel(
                "nsk_prototypes_s8",
                "prototypes/prototypes_s8.c",
                "nsk_prototypes",
                {
                    "size": size,
                    "outputs": results,
                    "shift": self.shift,
                    "last": inputs[3].elements - 1,
                    "prototypes": count,
                },
                instructions=9.0 * inputs[1].elements + 5.0 * inputs[2].elements + 20.0 * count,
                flash=True,
                cycles=_avr_cycles(count, size, results, ACTIVE) if "avr" in isa else 0.0,
            ),
        )

    def timed(self, kernel: Kernel, inputs: Sequence[Tensor], rows: Sequence[Array]) -> Kernel:
        places, table = inputs[1].data, inputs[3].data
        assert places is not None and table is not None
        z, wide = rows[0].astype(np.int64), places.astype(np.int64)
        squares = np.square(z).sum(1)[:, None] + np.square(wide).sum(1) - 2 * (z @ wide.T)
        active = float(((squares >> self.shift) < len(table) - 1).mean())
        count, size = places.shape
        cycles = _avr_cycles(count, size, inputs[2].shape[1], active)
        return replace(kernel, cycles=cycles)


def _avr_cycles(count: int, size: int, results: int, active: float) -> float:
    """Cycles on an AVR, in assembly, from instruction timing; `active` prototypes of 1 are near."""
    return count * (16.0 * size + 41.0 + active * 29.0 * results)
