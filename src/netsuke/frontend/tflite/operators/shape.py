"""Operators that change a tensor's shape or the order of its axes."""

from __future__ import annotations

import math

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import layout
from netsuke.frontend.tflite.registry import converts
from netsuke.frontend.tflite.scope import Unsupported, Value
from netsuke.ops import Concat, Split, Transpose

RESHAPE = layout("ReshapeOptions", "new_shape: [int]", union=17)
SQUEEZE = layout("SqueezeOptions", "squeeze_dims: [int]", union=30)
PACK = layout("PackOptions", "values_count: int; axis: int", union=59)
UNPACK = layout("UnpackOptions", "num: int; axis: int", union=64)


def _into(call: Call, value: Value, shape: tuple[int, ...], batch: int | None) -> None:
    """Make the output a reshape of the input to `shape`, which has its batch axis at `batch`."""
    stays = batch is not None and value.batch in {batch, 0}
    name = value.name if stays else call.scope.ordered(value)
    sample = shape if batch is None else (*shape[:batch], *shape[batch + 1 :])
    call.emit_reshape(name, sample, batch)


def target_shape(call: Call, count: int) -> tuple[int, ...]:
    """The shape that a RESHAPE asks for, its -1 replaced."""
    if call.has(1):
        shape = call.integers(1)
    else:
        shape = tuple(call.options(RESHAPE).numbers("new_shape").tolist())
    if shape == (0,):  # how old exporters write a scalar
        shape = ()
    known = math.prod(extent for extent in shape if extent != -1)
    if shape.count(-1) > 1 or known < 1 or min(shape, default=1) < -1:
        call.fail(f"has the target shape {list(shape)}")
    shape = tuple(count // known if extent == -1 else extent for extent in shape)
    if math.prod(shape) != count:
        call.fail(f"has the target shape {list(shape)} for {count} elements")
    return shape


@converts("RESHAPE")
def reshape(call: Call) -> None:
    value = call.value(0)
    shape = target_shape(call, math.prod(value.shape))
    keeps = value.batch == 0 or (value.batch is not None and call.scope.batch == 1)
    batched = keeps and bool(shape) and shape[0] == call.scope.batch
    _into(call, value, shape, 0 if batched else None)


@converts("SQUEEZE")
def squeeze(call: Call) -> None:
    value = call.value(0)
    rank = len(value.shape)
    axes = {int(axis) % max(rank, 1) for axis in call.options(SQUEEZE).numbers("squeeze_dims")}
    if not axes:
        axes = {axis for axis, extent in enumerate(value.shape) if extent == 1} - {value.batch}
    if any(axis >= rank or value.shape[axis] != 1 for axis in axes):
        call.fail(f"drops the axes {sorted(axes)} of {list(value.shape)}")
    shape = tuple(extent for axis, extent in enumerate(value.shape) if axis not in axes)
    batch = None
    if value.batch is not None and value.batch not in axes:
        batch = value.batch - sum(axis < value.batch for axis in axes)
    _into(call, value, shape, batch)


@converts("EXPAND_DIMS")
def expand_dims(call: Call) -> None:
    value = call.value(0)
    axes = call.integers(1)
    rank = len(value.shape) + 1
    if len(axes) != 1 or not -rank <= axes[0] < rank:
        call.fail(f"inserts the axes {list(axes)} into {list(value.shape)}")
    axis = axes[0] % rank
    batch = None if value.batch is None else value.batch + (axis <= value.batch)
    _into(call, value, (*value.shape[:axis], 1, *value.shape[axis:]), batch)


@converts("TRANSPOSE")
def transpose(call: Call) -> None:
    value = call.value(0)
    axes = call.integers(1)
    if sorted(axes) != list(range(len(value.shape))):
        call.fail(f"has the axes {list(axes)} for {list(value.shape)}")
    batch = None if value.batch is None else axes.index(value.batch)
    order = tuple(call.sample_axis(value, axis) for axis in axes if axis != value.batch)
    call.emit(Transpose(order), [value.name], batch)


def _insertion(call: Call, rank: int, axis: int) -> int:
    if not -rank <= axis < rank:
        call.fail(f"has axis {axis} of {rank}")
    return axis % rank


@converts("PACK")
def pack(call: Call) -> None:
    values = call.values()
    if not values or len({value.shape for value in values}) != 1:
        call.fail("packs inputs of different shapes")
    shape, batch = values[0].shape, values[0].batch
    axis = _insertion(call, len(shape) + 1, call.options(PACK).integer("axis"))
    names = [call.scope.view(value, batch) for value in values]
    after = None if batch is None else batch + (axis <= batch)
    place = axis if after is None else axis - (axis > after)
    sample = call.stored(names[0])[2]
    wide = (*sample[:place], 1, *sample[place:])
    call.emit(Concat(place), [call.scope.reshape(name, wide) for name in names], after)


@converts("UNPACK")
def unpack(call: Call) -> None:
    value = call.value(0)
    axis = call.sample_axis(value, call.options(UNPACK).integer("axis"))
    _, quant, sample = call.stored(value.name)
    count = sample[axis]
    if len(call.operator.outputs) != count:
        call.fail(f"has {len(call.operator.outputs)} outputs for an axis of {count}")
    if value.batch is not None and value.batch > axis:
        raise Unsupported("works across the batch")
    pieces = call.scope.add(
        Split(axis, (1,) * count), [value.name], [f"{call.name}/split"], [quant] * count
    )
    for number, piece in enumerate(pieces):
        call.emit_reshape(piece, (*sample[:axis], *sample[axis + 1 :]), value.batch, number)
