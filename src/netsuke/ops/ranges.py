"""How operators carry ranges of values along; see `netsuke.ir.Op.value_ranges`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Protocol, runtime_checkable

import numpy as np

from netsuke.ir import Addends, Array, Op, Range, Tensor, possible_range
from netsuke.ops.requant import Requant

LIMIT = float(np.finfo(np.float32).max)

Ranges = tuple[Range, ...]


@runtime_checkable
class Accumulating(Protocol):
    """An operator that clamps a bias plus a sum of weighted inputs."""

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...

    def requant(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Requant: ...


def corner_ranges(
    op: Op, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
) -> Ranges:
    """Ranges of an elementwise operator that rises or falls in each of its inputs: its corners."""
    ends = [(r.low,) if r.low is r.high else (r.low, r.high) for r in known]
    results = [_compute(op, inputs, outputs, corner) for corner in product(*ends)]
    return tuple(
        _hull(output, [result[number] for result in results])
        for number, output in enumerate(outputs)
    )


def point_ranges(
    op: Op, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
) -> Ranges:
    """Ranges of any elementwise operator: known only where all inputs are."""
    points = np.ones((), bool)
    for each in known:
        points = points & (each.low == each.high)
    if not points.any():
        return tuple(map(possible_range, outputs))
    values = _compute(op, inputs, outputs, [each.low for each in known])
    ranges = []
    for output, value in zip(outputs, values, strict=True):
        exact, wide = _hull(output, [value]), possible_range(output)
        low, high = np.where(points, exact.low, wide.low), np.where(points, exact.high, wide.high)
        ranges.append(Range(low, high))
    return tuple(ranges)


def rising_ranges(
    op: Op, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
) -> Ranges:
    """Ranges of an operator on whole tensors that falls in none of its inputs."""
    if not any(_tells(tensor, each) for tensor, each in zip(inputs, known, strict=True)):
        return tuple(map(possible_range, outputs))
    shapes = [tensor.shape for tensor in inputs]
    sides = [
        _compute(op, inputs, outputs, list(map(np.broadcast_to, ends, shapes)))
        for ends in ([each.low for each in known], [each.high for each in known])
    ]
    return tuple(
        _shortened(_hull(output, [side[number] for side in sides]))
        for number, output in enumerate(outputs)
    )


def _tells(tensor: Tensor, known: Range) -> bool:
    """Whether a range says more of an activation than its type does."""
    if tensor.is_constant:
        return False
    wide = possible_range(tensor)
    return bool((known.low > wide.low).any() or (known.high < wide.high).any())


def _compute(
    op: Op, inputs: Sequence[Tensor], outputs: Sequence[Tensor], arrays: Sequence[Array]
) -> tuple[Array, ...]:
    with np.errstate(all="ignore"):
        if any(tensor.quant is not None for tensor in (*inputs, *outputs)):
            return op.quantized(inputs, outputs, *arrays)
        return op.reference(*arrays)


def _hull(output: Tensor, values: Sequence[Array]) -> Range:
    """The range that holds all these values; real numbers that overflow are unknown."""
    if output.dtype == "float32":
        low = np.min([np.nan_to_num(v, nan=-LIMIT, posinf=LIMIT, neginf=-LIMIT) for v in values], 0)
        high = np.max([np.nan_to_num(v, nan=LIMIT, posinf=LIMIT, neginf=-LIMIT) for v in values], 0)
        return Range(low.astype(np.float32), high.astype(np.float32))
    wide = [np.asarray(value, output.dtype) for value in values]
    return Range(np.min(wide, axis=0), np.max(wide, axis=0))


def _shortened(known: Range) -> Range:
    """The range with an extent of 1 along axes on which nothing changes."""
    low, high = known.low, known.high
    for axis in range(low.ndim):
        first = (slice(None),) * axis + (slice(0, 1),)
        if low.shape[axis] > 1 and (low == low[first]).all() and (high == high[first]).all():
            low, high = low[first], high[first]
    return Range(low, high)


def accumulated_ranges(
    op: Accumulating,
    filters: Array | None,
    groups: int,
    bordered: bool,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    known: Sequence[Range],
) -> Ranges | None:
    """Ranges of an operator that adds up weighted inputs, exact but for borders.

    Parameters
    ----------
    op
        The operator.
    filters
        Its weights as ``(k, taps, c / groups)``; None when they are no constant.
    groups
        Groups of channels.
    bordered
        Whether some taps may see a border (real zero) in place of a pixel.
    inputs, outputs, known
        As for `Op.value_ranges`.
    """
    bias = inputs[2].data
    if filters is None or bias is None:
        return None
    rising, falling = _tap_sums(inputs[1], filters, groups)
    low, high = _centred(inputs[0], known[0])
    if bordered:
        low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    low, high = low.reshape(groups, -1, 1), high.reshape(groups, -1, 1)
    least = (rising @ low + falling @ high).ravel() + bias
    most = (rising @ high + falling @ low).ravel() + bias
    if all(tensor.quant is None for tensor in (*inputs, *outputs)):
        bounds = max(op.low, -LIMIT), min(op.high, LIMIT)
        return (Range(*(np.clip(end, *bounds).astype(np.float32) for end in (least, most))),)
    requant = op.requant(inputs, outputs)
    return (Range(*(requant.apply(end.astype(np.int64)) for end in (least, most))),)


def filters_of(weights: Tensor, axis: int = 0) -> Array | None:
    """Constant weights as ``(k, taps, c)``: `axis` is that of outputs, the last that of inputs.

    Weights whose last axis is that of outputs belong to one input channel each: c is 1.
    """
    if weights.data is None:
        return None
    first = np.moveaxis(weights.data, axis, 0)
    return first.reshape(len(first), -1, 1 if axis else weights.shape[-1])


def fixed_addends(
    filters: Array | None,
    groups: int,
    bordered: bool,
    inputs: Sequence[Tensor],
    known: Sequence[Range],
) -> Addends | None:
    """What channels always add to the accumulators; parameters as for `accumulated_ranges`."""
    if filters is None or inputs[2].data is None:
        return None
    rising, falling = _tap_sums(inputs[1], filters, groups)
    low, high = _centred(inputs[0], known[0])
    unused = ((rising == 0.0) & (falling == 0.0)).all(axis=1).ravel()
    same = (low == high) & (low == 0.0) if bordered else low == high
    depth, outputs = filters.shape[2], len(filters) // groups
    amounts = np.zeros((len(low), len(filters)))
    for group, weights in enumerate(rising + falling):
        channels = slice(group * depth, (group + 1) * depth)
        units = slice(group * outputs, (group + 1) * outputs)
        amounts[channels, units] = weights.T * low[channels, None]
    return Addends(same | unused, amounts)


def _tap_sums(weights: Tensor, filters: Array, groups: int) -> tuple[Array, Array]:
    """Sums over taps of the positive and of the negative weights ``(groups, k, c)`` each.

    float64 holds them, and all sums of products with int8, exactly.
    """
    zero = weights.quant.zero_point[0] if weights.quant is not None else 0
    centred = filters.astype(np.int64) - zero if zero else filters
    shape = (groups, len(filters) // groups, filters.shape[2])
    return (
        np.maximum(centred, 0).sum(axis=1, dtype=np.float64).reshape(shape),
        np.minimum(centred, 0).sum(axis=1, dtype=np.float64).reshape(shape),
    )


def _centred(x: Tensor, known: Range) -> tuple[Array, Array]:
    """Bounds of channels as distances from zero, in float64."""
    zero = x.quant.zero_point[0] if x.quant is not None else 0
    low, high = known.of_channels(x.shape[-1])
    return low.astype(np.float64) - zero, high.astype(np.float64) - zero
