"""Batch and layer normalization: C equals NumPy, and integers stay close to the reals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Quant, Tensor, constant
from netsuke.ops import BatchNorm, LayerNorm


def statistics(channels: int, seed: int) -> list[Tensor]:
    rng = np.random.default_rng(seed)
    arrays = [*rng.normal(size=(3, channels)), rng.uniform(0.01, 4, channels)]
    names = ["scale", "offset", "mean", "variance"]
    return [constant(n, a.astype(np.float32)) for n, a in zip(names, arrays, strict=True)]


quants = st.builds(
    lambda scale, zero: Quant((scale,), (zero,)), st.floats(0.005, 0.2), st.integers(-128, 127)
)
shapes = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)


@settings(max_examples=30, deadline=None)
@given(shapes, quants, quants, st.integers(0, 99))
def test_batch_norm_kernels_equal_their_meaning(shape, source, target, seed) -> None:
    constants = statistics(shape[-1], seed)
    check_node(BatchNorm(low=0.0), [Tensor("x", shape, "int8", source), *constants], [target])
    check_node(BatchNorm(), [Tensor("x", shape), *constants], tolerance=1e-5)


@settings(max_examples=40, deadline=None)
@given(shapes, quants, quants, st.sampled_from([1e-5, 0.0, 1.0]), st.data())
def test_layer_norm_kernels_equal_their_meaning(shape, source, target, epsilon, data) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    rng = np.random.default_rng(len(shape))
    constants = [constant(name, rng.normal(size=shape[axis:]).astype(np.float32))
                 for name in ("scale", "offset")]  # fmt: skip
    op = LayerNorm(axis, epsilon)
    check_node(op, [Tensor("x", shape, "int8", source), *constants], [target])
    check_node(LayerNorm(axis), [Tensor("x", shape), *constants], tolerance=1e-3)


@pytest.mark.parametrize("depth", [1, 2, 64, 1000, 32768])
def test_integer_layer_norm_is_within_one_step_of_the_reals(depth) -> None:
    rng = np.random.default_rng(depth)
    source, target = Quant((0.05,), (3,)), Quant((0.03,), (-7,))
    x = rng.integers(-128, 128, (3, depth)).astype(np.int8)
    x[1] = 5  # a row without variance
    constants = [constant("s", rng.normal(size=depth).astype(np.float32)),
                 constant("o", rng.normal(size=depth).astype(np.float32))]  # fmt: skip
    arrays = [tensor.data for tensor in constants]
    inputs = [Tensor("x", x.shape, "int8", source), *constants]
    (stored,) = LayerNorm().quantized(inputs, [Tensor("y", x.shape, "int8", target)], x, *arrays)
    (real,) = LayerNorm().reference(source.dequantize(x), *arrays)
    assert np.abs(stored.astype(int) - target.quantize(real)).max() <= 1
    check_node(LayerNorm(), inputs, [target], feeds=[x])


def test_integer_batch_norm_is_within_one_step_of_the_reals() -> None:
    source, target = Quant((0.05,), (3,)), Quant((0.1,), (-7,))
    constants = statistics(50, 1)
    x = np.random.default_rng(0).integers(-128, 128, (40, 50)).astype(np.int8)
    inputs = [Tensor("x", x.shape, "int8", source), *constants]
    arrays = [tensor.data for tensor in constants]
    (stored,) = BatchNorm().quantized(inputs, [Tensor("y", x.shape, "int8", target)], x, *arrays)
    (real,) = BatchNorm().reference(source.dequantize(x), *arrays)
    assert np.abs(stored.astype(int) - target.quantize(real)).max() <= 1


def test_factors_beyond_the_integers_are_refused() -> None:
    x = Tensor("x", (1,), "int8", Quant((1e6,)))
    with pytest.raises(QuantizationError, match="beyond 2\\^15"):
        BatchNorm().kernels([x, *statistics(1, 0)], [Tensor("y", (1,), "int8", Quant((1e-3,)))],
                            frozenset())  # fmt: skip


def test_normalizing_by_activations_is_refused() -> None:
    x = [Tensor(name, (3,)) for name in "abcde"]
    with pytest.raises(GraphError, match="'b' as a constant"):
        BatchNorm().kernels(x, x[:1], frozenset())
