"""The integers of spatial and moving operators are LiteRT's, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litert_oracle import Value, litert, schema
from spatial_cases import activation, random_quant, weighted

from netsuke.ir import Array, Op, Quant, Tensor, constant
from netsuke.ops import (
    AveragePool2d,
    Concat,
    Conv2d,
    DepthwiseConv2d,
    MaxPool2d,
    Pad,
    Resize,
    Slice,
    Transpose,
    TransposedConv2d,
)
from netsuke.ops.window import same_padding

FEW = settings(max_examples=30, deadline=None)
SEEDS = st.integers(0, 2**31)
SIDES = st.tuples(st.integers(1, 4), st.integers(1, 4))
STRIDES = st.tuples(st.integers(1, 3), st.integers(1, 3))
SAME, VALID = 0, 1
ACTIVATIONS = {0: {}, 1: {"low": 0.0}, 2: {"low": -1.0, "high": 1.0}, 3: {"low": 0.0, "high": 6.0}}


def batched(tensor: Tensor) -> Value:
    return Value((1, *tensor.shape), tensor.dtype, tensor.quant, None)


def stored(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return rng.integers(-128, 128, shape).astype(np.int8)


def meaning(op: Op, inputs: list[Tensor], quant: Quant | None, x: Array) -> Array:
    """The operator's own integers for one sample."""
    (kind,) = op.infer(inputs)
    y = Tensor("y", kind.shape, kind.dtype, quant)
    arrays = [x if tensor.data is None else tensor.data for tensor in inputs]
    return op.quantized(inputs, [y], *arrays)[0]


def options(kind: str, **fields: Any) -> Any:
    """A flatbuffer options object with its fields set."""
    made = getattr(schema, f"{kind}OptionsT")()
    for name, value in fields.items():
        assert hasattr(made, name), name
        setattr(made, name, value)
    return made


def window_options(kind: str, padding: int, stride: tuple[int, int], **fields: Any) -> Any:
    return options(kind, padding=padding, strideH=stride[0], strideW=stride[1], **fields)


