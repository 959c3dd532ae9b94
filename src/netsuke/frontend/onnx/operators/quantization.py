"""QuantizeLinear, DequantizeLinear and the operators on integers (QOperator models).

The latter are imported as what they mean: dequantize, compute, quantize. `integers.to_integers`
then turns both kinds into integer nodes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netsuke.frontend.nchw.pointwise import add, multiply
from netsuke.frontend.nchw.pooling import global_average_pool
from netsuke.frontend.nchw.value import CannotImportError, Twin, Value
from netsuke.frontend.onnx.operators import convolution, linear, movement, pooling, reduction
from netsuke.frontend.onnx.registry import Call, converts
from netsuke.ir import Array, Quant
from netsuke.ops import Dequantize, LeakyRelu, Quantize, Sigmoid, Softmax

_BITS = {"int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "int32": 32}


def _quant(
    call: Call, scale: Array | None, zero: Array | None, dtype: str, axis: int, rank: int
) -> Quant:
    """A quantization from the file's scale and zero point; uint8 moves down by 128."""
    if scale is None:
        raise CannotImportError("has no scale")
    if zero is not None:
        dtype = str(zero.dtype)
    bits = _BITS.get(dtype)
    if bits is None:
        raise CannotImportError(f"quantizes to {dtype}, which is not supported")
    steps = np.asarray(scale, np.float64).reshape(-1)
    if not (np.isfinite(steps).all() and (steps > 0).all()):
        raise CannotImportError("has a scale that is not positive")
    zeros = np.zeros(len(steps), np.int64) if zero is None else zero.astype(np.int64).reshape(-1)
    if len(zeros) != len(steps):
        raise CannotImportError(f"has {len(steps)} scales, but {len(zeros)} zero points")
    if dtype.startswith("u"):
        zeros = zeros - (1 << (bits - 1))
    along = axis % rank if len(steps) > 1 and rank else None
    return Quant(tuple(steps.tolist()), tuple(zeros.tolist()), along, bits)


def dequantize(
    call: Call, x: Value, scale: Array | None, zero: Array | None, axis: int = 1
) -> Value:
    """Real values of integers; constants remember their integers."""
    quant = _quant(call, scale, zero, x.dtype, axis, x.rank)
    if x.data is not None:
        stored = x.data.astype(np.int64)
        if x.dtype.startswith("u"):
            stored = stored - (1 << (quant.bits - 1))
        narrow = stored.astype({8: np.int8, 16: np.int16, 32: np.int32}[quant.bits])
        real = call.session.constant(x.label, quant.dequantize(narrow))
        return replace(real, twin=Twin(narrow, quant))
    if quant.axis is not None or quant.bits != 8:
        raise CannotImportError("activations must be 8-bit with one scale")
    call.session.set_quant(x, quant)
    return call.emit(Dequantize(), x)


def quantize(call: Call, x: Value, scale: Array | None, zero: Array | None, dtype: str) -> Value:
    """Integers of real values."""
    quant = _quant(call, scale, zero, dtype, 1, x.rank)
    if quant.axis is not None or quant.bits != 8:
        raise CannotImportError("activations must be 8-bit with one scale")
    y = call.emit(Quantize("int8"), x)
    call.session.set_quant(y, quant)
    return replace(y, dtype=dtype if zero is None else str(zero.dtype))


def _block(call: Call) -> None:
    if call.integer("block_size", 0):
        raise CannotImportError("has scales of blocks")


@converts("DequantizeLinear")
@converts("DequantizeLinear", domain="com.microsoft")
def dequantize_linear(call: Call) -> Value:
    _block(call)
    return dequantize(call, call[0], call.known(1), call.known(2), call.integer("axis", 1))


@converts("QuantizeLinear")
@converts("QuantizeLinear", domain="com.microsoft")
def quantize_linear(call: Call) -> Value:
    _block(call)
    wanted = {2: "uint8", 3: "int8"}.get(call.integer("output_dtype", 0), "uint8")
    return quantize(call, call[0], call.known(1), call.known(2), wanted)


