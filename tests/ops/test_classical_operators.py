"""Projection, gated tree, prototypes and decide: C equals meaning, tables stand for the matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError
from netsuke.ir import Array, Quant, Tensor
from netsuke.ir.tensor import constant
from netsuke.ops import Decide, GatedTree, Projection, Prototypes
from netsuke.ops.projection.coding import decoded, smallest_coding

STORED = Quant((1.0,))


def activation(size: int, dtype: str = "int8") -> Tensor:
    return Tensor("x", (size,), dtype, STORED)


def sparse_matrix(rng: np.random.Generator, rows: int, columns: int, density: float) -> Array:
    bits = rng.choice([7, 127])
    weights = rng.integers(-bits, bits + 1, (rows, columns))
    return (weights * (rng.random((rows, columns)) < density)).astype(np.int8)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 9),
    columns=st.sampled_from([1, 2, 15, 16, 17, 64, 300, 700]),
    density=st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]),
    wide=st.booleans(),
)
def test_projection_in_c_is_its_meaning(
    seed: int, rows: int, columns: int, density: float, wide: bool
) -> None:
    rng = np.random.default_rng(seed)
    weights = sparse_matrix(rng, rows, columns, density)
    bias = rng.integers(-(10 ** int(rng.integers(2, 8))), 10**4, rows).astype(np.int32)
    limit = 32767 if wide else 127
    low = int(rng.integers(-limit, 1))
    op = Projection(int(rng.integers(0, 12)), low, limit, "int16" if wide else "int8")
    check_node(op, [activation(columns), constant("w", weights), constant("b", bias)])


@given(
    seed=st.integers(0, 2**32 - 1),
    columns=st.integers(1, 600),
    density=st.sampled_from([0.0, 0.005, 0.05, 0.3, 0.8]),
)
@settings(deadline=None, max_examples=60)
def test_every_coding_stands_for_its_matrix(seed: int, columns: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    weights = sparse_matrix(rng, 4, columns, density)
    coding = smallest_coding(weights, 1 << 20)
    np.testing.assert_array_equal(decoded(coding, (4, columns)), weights)
    assert coding.size <= weights.size


def test_the_coding_follows_the_density() -> None:
    rng = np.random.default_rng(0)
    narrow = rng.integers(1, 8, (4, 256)).astype(np.int8)
    names = {
        density: smallest_coding(
            np.where(rng.random((4, 256)) < density, narrow, 0).astype(np.int8), 1 << 20
        ).name
        for density in (0.01, 0.2)
    }
    assert names == {0.01: "gaps", 0.2: "nibbles"}
    assert smallest_coding(narrow * np.int8(9), 1 << 20).name == "dense"


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    depth=st.integers(0, 4),
    size=st.integers(1, 17),
    outputs=st.integers(1, 4),
    shared=st.booleans(),
)
def test_gated_tree_in_c_is_its_meaning(
    seed: int, depth: int, size: int, outputs: int, shared: bool
) -> None:
    rng = np.random.default_rng(seed)
    nodes = (2 << depth) - 1

    def matrix(name: str, *shape: int) -> Tensor:
        return constant(name, rng.integers(-128, 128, shape).astype(np.int8))

    check_node(
        GatedTree(6, int(rng.integers(0, 12))),
        [
            activation(size),
            matrix("w", nodes, outputs, size),
            matrix("v", nodes, 1 if shared else outputs, size),
            matrix("t", nodes // 2, size),
        ],
        seed=seed % 1000,
    )


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 40),
    size=st.integers(1, 17),
    outputs=st.integers(1, 12),
    entries=st.integers(2, 256),
)
def test_prototypes_in_c_are_their_meaning(
    seed: int, count: int, size: int, outputs: int, entries: int
) -> None:
    rng = np.random.default_rng(seed)
    table = np.sort(rng.integers(0, 256, entries))[::-1].astype(np.uint8)
    table[-1] = 0
    check_node(
        Prototypes(int(rng.choice([0, *range(6, 14), 20, 31]))),
        [
            activation(size),
            constant("b", rng.integers(-128, 128, (count, size)).astype(np.int8)),
            constant("s", rng.integers(-128, 128, (count, outputs)).astype(np.int8)),
            constant("table", table),
        ],
        seed=seed % 1000,
    )


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32"])
@pytest.mark.parametrize("scores", [[-1], [0], [1], [3, 3], [1, 5, 5], [-9, -8, -100]])
def test_decide_takes_the_first_largest_score(dtype: str, scores: list[int]) -> None:
    check_node(Decide(), [activation(len(scores), dtype)], feeds=[np.array(scores, dtype)])
    (decided,) = Decide().reference(np.array(scores))
    assert decided == (int(scores[0] > 0) if len(scores) == 1 else scores.index(max(scores)))


def test_sums_that_could_overflow_are_refused() -> None:
    weights = constant("w", np.full((1, 200), 127, np.int8))
    bias = constant("b", np.array([2**31 - 10], np.int32))
    with pytest.raises(GraphError, match="32 bits"):
        Projection(8).infer([activation(200), weights, bias])
    tree = [constant(n, np.full(s, 127, np.int8)) for n, s in [("w", (1, 1, 9)), ("v", (1, 1, 9))]]
    branch = constant("t", np.zeros((0, 9), np.int8))
    with pytest.raises(GraphError, match="16 bits"):
        GatedTree(0, 0).infer([activation(9), *tree, branch])
