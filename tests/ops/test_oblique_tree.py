"""Trees of oblique splits: kernels equal the meaning, and the meaning the rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError
from netsuke.ir import Array, Quant, Tensor, constant
from netsuke.ops.oblique_tree import ObliqueTree


def tensors(
    rng: np.random.Generator, dtype: str, features: int, depth: int, outputs: int
) -> list[Tensor]:
    splits = (1 << depth) - 1
    return [
        Tensor("x", (features,), dtype, Quant((1.0,))),
        constant("weights", rng.integers(-127, 128, (splits, features)).astype(np.int8)),
        constant("bias", rng.integers(-9999, 9999, splits).astype(np.int32)),
        constant("leaves", rng.integers(-128, 128, (splits + 1, outputs)).astype(np.int8)),
    ]


def data(inputs: list[Tensor]) -> list[Array]:
    return [tensor.data for tensor in inputs if tensor.data is not None]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["int8", "uint8", "int16"]),
    st.sampled_from(["class", "scores", "leaf"]),
    st.integers(1, 6),
    st.sampled_from([1, 7]),
    st.integers(1, 20),
    st.integers(0, 999),
)
def test_every_kernel_equals_the_meaning(
    dtype: str, mode: str, depth: int, outputs: int, features: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    info = np.iinfo(dtype)
    inputs = tensors(rng, dtype, 1 if dtype == "int16" else features, depth, outputs)
    x = rng.integers(info.min, info.max, inputs[0].shape, dtype, endpoint=True)
    check_node(ObliqueTree(mode), inputs, [None], feeds=[x])


def test_the_leaf_says_every_turn() -> None:
    rng = np.random.default_rng(0)
    inputs = tensors(rng, "int8", 5, 4, 3)
    weights, bias, _ = data(inputs)
    for x in rng.integers(-128, 128, (20, 5)).astype(np.int8):
        (leaf,) = ObliqueTree("leaf").quantized(inputs, [], x, *data(inputs))[0]
        k, turns = 0, []
        while k < 15:
            turns.append(int(int(weights[k].astype(int) @ x) + int(bias[k]) > 0))
            k = 2 * k + 1 + turns[-1]
        assert int(leaf) == int("".join(map(str, turns)), 2)


def test_a_sum_of_zero_turns_left() -> None:
    inputs = tensors(np.random.default_rng(0), "int8", 1, 1, 1)
    zero = [np.zeros((1, 1), np.int8), np.zeros(1, np.int32), np.array([[3], [4]], np.int8)]
    (y,) = ObliqueTree("scores").quantized(inputs, [], np.array([9], np.int8), *zero)
    assert y.tolist() == [3]


@pytest.mark.parametrize(
    ("index", "value", "said"),
    [
        (1, np.zeros((3, 9), np.int8), "do not match"),
        (2, np.zeros(4, np.int32), "no complete tree"),
        (2, np.full(3, 1 << 23, np.int32), "beyond 24 bits"),
        (3, np.zeros((3, 2), np.int8), "not one row"),
        (3, np.zeros((4, 2), np.int16), "constants of int8"),
    ],
)
def test_damaged_trees_are_refused(index: int, value: Array, said: str) -> None:
    inputs = tensors(np.random.default_rng(0), "int8", 5, 2, 2)
    inputs[index] = constant(inputs[index].name, value)
    with pytest.raises(GraphError, match=said):
        ObliqueTree().infer(inputs)
