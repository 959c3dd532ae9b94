"""A support vector machine with a falling function of the distance as its kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Cost, Kernel, Op, Tensor, TensorType

SUFFIX = {"int8": "s8", "uint8": "u8"}


@dataclass(frozen=True, slots=True)
class KernelMachine(Op):
    """The class that wins most duels, each decided by a sum over support vectors.

    In integers, for each support vector v_j of class c and each other class o::

        r = |x - v_j|² ,   i = r >> shift
        k = K[i] - ((K[i] - K[i + 1]) · (r mod 2^shift) >> shift)
        s[c, o] += w[j, o'] · k >> 15         o' = o < c ? o : o - 1

    with K a table, linear between its entries and 0 behind them, and s[c, o] the sum of the duel of
    both classes, which starts at a bias. The first class of a pair wins when s > 0; with two
    classes the second one does, as in scikit-learn. Of equal numbers of duels won the first counts.

    Inputs: x ``(features,)`` int8 or uint8; constants: vectors ``(n, features)`` of the same type,
    sorted by class; weights ``(n, classes - 1)`` int16; biases ``(duels,)`` int32 in the order
    (0, 1), (0, 2), ..., (1, 2), ...; counts ``(classes,)`` int32, vectors of each class; table
    ``(entries,)`` int16, falling to 0 at its end. Output ``(1,)`` uint8.

    Attributes
    ----------
    shift
        Bits of the squared distance between two entries of the table, 0..15.
    """

    shift: int

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, vectors, weights, biases, counts, table = inputs
        kinds = (x.dtype, "int16", "int32", "int32", "int16")
        if x.dtype not in SUFFIX or len(x.shape) != 1:
            raise GraphError(x.name, "a kernel machine reads one vector of int8 or uint8")
        for tensor, dtype in zip(inputs[1:], kinds, strict=True):
            if tensor.data is None or tensor.dtype != dtype:
                raise GraphError(tensor.name, f"a kernel machine needs a constant {dtype} here")
        classes, n = counts.elements, weights.shape[0]
        if vectors.shape != (n, *x.shape) or weights.shape != (n, classes - 1):
            raise GraphError(
                x.name,
                f"vectors {list(vectors.shape)} and weights "
                f"{list(weights.shape)} do not match {classes} classes",
            )
        if not 2 <= classes <= 255 or biases.shape != (classes * (classes - 1) // 2,):
            raise GraphError(x.name, f"{classes} classes do not duel {list(biases.shape)} times")
        if int(_data(counts).sum()) != n or int(_data(counts).min()) < 0:
            raise GraphError(counts.name, f"does not add up to {n} vectors")
        entries = _data(table)
        if not 2 <= entries.size <= 4096 or entries[-1] != 0 or (np.diff(entries) > 0).any():
            raise GraphError(table.name, "is no falling table of 2..4,096 entries that ends with 0")
        if not 0 <= self.shift <= 15 or x.elements * 65025 >= 1 << 31:
            raise GraphError(
                x.name,
                f"squared distances of {x.elements:,} features, shifted by "
                f"{self.shift}, do not fit 32 bits",
            )
        return (TensorType((1,), "uint8"),)

    def rows(self, *arrays: Array) -> Array:
        """The classes of many samples ``(n, features)``: ``(n, 1)``."""
        x, vectors, weights, biases, counts, table = (a.astype(np.int64) for a in arrays)
        squares = np.square(x).sum(1)[:, None] + np.square(vectors).sum(1)
        distance = squares - 2 * (x @ vectors.T)
        last = len(table) - 1
        entry = np.minimum(distance >> self.shift, last)
        upper, lower = table[entry], table[np.minimum(entry + 1, last)]
        part = distance & ((1 << self.shift) - 1)
        kernel = upper - (((upper - lower) * part) >> self.shift)
        duels = np.tile(biases, (len(x), 1))
        owner = np.repeat(np.arange(len(counts)), counts)
        numbers = duel_numbers(len(counts))
        for column in range(len(counts) - 1):
            other = column + (column >= owner)
            terms = (weights[:, column] * kernel) >> 15
            np.add.at(duels.T, numbers[owner, other], terms.T)
        return winners(duels, len(counts))[:, None]

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
        x, _, _, biases, counts, table = inputs
        suffix = SUFFIX[x.dtype]
        return (
            Kernel(
                f"nsk_kernel_machine_{suffix}",
                f"kernel_machine/kernel_machine_{suffix}.c",
                "nsk_kernel_machine",
                {
                    "features": x.elements,
                    "classes": counts.elements,
                    "last": table.elements - 1,
                    "shift": self.shift,
                },
                scratch=4 * biases.elements + counts.elements,
                instructions=7.0 * self.cost(inputs, outputs).macs,
                flash=True,
            ),
        )


def duel_numbers(classes: int) -> Array:
    """Number of the duel of two classes, ``(classes, classes)``; 0 on the diagonal."""
    numbers = np.zeros((classes, classes), np.int64)
    first, second = np.triu_indices(classes, 1)
    numbers[first, second] = numbers[second, first] = np.arange(len(first))
    return numbers


def winners(duels: Array, classes: int) -> Array:
    """The class that wins most duels: ``(n, duels)`` to ``(n,)`` uint8."""
    if classes == 2:
        return (duels[:, 0] > 0).astype(np.uint8)
    wins = np.zeros((len(duels), classes), np.int64)
    for number, (first, second) in enumerate(np.transpose(np.triu_indices(classes, 1))):
        wins[:, first] += duels[:, number] > 0
        wins[:, second] += duels[:, number] <= 0
    return wins.argmax(1).astype(np.uint8)


def _data(tensor: Tensor) -> Array:
    assert tensor.data is not None
    return tensor.data
