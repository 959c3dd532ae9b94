"""Pooling and resizing of images."""

from __future__ import annotations

import math

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import layout
from netsuke.frontend.tflite.operators.convolution import positive_pair, window_padding
from netsuke.frontend.tflite.operators.fused import fused_bounds
from netsuke.frontend.tflite.registry import converts
from netsuke.frontend.tflite.scope import Unsupported
from netsuke.ops import AveragePool2d, Clamp, MaxPool2d, Resize
from netsuke.ops.window import Pads

POOL_2D = layout(
    "Pool2DOptions",
    "padding: byte; stride_w: int; stride_h: int; filter_width: int; filter_height: int;"
    "fused_activation_function: byte",
    union=5,
)
RESIZE_BILINEAR = layout(
    "ResizeBilinearOptions",
    "_new_height: int; _new_width: int; align_corners: bool; half_pixel_centers: bool",
    union=15,
)
RESIZE_NEAREST = layout(
    "ResizeNearestNeighborOptions", "align_corners: bool; half_pixel_centers: bool", union=74
)
TAPS_LIMIT = 1 << 21
SIDE_LIMIT = 1 << 15


def _window(call: Call, x: str) -> tuple[tuple[int, int], tuple[int, int], Pads, float, float]:
    """(kernel, stride, padding, low, high) of a pooling."""
    options = call.options(POOL_2D)
    kernel = positive_pair(call, options, "filter_height", "filter_width")
    stride = positive_pair(call, options, "stride_h", "stride_w")
    h, w, _ = call.stored(x)[2]
    if max(h * kernel[0], w * kernel[1], h * w) > TAPS_LIMIT:
        call.fail(f"slides a window of {kernel} over {h} x {w} pixels")
    padding = window_padding(call, options, x, kernel, stride)
    return kernel, stride, padding, *fused_bounds(options)


@converts("AVERAGE_POOL_2D")
def average_pool_2d(call: Call) -> None:
    x = call.sample(0, rank=3)
    kernel, stride, padding, low, high = _window(call, x)
    call.emit(AveragePool2d(kernel, stride, padding, low=low, high=high), [x])


@converts("MAX_POOL_2D")
def max_pool_2d(call: Call) -> None:
    x = call.sample(0, rank=3)
    kernel, stride, padding, low, high = _window(call, x)
    op = MaxPool2d(kernel, stride, padding=padding)
    if low == -math.inf:
        call.emit(op, [x])
        return
    if call.scope.activation_type(call.output(0))[1] != call.stored(x)[1]:
        raise Unsupported("moves integers from one quantization into another")
    call.emit(Clamp(low, high), [call.step(op, x, like=x)])


def _size(call: Call) -> tuple[int, int]:
    size = call.integers(1)
    if len(size) != 2 or not all(1 <= extent <= SIDE_LIMIT for extent in size):
        call.fail(f"has the size {list(size)}")
    return size[0], size[1]


def _coordinates(align_corners: bool, half_pixel: bool) -> str:
    if align_corners:
        return "align_corners"
    return "half_pixel" if half_pixel else "asymmetric"


@converts("RESIZE_BILINEAR")
def resize_bilinear(call: Call) -> None:
    options = call.options(RESIZE_BILINEAR)
    coordinates = _coordinates(options.flag("align_corners"), options.flag("half_pixel_centers"))
    x = call.sample(0, rank=3)
    call.emit(Resize(_size(call), "bilinear", coordinates), [x])


@converts("RESIZE_NEAREST_NEIGHBOR")
def resize_nearest_neighbor(call: Call) -> None:
    options = call.options(RESIZE_NEAREST)
    align, half = options.flag("align_corners"), options.flag("half_pixel_centers")
    rounding = "round_prefer_ceil" if align or half else "floor"
    x = call.sample(0, rank=3)
    call.emit(Resize(_size(call), "nearest", _coordinates(align, half), rounding), [x])
