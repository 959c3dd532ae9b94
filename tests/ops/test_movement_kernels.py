"""Moving operators in C equal NumPy for every element type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Op, Quant, Tensor, constant
from netsuke.ops import (
    ChannelShuffle,
    Concat,
    Expand,
    Gather,
    MaxPool2d,
    Pad,
    Reshape,
    Resize,
    Slice,
    Split,
    Transpose,
)

QUANT = Quant((0.05,), (-7,))
DTYPES = st.sampled_from(["float32", "int8", "int16", "int32", "int64", "bool"])
SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
FEW = settings(max_examples=25, deadline=None)


def tensor(shape: tuple[int, ...], dtype: str, name: str = "x") -> Tensor:
    return Tensor(name, shape, dtype, QUANT if dtype == "int8" else None)


def check(op: Op, *inputs: Tensor) -> None:
    """One node whose outputs have the quantization of the first input."""
    count = len(op.infer(inputs))
    check_node(op, inputs, [inputs[0].quant] * count, tolerance=0.0)


@FEW
@given(SHAPES, DTYPES, st.data())
def test_transpose_equals_numpy(shape: tuple[int, ...], dtype: str, data: st.DataObject) -> None:
    axes = data.draw(st.permutations(range(len(shape))))
    check(Transpose(tuple(axes)), tensor(shape, dtype))


@FEW
@given(SHAPES, DTYPES, st.data())
def test_slice_equals_numpy(shape: tuple[int, ...], dtype: str, data: st.DataObject) -> None:
    ranges = []
    for extent in shape:
        step = data.draw(st.sampled_from([1, 1, 2, 3, -1, -2]))
        start = data.draw(st.integers(0, extent - 1))
        most = (extent - 1 - start) // step + 1 if step > 0 else start // -step + 1
        ranges.append((start, data.draw(st.integers(1, most)), step))
    check(Slice(tuple(ranges)), tensor(shape, dtype))


@FEW
@given(SHAPES, DTYPES, st.data())
def test_expand_equals_numpy(shape: tuple[int, ...], dtype: str, data: st.DataObject) -> None:
    wider = tuple(n if n > 1 else data.draw(st.integers(1, 3)) for n in shape)
    front = data.draw(st.lists(st.integers(1, 3), max_size=2))
    check(Expand((*front, *wider)), tensor(shape, dtype))


@FEW
@given(SHAPES, DTYPES, st.integers(1, 4))
def test_channel_shuffle_equals_numpy(shape: tuple[int, ...], dtype: str, groups: int) -> None:
    check(ChannelShuffle(groups), tensor((*shape, 3 * groups), dtype))


@FEW
@given(SHAPES, DTYPES, st.integers(1, 5), st.data())
def test_concat_and_split_equal_numpy(
    shape: tuple[int, ...], dtype: str, pieces: int, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=pieces, max_size=pieces))
    shapes = [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]
    check(Concat(axis), *(tensor(s, dtype, f"x{i}") for i, s in enumerate(shapes)))
    whole = (*shape[:axis], sum(sizes), *shape[axis + 1 :])
    check(Split(axis, tuple(sizes)), tensor(whole, dtype))


def test_concat_and_split_serve_up_to_32_pieces_and_say_so_beyond() -> None:
    for count in (31, 32):
        check(Concat(1), *(tensor((2, i % 3 + 1), "int8", f"x{i}") for i in range(count)))
        check(Split(1, (2,) * count), tensor((3, 2 * count), "float32"))
    many = [tensor((2, 1), "int8", f"x{i}") for i in range(33)]
    with pytest.raises(GraphError, match=r"33 tensors.*at most 32"):
        Concat(1).kernels(many, [tensor((2, 33), "int8", "y")], frozenset())
    with pytest.raises(GraphError, match=r"33 pieces.*at most 32"):
        Split(1, (1,) * 33).kernels([tensor((2, 33), "int8")], many, frozenset())


@FEW
@given(SHAPES, DTYPES, st.sampled_from(["int32", "int64"]), st.data())
def test_gather_equals_numpy(
    shape: tuple[int, ...], dtype: str, kind: str, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    extent = shape[axis]
    picks = data.draw(st.lists(st.integers(-extent, extent - 1), min_size=2, max_size=6))
    indices = np.array(picks[: len(picks) // 2 * 2], kind).reshape(2, -1)
    check(Gather(axis), tensor(shape, dtype), constant("indices", indices))


@FEW
@given(
    SHAPES,
    DTYPES,
    st.sampled_from(["constant", "reflect", "edge", "symmetric", "wrap"]),
    st.data(),
)
def test_pad_equals_numpy(
    shape: tuple[int, ...], dtype: str, mode: str, data: st.DataObject
) -> None:
    pads = []
    for extent in shape:
        most = {"constant": 3, "edge": 3, "reflect": extent - 1}.get(mode, extent)
        pads.append((data.draw(st.integers(0, most)), data.draw(st.integers(0, most))))
    value = data.draw(st.sampled_from([0.0, 1.0, -0.3] if dtype in ("float32", "int8") else [0, 1]))
    check(Pad(tuple(pads), value, mode), tensor(shape, dtype))


def test_pad_with_minus_infinity_fills_with_the_lowest_value() -> None:
    check(Pad(((1, 0),), -np.inf), tensor((3,), "float32"))
    check(Pad(((1, 0),), -np.inf), tensor((3,), "int8"))
    x = tensor((2,), "int8")
    (y,) = Pad(((1, 0),), -np.inf).quantized([x], [x], np.array([3, 4], np.int8))
    assert y.tolist() == [-128, 3, 4]


@FEW
@given(SHAPES, DTYPES)
def test_reshape_copies_when_no_view_is_granted(shape: tuple[int, ...], dtype: str) -> None:
    check(Reshape((int(np.prod(shape)), 1)), tensor(shape, dtype))


@FEW
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)),
    DTYPES,
    st.tuples(st.integers(1, 11), st.integers(1, 11)),
    st.sampled_from(["asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"]),
    st.sampled_from(["floor", "round_prefer_floor", "round_prefer_ceil", "ceil"]),
)
def test_nearest_resize_equals_numpy(
    shape: tuple[int, int, int], dtype: str, size: tuple[int, int], coordinates: str, rounding: str
) -> None:
    check(Resize(size, "nearest", coordinates, rounding), tensor(shape, dtype))


@FEW
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)),
    st.sampled_from(["float32", "int8"]),
    st.tuples(st.integers(1, 11), st.integers(1, 11)),
    st.sampled_from(["asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"]),
)
def test_bilinear_resize_equals_numpy(
    shape: tuple[int, int, int], dtype: str, size: tuple[int, int], coordinates: str
) -> None:
    check_node(
        Resize(size, "bilinear", coordinates),
        [tensor(shape, dtype)],
        [QUANT if dtype == "int8" else None],
    )


def test_empty_slices_move_nothing() -> None:
    check(Slice(((0, 0, 1), (0, 3, 1))), tensor((4, 3), "float32"))


@pytest.mark.parametrize(
    ("op", "shape"),
    [
        (Reshape((6,)), (2, 3)),
        (Transpose((1, 0)), (2, 3)),
        (Slice(((0, 1, 1), (0, 3, 1))), (2, 3)),
        (Pad(((1, 1), (0, 0))), (2, 3)),
        (MaxPool2d((2, 2)), (2, 3, 1)),
        (Resize((4, 4)), (2, 3, 1)),
    ],
)
def test_integers_cannot_move_between_quantizations(op: Op, shape: tuple[int, ...]) -> None:
    x = tensor(shape, "int8")
    (kind,) = op.infer([x])
    y = Tensor("y", kind.shape, kind.dtype, Quant((0.06,), (-7,)))
    with pytest.raises(QuantizationError, match=r"'x' has scale 0\.05.*scale 0\.06"):
        op.quantized([x], [y], np.zeros(shape, np.int8))


@pytest.mark.parametrize(
    ("op", "shape", "message"),
    [
        (Reshape((7,)), (2, 3), "6 elements"),
        (Transpose((0, 0)), (2, 3), "do not permute"),
        (Slice(((0, 3, 1), (0, 1, 1))), (2, 3), "3 elements from 0 in steps of 1 along axis 0"),
        (Slice(((0, 1, 0), (0, 1, 1))), (2, 3), "steps of 0"),
        (Pad(((-1, 0), (0, 0))), (2, 3), "crop with slice"),
        (Pad(((2, 0), (0, 0)), mode="reflect"), (2, 3), "too wide"),
        (Pad(((2, 0), (0, 0)), mode="mirror"), (2, 3), "no mode 'mirror'"),
        (Split(1, (1, 1)), (2, 3), "cannot cut axis 1"),
        (Split(2, (1, 1)), (2, 3), "no axis 2"),
        (Expand((2, 4)), (2, 3), "cannot broadcast"),
        (ChannelShuffle(2), (2, 3), "do not divide"),
        (Resize((4, 4), mode="cubic"), (2, 3, 1), "not 'cubic'"),
        (MaxPool2d((2, 2), padding=((2, 0), (0, 0))), (2, 3, 1), "without pixel"),
    ],
)
def test_impossible_movements_are_refused(op: Op, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        op.infer([tensor(shape, "float32")])


def test_gather_refuses_indices_that_are_outside() -> None:
    with pytest.raises(GraphError, match=r"index 3, but axis 0 .* 3 elements"):
        Gather(0).infer([tensor((3, 2), "float32"), constant("i", np.array([0, 3]))])


def test_pieces_along_the_first_long_axis_are_views() -> None:
    x, y = tensor((1, 4, 4), "int8", "x"), tensor((1, 2, 4), "int8", "y")
    views = Concat(1).views([x, y], [tensor((1, 6, 4), "int8", "z")])
    assert [view.offset for view in views] == [0, 16]
    views = Split(1, (4, 2)).views([tensor((1, 6, 4), "int8", "z")], [x, y])
    assert [view.offset for view in views] == [0, 16]
    assert Concat(2).views([tensor((2, 1, 4), "int8")] * 2, [tensor((2, 1, 8), "int8")]) == ()
    (view,) = Slice(((1, 1, 1), (1, 2, 1), (0, 4, 1))).views([tensor((2, 4, 4), "int8")], [y])
    assert view.offset == 20
    assert Slice(((1, 1, 1), (1, 2, 2))).views([tensor((2, 4), "int8")], [y]) == ()
    (view,) = Transpose((2, 0, 1)).views([tensor((5, 7, 1), "int8")], [])
    assert view.offset == 0
    assert Transpose((1, 0)).views([tensor((5, 7), "int8")], []) == ()


def test_views_never_break_the_alignment_of_the_arena() -> None:
    x, y = tensor((3,), "int8", "x"), tensor((5,), "int8", "y")
    assert Concat(0).views([x, y], [tensor((8,), "int8")]) == ()
    assert Split(0, (3, 5)).views([tensor((8,), "int8")], [x, y]) == ()
    assert Slice(((2, 3, 1),)).views([tensor((8,), "int8")], [x]) == ()
