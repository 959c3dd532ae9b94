"""Add, sub, mul, minimum and maximum: C equals NumPy, NumPy equals LiteRT."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError
from netsuke.ir import Quant, Tensor, constant
from netsuke.ops import Add, Maximum, Minimum, Mul, Sub
from netsuke.ops.broadcast import walk

LITERT = {Add: "ADD", Sub: "SUB", Mul: "MUL", Minimum: "MINIMUM", Maximum: "MAXIMUM"}
SHAPES = [
    ((1, 5), (1, 5)),
    ((1, 40), (1, 40)),
    ((1, 4, 6, 8), (1, 4, 6, 8)),
    ((1, 4, 6, 21), (1, 1, 1, 21)),
    ((1, 1, 1, 21), (1, 4, 6, 21)),
    ((1, 4, 6, 8), (1, 1, 1, 1)),
    ((1, 4, 6, 8), (1, 4, 1, 8)),
    ((1, 4, 6, 21), (1, 4, 6, 1)),
    ((1, 3, 1, 5), (1, 1, 7, 1)),
]
quants = st.builds(
    lambda scale, zero: Quant((float(np.float32(scale)),), (zero,)),
    st.one_of(st.floats(0.005, 0.2), st.integers(-8, -3).map(lambda e: 2.0**e)),
    st.integers(-128, 127),
)


@st.composite
def broadcast_pairs(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    full = draw(st.lists(st.integers(1, 4), max_size=6))
    sides = []
    for _ in range(2):
        kept = [draw(st.sampled_from([extent, 1])) for extent in full]
        sides.append(tuple(kept[draw(st.integers(0, len(kept))) :]))
    return sides[0], sides[1]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(list(LITERT)), broadcast_pairs(), st.data())
def test_int8_kernels_equal_their_meaning(op, shapes, data) -> None:
    a, b, y = (data.draw(quants) for _ in range(3))
    inputs = [Tensor("a", shapes[0], "int8", a), Tensor("b", shapes[1], "int8", b)]
    low = data.draw(st.sampled_from([-float("inf"), 0.0]))
    check_node(op() if op in (Minimum, Maximum) else op(low=low), inputs, [y])


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(list(LITERT)), broadcast_pairs())
def test_float_kernels_equal_their_meaning(op, shapes) -> None:
    inputs = [Tensor("a", shapes[0]), Tensor("b", shapes[1])]
    check_node(op(), inputs, tolerance=0.0)


@pytest.mark.parametrize("op", LITERT)
@pytest.mark.parametrize("power_of_two", [False, True])
def test_int8_meaning_is_litert(op, power_of_two) -> None:
    from litert_oracle import Value, litert, schema

    rng = np.random.default_rng(7)
    for left, right in SHAPES * 4:
        a, b, y = (
            Quant((float(np.float32(2.0**e)),), (int(z),))
            for e, z in zip(
                rng.integers(-8, -3, 3) if power_of_two else rng.uniform(-8, -3, 3),
                rng.integers(-128, 128, 3),
                strict=True,
            )
        )
        if op in (Minimum, Maximum):  # LiteRT disregards the scales
            a = b = y
        if a.scale[0] * b.scale[0] > y.scale[0] / 2:  # its vectors wrap beyond 16 bits
            y = Quant((a.scale[0] * b.scale[0] * 2,), y.zero_point)
        feeds = [rng.integers(-128, 128, shape).astype(np.int8) for shape in (left, right)]
        kind = "MaximumMinimum" if op in (Minimum, Maximum) else op.__name__
        (theirs,) = litert(
            LITERT[op],
            [Value(left, quant=a), Value(right, quant=b)],
            [Value(np.broadcast_shapes(left, right), quant=y)],
            feeds,
            getattr(schema, kind + "OptionsT")(),
        )
        tensors = [Tensor("a", left, "int8", a), Tensor("b", right, "int8", b)]
        (ours,) = op().quantized(tensors, [Tensor("y", theirs.shape, "int8", y)], *feeds)
        np.testing.assert_array_equal(ours, theirs)


def test_a_constant_operand_needs_no_memory_of_its_own() -> None:
    quant = Quant((0.1,), (3,))
    kernels = check_node(
        Add(),
        [Tensor("x", (3, 4), "int8", quant), constant("b", np.arange(4, dtype=np.int8), quant)],
        [quant],
    )
    assert kernels[0].inplace == ((0, 0),)


@given(broadcast_pairs())
def test_a_walk_visits_what_numpy_broadcasts(shapes) -> None:
    out = np.broadcast_shapes(*shapes)
    extents, steps = walk(out, *shapes)
    for shape, step in zip(shapes, steps, strict=True):
        flat = np.zeros(1, int)
        for extent, by in zip(extents, step, strict=True):
            flat = (flat[:, None] + by * np.arange(extent)).ravel()
        wanted = np.broadcast_to(np.arange(np.prod(shape, dtype=int)).reshape(shape), out)
        np.testing.assert_array_equal(flat, wanted.ravel())


def test_shapes_that_do_not_broadcast_are_named() -> None:
    with pytest.raises(GraphError, match=r"\[2, 3\] and \[4\]"):
        Add().infer([Tensor("a", (2, 3)), Tensor("b", (4,))])
