"""Operators that move elements, and constants made from sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netsuke.frontend.nchw import movement
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.torch.registry import Call, converts


@converts("view", "reshape", "_unsafe_view", "_reshape_alias")
def view(call: Call) -> Value:
    wanted = list(call.integers("size" if "size" in call.arguments else "shape"))
    return _view(call, wanted)


def _view(call: Call, wanted: list[int]) -> Value:
    if wanted.count(-1) > 1:
        raise CannotImportError(f"has the impossible shape {wanted}")
    if -1 in wanted:
        rest = math.prod(extent for extent in wanted if extent != -1)
        wanted[wanted.index(-1)] = math.prod(call.x.shape) // max(rest, 1)
    return movement.reshape(call.session, call.x, wanted)


@converts("flatten")
def flatten(call: Call) -> Value:
    shape = call.x.shape
    first, last = (int(call[name]) % max(len(shape), 1) for name in ("start_dim", "end_dim"))
    middle = math.prod(shape[first : last + 1])
    return _view(call, [*shape[:first], middle, *shape[last + 1 :]])


@converts("unflatten")
def unflatten(call: Call) -> Value:
    shape = call.x.shape
    axis = int(call["dim"]) % len(shape)
    sizes = list(call.integers("sizes"))
    if -1 in sizes:
        rest = math.prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = shape[axis] // max(rest, 1)
    return _view(call, [*shape[:axis], *sizes, *shape[axis + 1 :]])


@converts("permute")
def permute(call: Call) -> Value:
    return call.session.transpose(call.x, [axis % call.x.rank for axis in call.integers("dims")])


@converts("transpose", "swapaxes")
def transpose(call: Call) -> Value:
    _, first, second = list(call.arguments.values())[:3]
    order = list(range(call.x.rank))
    order[first], order[second] = order[second], order[first]
    return call.session.transpose(call.x, order)


@converts("t", "numpy_T")
def turn(call: Call) -> Value:
    return call.session.transpose(call.x, list(reversed(range(call.x.rank))))


@converts("squeeze")
def squeeze(call: Call) -> Value:
    """PyTorch leaves axes of another extent than 1 alone."""
    x = call.x
    if call.get("dim") is None:
        return movement.squeeze(call.session, x, None)
    axes = [axis for axis in call.integers("dim") if x.shape[axis] == 1]
    return movement.squeeze(call.session, x, axes)


@converts("unsqueeze")
def unsqueeze(call: Call) -> Value:
    return movement.unsqueeze(call.session, call.x, [int(call["dim"])])


def _tensors(call: Call) -> Sequence[Value]:
    tensors = call["tensors"]
    if not tensors or not all(isinstance(value, Value) for value in tensors):
        raise CannotImportError("joins something other than tensors")
    return list(tensors)


@converts("cat", "concat")
def cat(call: Call) -> Value:
    return movement.concat(call.session, _tensors(call), int(call.get("dim", 0)))


@converts("stack")
def stack(call: Call) -> Value:
    axis = int(call.get("dim", 0))
    opened = [movement.unsqueeze(call.session, value, [axis]) for value in _tensors(call)]
    return movement.concat(call.session, opened, axis)


def _pieces(extent: int, size: int) -> list[int]:
    if size < 1:
        raise CannotImportError(f"splits into pieces of {size}")
    return [min(size, extent - start) for start in range(0, extent, size)]


@converts("split", "split_with_sizes", "split_with_sizes_copy", "split_copy", "unsafe_split")
def split(call: Call) -> tuple[Value, ...]:
    axis = int(call.get("dim", 0))
    given = call["split_sizes"] if "split_sizes" in call.arguments else call["split_size"]
    extent = call.x.shape[axis]
    sizes = [int(s) for s in given] if isinstance(given, list) else _pieces(extent, int(given))
    return movement.split(call.session, call.x, axis, sizes)


@converts("chunk", "unsafe_chunk")
def chunk(call: Call) -> tuple[Value, ...]:
    axis = int(call.get("dim", 0))
    extent = call.x.shape[axis]
    sizes = _pieces(extent, -(-extent // max(int(call["chunks"]), 1)))
    return movement.split(call.session, call.x, axis, sizes)


@converts("unbind")
def unbind(call: Call) -> tuple[Value, ...]:
    axis = int(call.get("dim", 0))
    pieces = movement.split(call.session, call.x, axis, [1] * call.x.shape[axis])
    return tuple(movement.squeeze(call.session, piece, [axis]) for piece in pieces)


@converts("slice", "slice_copy")
def slice_(call: Call) -> Value:
    axis = int(call.get("dim", 0))
    extent = call.x.shape[axis]
    start, stop = int(call.get("start", 0)), int(call.get("end", extent))
    triple = movement.normal_range(start, stop, int(call.get("step", 1)), extent)
    return movement.cut(call.session, call.x, {axis: triple})


@converts("flip")
def flip(call: Call) -> Value:
    shape = call.x.shape
    ranges = {axis: (shape[axis] - 1, shape[axis], -1) for axis in call.integers("dims")}
    return movement.cut(call.session, call.x, ranges)


@converts("roll")
def roll(call: Call) -> Value:
    """What leaves at the end of an axis comes back at its beginning."""
    s, x = call.session, call.x
    for shift, axis in zip(call.integers("shifts"), call.integers("dims"), strict=True):
        extent = x.shape[axis]
        first = -shift % extent
        if first:
            tail = movement.cut(s, x, {axis: (first, extent - first, 1)})
            x = movement.concat(s, [tail, movement.cut(s, x, {axis: (0, first, 1)})], axis)
    return x


@converts("narrow")
def narrow(call: Call) -> Value:
    axis, start, length = int(call["dim"]), int(call["start"]), int(call["length"])
    return movement.cut(call.session, call.x, {axis: (start % call.x.shape[axis], length, 1)})


@converts("select", "select_copy")
def select(call: Call) -> Value:
    axis, index = int(call["dim"]), int(call["index"])
    x = call.session.free(call.x, axis)
    piece = movement.cut(call.session, x, {axis: (index % x.shape[axis], 1, 1)})
    return movement.squeeze(call.session, piece, [axis])


@converts("index_select")
def index_select(call: Call) -> Value:
    return movement.gather(call.session, call.x, call["index"], int(call["dim"]))


@converts("expand", "expand_copy")
def expand(call: Call) -> Value:
    x, wanted = call.x, list(call.integers("size"))
    first = len(wanted) - x.rank
    wanted = [x.shape[i - first] if extent == -1 else extent for i, extent in enumerate(wanted)]
    return movement.expand(call.session, x, wanted)


@converts("repeat")
def repeat(call: Call) -> Value:
    x, counts = call.x, call.integers("repeats")
    if len(counts) > x.rank:
        x = movement.unsqueeze(call.session, x, range(len(counts) - x.rank))
    return movement.tile(call.session, x, counts)


_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}


def _pad(call: Call, pads: Sequence[int], mode: str, value: float) -> Value:
    """PyTorch lists the pads of the last axis first."""
    sides = {-1 - i: (pads[2 * i], pads[2 * i + 1]) for i in range(len(pads) // 2)}
    shown = {axis % call.x.rank: pair for axis, pair in sides.items()}
    return movement.pad(call.session, call.x, shown, mode, value)


@converts("constant_pad_nd")
def constant_pad(call: Call) -> Value:
    return _pad(call, call.integers("pad"), "constant", float(call.get("value", 0.0)))


@converts("pad")
def pad(call: Call) -> Value:
    mode = _MODES.get(call.get("mode", "constant"))
    if mode is None:
        raise CannotImportError(f"has the mode {call['mode']!r}")
    return _pad(call, call.integers("pad"), mode, float(call.get("value", 0.0)))


@converts("reflection_pad1d", "reflection_pad2d")
def reflection_pad(call: Call) -> Value:
    return _pad(call, call.integers("padding"), "reflect", 0.0)


@converts("replication_pad1d", "replication_pad2d")
def replication_pad(call: Call) -> Value:
    return _pad(call, call.integers("padding"), "edge", 0.0)


@converts("pixel_shuffle")
def pixel_shuffle(call: Call) -> Value:
    return movement.depth_to_space(call.session, call.x, int(call["upscale_factor"]), False)


@converts("pixel_unshuffle")
def pixel_unshuffle(call: Call) -> Value:
    return movement.space_to_depth(call.session, call.x, int(call["downscale_factor"]), False)


_MOST_ELEMENTS = 1 << 24


def _filled(call: Call, number: float) -> Value:
    size = call.integers("size")
    if math.prod(size) > _MOST_ELEMENTS:
        raise CannotImportError(f"makes a constant of {math.prod(size):,} elements")
    return call.session.constant(call.session.next_label, np.full(size, number, np.float32))


@converts("zeros")
def zeros(call: Call) -> Value:
    return _filled(call, 0.0)


@converts("ones")
def ones(call: Call) -> Value:
    return _filled(call, 1.0)


@converts("full")
def full(call: Call) -> Value:
    return _filled(call, float(call["fill_value"]))


@converts("arange")
def arange(call: Call) -> Value:
    start, end = call.get("start", 0), call["end"]
    places = np.arange(start, end, call.get("step", 1))
    if places.size > _MOST_ELEMENTS:
        raise CannotImportError(f"counts to {end:,}")
    return call.session.constant(call.session.next_label, places)


@converts("sym_size")
def sym_size(call: Call) -> Value:
    raise CannotImportError("asks for an open extent")
