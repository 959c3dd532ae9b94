"""Operators that repeat, turn round or regroup elements."""

from __future__ import annotations

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import Layout, layout
from netsuke.frontend.tflite.registry import converts
from netsuke.frontend.tflite.scope import Unsupported
from netsuke.ops import Expand, Reshape, Slice, Transpose

SPACE_TO_DEPTH = layout("SpaceToDepthOptions", "block_size: int", union=19)
DEPTH_TO_SPACE = layout("DepthToSpaceOptions", "block_size: int", union=94)


@converts("BROADCAST_TO")
def broadcast_to(call: Call) -> None:
    value, shape = call.value(0), call.integers(1)
    missing = len(shape) - len(value.shape)
    if missing < 0 or not all(1 <= extent < 1 << 31 for extent in shape):
        call.fail(f"broadcasts {list(value.shape)} to {list(shape)}")
    if value.batch is None:
        call.emit(Expand(shape), [value.name], None)
        return
    batch = value.batch + missing
    if shape[batch] != call.scope.batch:
        raise Unsupported("works across the batch")
    call.emit(Expand((*shape[:batch], *shape[batch + 1 :])), [value.name], batch)


@converts("REVERSE_V2")
def reverse(call: Call) -> None:
    value = call.value(0)
    axes = {call.sample_axis(value, axis) for axis in call.integers(1)}
    ranges = tuple(
        (extent - 1, extent, -1) if axis in axes else (0, extent, 1)
        for axis, extent in enumerate(call.stored(value.name)[2])
    )
    call.emit(Slice(ranges), [value.name], value.batch)


def _regroup(call: Call, options: Layout) -> tuple[str, int, tuple[int, int, int]]:
    """(image, block, its shape)."""
    x = call.sample(0, rank=3)
    block = call.options(options).integer("block_size")
    h, w, c = call.stored(x)[2]
    if not 1 <= block <= 1 << 15:
        call.fail(f"has blocks of {block}")
    return x, block, (h, w, c)


@converts("SPACE_TO_DEPTH")
def space_to_depth(call: Call) -> None:
    x, n, (h, w, c) = _regroup(call, SPACE_TO_DEPTH)
    if h % n or w % n:
        call.fail(f"cuts {h} x {w} pixels into blocks of {n}")
    split = call.step(Reshape((h // n, n, w // n, n, c)), x, like=x)
    turned = call.step(Transpose((0, 2, 1, 3, 4)), split, like=x)
    call.emit_reshape(turned, (h // n, w // n, n * n * c))


@converts("DEPTH_TO_SPACE")
def depth_to_space(call: Call) -> None:
    x, n, (h, w, c) = _regroup(call, DEPTH_TO_SPACE)
    if c % (n * n):
        call.fail(f"makes blocks of {n} x {n} pixels of {c} channels")
    split = call.step(Reshape((h, w, n, n, c // (n * n))), x, like=x)
    turned = call.step(Transpose((0, 2, 1, 3, 4)), split, like=x)
    call.emit_reshape(turned, (h * n, w * n, c // (n * n)))
