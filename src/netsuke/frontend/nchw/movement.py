"""Operators that move elements and compute nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from netsuke.frontend.nchw.session import Session, shown_axis
from netsuke.frontend.nchw.value import CannotImportError, Value, surviving_axis, without
from netsuke.ops import Concat, Expand, Gather, Pad, Slice, Split


def reshape(session: Session, x: Value, shape: Sequence[int]) -> Value:
    """Another shape; the batch axis is found again if it survives."""
    if math.prod(shape) != math.prod(x.shape):
        raise CannotImportError(f"cannot reshape {list(x.shape)} to {list(shape)}")
    if x.batch is None:
        return session.reshape(x, shape, None)
    batch = surviving_axis(x.shape, x.batch, shape)
    if batch is None:
        x = session.whole(x)
    return session.reshape(x, shape, batch)


def flatten(session: Session, x: Value, axis: int) -> Value:
    """(product of the axes before `axis`, product of the others)."""
    axis = axis + x.rank if axis < 0 else axis
    if not 0 <= axis <= x.rank:
        raise CannotImportError(f"flattens {list(x.shape)} at axis {axis}")
    return reshape(session, x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


def squeeze(session: Session, x: Value, axes: Sequence[int] | None) -> Value:
    """Drop axes of extent 1, by default all."""
    if axes is None:
        axes = [i for i, extent in enumerate(x.shape) if extent == 1 and i != x.batch]
    gone = {shown_axis(x, axis) for axis in axes}
    if any(x.shape[axis] != 1 for axis in gone):
        raise CannotImportError(f"cannot squeeze axes {sorted(gone)} of {list(x.shape)}")
    x = session.free(x, *gone)
    shape = [extent for axis, extent in enumerate(x.shape) if axis not in gone]
    batch = None if x.batch is None else x.batch - sum(axis < x.batch for axis in gone)
    return session.reshape(x, shape, batch)


def unsqueeze(session: Session, x: Value, axes: Sequence[int]) -> Value:
    """Insert axes of extent 1 at these places of the result."""
    rank = x.rank + len(axes)
    new = {axis + rank if axis < 0 else axis for axis in axes}
    if len(new) != len(axes) or not all(0 <= axis < rank for axis in new):
        raise CannotImportError(f"cannot insert axes {list(axes)} into {list(x.shape)}")
    old = [axis for axis in range(rank) if axis not in new]
    shape = [1] * rank
    for axis, extent in zip(old, x.shape, strict=True):
        shape[axis] = extent
    return session.reshape(x, shape, None if x.batch is None else old[x.batch])


def cut(session: Session, x: Value, ranges: Mapping[int, tuple[int, int, int]]) -> Value:
    """Take (start, count, step) of some axes."""
    wanted = {shown_axis(x, axis): triple for axis, triple in ranges.items()}
    wanted = {a: r for a, r in wanted.items() if r != (0, x.shape[a], 1)}
    if not wanted:
        return x
    x = session.free(x, *wanted)
    triples = [
        wanted.get(axis, (0, extent, 1)) for axis, extent in enumerate(x.shape) if axis != x.batch
    ]
    if any(count < 1 for _, count, _ in triples):
        raise CannotImportError(f"a slice of {list(x.shape)} is empty")
    return session.emit(Slice(tuple(triples)), x)


def normal_range(start: int, stop: int, step: int, extent: int) -> tuple[int, int, int]:
    """(start, count, step) of Python's ``start:stop:step`` on so many elements."""
    if step == 0:
        raise CannotImportError("a slice has step 0")
    if step < 0 and stop < -extent:
        indices = range(extent)[start::step] if start < extent else range(extent)[::step]
    else:
        indices = range(extent)[start:stop:step]
    return (indices.start if len(indices) else 0), len(indices), step


def concat(session: Session, values: Sequence[Value], axis: int) -> Value:
    """Join values along an axis."""
    axis = shown_axis(values[0], axis)
    if any(value.rank != values[0].rank for value in values):
        raise CannotImportError("joins values of different rank")
    values = [value for value in values if value.shape[axis]] or values[:1]
    batches = {value.batch for value in values if value.data is None}
    batch = next(iter(batches)) if len(batches) == 1 else None
    if batch is None or batch == axis:
        values = [session.whole(value) for value in values]
        batch = None
    else:
        values = [session.hide(value, batch) for value in values]
    if len(values) == 1:
        return values[0]
    position = axis - (batch is not None and axis > batch)
    return session.emit(Concat(position), *values, batch=batch)


def split(session: Session, x: Value, axis: int, sizes: Sequence[int]) -> tuple[Value, ...]:
    """Cut along an axis into pieces of these sizes."""
    axis = shown_axis(x, axis)
    if sum(sizes) != x.shape[axis] or min(sizes, default=-1) < 0:
        raise CannotImportError(f"cannot split {x.shape[axis]} into {list(sizes)}")
    full = tuple(size for size in sizes if size)
    parts: tuple[Value, ...] = (x,)
    if len(full) > 1:
        x = session.free(x, axis)
        op = Split(session.axis(x, axis), full)
        parts = session.emit_all(op, x, batches=[x.batch] * len(full))
    remaining = iter(parts)
    return tuple(next(remaining) if size else _nothing(session, x, axis) for size in sizes)


