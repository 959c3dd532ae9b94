"""Operators between real numbers and integers."""

from __future__ import annotations

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.registry import converts
from netsuke.frontend.tflite.scope import Unsupported
from netsuke.ops import Dequantize, Quantize, Requantize


@converts("QUANTIZE")
def quantize(call: Call) -> None:
    value = call.value(0)
    dtype = call.stored(value.name)[0]
    if dtype not in ("float32", "int8"):
        raise Unsupported(f"quantizes {dtype}")
    op = Quantize("int8") if dtype == "float32" else Requantize("int8")
    call.emit(op, [value.name], value.batch)


@converts("DEQUANTIZE")
def dequantize(call: Call) -> None:
    value = call.value(0)
    dtype, quant, _ = call.stored(value.name)
    if dtype == "float32":  # half precision, widened when it was read
        call.alias(value)
    elif quant is None:
        raise Unsupported(f"takes {dtype} without a quantization")
    else:
        call.emit(Dequantize(), [value.name], value.batch)


@converts("CAST")
def cast(call: Call) -> None:
    value = call.value(0)
    source, target = call.tensor(0).dtype, call.output(0).dtype
    if source != target:
        raise Unsupported(f"turns {source} into {target}")
    call.alias(value)
