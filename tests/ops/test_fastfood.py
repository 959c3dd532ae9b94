"""Fastfood features: the C kernels equal the integers, and these the cosines they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError
from netsuke.ir import Array, Quant, Tensor, constant
from netsuke.ops.fastfood import Fastfood, hadamard


def tensors(
    rng: np.random.Generator, dtype: str, features: int, d: int, outputs: int
) -> list[Tensor]:
    blocks, bits = -(-outputs // d), 4 if d > 64 else 8
    scheme = "unsigned" if dtype == "uint8" else "affine"
    order = np.stack([rng.permutation(d) for _ in range(blocks)])
    return [
        Tensor("x", (features,), dtype, Quant((0.1,), (0,), scheme=scheme, bits=bits)),
        constant("signs", rng.choice([-1, 1], (blocks, d)).astype(np.int8)),
        constant("order", order.astype(np.int16)),
        constant("gauss", np.clip(rng.normal(0, 32, (blocks, d)), -127, 127).astype(np.int8)),
        constant("lengths", rng.integers(0, 256, outputs).astype(np.uint8)),
        constant("phases", rng.integers(-32768, 32768, outputs).astype(np.int16)),
    ]


def sample(rng: np.random.Generator, x: Tensor) -> Array:
    assert x.quant is not None
    low, high = x.quant.range
    return rng.integers(low, high, x.shape, endpoint=True).astype(x.dtype)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["int8", "uint8"]),
    st.sampled_from([(1, 2), (3, 4), (5, 8), (64, 64), (100, 128), (300, 512)]),
    st.integers(1, 3),
    st.integers(1, 22),
    st.integers(0, 999),
)
def test_every_kernel_equals_the_meaning(
    dtype: str, sizes: tuple[int, int], blocks: int, shift: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    features, d = sizes
    outputs = int(rng.integers((blocks - 1) * d + 1, blocks * d, endpoint=True))
    inputs = tensors(rng, dtype, features, d, outputs)
    check_node(
        Fastfood(shift, int(rng.integers(0, 4))),
        inputs,
        [Quant((1 / 127,))],
        feeds=[sample(rng, inputs[0])],
        seed=seed,
    )


def test_the_transform_is_the_matrix_of_signs() -> None:
    matrix = hadamard(np.eye(8, dtype=np.int64))
    i, j = np.indices((8, 8))
    parity = np.vectorize(lambda n: bin(n).count("1") % 2)(i & j)
    assert (matrix == 1 - 2 * parity).all()


def test_the_integers_follow_the_formula_in_reals() -> None:
    rng = np.random.default_rng(1)
    d, outputs, shift = 64, 128, 9
    inputs = tensors(rng, "int8", 50, d, outputs)
    x, signs, order, gauss, lengths, phases = [
        sample(rng, inputs[0]) if t.data is None else t.data.astype(float) for t in inputs
    ]
    (y,) = Fastfood(shift, 3).quantized(
        inputs, [], x, *[t.data for t in inputs[1:] if t.data is not None]
    )
    H = hadamard(np.eye(d))
    turns = []
    for block in range(2):
        w = H @ (signs[block] * np.pad(x.astype(float) - 3, (0, d - 50)))
        turns.append(H @ (gauss[block] * w[order[block].astype(int)] / 2**shift))
    phase = (np.concatenate(turns) * lengths + phases) / 65536
    # Half a unit of u in each of 64 terms, times the length, is far below a part of a turn here.
    slack = 2 * np.pi * (np.sqrt(d) * 2 * lengths / 65536 + 1 / 256)
    assert (np.abs(y / 127 - np.cos(2 * np.pi * phase)) <= slack + 1 / 127).all()


def damaged(index: int, value: Array) -> list[Tensor]:
    inputs = tensors(np.random.default_rng(0), "int8", 4, 4, 4)
    inputs[index] = constant(inputs[index].name, value)
    return inputs


@pytest.mark.parametrize(
    ("index", "value", "said"),
    [
        (1, np.zeros((1, 4), np.int8), "neither 1 nor -1"),
        (2, np.zeros((1, 4), np.int16), "no permutation"),
        (3, np.zeros((2, 4), np.int8), "differ in shape"),
        (4, np.zeros(9, np.uint8), "do not give 9"),
        (5, np.zeros(4, np.float32), "constant int16"),
    ],
)
def test_damaged_constants_are_refused(index: int, value: Array, said: str) -> None:
    with pytest.raises(GraphError, match=said):
        Fastfood(4).infer(damaged(index, value))


def test_features_that_could_overflow_are_refused() -> None:
    inputs = tensors(np.random.default_rng(0), "int8", 4, 4, 4)
    with pytest.raises(GraphError, match="coarser scale"):
        Fastfood(4, 30000).infer(inputs)
