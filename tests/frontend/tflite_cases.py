"""Small models for each converter, in real numbers and in integers.

The outputs' shapes are left to LiteRT and to the importer, which must come to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tflite_models import Model

FLOAT, INT8, UINT8 = "float32", "int8", "uint8"
INPUT = {INT8: (0.05, -10), UINT8: (0.05, 118)}
SECOND = {INT8: (0.03, 7), UINT8: (0.03, 135)}
OUTPUT = {INT8: (0.08, 5), UINT8: (0.08, 133)}

FIRST_VERSION = {
    "PRELU", "RELU_N1_TO_1", "RELU_0_TO_1", "HARD_SWISH", "SQUARE", "NEG", "RESHAPE",
    "EXPAND_DIMS", "GELU",
}  # fmt: skip
"""Operators that LiteRT knows in version 1 only."""

CASES: dict[str, Callable[[], bytes]] = {}
"""Name of a case, which begins with the operator's -> its model."""


def version_of(kind: str) -> int:
    return 1 if kind in FIRST_VERSION else 2


def case(name: str, make: Callable[..., bytes], *args: Any, **fields: Any) -> None:
    assert name not in CASES, name
    CASES[name] = lambda: make(*args, **fields)


def random_array(shape: Sequence[int], dtype: str, seed: int = 1) -> Any:
    generator = np.random.default_rng(seed)
    if dtype == FLOAT:
        return generator.standard_normal(shape).astype(np.float32)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, tuple(shape), dtype, endpoint=True)


def one(
    kind: str,
    dtype: str,
    shape: Sequence[int],
    constants: Sequence[Any] = (),
    options: str | None = None,
    out: Any = "other",
    first: bool = False,
    outputs: int = 1,
    **fields: Any,
) -> bytes:
    """One operator on one activation and integer constants (`first`: before the activation).

    `out` is the output's quantization: "other", "same" as the input's, or itself; or an element
    type without one.
    """
    model = Model()
    x = model.tensor(shape, dtype, INPUT.get(dtype))
    numbers = [model.constant(np.asarray(constant, np.int32)) for constant in constants]
    quant, out_dtype = out, dtype
    if out == "other":
        quant = OUTPUT.get(dtype)
    elif out == "same":
        quant = INPUT.get(dtype)
    elif isinstance(out, str):
        quant, out_dtype = None, out
    made = [model.tensor((), out_dtype, quant) for _ in range(outputs)]
    inputs = [*numbers, x] if first else [x, *numbers]
    model.op(kind, inputs, made, options, version_of(kind), **fields)
    return model.bytes([x], made)


def layer(
    kind: str,
    dtype: str,
    shape: Sequence[int],
    weights: Sequence[int],
    options: str,
    axis: int | None = None,
    bias: bool = True,
    channel: int = 0,
    target: Sequence[int] | None = None,
    stored: str | None = None,
    **fields: Any,
) -> bytes:
    """One layer with weights; `axis` makes their scales per channel, `channel` is their axis of
    output channels, `target` the output's shape where it is an input."""
    model = Model()
    x = model.tensor(shape, dtype, INPUT.get(dtype))
    stored = stored or dtype
    array, units = random_array(weights, stored), weights[channel]
    if stored == FLOAT:
        w = model.constant(array, FLOAT)
    else:
        zero = 121 if stored == UINT8 else [0] * (1 if axis is None else units)
        scales = np.random.default_rng(3).uniform(0.002, 0.01, 1 if axis is None else units)
        array = np.maximum(array, -127) if stored == INT8 else array
        w = model.constant(array, stored, (scales.astype(np.float32), zero, axis or 0))
    if dtype == FLOAT:
        b = model.constant(random_array([units], FLOAT, 2), FLOAT)
        y = model.tensor((), FLOAT)
    else:
        values = np.random.default_rng(4).integers(-3000, 3000, units)
        zeros = [0] * len(scales)
        b = model.constant(values, "int32", (scales.astype(np.float32) * 0.05, zeros, 0))
        spread = 0.006 * 75 * 0.05 * 75 * np.sqrt(np.prod(weights) / units)
        y = model.tensor((), dtype, (spread * 3 / 128, 118 if dtype == UINT8 else -9))
    inputs = [x, w, b] if bias else [x, w]
    if target is not None:
        inputs = [model.constant(np.asarray(target, np.int32)), w, x] + ([b] if bias else [])
    model.op(kind, inputs, [y], options, version=3, **fields)
    return model.bytes([x], [y])