def _operand(call: Call, first: int, axis: int = 1) -> Value:
    """The integer input `first`, with its scale and zero point behind it, as real values."""
    return dequantize(call, call[first], call.known(first + 1), call.known(first + 2), axis)


def _result(call: Call, y: Value, first: int) -> Value:
    return quantize(call, y, call.known(first), call.known(first + 1), "uint8")


@converts("QLinearConv")
def qlinear_conv(call: Call) -> Value:
    x, weights = _operand(call, 0), _operand(call, 3, axis=0)
    bias = _int32_bias(call, 8, call.known(1), call.known(4))
    y = convolution.conv(replace(call, inputs=(x, weights, bias)))
    return _result(call, y, 6)


def _int32_bias(
    call: Call, index: int, x_scale: Array | None, w_scale: Array | None
) -> Value | None:
    """A bias that counts in steps of input scale · weight scale."""
    bias = call.optional(index)
    if bias is None or bias.data is None or x_scale is None or w_scale is None:
        return None
    steps = np.asarray(x_scale, np.float64).reshape(-1)[:1] * np.asarray(w_scale, np.float64)
    return dequantize(call, replace(bias, dtype="int32"), steps.reshape(-1), None, axis=0)


@converts("QLinearMatMul")
def qlinear_matmul(call: Call) -> Value:
    a, b = _operand(call, 0), _operand(call, 3, axis=-1)
    return _result(call, linear.matmul(replace(call, inputs=(a, b))), 6)


@converts("QGemm", domain="com.microsoft")
def qgemm(call: Call) -> Value:
    a = _operand(call, 0)
    b = _operand(call, 3, axis=0 if call.flag("transB") else 1)
    c = _int32_bias(call, 6, call.known(1), call.known(4))
    y = linear.gemm(replace(call, inputs=(a, b, c)))
    return y if call.optional(7) is None else _result(call, y, 7)


@converts("QLinearAdd", domain="com.microsoft")
def qlinear_add(call: Call) -> Value:
    return _result(call, add(call.session, _operand(call, 0), _operand(call, 3)), 6)


@converts("QLinearMul", domain="com.microsoft")
def qlinear_mul(call: Call) -> Value:
    return _result(call, multiply(call.session, _operand(call, 0), _operand(call, 3)), 6)


@converts("QLinearSigmoid", domain="com.microsoft")
def qlinear_sigmoid(call: Call) -> Value:
    return _result(call, call.emit(Sigmoid(), _operand(call, 0)), 3)


@converts("QLinearLeakyRelu", domain="com.microsoft")
def qlinear_leaky_relu(call: Call) -> Value:
    y = call.emit(LeakyRelu(call.real("alpha", 0.01)), _operand(call, 0))
    return _result(call, y, 3)


@converts("QLinearSoftmax", domain="com.microsoft")
def qlinear_softmax(call: Call) -> Value:
    axis = call.integer("axis", -1) % call[0].rank
    if axis != call[0].rank - 1:
        raise CannotImportError("works on another axis than the last")
    return _result(call, call.emit(Softmax(), _operand(call, 0)), 3)


@converts("QLinearGlobalAveragePool", domain="com.microsoft")
def qlinear_global_average_pool(call: Call) -> Value:
    if call.flag("channels_last"):
        raise CannotImportError("has channels last")
    return _result(call, global_average_pool(call.session, _operand(call, 0)), 3)


@converts("QLinearAveragePool", domain="com.microsoft")
def qlinear_average_pool(call: Call) -> Value:
    if call.flag("channels_last"):
        raise CannotImportError("has channels last")
    return _result(call, pooling.average_pool(replace(call, inputs=(_operand(call, 0),))), 3)


@converts("QLinearReduceMean", domain="com.microsoft")
def qlinear_reduce_mean(call: Call) -> Value:
    return _result(call, reduction.reduce_mean(replace(call, inputs=(_operand(call, 0),))), 3)


@converts("QLinearConcat", domain="com.microsoft")
def qlinear_concat(call: Call) -> Value:
    parts = tuple(_operand(call, index) for index in range(2, len(call.inputs), 3))
    return _result(call, movement.concat(replace(call, inputs=parts)), 0)
