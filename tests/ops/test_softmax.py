"""Softmax, its logarithm, and the ways between real numbers and stored integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import QuantizationError
from netsuke.ir import Quant, Tensor
from netsuke.ops import Dequantize, LogSoftmax, Quantize, Requantize, Softmax
from netsuke.ops.rows import power_table
from netsuke.ops.softmax.product import product_tables

SOFT = Quant((1 / 256,), (-128,))
LOG = Quant((1 / 16,), (127,))
quants = st.builds(
    lambda scale, zero: Quant((float(np.float32(scale)),), (zero,)),
    st.one_of(st.floats(0.003, 0.9), st.integers(-8, 1).map(lambda e: 2.0**e)),
    st.integers(-128, 127),
)
shapes = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)


@settings(max_examples=40, deadline=None)
@given(shapes, st.data(), quants, st.sampled_from([1.0, 0.5]))
def test_softmax_kernels_equal_their_meaning(shape, data, quant, beta) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    check_node(Softmax(axis, beta), [Tensor("x", shape, "int8", quant)], [SOFT])
    check_node(LogSoftmax(axis), [Tensor("x", shape, "int8", quant)], [LOG])
    check_node(Softmax(axis, beta), [Tensor("x", shape)])
    check_node(LogSoftmax(axis), [Tensor("x", shape)])


@pytest.mark.parametrize(("name", "op", "target"), [
    ("SOFTMAX", Softmax(), SOFT), ("LOG_SOFTMAX", LogSoftmax(), LOG),
])  # fmt: skip
def test_int8_softmax_is_litert(name, op, target) -> None:
    from litert_oracle import Value, litert, schema

    options = schema.SoftmaxOptionsT() if name == "SOFTMAX" else schema.LogSoftmaxOptionsT()
    options.beta = 1.0
    rng = np.random.default_rng(5)
    for trial in range(80):
        shape = (int(rng.integers(1, 5)), int(rng.integers(2, 70)))
        exponent = rng.integers(-8, 0) if trial % 2 else rng.uniform(-8, 0)
        quant = Quant((float(np.float32(2.0**exponent)),), (int(rng.integers(-128, 128)),))
        x = rng.integers(-128, 128, shape).astype(np.int8)
        (theirs,) = litert(name, [Value(shape, quant=quant)], [Value(shape, quant=target)], [x],
                           options)  # fmt: skip
        (ours,) = op.quantized([Tensor("x", shape, "int8", quant)],
                               [Tensor("y", shape, "int8", target)], x)  # fmt: skip
        np.testing.assert_array_equal(ours, theirs)


def test_a_scale_that_no_probability_needs_is_refused() -> None:
    x, y = Tensor("x", (3,), "int8", SOFT), Tensor("y", (3,), "int8", Quant((1e-9,)))
    with pytest.raises(QuantizationError, match="2\\^-20"):
        Softmax().kernels([x], [y], frozenset())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 70), quants, quants)
def test_conversion_kernels_equal_their_meaning(count, source, target) -> None:
    rng = np.random.default_rng(count)
    real = (rng.integers(-600, 600, count) * 0.5 * target.scale[0]).astype(np.float32)
    check_node(Quantize(), [Tensor("x", (count,))], [target], feeds=[real])
    check_node(Dequantize(), [Tensor("x", (count,), "int8", source)], tolerance=0.0)
    check_node(Requantize(), [Tensor("x", (count,), "int8", source)], [target])


def test_quantizing_what_is_no_number_gives_the_zero_point() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0], np.float32)
    check_node(Quantize(), [Tensor("x", (6,))], [Quant((1e-4,), (7,))], feeds=[x])


@pytest.mark.parametrize("count", [1, 5, 15, 16, 17, 33, 64, 100])
def test_requantize_is_litert_in_blocks_and_in_the_rest(count) -> None:
    from litert_oracle import Value, litert

    rng = np.random.default_rng(count)
    for trial in range(40):
        source, target = (
            Quant((float(np.float32(2.0**e)),), (int(z),))
            for e, z in zip(
                rng.integers(-8, -3, 2) if trial % 2 else rng.uniform(-8, -3, 2),
                rng.integers(-128, 128, 2),
                strict=True,
            )
        )
        x = rng.integers(-128, 128, (1, count)).astype(np.int8)
        (theirs,) = litert("QUANTIZE", [Value((1, count), quant=source)],
                           [Value((1, count), quant=target)], [x])  # fmt: skip
        (ours,) = Requantize().quantized([Tensor("x", x.shape, "int8", source)],
                                         [Tensor("y", x.shape, "int8", target)], x)  # fmt: skip
        np.testing.assert_array_equal(ours, theirs)


def test_quantize_is_litert_away_from_ties() -> None:
    from litert_oracle import Value, litert

    rng = np.random.default_rng(0)
    quant = Quant((float(np.float32(0.037)),), (-11,))
    x = (rng.normal(size=(1, 3000)) * 3).astype(np.float32)
    (theirs,) = litert("QUANTIZE", [Value(x.shape, "float32")], [Value(x.shape, quant=quant)], [x])
    (ours,) = Quantize().quantized([Tensor("x", x.shape)], [Tensor("y", x.shape, "int8", quant)], x)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("scale", "known"), [(0.14469251036643982, True), (0.3, True), (0.7, False)]
)
def test_products_give_every_power_of_a_table_of_normal_numbers(scale, known) -> None:
    powers = power_table(Quant((scale,), (0,)), 1.0)
    tables = product_tables(powers)
    assert (tables is not None) == known
    if tables is not None:
        products = np.multiply.outer(tables["coarse"], tables["fine"]).reshape(-1)
        moved = products.view(np.int32) + tables["moves"]
        np.testing.assert_array_equal(moved.view(np.float32), powers)
