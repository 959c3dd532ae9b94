"""Kernel machines and nearest vectors: kernels equal the meaning, and the meaning the rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError
from netsuke.ir import Array, Op, Quant, Tensor, constant
from netsuke.ops.kernel_machine import KernelMachine, duel_numbers
from netsuke.ops.nearest import Nearest


def numbers(rng: np.random.Generator, dtype: str, *shape: int) -> Array:
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def machine(rng: np.random.Generator, dtype: str, features: int, classes: int) -> list[Tensor]:
    counts = rng.integers(0, 5, classes).astype(np.int32)
    table = np.sort(rng.integers(0, 32768, 40))[::-1].astype(np.int16)
    table[-1] = 0
    return [
        Tensor("x", (features,), dtype, Quant((1.0,))),
        constant("vectors", numbers(rng, dtype, int(counts.sum()), features)),
        constant("weights", numbers(rng, "int16", int(counts.sum()), classes - 1)),
        constant("biases", rng.integers(-999, 999, classes * (classes - 1) // 2).astype(np.int32)),
        constant("counts", counts),
        constant("table", table),
    ]


def neighbours(rng: np.random.Generator, dtype: str, features: int, classes: int) -> list[Tensor]:
    return [
        Tensor("x", (features,), dtype, Quant((1.0,))),
        constant("vectors", numbers(rng, dtype, 9, features)),
        constant("values", rng.integers(0, classes, 9).astype(np.int16)),
    ]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["int8", "uint8"]),
    st.integers(2, 6),
    st.integers(1, 9),
    st.integers(8, 15),
    st.integers(0, 999),
)
def test_every_kernel_machine_equals_the_meaning(
    dtype: str, classes: int, features: int, shift: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    inputs = machine(rng, dtype, features, classes)
    check_node(KernelMachine(shift), inputs, [None], feeds=[numbers(rng, dtype, features)])


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["int8", "uint8"]),
    st.sampled_from(["class", "sum"]),
    st.integers(1, 9),
    st.integers(1, 5),
    st.integers(0, 999),
)
def test_every_kernel_of_nearest_vectors_equals_the_meaning(
    dtype: str, mode: str, count: int, features: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    inputs = neighbours(rng, dtype, features, 4)
    check_node(Nearest(count, mode), inputs, [None], feeds=[numbers(rng, dtype, features)])


def test_duels_are_numbered_by_first_and_second_class() -> None:
    numbered = duel_numbers(4)
    assert numbered[0, 1:].tolist() == [0, 1, 2] and numbered[3, :3].tolist() == [2, 4, 5]


def test_of_equally_near_vectors_the_first_counts() -> None:
    arrays = [np.array([[1], [3], [9]], np.int8), np.array([7, 5, 1], np.int16)]
    inputs = [Tensor("x", (1,), "int8"), *(constant(str(i), a) for i, a in enumerate(arrays))]
    (y,) = Nearest(1).quantized(inputs, [], np.array([2], np.int8), *arrays)
    assert y.tolist() == [7]


@pytest.mark.parametrize(
    ("op", "index", "value", "said"),
    [
        (KernelMachine(9), 4, np.array([1, 1], np.int32), "do not match|add up"),
        (KernelMachine(9), 5, np.array([1, 2, 0], np.int16), "falling table"),
        (KernelMachine(16), 3, np.zeros(3, np.int32), "do not fit"),
        (KernelMachine(9), 3, np.zeros(9, np.int32), "do not duel"),
        (Nearest(10), 2, np.zeros(9, np.int16), "cannot be asked"),
        (Nearest(3), 2, np.full(9, 300, np.int16), "between 0 and 255"),
        (Nearest(3), 1, np.zeros((8, 3), np.int8), r"is not int8\[9, 3\]"),
    ],
)
def test_damaged_constants_are_refused(op: Op, index: int, value: Array, said: str) -> None:
    rng = np.random.default_rng(0)
    make = machine if isinstance(op, KernelMachine) else neighbours
    inputs = make(rng, "int8", 3, 3)
    inputs[index] = constant(inputs[index].name, value)
    with pytest.raises(GraphError, match=said):
        op.infer(inputs)
