"""Pooling."""

from __future__ import annotations

from netsuke.frontend.nchw import pooling
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.onnx.operators.convolution import window_padding, window_steps
from netsuke.frontend.onnx.registry import Call, converts


def _kernel(call: Call) -> tuple[int, ...]:
    kernel = call.integers("kernel_shape")
    if not kernel:
        raise CannotImportError("has no kernel_shape")
    return kernel


@converts("MaxPool")
def max_pool(call: Call) -> Value:
    call.refuse_output(1, "Indices")
    x, kernel = call[0], _kernel(call)
    strides, dilations = window_steps(call, len(kernel))
    padding = window_padding(call, x, kernel)
    ceil = call.flag("ceil_mode")
    return pooling.max_pool(call.session, x, kernel, strides, dilations, padding, ceil)


@converts("AveragePool")
def average_pool(call: Call) -> Value:
    x, kernel = call[0], _kernel(call)
    strides, dilations = window_steps(call, len(kernel))
    return pooling.average_pool(
        call.session,
        x,
        kernel,
        strides,
        dilations,
        window_padding(call, x, kernel),
        call.flag("ceil_mode"),
        call.flag("count_include_pad"),
    )


@converts("GlobalAveragePool")
def global_average_pool(call: Call) -> Value:
    return pooling.global_average_pool(call.session, call[0])


@converts("GlobalMaxPool")
def global_max_pool(call: Call) -> Value:
    return pooling.global_max_pool(call.session, call[0])
