"""Operators on constants, computed while the file is read.

Exporters compute shapes at run time (SHAPE, STRIDED_SLICE, PACK, RESHAPE) and unpack constants
there (DEQUANTIZE of half-precision weights); with fixed shapes both are constants.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.operators.cutting import CONCATENATION
from netsuke.frontend.tflite.operators.shape import PACK, SQUEEZE, target_shape
from netsuke.frontend.tflite.operators.strides import strided_ranges
from netsuke.frontend.tflite.registry import FOLDERS, converts, folds
from netsuke.frontend.tflite.scope import Unsupported
from netsuke.ir import Array

ARITHMETIC_LIMIT = 1024  # elements: shapes, not weights
RANK_LIMIT = 8


@converts("SHAPE")
def shape_of(call: Call) -> None:
    value = call.value(0)
    dtype = np.int64 if call.output(0).dtype == "int64" else np.int32
    call.scope.fold(call.operator.outputs[0], np.array(value.shape, dtype))


@folds("DEQUANTIZE")
def dequantize(call: Call) -> Array:
    array, quant = call.array(0), call.quant(0)
    if array.dtype == np.float32:
        return array
    if quant is None:
        raise Unsupported(f"takes {array.dtype} without a quantization")
    call.scope.model.file.spend(8 * array.size)
    return quant.dequantize(array)


@folds("RESHAPE")
def reshape(call: Call) -> Array:
    array = call.array(0)
    return array.reshape(target_shape(call, array.size))


@folds("SQUEEZE")
def squeeze(call: Call) -> Array:
    array = call.array(0)
    wanted = [int(axis) for axis in call.options(SQUEEZE).numbers("squeeze_dims")]
    if any(not -array.ndim <= axis < array.ndim or array.shape[axis] != 1 for axis in wanted):
        call.fail(f"drops the axes {wanted} of {list(array.shape)}")
    axes = {axis % array.ndim for axis in wanted}
    axes = axes or {axis for axis, extent in enumerate(array.shape) if extent == 1}
    return array.reshape([n for axis, n in enumerate(array.shape) if axis not in axes])


@folds("EXPAND_DIMS")
def expand_dims(call: Call) -> Array:
    array, axes = call.array(0), call.integers(1)
    rank = array.ndim + 1
    if len(axes) != 1 or not -rank <= axes[0] < rank or rank > RANK_LIMIT:
        call.fail(f"inserts the axes {list(axes)} into {list(array.shape)}")
    return np.expand_dims(array, axes[0])


@folds("TRANSPOSE")
def transpose(call: Call) -> Array:
    array, axes = call.array(0), call.integers(1)
    if sorted(axes) != list(range(array.ndim)):
        call.fail(f"has the axes {list(axes)} for {list(array.shape)}")
    return array.transpose(axes)


@folds("STRIDED_SLICE")
def strided_slice(call: Call) -> Array:
    array = _small(call, 0)
    ranges, shape = strided_ranges(call, array.shape)
    for axis, ((start, count, step), extent) in enumerate(zip(ranges, array.shape, strict=True)):
        if count and not (0 <= start < extent and 0 <= start + (count - 1) * step < extent):
            call.fail(f"cuts {list(array.shape)} at {start}")
        array = array.take(np.arange(count) * step + start, axis)
    return array.reshape(shape)


@folds("PACK")
def pack(call: Call) -> Array:
    arrays = [_small(call, number) for number in range(len(call.operator.inputs))]
    axis = call.options(PACK).integer("axis")
    rank = arrays[0].ndim + 1
    if len({array.shape for array in arrays}) != 1 or not -rank <= axis < rank <= RANK_LIMIT:
        call.fail(f"packs {len(arrays)} constants along axis {axis}")
    return np.stack(arrays, axis)


@folds("CONCATENATION")
def concatenation(call: Call) -> Array:
    arrays = [_small(call, number) for number in range(len(call.operator.inputs))]
    axis, rank = call.options(CONCATENATION).integer("axis"), arrays[0].ndim
    if not -rank <= axis < rank:
        call.fail(f"joins along axis {axis} of {rank}")
    around = {(a.ndim, *np.delete(a.shape, axis).tolist()) for a in arrays if a.ndim == rank}
    if len(around) != 1 or any(array.ndim != rank for array in arrays):
        call.fail("joins constants of different shapes")
    return np.concatenate(arrays, axis)


@folds("GATHER")
def gather(call: Call) -> Array:
    array, indices = _small(call, 0), _small(call, 1)
    if array.ndim != 1 or not np.issubdtype(indices.dtype, np.integer) or indices.ndim > 1:
        raise Unsupported("gathers from constants of more than one axis")
    if indices.size and (indices.min() < 0 or indices.max() >= array.size):
        call.fail(f"gathers from {array.size} elements at {indices.reshape(-1)[:8].tolist()}")
    return array[indices]


@folds("CAST")
def cast(call: Call) -> Array:
    dtype = call.output(0).dtype
    if dtype not in ("int32", "int64", "float32"):
        raise Unsupported(f"turns a constant into {dtype}")
    array = _small(call, 0)
    if array.dtype == np.float32 and not (np.abs(array) < 2**31).all():
        call.fail("turns a number beyond the integers into one")
    return array.astype(dtype)


@folds("REDUCE_PROD")
def product(call: Call) -> Array:
    array = _small(call, 0)
    if array.ndim != 1 or call.integers(1) not in ((0,), (-1,)):
        raise Unsupported("multiplies constants of more than one axis")
    return np.asarray(math.prod(array.tolist()) & 0x7FFFFFFF, array.dtype)


def _arithmetic(function: Callable[[Array, Array], Array]) -> Callable[[Call], Array]:
    def compute(call: Call) -> Array:
        a, b = _small(call, 0), _small(call, 1)
        if a.dtype != b.dtype or not np.issubdtype(a.dtype, np.integer):
            raise Unsupported(f"computes on constants of {a.dtype} and {b.dtype}")
        if min(a.ndim, b.ndim) > 0 and a.shape != b.shape:
            raise Unsupported("computes on constants of different shapes")
        return np.asarray(function(a, b), a.dtype)

    return compute


FOLDERS["ADD"] = _arithmetic(np.add)
FOLDERS["SUB"] = _arithmetic(np.subtract)
FOLDERS["MUL"] = _arithmetic(np.multiply)


def _small(call: Call, number: int) -> Array:
    """A constant that is part of a shape."""
    array = call.array(number)
    if array.dtype not in (np.int32, np.int64, np.float32):
        raise Unsupported(f"computes on constants of {array.dtype}")
    if array.size > ARITHMETIC_LIMIT:
        raise Unsupported(f"computes on a constant of {array.size:,} elements")
    return array
