"""Mean, sum, maximum and the position of the maximum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Quant, Tensor
from netsuke.ops import ArgMax, ReduceMax, ReduceMean, ReduceSum

LITERT = {ReduceMean: "MEAN", ReduceSum: "SUM", ReduceMax: "REDUCE_MAX"}
quants = st.builds(
    lambda scale, zero: Quant((float(np.float32(scale)),), (zero,)),
    st.one_of(st.floats(0.02, 0.2), st.integers(-6, -3).map(lambda e: 2.0**e)),
    st.integers(-128, 127),
)
shapes = st.lists(st.integers(1, 7), min_size=1, max_size=5).map(tuple)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(list(LITERT)), shapes, st.booleans(), st.data())
def test_reducing_kernels_equal_their_meaning(op, shape, keepdims, data) -> None:
    axes = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1))))
    node = op(axes, keepdims)
    check_node(node, [Tensor("x", shape, "int8", data.draw(quants))], [data.draw(quants)])
    check_node(node, [Tensor("x", shape)])


@settings(max_examples=30, deadline=None)
@given(shapes, st.booleans(), st.data())
def test_arg_max_kernels_equal_their_meaning(shape, keepdims, data) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    few = np.random.default_rng(0).integers(-2, 2, shape)  # many equal maxima
    check_node(ArgMax(axis, keepdims), [Tensor("x", shape, "int8", Quant((0.1,)))],
               feeds=[few.astype(np.int8)])  # fmt: skip
    check_node(ArgMax(axis, keepdims), [Tensor("x", shape)], feeds=[few.astype(np.float32)])


@pytest.mark.parametrize("op", LITERT)
@pytest.mark.parametrize(("shape", "axes", "keepdims"), [
    ((5, 3, 37), (0, 1), True), ((4, 1, 33), (0, 1), True), ((7, 7, 4), (0, 1), True),
    ((5, 5, 40), (0, 1), False), ((4, 6, 8), (2,), True), ((4, 6, 8), (0,), False),
    ((4, 6, 8), (1, 2), False), ((7, 9), (0,), False), ((50,), (0,), True),
    ((3, 4, 5), (0, 1, 2), True),
])  # fmt: skip
def test_int8_reductions_are_litert(op, shape, axes, keepdims) -> None:
    from litert_oracle import Value, litert, schema

    rng = np.random.default_rng(11)
    options = schema.ReducerOptionsT()
    options.keepDims = keepdims
    node, extent = op(axes, keepdims), np.prod([shape[axis] for axis in axes])
    for trial in range(20):
        exponents = rng.integers(-6, -3, 2) if trial % 2 else rng.uniform(-6, -3, 2)
        source, target = (
            Quant((float(np.float32(2.0**e)),), (int(z),))
            for e, z in zip(exponents, rng.integers(-90, 90, 2), strict=True)
        )
        if op is ReduceSum:
            target = Quant((target.scale[0] * 2.0 ** int(np.log2(extent)),), target.zero_point)
        if op is ReduceMax:
            target = source
        x = Tensor("x", shape, "int8", source)
        (kind,) = node.infer([x])
        stored = rng.integers(-128, 128, (1, *shape)).astype(np.int8)
        behind = np.array([axis + 1 for axis in axes], np.int32)
        (theirs,) = litert(
            LITERT[op],
            [Value((1, *shape), quant=source), Value(behind.shape, "int32", data=behind)],
            [Value((1, *kind.shape), quant=target)],
            [stored],
            options,
        )
        (ours,) = node.quantized([x], [Tensor("y", kind.shape, "int8", target)], stored[0])
        np.testing.assert_array_equal(ours, theirs[0])


def test_arg_max_is_litert() -> None:
    from litert_oracle import Value, litert, schema

    options = schema.ArgMaxOptionsT()
    options.outputType = 2
    x = np.random.default_rng(2).integers(-3, 3, (9, 12)).astype(np.int8)
    axis = Value((), "int32", data=np.array(1, np.int32))
    (theirs,) = litert("ARG_MAX", [Value(x.shape, quant=Quant((0.1,))), axis],
                       [Value((9,), "int32")], [x], options)  # fmt: skip
    np.testing.assert_array_equal(ArgMax(-1).reference(x)[0], theirs)


def test_sums_that_could_overflow_are_refused() -> None:
    x = Tensor("x", (4096, 2049), "int8", Quant((0.1,)))
    with pytest.raises(QuantizationError, match="beyond int32"):
        ReduceMean((0, 1)).kernels([x], [Tensor("y", (), "int8", Quant((0.1,)))], frozenset())


def test_a_mean_over_nothing_is_refused() -> None:
    with pytest.raises(GraphError, match="no elements"):
        ReduceMean((0,)).infer([Tensor("x", (0, 3))])


def test_an_axis_that_does_not_exist_is_named() -> None:
    with pytest.raises(GraphError, match="axis 2 does not exist"):
        ArgMax(2).infer([Tensor("x", (4, 3))])
