"""Weights and biases: constants that a layer multiplies with and adds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.model import FileTensor
from netsuke.frontend.tflite.scope import Unsupported
from netsuke.ir import Array, Quant


def layer_weights(
    call: Call, number: int, x: str, rank: int, channel_axis: int
) -> tuple[Array, Quant | None]:
    """Weights in the file's layout, in the element type that the input x asks for.

    Integer weights beside float activations are multiplied out: LiteRT would quantize the
    activations on the fly there, which no network was trained for.
    """
    array = call.array(number)
    if array.size == 0:
        call.fail(f"has weights without elements: {list(array.shape)}")
    if array.ndim != rank:
        raise Unsupported(f"has weights of shape {list(array.shape)}, not of {rank} axes")
    quant = call.quant(number)
    if quant is not None and quant.axis not in (None, channel_axis):
        raise Unsupported(f"has weights quantized along axis {quant.axis}, not {channel_axis}")
    dtype = call.stored(x)[0]
    if dtype == "float32":
        if array.dtype == np.float32:
            return array, None
        if quant is None or array.dtype != np.int8:
            raise Unsupported(f"multiplies float32 with {array.dtype}")
        call.scope.model.file.spend(8 * array.size)
        with np.errstate(all="ignore"):
            return quant.dequantize(array), None
    if dtype != "int8" or array.dtype != np.int8 or quant is None:
        raise Unsupported(f"multiplies {dtype} with {array.dtype}")
    return array, quant


def add_weights(
    call: Call, number: int, array: Array, quant: Quant | None, axis: int | None = None
) -> str:
    """Add weights to the graph; `axis` is where their channel axis went."""
    if quant is not None and quant.axis is not None and axis is not None:
        quant = replace(quant, axis=axis)
    return call.constant(call.tensor(number).name, np.ascontiguousarray(array), quant)


def layer_bias(call: Call, number: int, x: str, channels: int) -> str:
    """The bias of a layer, zeros where the file has none."""
    dtype = "float32" if call.stored(x)[0] == "float32" else "int32"
    if not call.has(number):
        return call.zeros("bias", channels, dtype)
    array = call.array(number)
    if array.size != channels:
        call.fail(f"has a bias of {array.size} elements for {channels} channels")
    if str(array.dtype) != dtype:
        raise Unsupported(f"adds a bias of {array.dtype} to {dtype} sums")
    quant = _bias_quant(call.tensor(number), channels) if dtype == "int32" else None
    return call.constant(call.tensor(number).name, array.reshape(channels), quant)


def _bias_quant(tensor: FileTensor, channels: int) -> Quant | None:
    """The bias's scales, for the record: kernels take them from the input and the weights."""
    quant = tensor.quant
    if quant is None or any(quant.zero_point) or len(quant.scale) not in (1, channels):
        return None
    if not all(0.0 < scale < math.inf for scale in quant.scale):
        return None
    axis = 0 if len(quant.scale) > 1 else None
    return Quant(quant.scale, quant.zero_point, axis, bits=32)
