"""Add, sub, mul, minimum and maximum: C equals NumPy, NumPy equals LiteRT."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError
from netsuke.ir import Quant, Tensor, constant
from netsuke.ops import Add, Div, Maximum, Minimum, Mul, Prelu, Sub
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


@settings(max_examples=40, deadline=None)
@given(broadcast_pairs(), quants, quants, quants, st.integers(0, 99))
def test_division_kernels_equal_their_meaning(shapes, a, b, y, seed) -> None:
    inputs = [Tensor("a", shapes[0], "int8", a), Tensor("b", shapes[1], "int8", b)]
    check_node(Div(low=-1.0), inputs, [y], seed=seed)
    rng = np.random.default_rng(seed)
    divisor = (rng.uniform(0.5, 2, shapes[1]) * rng.choice([-1, 1], shapes[1])).astype(np.float32)
    check_node(Div(), [Tensor(t.name, t.shape) for t in inputs], feeds=[None, divisor],
               tolerance=0.0)  # fmt: skip


def test_int8_division_is_litert_where_that_is_defined() -> None:
    from litert_oracle import Value, litert, schema

    rng = np.random.default_rng(7)
    shape, compared = (1, 400), 0
    for _ in range(60):
        a, b, y = (
            Quant((float(np.float32(2.0**e)),), (int(z),))
            for e, z in zip(
                [*rng.uniform(-6, -3, 2), rng.uniform(-3, 0)],
                rng.integers(-127, 127, 3),
                strict=True,
            )
        )
        feeds = [rng.integers(-128, 128, shape).astype(np.int8) for _ in range(2)]
        feeds[1][feeds[1] == b.zero_point[0]] += 1
        (theirs,) = litert("DIV", [Value(shape, quant=a), Value(shape, quant=b)],
                           [Value(shape, quant=y)], feeds, schema.DivOptionsT())  # fmt: skip
        tensors = [Tensor("a", shape, "int8", a), Tensor("b", shape, "int8", b)]
        (ours,) = Div().quantized(tensors, [Tensor("y", shape, "int8", y)], *feeds)
        # LiteRT shifts small quotients by more than 31 places, which C does not define.
        real = (a.dequantize(feeds[0]) / b.dequantize(feeds[1])) / y.scale[0]
        defined = np.abs(real) > 0.5
        np.testing.assert_array_equal(ours[defined], theirs[defined])
        compared += int(defined.sum())
    assert compared > 10_000


def test_division_by_zero_saturates() -> None:
    quant = Quant((0.1,), (0,))
    a, b = (Tensor(name, (3,), "int8", quant) for name in "ab")
    feeds = [np.array([5, -5, 0], np.int8), np.zeros(3, np.int8)]
    check_node(Div(), [a, b], [quant], feeds=feeds)
    (y,) = Div().quantized([a, b], [Tensor("y", (3,), "int8", quant)], *feeds)
    assert y.tolist() == [127, -128, 0]


SLOPES = [((4, 6, 8), (8,)), ((5, 20), (20,)), ((4, 6, 8), (1, 1, 1)), ((3, 4, 5), (3, 4, 5)),
          ((3, 4, 5), (3, 1, 1))]  # fmt: skip


@pytest.mark.parametrize(("shape", "slopes"), SLOPES)
def test_prelu_is_litert_and_its_kernels_equal_it(shape, slopes) -> None:
    from litert_oracle import Value, litert

    rng = np.random.default_rng(9)
    for trial in range(20):
        exponents = rng.integers(-6, -3, 3) if trial % 2 else rng.uniform(-6, -3, 3)
        x, slope, y = (
            Quant((float(np.float32(2.0**e)),), (int(z),))
            for e, z in zip(exponents - [0, 3, 0], rng.integers(-128, 128, 3), strict=True)
        )
        values = rng.integers(-128, 128, slopes).astype(np.int8)
        stored = rng.integers(-128, 128, shape).astype(np.int8)
        inputs = [Tensor("x", shape, "int8", x), constant("slope", values, slope)]
        (ours,) = Prelu().quantized(inputs, [Tensor("y", shape, "int8", y)], stored, values)
        (theirs,) = litert(
            "PRELU",
            [Value((1, *shape), quant=x), Value(slopes, quant=slope, data=values)],
            [Value((1, *shape), quant=y)],
            [stored[None]],
            version=1,
        )
        np.testing.assert_array_equal(ours, theirs[0])
        if trial < 3:
            check_node(Prelu(), inputs, [y], feeds=[stored])
    real = rng.normal(size=slopes).astype(np.float32)
    check_node(Prelu(), [Tensor("x", shape), constant("slope", real)], tolerance=0.0)
