"""Fully connected layers and matrix products."""

from __future__ import annotations

import math

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import layout
from netsuke.frontend.tflite.operators.fused import fused_bounds
from netsuke.frontend.tflite.operators.weights import add_weights, layer_bias, layer_weights
from netsuke.frontend.tflite.registry import converts
from netsuke.frontend.tflite.scope import Unsupported, Value
from netsuke.ops import Dense, Matmul, Transpose

FULLY_CONNECTED = layout(
    "FullyConnectedOptions",
    "fused_activation_function: byte; weights_format: byte; keep_num_dims: bool;"
    "asymmetric_quantize_inputs: bool",
    union=8,
)
BATCH_MATMUL = layout("BatchMatMulOptions", "adj_x: bool; adj_y: bool", union=101)


@converts("FULLY_CONNECTED")
def fully_connected(call: Call) -> None:
    options = call.options(FULLY_CONNECTED)
    if options.integer("weights_format"):
        raise Unsupported("has shuffled weights")
    value = call.value(0)
    array, quant = layer_weights(call, 1, value.name, rank=2, channel_axis=0)
    units, depth = array.shape
    low, high = fused_bounds(options)
    weights = add_weights(call, 1, array, quant)
    bias = layer_bias(call, 2, value.name, units)
    if options.flag("keep_num_dims"):
        x, batch = _last_axis(call, value)
    else:
        x, batch = _flat(call, value, depth)
    call.emit(Dense(low, high), [x, weights, bias], batch)


def _last_axis(call: Call, value: Value) -> tuple[str, int | None]:
    """The input as it is, its last axis being one of the sample."""
    if value.batch is not None and value.batch == len(value.shape) - 1:
        return call.scope.view(value, None), None
    return value.name, value.batch


def _flat(call: Call, value: Value, depth: int) -> tuple[str, int | None]:
    """The input as rows of `depth` elements; one row a sample has no axis of rows."""
    total = math.prod(value.shape)
    if total % depth:
        call.fail(f"has weights of depth {depth} for {total} elements")
    if value.batch == 0 and total // value.shape[0] == depth:
        return call.scope.reshape(value.name, (depth,)), 0
    return call.scope.reshape(call.scope.ordered(value), (total // depth, depth)), None


@converts("BATCH_MATMUL")
def batch_matmul(call: Call) -> None:
    options = call.options(BATCH_MATMUL)
    a, b = call.value(0), call.value(1)
    rank = max(len(a.shape), len(b.shape))
    if min(len(a.shape), len(b.shape)) < 2:
        call.fail(f"multiplies the shapes {list(a.shape)} and {list(b.shape)}")
    names = [call.scope.view(value, _outer_batch(value, rank)) for value in (a, b)]
    for number, adjoint in enumerate((options.flag("adj_x"), options.flag("adj_y"))):
        if adjoint:
            name = names[number]
            axes = list(range(len(call.stored(name)[2])))
            axes[-2:] = reversed(axes[-2:])
            names[number] = call.step(Transpose(tuple(axes)), name, like=name)
    batched = any(_outer_batch(value, rank) is not None for value in (a, b))
    call.emit(Matmul(), names, 0 if batched else None)


def _outer_batch(value: Value, rank: int) -> int | None:
    """Axis 0 where it is not one of the two that are multiplied, and has extent 1."""
    outer = len(value.shape) == rank and rank > 2
    return 0 if outer and (value.batch == 0 or value.shape[0] == 1) else None