def binary(
    kind: str,
    dtype: str,
    a: Sequence[int],
    b: Sequence[int],
    constant: bool = False,
    swapped: bool = False,
    same: bool = False,
    options: bool = True,
    **fields: Any,
) -> bytes:
    """One operator of two operands; the second may be a constant, `swapped` puts it first."""
    model = Model()
    x = model.tensor(a, dtype, INPUT.get(dtype))
    second = INPUT.get(dtype) if same else SECOND.get(dtype)
    array = random_array(b, dtype) if constant else None
    if kind == "DIV" and array is not None:
        array = np.where(array < 0, -1, 1) + array if dtype == FLOAT else array // 3 + 150
    y = model.tensor(b, dtype, second, array)
    z = model.tensor((), dtype, INPUT.get(dtype) if same else OUTPUT.get(dtype))
    name = kind.title() + "Options" if options else None
    model.op(kind, [y, x] if swapped else [x, y], [z], name, version_of(kind), **fields)
    return model.bytes([x] if constant else [x, y], [z])


def _layers() -> None:
    image = (1, 8, 10, 3)
    for dtype in (FLOAT, INT8, UINT8):
        channels = dtype == INT8
        for pad, name in ((0, "same"), (1, "valid")):
            common = {"padding": pad, "strideH": 2, "strideW": 2, "fusedActivationFunction": pad}
            case(f"CONV_2D-{dtype}-{name}", layer, "CONV_2D", dtype, image, (6, 3, 3, 3),
                 "Conv2DOptions", 0 if channels else None, **common)  # fmt: skip
            case(f"DEPTHWISE_CONV_2D-{dtype}-{name}", layer, "DEPTHWISE_CONV_2D", dtype, image,
                 (1, 3, 3, 6), "DepthwiseConv2DOptions", 3 if channels else None, channel=3,
                 depthMultiplier=2, **common)  # fmt: skip
            target = (1, 16, 20, 6) if pad == 0 else (1, 17, 21, 6)
            del common["fusedActivationFunction"]
            case(f"TRANSPOSE_CONV-{dtype}-{name}", layer, "TRANSPOSE_CONV", dtype, image,
                 (6, 3, 3, 3), "TransposeConvOptions", 0 if channels else None, target=target,
                 **common)  # fmt: skip
        case(f"CONV_2D-{dtype}-dilated", layer, "CONV_2D", dtype, image, (6, 3, 3, 3),
             "Conv2DOptions", strideH=1, strideW=1, dilationHFactor=2,
             dilationWFactor=3, fusedActivationFunction=3)  # fmt: skip
        case(f"TRANSPOSE_CONV-{dtype}-wide", layer, "TRANSPOSE_CONV", dtype, image, (4, 2, 2, 3),
             "TransposeConvOptions", target=(1, 24, 30, 4), strideH=3, strideW=3, padding=1,
             bias=False)  # fmt: skip
        for axis in (None, 0):
            if axis == 0 and dtype != INT8:
                continue
            case(f"FULLY_CONNECTED-{dtype}-{'tensor' if axis is None else 'channel'}", layer,
                 "FULLY_CONNECTED", dtype, (1, 40), (7, 40), "FullyConnectedOptions", axis,
                 fusedActivationFunction=1)  # fmt: skip
        case(f"FULLY_CONNECTED-{dtype}-image", layer, "FULLY_CONNECTED", dtype, (1, 4, 5, 2),
             (7, 40), "FullyConnectedOptions")  # fmt: skip
        case(f"FULLY_CONNECTED-{dtype}-rows", layer, "FULLY_CONNECTED", dtype, (1, 6, 20),
             (7, 20), "FullyConnectedOptions", keepNumDims=True)  # fmt: skip
        case(f"FULLY_CONNECTED-{dtype}-merged-rows", layer, "FULLY_CONNECTED", dtype, (1, 6, 20),
             (7, 20), "FullyConnectedOptions", bias=False)  # fmt: skip
    case("CONV_2D-float32-groups", layer, "CONV_2D", FLOAT, (1, 6, 6, 8), (6, 3, 3, 4),
         "Conv2DOptions", strideH=1, strideW=1)  # fmt: skip
    case("CONV_2D-int8-tensor", layer, "CONV_2D", INT8, image, (6, 5, 1, 3), "Conv2DOptions",
         strideH=1, strideW=3, fusedActivationFunction=2)  # fmt: skip


