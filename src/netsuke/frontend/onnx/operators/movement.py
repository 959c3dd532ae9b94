"""Operators that move elements, and what the file asks about shapes."""

from __future__ import annotations

import math

import numpy as np

from netsuke.frontend.nchw import movement
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.onnx.registry import Call, converts
from netsuke.ir import Quant
from netsuke.ops import Dequantize


@converts("Shape")
def shape(call: Call) -> Value:
    extents = call[0].shape[call.integer("start", 0) : call.attribute("end")]
    return call.session.constant(call.session.next_label, np.array(extents, np.int64))


@converts("Size")
def size(call: Call) -> Value:
    count = np.array(math.prod(call[0].shape), np.int64)
    return call.session.constant(call.session.next_label, count)


@converts("Reshape")
def reshape(call: Call) -> Value:
    x, wanted = call[0], list(call.list_of("shape", 1) or ())
    if not call.flag("allowzero"):
        if any(extent == 0 and axis >= x.rank for axis, extent in enumerate(wanted)):
            raise CannotImportError(f"copies an axis that {list(x.shape)} does not have")
        wanted = [x.shape[axis] if extent == 0 else extent for axis, extent in enumerate(wanted)]
    if wanted.count(-1) > 1 or min(wanted, default=1) < -1:
        raise CannotImportError(f"has the impossible shape {wanted}")
    if -1 in wanted:
        rest = math.prod(extent for extent in wanted if extent != -1)
        wanted[wanted.index(-1)] = math.prod(x.shape) // max(rest, 1)
    return movement.reshape(call.session, x, wanted)


@converts("Flatten")
def flatten(call: Call) -> Value:
    return movement.flatten(call.session, call[0], call.integer("axis", 1))


@converts("Squeeze")
def squeeze(call: Call) -> Value:
    return movement.squeeze(call.session, call[0], call.list_of("axes", 1))


@converts("Unsqueeze")
def unsqueeze(call: Call) -> Value:
    return movement.unsqueeze(call.session, call[0], call.list_of("axes", 1) or ())


@converts("Transpose")
def transpose(call: Call) -> Value:
    x = call[0]
    axes = call.integers("perm") or tuple(reversed(range(x.rank)))
    return call.session.transpose(x, axes)


@converts("Concat")
def concat(call: Call) -> Value:
    values = [call[index] for index in range(len(call.inputs))]
    return movement.concat(call.session, values, call.integer("axis", 1))


@converts("Split")
def split(call: Call) -> tuple[Value, ...]:
    x, axis = call[0], call.integer("axis", 0)
    sizes = call.list_of("split", 1)
    if not sizes:
        parts = call.integer("num_outputs", len(call.node.output))
        extent = x.shape[axis]
        each = -(-extent // max(parts, 1))
        sizes = (each,) * (extent // each) + ((extent % each,) if extent % each else ())
        if len(sizes) != parts:
            raise CannotImportError(f"cannot split {extent} elements into {parts} parts")
    return movement.split(call.session, x, axis, sizes)


@converts("Slice")
def slice_(call: Call) -> Value:
    x = call[0]
    starts, ends = call.list_of("starts", 1) or (), call.list_of("ends", 2) or ()
    axes = call.list_of("axes", 3) or tuple(range(len(starts)))
    steps = call.known_integers(4) or (1,) * len(starts)
    ranges = {
        axis % x.rank: movement.normal_range(start, end, step, x.shape[axis])
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True)
    }
    return movement.cut(call.session, x, ranges)


@converts("Pad")
def pad(call: Call) -> Value:
    x = call[0]
    pads = call.list_of("pads", 1) or call.integers("paddings") or ()
    axes = call.known_integers(3) or tuple(range(x.rank))
    if len(pads) != 2 * len(axes):
        raise CannotImportError(f"has {len(pads)} pads for {len(axes)} axes")
    sides = {
        axis % x.rank: (pads[index], pads[index + len(axes)]) for index, axis in enumerate(axes)
    }
    mode = call.attribute("mode", "constant")
    if mode not in ("constant", "reflect", "edge"):
        raise CannotImportError(f"has the mode {mode!r}")
    value = call.real("value", call.known_real(2, 0.0))
    return movement.pad(call.session, x, sides, mode, value)


@converts("Gather")
def gather(call: Call) -> Value:
    return movement.gather(call.session, call[0], call[1], call.integer("axis", 0))


@converts("Expand")
def expand(call: Call) -> Value:
    return movement.expand(call.session, call[0], call.known_integers(1) or ())


@converts("Tile")
def tile(call: Call) -> Value:
    return movement.tile(call.session, call[0], call.known_integers(1) or ())


@converts("DepthToSpace")
def depth_to_space(call: Call) -> Value:
    depth_first = call.attribute("mode", "DCR") == "DCR"
    return movement.depth_to_space(call.session, call[0], call.integer("blocksize", 0), depth_first)


@converts("SpaceToDepth")
def space_to_depth(call: Call) -> Value:
    depth_first = call.attribute("mode", "DCR") == "DCR"
    return movement.space_to_depth(call.session, call[0], call.integer("blocksize", 0), depth_first)


_REAL = (1, 10, 11, 16)


@converts("Cast")
def cast(call: Call) -> Value:
    """Between floats nothing; from 8-bit integers, a dequantization of step 1."""
    x, target = call[0], call.integer("to", 0)
    if x.dtype == "float32" and target in _REAL:
        return x
    if x.dtype in ("int8", "uint8") and target in _REAL:
        tensors = call.session.builder.tensors
        if tensors[x.tensor].quant is None:
            zero = -128 if x.dtype == "uint8" else 0
            call.session.set_quant(x, Quant((1.0,), (zero,)))
            return call.emit(Dequantize(), x)
    raise CannotImportError(f"casts {x.dtype} to element type {target}")


@converts("CastLike")
def cast_like(call: Call) -> Value:
    if call[0].dtype == call[1].dtype == "float32":
        return call[0]
    raise CannotImportError(f"casts {call[0].dtype} to {call[1].dtype}")