def _nothing(session: Session, x: Value, axis: int) -> Value:
    """A value like x with no elements along an axis, which only Concat can use."""
    shape = tuple(0 if i == axis else extent for i, extent in enumerate(x.shape))
    empty = session.constant("nothing", np.zeros(without(shape, x.batch), np.float32))
    return replace(empty, shape=shape, batch=x.batch)


def pad(
    session: Session, x: Value, padding: Mapping[int, tuple[int, int]], mode: str, value: float
) -> Value:
    """Add (negative: take away) elements before and behind axes."""
    padding = {a: p for a, p in padding.items() if p != (0, 0)}
    if any(before < 0 or after < 0 for before, after in padding.values()):
        kept = {
            axis: (max(-before, 0), x.shape[axis] + min(before, 0) + min(after, 0), 1)
            for axis, (before, after) in padding.items()
        }
        x = cut(session, x, kept)
        padding = {axis: (max(b, 0), max(a, 0)) for axis, (b, a) in padding.items()}
    if not any(p != (0, 0) for p in padding.values()):
        return x
    x = session.free(x, *padding)
    sides = tuple(padding.get(axis, (0, 0)) for axis in range(x.rank) if axis != x.batch)
    return session.emit(Pad(sides, value, mode), x)


def gather(session: Session, x: Value, indices: Value, axis: int) -> Value:
    """Elements of constant places along an axis; the axes of the indices take its place."""
    if indices.data is None:
        raise CannotImportError("the indices must be constant, they are computed")
    x = session.free(x, axis)
    shown = shown_axis(x, axis)
    places = indices.data.astype(np.int64)
    extent = x.shape[shown]
    if places.size == 0 or places.min() < -extent or places.max() >= extent:
        raise CannotImportError(f"gathers outside the {extent} elements of axis {axis}")
    known = session.constant(indices.label, (places % extent).astype(np.int32))
    batch = x.batch
    if batch is not None and batch > shown:
        batch += places.ndim - 1
    return session.emit(Gather(session.axis(x, axis)), x, known, batch=batch)


def expand(session: Session, x: Value, shape: Sequence[int]) -> Value:
    """Broadcast to at least this shape."""
    try:
        wanted = np.broadcast_shapes(x.shape, tuple(shape))
    except ValueError:
        raise CannotImportError(f"cannot expand {list(x.shape)} to {list(shape)}") from None
    if wanted == x.shape:
        return x
    if x.batch is None:
        return session.emit(Expand(wanted), x, batch=None)
    batch = x.batch + len(wanted) - x.rank
    if wanted[batch] != x.shape[x.batch]:
        x = session.whole(x)
        return session.emit(Expand(wanted), x, batch=None)
    stored = tuple(extent for axis, extent in enumerate(wanted) if axis != batch)
    return session.emit(Expand(stored), x, batch=batch)


def tile(session: Session, x: Value, repeats: Sequence[int]) -> Value:
    """Repeat along axes."""
    if len(repeats) != x.rank or min(repeats, default=1) < 1 or max(repeats, default=1) > 256:
        raise CannotImportError(f"cannot repeat {list(x.shape)} {list(repeats)} times")
    for axis, count in enumerate(repeats):
        if count > 1:
            x = concat(session, [x] * count, axis)
    return x


def depth_to_space(session: Session, x: Value, block: int, depth_first: bool) -> Value:
    """Channels to pixels: (n, c·b², h, w) -> (n, c, h·b, w·b)."""
    x = session.hide(x)
    n, c, h, w = _planes(x, block * block)
    if depth_first:
        parts, axes = (n, block, block, c, h, w), (0, 3, 4, 1, 5, 2)
    else:
        parts, axes = (n, c, block, block, h, w), (0, 1, 4, 2, 5, 3)
    y = session.transpose(session.reshape(x, parts, 0), axes)
    return session.reshape(y, (n, c, h * block, w * block), 0)


def space_to_depth(session: Session, x: Value, block: int, depth_first: bool = True) -> Value:
    """Pixels to channels: (n, c, h·b, w·b) -> (n, c·b², h, w)."""
    x = session.hide(x)
    n, c, h, w = _planes(x, 1)
    if block < 1 or h % block or w % block:
        raise CannotImportError(f"blocks of {block} do not divide {list(x.shape)}")
    parts = (n, c, h // block, block, w // block, block)
    axes = (0, 3, 5, 1, 2, 4) if depth_first else (0, 1, 3, 5, 2, 4)
    y = session.transpose(session.reshape(x, parts, 0), axes)
    return session.reshape(y, (n, c * block * block, h // block, w // block), 0)


def _planes(x: Value, divisor: int) -> tuple[int, int, int, int]:
    if x.rank != 4 or divisor < 1 or x.shape[1] % divisor:
        raise CannotImportError(f"cannot be applied to {list(x.shape)}")
    n, c, h, w = x.shape
    return n, c // divisor, h, w