def _binaries() -> None:
    for dtype in (FLOAT, INT8, UINT8):
        for kind in ("ADD", "SUB", "MUL", "DIV"):
            if kind == "DIV" and dtype != FLOAT:
                continue  # LiteRT has no int8, and divides a uint8 zero by shifting too far
            activation = {"fusedActivationFunction": 3}
            if kind != "DIV":
                case(f"{kind}-{dtype}-two", binary, kind, dtype, (1, 4, 5, 3), (1, 4, 5, 3),
                     **activation)  # fmt: skip
                case(f"{kind}-{dtype}-ranks", binary, kind, dtype, (1, 4, 5, 3), (1, 3))
                case(f"{kind}-{dtype}-rows", binary, kind, dtype, (1, 4, 1, 3), (1, 4, 5, 1))
            case(f"{kind}-{dtype}-channel", binary, kind, dtype, (1, 4, 5, 3), (3,), True)
            case(f"{kind}-{dtype}-scalar", binary, kind, dtype, (1, 4, 5, 3), (), True,
                 **activation)  # fmt: skip
            if kind != "DIV":
                case(f"{kind}-{dtype}-swapped", binary, kind, dtype, (1, 6), (1, 6), True, True)
        if dtype == FLOAT:
            case("SQUARED_DIFFERENCE-float32", binary, "SQUARED_DIFFERENCE", dtype, (1, 4, 5, 3),
                 (1, 4, 5, 1), options=False)  # fmt: skip
        for kind in ("MINIMUM", "MAXIMUM"):
            case(f"{kind}-{dtype}", binary, kind, dtype, (1, 4, 5, 3), (1, 4, 5, 3), same=True,
                 options=False)  # fmt: skip
            case(f"{kind}-{dtype}-constant", binary, kind, dtype, (1, 4, 5, 3), (3,), True,
                 same=True, options=False)  # fmt: skip
        case(f"PRELU-{dtype}", binary, "PRELU", dtype, (1, 4, 5, 3), (1, 1, 3), True,
             options=False)  # fmt: skip
        if dtype == UINT8:
            continue  # LiteRT multiplies no matrices of uint8
        case(f"BATCH_MATMUL-{dtype}", _matmul, dtype, (1, 4, 5), (1, 5, 6))
        case(f"BATCH_MATMUL-{dtype}-heads", _matmul, dtype, (1, 2, 4, 5), (1, 2, 6, 5), adjY=True)
        if dtype == FLOAT:
            case("BATCH_MATMUL-float32-adjoint", _matmul, dtype, (1, 5, 4), (1, 5, 6), adjX=True)


def _matmul(dtype: str, a: Sequence[int], b: Sequence[int], **fields: Any) -> bytes:
    model = Model()
    x, y = model.tensor(a, dtype, INPUT.get(dtype)), model.tensor(b, dtype, SECOND.get(dtype))
    z = model.tensor((), dtype, (0.4, 3 if dtype == INT8 else 131) if dtype != FLOAT else None)
    model.op("BATCH_MATMUL", [x, y], [z], "BatchMatMulOptions", version=2, **fields)
    return model.bytes([x, y], [z])