def same(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> Any:
    axes = zip(size, kernel, stride, dilation, strict=True)
    return tuple(same_padding(*axis) for axis in axes)


def extents(kernel: tuple[int, int], dilation: tuple[int, int], rng: np.random.Generator) -> Any:
    return tuple(
        (k - 1) * d + 1 + int(rng.integers(0, 6)) for k, d in zip(kernel, dilation, strict=True)
    )


def assert_equal(actual: Array, expected: Array, vectors: int) -> None:
    """Equal in the channels of LiteRT's vector loops.

    Where it leaves them (grouped convolutions, and the last channels when there are not a
    multiple of 8), it rounds negative ties the other way.
    """
    np.testing.assert_array_equal(actual[..., :vectors], expected[..., :vectors])
    difference = actual.astype(int) - expected
    assert set(np.unique(difference)) <= {-1, 0}


def compare_weighted(
    operator: str,
    op: Op,
    inputs: list[Tensor],
    quant: Quant,
    weights: Value,
    settings_: Any,
    rng: np.random.Generator,
    vectors: int,
) -> None:
    x, w, b = inputs
    assert x.quant and w.quant and b.data is not None
    feed = stored(x.shape, rng)
    expected = meaning(op, inputs, quant, feed)
    scales = tuple(x.quant.scale[0] * scale for scale in w.quant.scale)
    bias = Value(b.shape, "int32", Quant(scales, (0,) * len(scales), 0), b.data)
    (kind,) = op.infer(inputs)
    output = Value((1, *kind.shape), "int8", quant)
    (actual,) = litert(operator, [batched(x), weights, bias], [output], [feed[None]], settings_, 3)
    assert_equal(actual[0], expected, vectors)


@FEW
@given(
    SIDES,
    STRIDES,
    STRIDES,
    st.integers(1, 3),
    st.integers(1, 8),
    st.integers(1, 5),
    st.sampled_from([SAME, VALID]),
    st.integers(0, 3),
    SEEDS,
)
def test_conv_2d(
    kernel: Any,
    stride: Any,
    dilation: Any,
    groups: int,
    depth: int,
    units: int,
    padding: int,
    activation_code: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    if dilation != (1, 1):  # LiteRT has no dilated grouped convolution
        groups = 1
    size = extents(kernel, dilation, rng)
    pads = same(size, kernel, stride, dilation) if padding == SAME else ((0, 0), (0, 0))
    op = Conv2d(stride, dilation, pads, groups, **ACTIVATIONS[activation_code])
    x = activation((*size, depth * groups), rng)
    inputs, quant = weighted(op, x, (units * groups, *kernel, depth), units * groups, rng)
    w = inputs[1]
    fields = window_options(
        "Conv2D",
        padding,
        stride,
        dilationHFactor=dilation[0],
        dilationWFactor=dilation[1],
        fusedActivationFunction=activation_code,
    )
    assert quant
    weights = Value(w.shape, "int8", w.quant, w.data)
    compare_weighted(
        "CONV_2D", op, inputs, quant, weights, fields, rng, units if groups == 1 else 0
    )


@FEW
@given(
    SIDES,
    STRIDES,
    STRIDES,
    st.sampled_from([1, 8, 16, 24, 7, 20]),
    st.sampled_from([1, 2, 8]),
    st.sampled_from([SAME, VALID]),
    st.integers(0, 3),
    SEEDS,
)
def test_depthwise_conv_2d(
    kernel: Any,
    stride: Any,
    dilation: Any,
    channels: int,
    multiple: int,
    padding: int,
    activation_code: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    size = extents(kernel, dilation, rng)
    pads = same(size, kernel, stride, dilation) if padding == SAME else ((0, 0), (0, 0))
    op = DepthwiseConv2d(stride, dilation, pads, **ACTIVATIONS[activation_code])
    x = activation((*size, channels), rng)
    inputs, quant = weighted(op, x, (*kernel, channels * multiple), channels * multiple, rng)
    w = inputs[1]
    fields = window_options(
        "DepthwiseConv2D",
        padding,
        stride,
        depthMultiplier=multiple,
        dilationHFactor=dilation[0],
        dilationWFactor=dilation[1],
        fusedActivationFunction=activation_code,
    )
    assert quant and w.quant and w.data is not None
    batch_quant = Quant(w.quant.scale, w.quant.zero_point, 3)
    weights = Value((1, *w.shape), "int8", batch_quant, w.data)
    vectors = channels * multiple // 8 * 8
    compare_weighted("DEPTHWISE_CONV_2D", op, inputs, quant, weights, fields, rng, vectors)


@FEW
@given(
    SIDES,
    STRIDES,
    st.integers(1, 9),
    st.sampled_from([3, 8, 16]),
    st.sampled_from([SAME, VALID]),
    st.sampled_from([0, 1, 3]),
    SIDES,
    SEEDS,
)
def test_transpose_conv(
    kernel: Any,
    stride: Any,
    depth: int,
    units: int,
    padding: int,
    activation_code: int,
    size: Any,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    crops, extra = [], []
    shape = []
    for n, k, s in zip(size, kernel, stride, strict=True):
        full = (n - 1) * s + k
        out = n * s if padding == SAME else (n - 1) * s + k
        crop = max(full - out, 0)
        crops.append((crop // 2, crop - crop // 2))
        extra.append(max(out - full, 0))
        shape.append(out)
    op = TransposedConv2d(
        stride, (1, 1), tuple(crops), tuple(extra), **ACTIVATIONS[activation_code]
    )
    x = activation((*size, depth), rng)
    inputs, quant = weighted(op, x, (units, *kernel, depth), units, rng)
    _, w, b = inputs
    assert quant and w.quant and x.quant and b.data is not None
    feed = stored(x.shape, rng)
    expected = meaning(op, inputs, quant, feed)
    scales = tuple(x.quant.scale[0] * scale for scale in w.quant.scale)
    (actual,) = litert(
        "TRANSPOSE_CONV",
        [
            Value((4,), "int32", None, np.array([1, *shape, units], np.int32)),
            Value(w.shape, "int8", w.quant, w.data),
            batched(x),
            Value(b.shape, "int32", Quant(scales, (0,) * len(scales), 0), b.data),
        ],
        [Value((1, *shape, units), "int8", quant)],
        [feed[None]],
        window_options("TransposeConv", padding, stride, fusedActivationFunction=activation_code),
        4,
    )
    assert_equal(actual[0], expected, units if units % 8 == 0 else 0)


def compare_one(
    operator: str, op: Op, x: Tensor, rng: np.random.Generator, settings_: Any, *constants: Array
) -> None:
    """An operator with one activation that keeps its quantization."""
    feed = stored(x.shape, rng)
    expected = meaning(op, [x], x.quant, feed)
    kinds = {"int32": None, "int8": x.quant}
    extra = [Value(c.shape, str(c.dtype), kinds[str(c.dtype)], c) for c in constants]
    output = Value((1, *expected.shape), "int8", x.quant)
    (actual,) = litert(operator, [batched(x), *extra], [output], [feed[None]], settings_)
    np.testing.assert_array_equal(actual[0], expected)


@FEW
@given(
    SIDES,
    STRIDES,
    st.integers(1, 40),
    st.sampled_from([SAME, VALID]),
    st.integers(0, 3),
    st.booleans(),
    SEEDS,
)
def test_pooling(
    kernel: Any,
    stride: Any,
    channels: int,
    padding: int,
    activation_code: int,
    average: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    size = extents(kernel, (1, 1), rng)
    pads = same(size, kernel, stride) if padding == SAME else ((0, 0), (0, 0))
    x = activation((*size, channels), rng)
    fields = window_options(
        "Pool2D",
        padding,
        stride,
        filterHeight=kernel[0],
        filterWidth=kernel[1],
        fusedActivationFunction=activation_code if average else 0,
    )
    if average:
        op: Op = AveragePool2d(kernel, stride, pads, **ACTIVATIONS[activation_code])
        compare_one("AVERAGE_POOL_2D", op, x, rng, fields)
    else:
        compare_one("MAX_POOL_2D", MaxPool2d(kernel, stride, padding=pads), x, rng, fields)


def test_global_average_pooling_of_large_images() -> None:
    rng = np.random.default_rng(5)
    for size, channels in (((17, 33), 5), ((64, 48), 16), ((96, 96), 1)):
        x = activation((*size, channels), rng)
        fields = window_options("Pool2D", VALID, (1, 1), filterHeight=size[0], filterWidth=size[1])
        compare_one("AVERAGE_POOL_2D", AveragePool2d(size), x, rng, fields)


@FEW
@given(
    SIDES,
    st.tuples(st.integers(1, 13), st.integers(1, 13)),
    st.integers(1, 20),
    st.sampled_from(["asymmetric", "half_pixel", "align_corners"]),
    st.booleans(),
    SEEDS,
)
def test_resize(
    side: Any, size: Any, channels: int, coordinates: str, nearest: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = activation((side[0] + int(rng.integers(5)), side[1] + int(rng.integers(5)), channels), rng)
    flags = {
        "alignCorners": coordinates == "align_corners",
        "halfPixelCenters": coordinates == "half_pixel",
    }
    shape = np.array(size, np.int32)
    if nearest:
        rounding = "floor" if coordinates == "asymmetric" else "round_prefer_ceil"
        op = Resize(size, "nearest", coordinates, rounding)
        compare_one(
            "RESIZE_NEAREST_NEIGHBOR", op, x, rng, options("ResizeNearestNeighbor", **flags), shape
        )
    else:
        op = Resize(size, "bilinear", coordinates)
        compare_one("RESIZE_BILINEAR", op, x, rng, options("ResizeBilinear", **flags), shape)


@FEW
@given(
    st.tuples(st.integers(2, 5), st.integers(2, 5), st.integers(2, 5)),
    st.sampled_from(["constant", "fill", "reflect", "symmetric"]),
    SEEDS,
)
def test_padding(shape: Any, mode: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = activation(shape, rng)
    assert x.quant
    most = [n - 1 if mode == "reflect" else n for n in shape]
    pads = tuple((int(rng.integers(m + 1)), int(rng.integers(m + 1))) for m in most)
    table = np.array([(0, 0), *pads], np.int32)
    if mode == "constant":
        compare_one("PAD", Pad(pads), x, rng, options("Pad"), table)
    elif mode == "fill":
        value = stored((1,), rng)
        real = float(x.quant.dequantize(value)[0])
        compare_one("PADV2", Pad(pads, real), x, rng, options("PadV2"), table, value)
    else:
        fields = options("MirrorPad", mode=["reflect", "symmetric"].index(mode))
        compare_one("MIRROR_PAD", Pad(pads, mode=mode), x, rng, fields, table)


def test_concatenation_of_one_quantization() -> None:
    rng = np.random.default_rng(3)
    quant = random_quant(rng)
    tensors = [Tensor(f"x{n}", (3, n, 2), "int8", quant) for n in (1, 4, 2)]
    feeds = [stored(tensor.shape, rng) for tensor in tensors]
    y = Tensor("y", (3, 7, 2), "int8", quant)
    (expected,) = Concat(1).quantized(tensors, [y], *feeds)
    (actual,) = litert(
        "CONCATENATION",
        [batched(t) for t in tensors],
        [batched(y)],
        [feed[None] for feed in feeds],
        options("Concatenation", axis=2),
    )
    np.testing.assert_array_equal(actual[0], expected)


def test_strided_slices_and_transposes() -> None:
    rng = np.random.default_rng(4)
    x = Tensor("x", (5, 6, 4), "int8", random_quant(rng))
    begin, end, step = [0, 4, 1, 0], [1, 0, 6, 4], [1, -2, 2, 1]
    op = Slice(((4, 2, -2), (1, 3, 2), (0, 4, 1)))
    compare_one(
        "STRIDED_SLICE",
        op,
        x,
        rng,
        options("StridedSlice"),
        *(np.array(values, np.int32) for values in (begin, end, step)),
    )
    compare_one(
        "TRANSPOSE",
        Transpose((2, 0, 1)),
        x,
        rng,
        options("Transpose"),
        np.array([0, 3, 1, 2], np.int32),
    )


def test_the_oracle_is_not_this_project() -> None:
    x = Tensor("x", (2, 2, 1), "int8", Quant((1.0,), (0,)))
    with pytest.raises(AssertionError):
        compare_one(
            "AVERAGE_POOL_2D",
            MaxPool2d((2, 2)),
            x,
            np.random.default_rng(0),
            window_options("Pool2D", VALID, (1, 1), filterHeight=2, filterWidth=2),
        )
    assert constant("c", np.zeros(1)).is_constant
