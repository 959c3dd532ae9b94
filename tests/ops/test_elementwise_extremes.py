"""Quantizations that no sane file holds: a clear error or the right integers, never undefined C."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import QuantizationError
from netsuke.ir import Quant, Tensor, constant
from netsuke.ops import (
    Add,
    BatchNorm,
    Clamp,
    Dequantize,
    Div,
    Exp,
    Gru,
    HardSwish,
    LayerNorm,
    LeakyRelu,
    LogSoftmax,
    Lstm,
    Matmul,
    Maximum,
    Mul,
    Prelu,
    Quantize,
    ReduceMax,
    ReduceMean,
    ReduceSum,
    Requantize,
    Rsqrt,
    Sigmoid,
    Softmax,
    Sub,
)

ONE = [Clamp(0, 6), Exp(), HardSwish(), LeakyRelu(-3.0), LogSoftmax(), ReduceMax((0,)),
       ReduceMean((0,)), ReduceMean((0, 1), True), ReduceSum((1,)), Requantize(), Rsqrt(),
       Sigmoid(), Softmax()]  # fmt: skip
TWO = [Add(), Sub(), Mul(), Div(), Maximum(), Matmul(), Prelu()]
wild = st.builds(
    lambda exponent, zero: Quant((2.0**exponent,), (zero,)),
    st.one_of(st.floats(-40, 40), st.floats(-12, 12)),
    st.integers(-128, 127),
)


def check(op, inputs, outputs) -> None:
    try:
        check_node(op, inputs, outputs)
    except QuantizationError as error:
        assert "scale" in str(error) or "2^" in str(error) or "beyond" in str(error)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*ONE, *TWO]), wild, wild, wild)
def test_any_scale_is_computed_or_refused(op, a, b, y) -> None:
    inputs = [Tensor("a", (3, 3, 20), "int8", a), Tensor("b", (3, 20, 20), "int8", b)]
    if op in TWO and not isinstance(op, Matmul):
        inputs[1] = Tensor("b", (3, 20), "int8", b)
    check(op, inputs[: 2 if op in TWO else 1], [y])


@settings(max_examples=60, deadline=None)
@given(wild, wild, st.floats(-1e30, 1e30), st.floats(0, 1e30), st.integers(0, 9))
def test_any_normalization_is_computed_or_refused(a, y, large, variance, seed) -> None:
    x = Tensor("x", (4, 6), "int8", a)
    factor = np.full(6, large, np.float32)
    constants = [constant(name, factor) for name in ("scale", "offset", "mean")]
    constants.append(constant("variance", np.full(6, variance, np.float32)))
    check(BatchNorm(), [x, *constants], [y])
    check(LayerNorm(epsilon=variance), [x, *constants[:2]], [y])


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([Lstm(), Gru(), Gru(reset_after=True)]),
    st.lists(wild, min_size=6, max_size=6),
    st.floats(-1e20, 1e20),
)
def test_any_recurrent_layer_is_computed_or_refused(op, quants, bias) -> None:
    rng = np.random.default_rng(0)
    rows = op.gates * 3
    x, w, r, *outputs = quants
    inputs = [Tensor("x", (4, 5), "int8", x)]
    for name, quant, depth in (("w", w, 5), ("r", r, 3)):
        stored = rng.integers(-128, 128, (rows, depth)).astype(np.int8)
        inputs.append(constant(name, stored, Quant(quant.scale)))
    vectors = 1 if op.gates == 4 else 2
    inputs += [constant(f"b{i}", np.full(rows, bias, np.float32)) for i in range(vectors)]
    inputs += [constant(f"s{i}", rng.normal(size=3).astype(np.float32)) for i in range(3 - vectors)]
    check(op, inputs, outputs[: 4 - vectors])


@given(st.floats(-40, 40), st.integers(-128, 127))
@settings(max_examples=30, deadline=None)
def test_any_conversion_is_computed(exponent, zero) -> None:
    quant = Quant((2.0**exponent,), (zero,))
    wide = np.array([0, 1e-38, -1e-38, 1, -1, 1e30, -3e38, np.inf, -np.inf, np.nan], np.float32)
    check_node(Quantize(), [Tensor("x", (10,))], [quant], feeds=[wide])
    check_node(Dequantize(), [Tensor("x", (10,), "int8", quant)], tolerance=0.0)


@pytest.mark.parametrize("quant", [Quant((1e-40,)), Quant((1e30,)), Quant((0.1,), (4000,))])
def test_what_no_kernel_can_compute_with_is_named(quant) -> None:
    x = Tensor("odd", (3,), "int8", quant)
    with pytest.raises(QuantizationError, match="'odd'"):
        Sigmoid().kernels([x], [Tensor("y", (3,), "int8", Quant((0.1,)))], frozenset())