def _unaries() -> None:
    shape = (1, 7, 6, 5)
    for dtype in (FLOAT, INT8, UINT8):
        for kind in ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "HARD_SWISH"):
            if kind == "RELU_0_TO_1" and dtype != FLOAT:
                continue
            case(f"{kind}-{dtype}", one, kind, dtype, shape)
        case(f"LEAKY_RELU-{dtype}", one, "LEAKY_RELU", dtype, shape, (), "LeakyReluOptions",
             alpha=0.2)  # fmt: skip
        sigmoid = {FLOAT: None, INT8: (1 / 256, -128), UINT8: (1 / 256, 0)}[dtype]
        case(f"LOGISTIC-{dtype}", one, "LOGISTIC", dtype, shape, out=sigmoid)
        tanh = {FLOAT: None, INT8: (1 / 128, 0), UINT8: (1 / 128, 128)}[dtype]
        case(f"TANH-{dtype}", one, "TANH", dtype, shape, out=tanh)
        case(f"SOFTMAX-{dtype}", one, "SOFTMAX", dtype, (1, 11), (), "SoftmaxOptions",
             out=sigmoid, beta=1.0)  # fmt: skip
        case(f"SOFTMAX-{dtype}-image-beta", one, "SOFTMAX", dtype, (1, 3, 4, 5), (),
             "SoftmaxOptions", out=sigmoid, beta=0.5)  # fmt: skip
        log = {FLOAT: None, INT8: (16 / 256, 127), UINT8: (16 / 256, 255)}[dtype]
        case(f"LOG_SOFTMAX-{dtype}", one, "LOG_SOFTMAX", dtype, (1, 11), (), "LogSoftmaxOptions",
             out=log)  # fmt: skip
        case(f"GELU-{dtype}", one, "GELU", dtype, shape, (), "GeluOptions")
        case(f"GELU-{dtype}-tanh", one, "GELU", dtype, shape, (), "GeluOptions", approximate=True)
    for dtype in (FLOAT, INT8):
        case(f"EXP-{dtype}", one, "EXP", dtype, shape, (), "ExpOptions")
        case(f"ABS-{dtype}", one, "ABS", dtype, shape, (), "AbsOptions")
        positive = (0.02, -128) if dtype == INT8 else None
        for kind in ("LOG", "SQRT", "RSQRT"):
            if kind == "SQRT" and dtype == INT8:
                continue
            case(f"{kind}-{dtype}", _positive, kind, dtype, positive)
    case("SQUARE-float32", one, "SQUARE", FLOAT, shape, (), "SquareOptions")
    case("NEG-float32", one, "NEG", FLOAT, shape, (), "NegOptions")


def _positive(kind: str, dtype: str, quant: Any) -> bytes:
    """A function of positive numbers, behind ABS for reals."""
    model = Model()
    x = model.tensor((1, 7, 6, 5), dtype, quant)
    y = model.tensor((), dtype, OUTPUT.get(dtype))
    inside = x
    if dtype == FLOAT:
        inside = model.tensor((), FLOAT)
        model.op("ABS", [x], [inside], "AbsOptions")
    model.op(kind, [inside], [y], version=2)
    return model.bytes([x], [y])


def _reductions() -> None:
    image = (1, 6, 5, 4)
    for dtype in (FLOAT, INT8, UINT8):
        for kind in ("MEAN", "SUM", "REDUCE_MAX"):
            out = "same" if kind == "REDUCE_MAX" else "other"
            for axes, keep in (((1, 2), True), ((1, 2), False), ((-1,), True), ((2,), False)):
                case(f"{kind}-{dtype}-{axes}-{keep}", one, kind, dtype, image, [axes],
                     "ReducerOptions", out=out, keepDims=keep)  # fmt: skip
        case(f"MEAN-{dtype}-same", one, "MEAN", dtype, image, [(1, 2)], "ReducerOptions",
             out="same")  # fmt: skip
        case(f"ARG_MAX-{dtype}", one, "ARG_MAX", dtype, image, [(-1,)], "ArgMaxOptions",
             out="int32", outputType=2)  # fmt: skip
        case(f"ARG_MAX-{dtype}-int64", one, "ARG_MAX", dtype, (1, 9), [1], "ArgMaxOptions",
             out="int64", outputType=4)  # fmt: skip
        for kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
            for pad, name in ((0, "same"), (1, "valid")):
                case(f"{kind}-{dtype}-{name}", one, kind, dtype, (1, 7, 8, 3), (), "Pool2DOptions",
                     out="same", padding=pad, strideH=2, strideW=1, filterHeight=3, filterWidth=2,
                     fusedActivationFunction=3 * pad)  # fmt: skip


