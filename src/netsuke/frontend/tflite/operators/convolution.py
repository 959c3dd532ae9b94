"""Convolutions."""

from __future__ import annotations

import numpy as np

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import Table, layout
from netsuke.frontend.tflite.operators.fused import fused_bounds
from netsuke.frontend.tflite.operators.weights import add_weights, layer_bias, layer_weights
from netsuke.frontend.tflite.registry import converts
from netsuke.frontend.tflite.scope import Unsupported
from netsuke.ops import Conv2d, DepthwiseConv2d, TransposedConv2d
from netsuke.ops.window import Pads, same_padding

CONV_2D = layout(
    "Conv2DOptions",
    "padding: byte; stride_w: int; stride_h: int; fused_activation_function: byte;"
    "dilation_w_factor: int = 1; dilation_h_factor: int = 1",
    union=1,
)
DEPTHWISE_CONV_2D = layout(
    "DepthwiseConv2DOptions",
    "padding: byte; stride_w: int; stride_h: int; depth_multiplier: int;"
    "fused_activation_function: byte; dilation_w_factor: int = 1; dilation_h_factor: int = 1",
    union=2,
)
TRANSPOSE_CONV = layout(
    "TransposeConvOptions",
    "padding: byte; stride_w: int; stride_h: int; fused_activation_function: byte",
    union=49,
)
SAME, VALID = 0, 1
WINDOW_LIMIT = 1 << 16


def positive_pair(call: Call, options: Table, vertical: str, horizontal: str) -> tuple[int, int]:
    """Two fields that must be at least 1 and not absurd."""
    pair = options.integer(vertical), options.integer(horizontal)
    if not all(1 <= number <= WINDOW_LIMIT for number in pair):
        call.fail(f"has {vertical} and {horizontal} {pair}")
    return pair


def window_padding(
    call: Call,
    options: Table,
    x: str,
    kernel: tuple[int, ...],
    stride: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> Pads:
    """Padding of a sliding window over the image x."""
    scheme = options.integer("padding")
    if scheme == VALID:
        return (0, 0), (0, 0)
    if scheme != SAME:
        call.fail(f"has the unknown padding {scheme}")
    if any((k - 1) * d >= WINDOW_LIMIT for k, d in zip(kernel, dilation, strict=True)):
        call.fail(f"has a window of {kernel} with dilation {dilation}")
    h, w, _ = call.stored(x)[2]
    return (
        same_padding(h, kernel[0], stride[0], dilation[0]),
        same_padding(w, kernel[1], stride[1], dilation[1]),
    )


def _window(
    call: Call, options: Table, x: str, kernel: tuple[int, ...]
) -> tuple[tuple[int, int], tuple[int, int], Pads]:
    """(stride, dilation, padding) of a convolution, also of one that was put together again."""
    stride = positive_pair(call, options, "stride_h", "stride_w")
    dilation = positive_pair(call, options, "dilation_h_factor", "dilation_w_factor")
    operator = call.operator
    if operator.pads is None:
        return stride, dilation, window_padding(call, options, x, kernel, stride, dilation)
    if stride != (1, 1) or dilation != (1, 1) or options.integer("padding") != VALID:
        raise Unsupported("stands between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND with a stride")
    if max(*operator.dilation, *operator.pads[0], *operator.pads[1]) > WINDOW_LIMIT:
        call.fail(f"has dilation {operator.dilation} and padding {operator.pads}")
    return stride, operator.dilation, operator.pads


@converts("CONV_2D")
def conv_2d(call: Call) -> None:
    options = call.options(CONV_2D)
    x = call.sample(0, rank=3)
    array, quant = layer_weights(call, 1, x, rank=4, channel_axis=0)
    stride, dilation, padding = _window(call, options, x, array.shape[1:3])
    depth = call.stored(x)[2][2]
    if depth % array.shape[3]:
        call.fail(f"has weights {list(array.shape)} for {depth} channels")
    low, high = fused_bounds(options)
    op = Conv2d(stride, dilation, padding, depth // array.shape[3], low, high)
    weights = add_weights(call, 1, array, quant)
    call.emit(op, [x, weights, layer_bias(call, 2, x, array.shape[0])])


@converts("DEPTHWISE_CONV_2D")
def depthwise_conv_2d(call: Call) -> None:
    options = call.options(DEPTHWISE_CONV_2D)
    x = call.sample(0, rank=3)
    array, quant = layer_weights(call, 1, x, rank=4, channel_axis=3)
    if array.shape[0] != 1:
        call.fail(f"has weights {list(array.shape)}, whose first extent is not 1")
    stride, dilation, padding = _window(call, options, x, array.shape[1:3])
    low, high = fused_bounds(options)
    weights = add_weights(call, 1, array[0], quant, axis=2)
    bias = layer_bias(call, 2, x, array.shape[3])
    call.emit(DepthwiseConv2d(stride, dilation, padding, low, high), [x, weights, bias])


@converts("TRANSPOSE_CONV")
def transpose_conv(call: Call) -> None:
    """The file gives the shape of the output; what the full result has too much is cropped."""
    options = call.options(TRANSPOSE_CONV)
    target = call.integers(0)
    x = call.sample(2, rank=3)
    array, quant = layer_weights(call, 1, x, rank=4, channel_axis=0)
    stride = positive_pair(call, options, "stride_h", "stride_w")
    scheme = options.integer("padding")
    if len(target) != 4 or scheme not in (SAME, VALID):
        call.fail(f"has the output shape {list(target)} and padding {scheme}")
    crops, extra = [], []
    for axis in (0, 1):
        kernel, out = array.shape[1 + axis], target[1 + axis]
        if not 1 <= out <= WINDOW_LIMIT:
            call.fail(f"has the output shape {list(target)}")
        full = (call.stored(x)[2][axis] - 1) * stride[axis] + kernel
        before = same_padding(out, kernel, stride[axis])[0] if scheme == SAME else 0
        crops.append((before, max(full - before - out, 0)))
        extra.append(max(out + before - full, 0))
    low, high = fused_bounds(options)
    op = TransposedConv2d(
        stride,
        padding=(crops[0], crops[1]),
        output_padding=(extra[0], extra[1]),
        low=low,
        high=high,
    )
    weights = add_weights(call, 1, np.asarray(array), quant)
    call.emit(op, [x, weights, layer_bias(call, 3, x, array.shape[0])])
