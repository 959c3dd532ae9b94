"""Linear models of integer features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Quant, Tensor, constant
from netsuke.ops import LinearModel

LIMITS = {"int8": 128, "uint8": 255, "int16": 32768}


def tensors(dtype: str, weights: np.ndarray, bias: np.ndarray) -> list[Tensor]:
    scheme = "unsigned" if dtype == "uint8" else "affine"
    quant = Quant((1.0,), bits=16 if dtype == "int16" else 8, scheme=scheme)
    x = Tensor("x", (weights.shape[1],), dtype, quant)
    return [x, constant("w", weights), constant("b", bias)]


@settings(max_examples=40, deadline=None)
@given(
    dtype=st.sampled_from(sorted(LIMITS)),
    mode=st.sampled_from(["scores", "class"]),
    wide=st.booleans(),
    units=st.integers(1, 9),
    depth=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_kernels_equal_the_meaning(
    dtype: str, mode: str, wide: bool, units: int, depth: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    room = (1 << 23 if wide else 1 << 15) - 101
    most = min(127, room // (LIMITS[dtype] * depth))
    weights = rng.integers(-most, most + 1, (units, depth)).astype(np.int8)
    bias = rng.integers(-100, 101, units).astype("int32" if wide else "int16")
    check_node(LinearModel(mode), tensors(dtype, weights, bias), seed=seed)


@pytest.mark.parametrize("mode", ["scores", "class"])
def test_sums_reach_both_ends_of_their_bits(mode: str) -> None:
    weights = np.array([[127] * 2, [-127] * 2], np.int8)
    bias = np.array([32767 - 127 * 254, 0], np.int16)
    inputs = tensors("int8", weights, bias)
    for value in (-128, 127):
        check_node(LinearModel(mode), inputs, feeds=[np.full(2, value, np.int8)])


def test_the_first_of_equal_scores_wins_and_zero_is_not_above_zero() -> None:
    equal = np.zeros((3, 2), np.int8)
    (first,) = LinearModel("class").reference(np.ones(2, np.int8), equal, np.zeros(3, np.int32))
    assert first.tolist() == [0] and first.dtype == np.uint8
    for bias, expected in ((0, 0), (1, 1), (-1, 0)):
        single = LinearModel("class").reference(
            np.ones(2, np.int8), equal[:1], np.array([bias], np.int32)
        )
        assert single[0].tolist() == [expected]


def test_a_sum_that_could_overflow_is_refused_with_its_number() -> None:
    weights = np.full((1, 600), 127, np.int8)
    with pytest.raises(QuantizationError, match="9,753,600"):
        LinearModel().infer(tensors("int8", weights, np.zeros(1, np.int32)))
    with pytest.raises(QuantizationError, match="16 bits"):
        LinearModel().infer(tensors("int8", weights[:, :9], np.zeros(1, np.int16)))


@pytest.mark.parametrize(
    ("weights", "bias", "words"),
    [
        (np.zeros((2, 3), np.int8), np.zeros(3, np.int32), "do not match"),
        (np.zeros((2, 3), np.int16), np.zeros(2, np.int32), "int8"),
        (np.zeros((2, 3), np.int8), np.zeros(2, np.int8), "int16 or int32"),
        (np.zeros((256, 3), np.int8), np.zeros(256, np.int32), "1 to 255"),
    ],
)
def test_tensors_that_do_not_match_are_refused(
    weights: np.ndarray, bias: np.ndarray, words: str
) -> None:
    with pytest.raises(GraphError, match=words):
        LinearModel().infer(tensors("int8", weights, bias))
    with pytest.raises(GraphError, match="mode"):
        LinearModel("most").infer(tensors("int8", weights, bias))