def _movements() -> None:
    image, same = (1, 4, 6, 3), {"out": "same"}
    for dtype in (FLOAT, INT8, UINT8):
        case(f"RESHAPE-{dtype}", one, "RESHAPE", dtype, image, [(-1, 72)], **same)
        case(f"RESHAPE-{dtype}-merged", _merged_reshape, dtype)
        case(f"SQUEEZE-{dtype}", one, "SQUEEZE", dtype, (1, 1, 1, 5), (), "SqueezeOptions",
             squeezeDims=[1, 2], **same)  # fmt: skip
        case(f"EXPAND_DIMS-{dtype}", one, "EXPAND_DIMS", dtype, (1, 5, 3), [-3], **same)
        case(f"TRANSPOSE-{dtype}", one, "TRANSPOSE", dtype, image, [(0, 3, 1, 2)], **same)
        case(f"TRANSPOSE-{dtype}-batch", one, "TRANSPOSE", dtype, (1, 4, 6), [(1, 0, 2)], **same)
        case(f"PAD-{dtype}", one, "PAD", dtype, image, [((0, 0), (1, 2), (0, 3), (0, 0))], **same)
        case(f"PADV2-{dtype}", _pad_value, dtype)
        for mode in (0, 1):
            case(f"MIRROR_PAD-{dtype}-{mode}", one, "MIRROR_PAD", dtype, image,
                 [((0, 0), (1, 2), (2, 1), (0, 0))], "MirrorPadOptions", mode=mode,
                 **same)  # fmt: skip
        case(f"SLICE-{dtype}", one, "SLICE", dtype, image, [(0, 1, 2, 0), (-1, 2, 3, -1)], **same)
        case(f"STRIDED_SLICE-{dtype}", one, "STRIDED_SLICE", dtype, image,
             [(0, 3, 1, 0), (0, 0, 6, 3), (1, -1, 2, 1)], "StridedSliceOptions", beginMask=9,
             endMask=9, **same)  # fmt: skip
        case(f"STRIDED_SLICE-{dtype}-shrink", one, "STRIDED_SLICE", dtype, image,
             [(0, -1, 0), (0, 0, 2), (1, 1, 1)], "StridedSliceOptions", beginMask=5, endMask=5,
             shrinkAxisMask=2, **same)  # fmt: skip
        case(f"SPLIT-{dtype}", one, "SPLIT", dtype, image, [2], "SplitOptions", numSplits=3,
             first=True, outputs=3, **same)  # fmt: skip
        case(f"SPLIT_V-{dtype}", one, "SPLIT_V", dtype, image, [(1, -1, 2), -2], "SplitVOptions",
             numSplits=3, outputs=3, **same)  # fmt: skip
        case(f"UNPACK-{dtype}", one, "UNPACK", dtype, (1, 3, 4), (), "UnpackOptions", num=3,
             axis=1, outputs=3, **same)  # fmt: skip
        case(f"PACK-{dtype}", _joined, "PACK", dtype, "PackOptions", valuesCount=3, axis=2)
        case(f"CONCATENATION-{dtype}", _joined, "CONCATENATION", dtype, "ConcatenationOptions",
             axis=-1)  # fmt: skip
        case(f"GATHER-{dtype}", one, "GATHER", dtype, image, [(3, 0, 0, 5)], "GatherOptions",
             axis=2, **same)  # fmt: skip
        case(f"GATHER-{dtype}-scalar", one, "GATHER", dtype, image, [1], "GatherOptions", axis=3,
             **same)  # fmt: skip
        case(f"BROADCAST_TO-{dtype}", one, "BROADCAST_TO", dtype, (1, 4, 1, 3), [(1, 4, 5, 3)],
             **same)  # fmt: skip
        case(f"REVERSE_V2-{dtype}", one, "REVERSE_V2", dtype, image, [(2,)], **same)
        case(f"SPACE_TO_DEPTH-{dtype}", one, "SPACE_TO_DEPTH", dtype, image, (),
             "SpaceToDepthOptions", blockSize=2, **same)  # fmt: skip
        case(f"DEPTH_TO_SPACE-{dtype}", one, "DEPTH_TO_SPACE", dtype, (1, 2, 3, 8), (),
             "DepthToSpaceOptions", blockSize=2, **same)  # fmt: skip
        for kind in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"):
            options = {"RESIZE_BILINEAR": "ResizeBilinearOptions"}.get(
                kind, "ResizeNearestNeighborOptions"
            )
            for align, half in ((False, False), (True, False), (False, True)):
                case(f"{kind}-{dtype}-{align}-{half}", one, kind, dtype, image, [(7, 9)], options,
                     alignCorners=align, halfPixelCenters=half, **same)  # fmt: skip
    case("CONCATENATION-uint8-scales", _joined, "CONCATENATION", UINT8, "ConcatenationOptions",
         scales=True, axis=1)  # fmt: skip


