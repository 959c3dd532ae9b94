"""Matrix products."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Quant, Tensor, constant
from netsuke.ops import Matmul

quants = st.builds(
    lambda scale, zero: Quant((float(np.float32(scale)),), (zero,)),
    st.one_of(st.floats(0.01, 0.2), st.integers(-6, -3).map(lambda e: 2.0**e)),
    st.integers(-128, 127),
)
sizes = st.integers(1, 6)


@settings(max_examples=40, deadline=None)
@given(sizes, sizes, sizes, st.lists(sizes, max_size=3), st.data())
def test_kernels_equal_their_meaning(rows, depth, columns, outer, data) -> None:
    sides = []
    for _ in range(2):
        kept = [data.draw(st.sampled_from([extent, 1])) for extent in outer]
        sides.append(tuple(kept[data.draw(st.integers(0, len(kept))) :]))
    a, b = (*sides[0], rows, depth), (*sides[1], depth, columns)
    check_node(
        Matmul(),
        [Tensor("a", a, "int8", data.draw(quants)), Tensor("b", b, "int8", data.draw(quants))],
        [data.draw(quants)],
    )
    check_node(Matmul(), [Tensor("a", a), Tensor("b", b)])


@pytest.mark.parametrize("fixed", [False, True], ids=["two activations", "a constant"])
@pytest.mark.parametrize(
    ("left", "right"),
    [((1, 4, 6, 8), (1, 4, 8, 5)), ((1, 6, 18), (1, 18, 5)), ((1, 3, 4, 6), (6, 9))],
)
def test_int8_meaning_is_litert(left, right, fixed) -> None:
    from litert_oracle import Value, litert, schema

    rng = np.random.default_rng(3)
    for trial in range(25):
        exponents = rng.integers(-8, -4, 3) if trial % 2 else rng.uniform(-8, -4, 3)
        a, b, y = (
            Quant((float(np.float32(2.0**e)),), (int(z),))
            for e, z in zip(
                [*exponents[:2], exponents[2] + 2], rng.integers(-128, 128, 3), strict=True
            )
        )
        if fixed:
            b = Quant(b.scale, (0,))  # LiteRT takes constants as symmetric weights
        feeds = [rng.integers(-128, 128, shape).astype(np.int8) for shape in (left, right)]
        shape = np.matmul(*feeds).shape
        (theirs,) = litert(
            "BATCH_MATMUL",
            [Value(left, quant=a), Value(right, quant=b, data=feeds[1] if fixed else None)],
            [Value(shape, quant=y)],
            feeds[: 1 if fixed else 2],
            schema.BatchMatMulOptionsT(),
        )
        tensors = [Tensor("a", left, "int8", a), Tensor("b", right, "int8", b)]
        (ours,) = Matmul().quantized(tensors, [Tensor("y", shape, "int8", y)], *feeds)
        np.testing.assert_array_equal(ours, theirs)


def test_sums_that_could_overflow_are_refused() -> None:
    quant = Quant((0.1,), (-128,))
    a, b = Tensor("a", (1, 40_000), "int8", quant), Tensor("b", (40_000, 1), "int8", quant)
    with pytest.raises(QuantizationError, match="beyond int32"):
        Matmul().kernels([a, b], [Tensor("y", (1, 1), "int8", quant)], frozenset())


def test_matrices_that_do_not_match_are_named() -> None:
    with pytest.raises(GraphError, match=r"\(2, 3\) and \(4, 5\)"):
        Matmul().infer([Tensor("a", (2, 3)), constant("b", np.zeros((4, 5), np.float32))])
