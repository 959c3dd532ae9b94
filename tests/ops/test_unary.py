"""Functions of one element: own float mathematics, and int8 tables that are LiteRT's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from node_check import check_node

from netsuke.errors import QuantizationError
from netsuke.ir import Array, Quant, Tensor
from netsuke.ops import (
    Abs,
    Clamp,
    Exp,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Log,
    Neg,
    Requantize,
    Rsqrt,
    Sigmoid,
    Sqrt,
    Square,
    Tanh,
)

EVERYWHERE = [Abs(), Clamp(0, 6), Clamp(-1, 1), Exp(), Gelu(), Gelu(True), HardSigmoid(),
              HardSigmoid(0.2, 0.4), HardSwish(), LeakyRelu(0.1), LeakyRelu(-2.5), Neg(),
              Sigmoid(), Square(), Tanh()]  # fmt: skip
POSITIVE = [Log(), Sqrt(), Rsqrt()]


def values(positive: bool) -> Array:
    """Every magnitude that a network meets, dense where functions bend."""
    rng = np.random.default_rng(1)
    wide = rng.normal(size=3000) * np.exp(rng.uniform(-20, 4, 3000))
    x = np.concatenate([wide, np.linspace(-12, 12, 4001), [0.0, -0.0, 1e-40, 3e38]])
    return (np.abs(x) + 1e-38 if positive else x).astype(np.float32)


@pytest.mark.parametrize("op", [*EVERYWHERE, *POSITIVE], ids=repr)
def test_float_kernels_have_a_relative_error_of_1e_6(op) -> None:
    x = values(op in POSITIVE)
    if isinstance(op, (Exp, Square)):
        x = x[np.abs(x) < 80]
    wide = op.real(x.astype(np.float64))
    kept = (np.abs(wide) > 1e-30) | (wide == 0)
    x = x[kept]
    # Gelu multiplies by a distribution whose far tail is less precise; absolutely it is tiny.
    tolerance = 2e-5 if isinstance(op, Gelu) else 1e-6
    check_node(op, [Tensor("x", x.shape)], feeds=[x], tolerance=tolerance)


@pytest.mark.parametrize("op", [*EVERYWHERE, *POSITIVE], ids=repr)
def test_int8_kernels_equal_their_table(op) -> None:
    x = np.arange(-128, 128).astype(np.int8)
    zero = -128 if op in POSITIVE else -20
    check_node(op, [Tensor("x", (256,), "int8", Quant((0.04,), (zero,)))],
               [Quant((0.02,), (5,))], feeds=[x])  # fmt: skip


def litert_options(op):
    from litert_oracle import schema

    if isinstance(op, LeakyRelu):
        options = schema.LeakyReluOptionsT()
        options.alpha = op.alpha
        return options
    if isinstance(op, Gelu):
        options = schema.GeluOptionsT()
        options.approximate = op.approximate
        return options
    return None


ORACLES = [
    ("LOGISTIC", Sigmoid(), 2), ("TANH", Tanh(), 2), ("HARD_SWISH", HardSwish(), 1),
    ("LEAKY_RELU", LeakyRelu(float(np.float32(0.1))), 2), ("LEAKY_RELU", LeakyRelu(-0.25), 2),
    ("GELU", Gelu(), 2), ("GELU", Gelu(True), 2), ("EXP", Exp(), 2), ("LOG", Log(), 2),
    ("RSQRT", Rsqrt(), 2), ("SQRT", Sqrt(), 2), ("ABS", Abs(), 2), ("RELU", Clamp(0), 2),
    ("RELU6", Clamp(0, 6), 2), ("RELU_N1_TO_1", Clamp(-1, 1), 1), ("RELU_0_TO_1", Clamp(0, 1), 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "op", "version"), ORACLES, ids=str)
def test_int8_tables_are_litert(name, op, version) -> None:
    from litert_oracle import Value, litert

    rng = np.random.default_rng(3)
    x = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
    for trial in range(60):
        exponents = rng.integers(-8, -3, 2) if trial % 2 else rng.uniform(-8, -3, 2)
        source, target = (
            Quant((float(np.float32(2.0**e)),), (int(z),))
            for e, z in zip(exponents, rng.integers(-128, 128, 2), strict=True)
        )
        if op in POSITIVE:
            source = Quant(source.scale, (-128,))
        if isinstance(op, Sigmoid):
            target = Quant((1 / 256,), (-128,))
        if isinstance(op, Tanh):
            target = Quant((1 / 128,), (0,))
        if isinstance(op, HardSwish) and source.scale[0] > target.scale[0] * 64:
            continue  # LiteRT refuses
        (theirs,) = litert(name, [Value((1, 256), quant=source)], [Value((1, 256), quant=target)],
                           [x], litert_options(op), version)  # fmt: skip
        np.testing.assert_array_equal(op.table(source, target), theirs[0], f"{source} {target}")


def test_a_clamp_between_equal_scales_is_no_table() -> None:
    quant = Quant((0.1,), (-3,))
    x = [Tensor("x", (300,), "int8", quant)]
    (kernel,) = check_node(Clamp(0, 6), x, [quant])
    assert kernel.function == "nsk_clamp_s8"
    (kernel,) = check_node(Clamp(0, 6), x, [Quant((0.05,), (-3,))])
    assert kernel.function == "nsk_table_s8"


def test_infinities_and_nan_follow_ieee() -> None:
    x = np.array([math.inf, -math.inf, math.nan, 200.0, -200.0], np.float32)
    for op in (Exp(), Sigmoid(), Tanh(), Log(), Sqrt()):
        check_node(op, [Tensor("x", x.shape)], feeds=[x], tolerance=1e-6)


def test_a_table_takes_the_zero_point_where_the_function_has_no_value() -> None:
    table = Log().table(Quant((0.1,), (0,)), Quant((0.1,), (7,)))
    assert (table[:128] == 7).all()  # the logarithm of negative numbers
    assert table[128] == -128  # of zero


def test_a_quantized_tensor_beside_a_float_one_is_refused() -> None:
    inputs, outputs = [Tensor("x", (2,), "int8", Quant((0.1,)))], [Tensor("y", (2,))]
    with pytest.raises(QuantizationError, match="'y' \\(float32\\) must be int8"):
        Sigmoid().quantized(inputs, outputs, np.zeros(2, np.int8))


def test_requantize_can_be_a_table_or_a_computation() -> None:
    x = Tensor("x", (21,), "int8", Quant((0.1,), (3,)))
    check_node(Requantize(), [x], [Quant((0.07,), (-9,))])
