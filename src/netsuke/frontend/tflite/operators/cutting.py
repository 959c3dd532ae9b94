"""Operators that join, cut, pad and pick."""

from __future__ import annotations

import math

import numpy as np

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import layout
from netsuke.frontend.tflite.operators.fused import fused_bounds
from netsuke.frontend.tflite.operators.strides import strided_ranges
from netsuke.frontend.tflite.registry import converts
from netsuke.frontend.tflite.scope import Unsupported, Value
from netsuke.ops import Concat, Gather, Pad, Requantize, Slice, Split

CONCATENATION = layout(
    "ConcatenationOptions", "axis: int; fused_activation_function: byte", union=10
)
SPLIT = layout("SplitOptions", "num_splits: int", union=35)
SPLIT_V = layout("SplitVOptions", "num_splits: int", union=79)
MIRROR_PAD = layout("MirrorPadOptions", "mode: byte", union=77)
GATHER = layout("GatherOptions", "axis: int; batch_dims: int", union=23)
SPLITS_LIMIT = 1 << 16


@converts("CONCATENATION")
def concatenation(call: Call) -> None:
    options = call.options(CONCATENATION)
    if fused_bounds(options)[0] != -math.inf:
        raise Unsupported("fuses an activation")
    values = call.values()
    if not values or len({len(value.shape) for value in values}) != 1:
        call.fail("joins inputs of different ranks")
    batches = [value.batch for value in values if value.batch is not None]
    batch = batches[0] if batches else None
    names = [call.scope.view(value, batch) for value in values]
    axis = call.sample_axis(Value("", values[0].shape, batch), options.integer("axis"))
    quant = call.scope.activation_type(call.output(0))[1]
    if quant is not None:
        names = [
            name
            if call.stored(name)[1] == quant
            else call.step(Requantize("int8"), name, quant=quant)
            for name in names
        ]
    call.emit(Concat(axis), names, batch)


def _split(call: Call, value: Value, axis: int, sizes: tuple[int, ...]) -> None:
    call.emit(Split(call.sample_axis(value, axis), sizes), [value.name], value.batch)


@converts("SPLIT")
def split(call: Call) -> None:
    value = call.value(1)
    axes, count = call.integers(0), call.options(SPLIT).integer("num_splits")
    if len(axes) != 1 or not -len(value.shape) <= axes[0] < len(value.shape):
        call.fail(f"cuts {list(value.shape)} along {list(axes)}")
    extent = value.shape[axes[0]]
    if not 1 <= count <= min(extent, SPLITS_LIMIT) or extent % count:
        call.fail(f"cuts {extent} elements into {count} equal parts")
    _split(call, value, axes[0], (extent // count,) * count)


@converts("SPLIT_V")
def split_v(call: Call) -> None:
    value, sizes, axes = call.value(0), call.integers(1), call.integers(2)
    if len(axes) != 1 or not -len(value.shape) <= axes[0] < len(value.shape):
        call.fail(f"cuts {list(value.shape)} along {list(axes)}")
    rest = value.shape[axes[0]] - sum(size for size in sizes if size != -1)
    sizes = tuple(rest if size == -1 else size for size in sizes)
    _split(call, value, axes[0], sizes)


def _slice(call: Call, value: Value, ranges: list[tuple[int, int, int]]) -> Slice:
    """The slice of one sample; the batch axis must stay whole."""
    if value.batch is not None and ranges.pop(value.batch) != (0, call.scope.batch, 1):
        raise Unsupported("works across the batch")
    return Slice(tuple(ranges))


@converts("SLICE")
def slice_(call: Call) -> None:
    value, starts, sizes = call.value(0), call.integers(1), call.integers(2)
    if not len(starts) == len(sizes) == len(value.shape):
        call.fail(f"has {len(starts)} starts and {len(sizes)} sizes for {list(value.shape)}")
    ranges = [
        (start, extent - start if size == -1 else size, 1)
        for start, size, extent in zip(starts, sizes, value.shape, strict=True)
    ]
    call.emit(_slice(call, value, ranges), [value.name], value.batch)


@converts("STRIDED_SLICE")
def strided_slice(call: Call) -> None:
    value = call.value(0)
    ranges, shape = strided_ranges(call, value.shape)
    kept = [ranges[axis][1] for axis in range(len(ranges))]
    op = _slice(call, value, ranges)
    if shape == kept:
        call.emit(op, [value.name], value.batch)
        return
    # New axes and dropped ones: the batch axis is the first of the shape, or the reshape would
    # have to move it.
    if value.batch not in (None, 0) or (value.batch == 0 and shape[:1] != [call.scope.batch]):
        raise Unsupported("works across the batch")
    sample = shape if value.batch is None else shape[1:]
    call.emit_reshape(call.step(op, value.name, like=value.name), sample, value.batch)


def _paddings(call: Call, value: Value) -> tuple[tuple[int, int], ...]:
    array = call.array(1)
    numbers = call.integers(1)
    if array.shape != (len(value.shape), 2):
        call.fail(f"has paddings {list(array.shape)} for {list(value.shape)}")
    if any(not 0 <= number < 1 << 24 for number in numbers):
        call.fail(f"has the paddings {list(numbers)}")
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if value.batch is not None and pairs.pop(value.batch) != (0, 0):
        raise Unsupported("works across the batch")
    return tuple(pairs)


@converts("PAD", "PADV2")
def pad(call: Call) -> None:
    value = call.value(0)
    border = 0.0
    if call.has(2):
        array, quant = call.array(2), call.quant(2)
        if array.size != 1:
            call.fail(f"pads with {array.size} values")
        array = quant.dequantize(array) if quant is not None else array
        border = float(array.reshape(())[()])
        if not math.isfinite(border):
            call.fail(f"pads with {border}")
    call.emit(Pad(_paddings(call, value), border), [value.name], value.batch)


@converts("MIRROR_PAD")
def mirror_pad(call: Call) -> None:
    value = call.value(0)
    mode = "symmetric" if call.options(MIRROR_PAD).integer("mode") else "reflect"
    call.emit(Pad(_paddings(call, value), 0.0, mode), [value.name], value.batch)


@converts("GATHER")
def gather(call: Call) -> None:
    options = call.options(GATHER)
    if options.integer("batch_dims"):
        raise Unsupported(f"has batch_dims {options.integer('batch_dims')}")
    value = call.value(0)
    array = call.array(1)
    axis = call.sample_axis(value, options.integer("axis"))
    if array.dtype not in (np.int32, np.int64):
        raise Unsupported(f"has indices of {array.dtype}")
    indices = call.constant(call.tensor(1).name, array)
    batch = value.batch
    if batch is not None and axis < batch:
        batch += array.ndim - 1
    call.emit(Gather(axis), [value.name, indices], batch)