def _merged_reshape(dtype: str) -> bytes:
    """Rows of a sample that lie beside the batch for a while."""
    model = Model()
    x = model.tensor((1, 4, 6), dtype, INPUT.get(dtype))
    rows, y = (model.tensor((), dtype, INPUT.get(dtype)) for _ in range(2))
    model.op("RESHAPE", [x, model.constant([-1, 6])], [rows])
    model.op("RESHAPE", [rows, model.constant([1, -1, 3])], [y])
    return model.bytes([x], [y])


def _pad_value(dtype: str) -> bytes:
    model = Model()
    quant = INPUT.get(dtype)
    x = model.tensor((1, 4, 6, 3), dtype, quant)
    value = model.constant([1.5] if dtype == FLOAT else [77], dtype, quant)
    y = model.tensor((), dtype, quant)
    pads = model.constant([[0, 0], [1, 0], [0, 2], [0, 1]])
    model.op("PADV2", [x, pads, value], [y], "PadV2Options")
    return model.bytes([x], [y])


def _joined(kind: str, dtype: str, options: str, scales: bool = False, **fields: Any) -> bytes:
    model = Model()
    quant = INPUT.get(dtype)
    x, z = (model.tensor((1, 3, 4), dtype, quant) for _ in range(2))
    second = SECOND.get(dtype) if scales else quant
    y = model.tensor((1, 3, 4), dtype, second)
    out = model.tensor((), dtype, quant)
    model.op(kind, [x, y, z], [out], options, **fields)
    return model.bytes([x, y, z], [out])


def _quantizations() -> None:
    for dtype in (INT8, UINT8):
        case(f"QUANTIZE-{dtype}", _quantize, FLOAT, None, dtype, INPUT[dtype])
        case(f"DEQUANTIZE-{dtype}", _quantize, dtype, INPUT[dtype], FLOAT, None)
        case(f"QUANTIZE-{dtype}-again", _quantize, dtype, INPUT[dtype], dtype, OUTPUT[dtype])
    case("QUANTIZE-uint8-to-int8", _quantize, UINT8, (0.05, 118), INT8, (0.05, -10))
    case("QUANTIZE-int8-to-uint8", _quantize, INT8, (0.05, -10), UINT8, (0.05, 118))
    case("QUANTIZE-int8-to-uint8-scale", _quantize, INT8, (0.05, -10), UINT8, (0.08, 100))


def _quantize(source: str, before: Any, target: str, after: Any) -> bytes:
    model = Model()
    x, y = model.tensor((1, 40, 10), source, before), model.tensor((1, 40, 10), target, after)
    model.op("DEQUANTIZE" if target == FLOAT else "QUANTIZE", [x], [y], version=2)
    return model.bytes([x], [y])


def _recurrent() -> None:
    case("UNIDIRECTIONAL_SEQUENCE_LSTM-float32", _lstm, False)
    case("UNIDIRECTIONAL_SEQUENCE_LSTM-float32-time-major", _lstm, True)


def _lstm(time_major: bool) -> bytes:
    model, hidden, features, steps = Model(), 5, 4, 6
    shape = (steps, 1, features) if time_major else (1, steps, features)
    x = model.tensor((1, steps, features))
    inside = model.tensor(shape) if time_major else x
    if time_major:
        model.op("TRANSPOSE", [x, model.constant([1, 0, 2])], [inside])
    inputs = [inside]
    inputs += [model.constant(random_array((hidden, features), FLOAT, i), FLOAT) for i in range(4)]
    inputs += [
        model.constant(random_array((hidden, hidden), FLOAT, 9 + i), FLOAT) for i in range(4)
    ]
    inputs += [-1, -1, -1]
    inputs += [model.constant(random_array((hidden,), FLOAT, 20 + i), FLOAT) for i in range(4)]
    inputs += [-1, -1]
    inputs += [model.tensor((1, hidden), isVariable=True) for _ in range(2)]
    inputs += [-1] * 4
    y = model.tensor(())
    model.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], "UnidirectionalSequenceLSTMOptions",
             fusedActivationFunction=4, timeMajor=time_major)  # fmt: skip
    return model.bytes([x], [y])


for family in (_layers, _binaries, _unaries, _reductions, _movements, _quantizations, _recurrent):
    family()
