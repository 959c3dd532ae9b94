"""Constants of a file in the form in which graphs store them."""

from __future__ import annotations

import math

import numpy as np

from netsuke.frontend.tflite.flatbuffer import File
from netsuke.frontend.tflite.model import FileTensor
from netsuke.ir import Array, Quant

_DTYPES = {
    "float32": "<f4",
    "float16": "<f2",
    "float64": "<f8",
    "int32": "<i4",
    "int64": "<i8",
    "int16": "<i2",
    "int8": "<i1",
    "uint8": "<u1",
    "uint32": "<u4",
    "bool": "<u1",
}
SMALLEST_SCALE = 2.0**-126  # of float32, before its numbers lose digits
_RANGES = {"int4": (-8, 7), "int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


def decode(file: File, tensor: FileTensor) -> Array:
    """Return a constant's elements: uint8 shifted to int8, int4 unpacked, halves widened."""
    what = f"the constant {tensor.name[:200]!r}"
    if tensor.is_sparse:
        file.fail(f"{what} is stored sparsely; export the model with dense weights")
    count = math.prod(tensor.shape)
    raw = tensor.raw if tensor.raw is not None else np.zeros(0, np.uint8)
    if raw.size != (count * tensor.bits + 7) // 8:
        file.fail(
            f"{what} is {tensor.dtype}{list(tensor.shape)}, which takes "
            f"{(count * tensor.bits + 7) // 8:,} bytes, but has {raw.size:,}"
        )
    file.spend(count * 4)
    if tensor.dtype == "int4":
        return _unpack_nibbles(raw, count).reshape(tensor.shape)
    if tensor.dtype not in _DTYPES:
        file.fail(f"{what} has elements of type {tensor.dtype}, which netsuke does not store")
    array = raw.view(_DTYPES[tensor.dtype]).reshape(tensor.shape)
    if tensor.dtype == "uint8" and tensor.quant is not None:
        return (array ^ np.uint8(128)).view(np.int8)
    if tensor.dtype in ("float16", "float64"):
        with np.errstate(over="ignore"):
            return array.astype(np.float32)
    if tensor.dtype == "bool":
        return array != 0
    return array


def _unpack_nibbles(raw: Array, count: int) -> Array:
    """Two signed numbers a byte, the first in the low half."""
    both = np.stack([raw & 15, raw >> 4], axis=-1).reshape(-1)[:count].astype(np.int8)
    return (both ^ np.int8(8)) - np.int8(8)


def quant_of(file: File, tensor: FileTensor, array: Array | None = None) -> Quant | None:
    """The quantization of a stored tensor, or None where it has no meaning (float, indices)."""
    quant = tensor.quant
    if quant is None or tensor.dtype not in _RANGES:
        return None
    if array is not None and not np.issubdtype(array.dtype, np.signedinteger):
        return None
    smallest, largest = _RANGES[tensor.dtype]
    if not all(smallest <= zero <= largest for zero in quant.zero_point):
        file.fail(f"{tensor.name[:200]!r} has a zero point outside {smallest} to {largest}")
    if not all(SMALLEST_SCALE <= scale < math.inf for scale in quant.scale):
        file.fail(f"{tensor.name[:200]!r} has a scale that is not a positive finite number")
    shift = 128 if tensor.dtype == "uint8" else 0
    zero = tuple(point - shift for point in quant.zero_point)
    if len(quant.scale) == 1:
        return Quant(quant.scale, zero)
    if len(quant.scale) != tensor.shape[quant.axis]:
        file.fail(
            f"{tensor.name[:200]!r} has {len(quant.scale)} scales along axis {quant.axis} "
            f"of {list(tensor.shape)}"
        )
    return Quant(quant.scale, zero, quant.axis)
