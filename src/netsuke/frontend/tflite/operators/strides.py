"""The masks of STRIDED_SLICE."""

from __future__ import annotations

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import layout
from netsuke.frontend.tflite.scope import Unsupported

STRIDED_SLICE = layout(
    "StridedSliceOptions",
    "begin_mask: int; end_mask: int; ellipsis_mask: int; new_axis_mask: int;"
    "shrink_axis_mask: int; offset: bool",
    union=32,
)


def strided_ranges(
    call: Call, shape: tuple[int, ...]
) -> tuple[list[tuple[int, int, int]], list[int]]:
    """((start, count, step) of each axis, shape of the result), in the file's axes."""
    options = call.options(STRIDED_SLICE)
    begins, ends, steps = (call.integers(number) for number in (1, 2, 3))
    if not len(begins) == len(ends) == len(steps) <= 16:
        call.fail("has starts, stops and steps of different lengths")
    if options.integer("ellipsis_mask").bit_count() > 1:
        call.fail("has several ellipses")
    if options.flag("offset"):
        raise Unsupported("counts its stops from its starts")
    masks = {name: options.integer(name) for name in STRIDED_SLICE.fields if name != "offset"}
    ranges: list[tuple[int, int, int]] = []
    result: list[int] = []
    rest = sum(not masks["new_axis_mask"] >> i & 1 for i in range(len(begins)))
    for i, (begin, end, step) in enumerate(zip(begins, ends, steps, strict=True)):
        bits = {name: bool(mask >> i & 1) for name, mask in masks.items()}
        if bits["ellipsis_mask"]:
            rest -= 1
            for extent in shape[len(ranges) : len(shape) - rest]:
                ranges.append((0, extent, 1))
                result.append(extent)
            continue
        if bits["new_axis_mask"]:
            result.append(1)
            continue
        if len(ranges) >= len(shape) or step == 0:
            call.fail(f"cuts {list(shape)} with the steps {list(steps)}")
        rest -= 1
        extent = shape[len(ranges)]
        if bits["shrink_axis_mask"]:
            first = (0 if step > 0 else extent - 1) if bits["begin_mask"] else begin
            ranges.append((first + extent if first < 0 else first, 1, 1))
            continue
        start, stop, step = slice(
            None if bits["begin_mask"] else begin, None if bits["end_mask"] else end, step
        ).indices(extent)
        count = len(range(start, stop, step))
        ranges.append((start if count else 0, count, step))
        result.append(count)
    for extent in shape[len(ranges) :]:
        ranges.append((0, extent, 1))
        result.append(extent)
    return ranges, result
