"""Random features of the Gaussian kernel from Hadamard transforms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Cost, Kernel, Op, Tensor, TensorType

COSINES = np.rint(127 * np.cos(2 * np.pi * np.arange(256) / 256)).astype(np.int8)
"""127 cos of 256 parts of a turn."""

LARGEST_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Fastfood(Op):
    """y = cos(b + S H G Π H B x), block after block, in integers.

    H is the Hadamard matrix of Sylvester, B a diagonal of signs, Π a permutation, G a diagonal of
    Gaussian numbers, S a diagonal of lengths. For each block of d = 2^k features::

        w = H (B (x - zero))                    int16, exact
        u[j] = (G[j] · w[Π[j]] + 2^(shift-1)) >> shift      int16
        phase[i] = b[i] + S[i] · (H u)[i]       modulo 2^16: one turn
        y[i] = 127 cos(phase[i])                from a table of 256 cosines, rounded to its parts

    Additions and products of whole numbers commute with the modulus, so nothing can overflow after
    the shift; before it, ``d · max|x - zero| < 2^15`` is checked.

    Inputs: x ``(features,)`` int8 or uint8, features <= d (zeros follow); then
    constants: signs B ``(blocks, d)`` int8 of ±1, permutation Π ``(blocks, d)`` int16, Gaussian G
    ``(blocks, d)`` int8, lengths S ``(outputs,)`` uint8, phases b ``(outputs,)`` int16. The first
    `outputs` rows of all blocks are computed. Output ``(outputs,)`` int8.

    Le, Sarlós & Smola 2013, "Fastfood - Computing Hilbert Space Expansions in loglinear time",
    ICML, equation 3.

    Attributes
    ----------
    shift
        Bits that u loses, 1..22.
    zero
        The stored value that counts as 0 (features behind the last one are 0 anyway).
    """

    shift: int
    zero: int = 0

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, signs, order, gauss, lengths, phases = inputs
        place = x.name
        kinds = ("int8", "int16", "int8", "uint8", "int16")
        for tensor, dtype in zip(inputs[1:], kinds, strict=True):
            if tensor.data is None or tensor.dtype != dtype:
                raise GraphError(tensor.name, f"fastfood needs a constant {dtype} here")
        if x.dtype not in ("int8", "uint8") or len(x.shape) != 1:
            raise GraphError(place, "fastfood reads one vector of int8 or uint8")
        if len(signs.shape) != 2 or not signs.shape == order.shape == gauss.shape:
            raise GraphError(place, "signs, permutation and Gaussian numbers differ in shape")
        blocks, d = signs.shape
        count = lengths.elements
        if d & (d - 1) or not 1 < d <= LARGEST_BLOCK or x.shape[0] > d:
            raise GraphError(
                place,
                f"a block of {d} is no power of two from the {x.shape[0]} features up to "
                f"{LARGEST_BLOCK:,}",
            )
        if lengths.shape != phases.shape or not (blocks - 1) * d < count <= blocks * d:
            raise GraphError(place, f"{blocks} blocks of {d} do not give {count} outputs")
        if not (np.abs(_data(signs)) == 1).all():
            raise GraphError(signs.name, "a sign is neither 1 nor -1")
        if not (np.sort(_data(order), axis=1) == np.arange(d)).all():
            raise GraphError(order.name, "a row is no permutation")
        if not 1 <= self.shift <= 22 or d * self._reach(x) > 32767:
            raise GraphError(
                place,
                f"{d} features of up to {self._reach(x)} leave int16; give them a coarser scale",
            )
        return (TensorType((count,), "int8"),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (self.rows(arrays[0][None], *arrays[1:])[0],)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        return self.reference(*arrays)

    def rows(self, *arrays: Array) -> Array:
        """y of many samples: x ``(n, features)`` to ``(n, outputs)``."""
        x, signs, order, gauss, lengths, phases = arrays
        blocks, d = signs.shape
        centred = np.zeros((len(x), 1, d), np.int64)
        centred[:, 0, : x.shape[1]] = x.astype(np.int64) - self.zero
        w = hadamard(signs * centred)
        w = ((w + 32768) & 0xFFFF) - 32768  # x beyond its range wraps, as in C
        where = np.broadcast_to(order.astype(np.int64), w.shape)
        mixed = np.take_along_axis(w, where, axis=2) * gauss.astype(np.int64)
        u = (mixed + (1 << (self.shift - 1))) >> self.shift
        h = hadamard(u).reshape(len(x), blocks * d)[:, : len(lengths)]
        phase = (h * lengths + phases + 128) & 0xFFFF
        return np.asarray(COSINES[phase >> 8])

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        blocks, d = inputs[1].shape
        stages = d.bit_length() - 1
        return Cost(macs=2 * blocks * d, elementary=2 * blocks * d * stages + outputs[0].elements)

    def _reach(self, x: Tensor) -> int:
        """The largest magnitude of a feature without its zero point."""
        low, high = (-128, 127) if x.quant is None else x.quant.range
        return max(abs(low - self.zero), abs(high - self.zero))

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        x, signs, order, gauss, lengths, phases = inputs
        d = signs.shape[1]
        suffix = "s8" if x.dtype == "int8" else "u8"
        small = d <= 256
        permutation = _data(order).astype(np.uint8 if small else np.uint16)
        work = self.cost(inputs, outputs)
        kernel = Kernel(
            f"nsk_fastfood_{suffix}",
            f"fastfood/fastfood_{suffix}.c",
            "nsk_fastfood",
            {
                "features": x.shape[0],
                "block": d,
                "outputs": outputs[0].elements,
                "zero": self.zero,
                "shift": self.shift,
                "wide": int(not small),
                "signs": np.packbits(_data(signs) < 0, axis=1, bitorder="little"),
                "order": permutation,
                "gauss": _data(gauss),
                "lengths": _data(lengths),
                "phases": _data(phases),
                "cosines": COSINES,
            },
            constants=dict.fromkeys(range(1, 6)),
            scratch=4 * d,
            instructions=4.0 * work.elementary + 8.0 * work.macs,
            flash=True,
            cycles=self._avr_cycles(*signs.shape) if "avr" in isa else 0.0,
        )
        return (kernel,)

    def _avr_cycles(self, blocks: int, d: int) -> float:
        """Clock cycles on an AVR, fitted to simavr; within 4 % from 8 to 128 features."""
        stages = d.bit_length() - 1
        per_row = 148.0 + 25.0 * stages + 7.25 * abs(8 - self.shift) + 16.0 * (blocks > 1)
        return blocks * d * per_row


def hadamard(values: Array) -> Array:
    """The Hadamard transform of the last axis, whose length is a power of two.

    ``H[i, j] = (-1)^popcount(i & j)``, by d log2 d additions.
    """
    result = np.array(values)
    length = result.shape[-1]
    step = 1
    while step < length:
        pairs = result.reshape(*result.shape[:-1], length // (2 * step), 2, step)
        result = np.stack(
            [pairs[..., 0, :] + pairs[..., 1, :], pairs[..., 0, :] - pairs[..., 1, :]], axis=-2
        ).reshape(result.shape)
        step *= 2
    return result


def _data(tensor: Tensor) -> Array:
    assert tensor.data is not None
    return tensor.data
