"""Tensors, their types and their quantization."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

ITEMSIZE = {
    "float32": 4,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "bool": 1,
}
"""Bytes of one element of each element type a graph may hold."""


@dataclass(frozen=True, slots=True)
class Quant:
    """Affine quantization: ``real = scale * (stored - zero_point)``.

    Attributes
    ----------
    scale
        One positive step, or one per slice along `axis`.
    zero_point
        The stored value of real zero; as many as scales.
    axis
        The axis that the scales run along (of one sample, batch-free), or None for one scale.
    bits
        Bits of the stored integer.
    scheme
        ``"affine"``; ``"unsigned"`` is the same with stored integers from 0 on (features that come
        as bytes); other schemes (ternary, binary) name themselves here.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...] = (0,)
    axis: int | None = None
    bits: int = 8
    scheme: str = "affine"

    @property
    def is_power_of_two(self) -> bool:
        """Whether every scale is a power of two, so that requantizing is a shift."""
        return all(math.frexp(scale)[0] == 0.5 for scale in self.scale)

    @property
    def range(self) -> tuple[int, int]:
        """The smallest and the largest stored integer."""
        if self.scheme == "unsigned":
            return 0, (1 << self.bits) - 1
        return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1

    def _along_axis(self, values: tuple[float, ...] | tuple[int, ...], rank: int) -> Array:
        array = np.asarray(values)
        if self.axis is None or array.size == 1:
            return array.reshape(())
        return array.reshape([-1 if axis == self.axis else 1 for axis in range(rank)])

    def dequantize(self, stored: Array) -> Array:
        """Real values (float32) of stored integers."""
        scale = self._along_axis(self.scale, stored.ndim).astype(np.float64)
        zero = self._along_axis(self.zero_point, stored.ndim).astype(np.float64)
        return ((stored.astype(np.float64) - zero) * scale).astype(np.float32)

    def quantize(self, real: Array) -> Array:
        """Stored integers of real values: divide in float32, round half away from zero, clamp.

        This is TensorFlow Lite's rule for a quantize node, so that a person who feeds real
        values gets the integers that LiteRT would compute.
        """
        scale = self._along_axis(self.scale, real.ndim).astype(np.float32)
        zero = self._along_axis(self.zero_point, real.ndim).astype(np.float64)
        with np.errstate(over="ignore"):  # beyond float32 is beyond every range: it is clamped
            ratio = (np.asarray(real, np.float32) / scale).astype(np.float64)
        stored = np.trunc(ratio + np.copysign(0.5, ratio)) + zero
        low, high = self.range
        kind = "uint" if self.scheme == "unsigned" else "int"
        width = 8 if self.bits <= 8 else 16 if self.bits <= 16 else 32
        return np.clip(stored, low, high).astype(f"{kind}{width}")


@dataclass(frozen=True, slots=True)
class TensorType:
    """The shape of one sample (batch-free, channels last) and the element type."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A named value of a graph.

    Attributes
    ----------
    name
        Unique in its graph; the name of the model file where there is one.
    shape
        Shape of ONE sample, channels last; a scalar is ``()``.
    dtype
        A key of `ITEMSIZE`.
    quant
        How integers stand for reals, or None.
    data
        The constant's value, or None for an activation.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    quant: Quant | None = None
    data: Array | None = None

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """Bytes of one sample."""
        return self.elements * ITEMSIZE[self.dtype]

    @property
    def type(self) -> TensorType:
        return TensorType(self.shape, self.dtype)


def constant(name: str, data: npt.ArrayLike, quant: Quant | None = None) -> Tensor:
    """Return a constant tensor whose type is that of `data`; its array is read-only."""
    array = np.array(data)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    array.setflags(write=False)
    return Tensor(name, tuple(array.shape), str(array.dtype), quant, array)
