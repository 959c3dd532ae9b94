"""A forest means the sum over its trees, in every table form and on every kernel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node
from random_trees import grown, weights

from netsuke.errors import GraphError
from netsuke.ir import Array, Quant, Tensor, constant
from netsuke.ops.forest import Forest, Trees, largest_score, leaves_reached
from netsuke.ops.forest.encode import BOTH, LEFT, LONG, RIGHT, encode
from netsuke.ops.forest.opcodes import branch, cpi, ldd, ldi, opcodes, rjmp

MODES = ("scores", "class", "leaves")


def tensors(
    shape: tuple[Array, Array, Array, Array],
    leaves: Array,
    offset: Array,
    dtype: str,
    features: int,
) -> list[Tensor]:
    feature, threshold, children, roots = shape
    return [
        Tensor("x", (features,), dtype, Quant((1.0,))),
        constant("feature", feature),
        constant("threshold", threshold),
        constant("children", children),
        constant("roots", roots),
        constant("leaves", leaves.astype(np.int16)),
        constant("offset", offset.astype(np.int16)),
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["int8", "uint8", "int16"]),
    st.sampled_from(["votes", "sparse", "dense", "wide"]),
    st.sampled_from(MODES),
    st.integers(0, 40),
    st.integers(1, 6),
    st.sampled_from([1, 2, 3, 11]),
    st.sampled_from([1, 5, 64, 300]),
    st.integers(0, 999),
)
def test_every_kernel_equals_the_meaning(
    dtype: str,
    form: str,
    mode: str,
    splits: int,
    trees: int,
    outputs: int,
    features: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    *shape, leaves = grown(rng, dtype, features, trees, splits)
    table = weights(rng, form, leaves, outputs)
    offset = np.zeros(outputs) if form == "votes" else rng.integers(-50, 50, outputs)
    inputs = tensors(tuple(shape), table, offset, dtype, features)
    info = np.iinfo(dtype)
    x = rng.integers(info.min, info.max, features, dtype, endpoint=True)
    check_node(Forest(mode), inputs, [None], feeds=[x])


def test_large_trees_take_long_distances_and_wide_leaves() -> None:
    rng = np.random.default_rng(3)
    *shape, leaves = grown(rng, "uint8", 20, 2, 900)
    table = rng.integers(-5000, 5000, (leaves, 1)).astype(np.int16)
    inputs = tensors(tuple(shape), table, np.zeros(1), "uint8", 20)
    kernel = check_node(Forest(), inputs, [None], feeds=[rng.integers(0, 256, 20, np.uint8)])[0]
    assert kernel.parameters["wide_leaf"] == 1
    codes = np.asarray(kernel.parameters["nodes"])[2:][:1]
    assert codes[0] == LONG, "the first split of 900 has its right child far away"


def test_a_split_takes_three_bytes() -> None:
    rng = np.random.default_rng(0)
    *shape, leaves = grown(rng, "uint8", 64, 1, 30)
    feature, threshold, children, roots = shape
    encoding = encode(feature, threshold, np.where(children < 0, -1, children), roots, (1, 1))
    assert encoding.nodes.size == 3 * 30
    assert encoding.pairs.max() <= 255
    assert leaves == 31


def test_the_walk_goes_left_at_the_threshold_itself() -> None:
    trees = Trees(
        np.array([0]), np.array([5]), np.array([[-1, -2]]), np.array([0]), np.eye(2), np.zeros(2)
    )
    assert leaves_reached(trees, np.array([[4], [5], [6]])).ravel().tolist() == [0, 0, 1]


def test_the_first_of_equal_classes_wins() -> None:
    shape = (
        np.array([0, 0], np.int32),
        np.array([5, 5], np.int32),
        np.array([[-1, -2], [-2, -1]], np.int32),
        np.array([0, 1], np.int32),
    )
    inputs = tensors(shape, np.eye(2), np.zeros(2), "uint8", 1)
    (y,) = Forest("class").quantized(
        inputs, [], np.array([3], np.uint8), *[t.data for t in inputs[1:] if t.data is not None]
    )
    assert y.tolist() == [0]


def test_instructions_are_those_of_the_manual() -> None:
    # ldd r24, Z+37; cpi r24, 0xA5; ldi r24, 0x3C; brcc .+10; brcs .+2; rjmp .+200
    assert [ldd(37), cpi(0xA5), ldi(0x3C)] == [0xA185, 0x3A85, 0xE38C]
    assert [branch(False, 5), branch(True, 1), rjmp(100)] == [0xF428, 0xF008, 0xC064]


@pytest.mark.parametrize(("features", "leaves"), [(65, 4), (64, 300)])
def test_what_instructions_cannot_say_stays_a_table(features: int, leaves: int) -> None:
    rng = np.random.default_rng(0)
    feature, threshold, children, roots, _ = grown(rng, "uint8", 10, 1, leaves - 1)
    assert opcodes(feature, threshold, children, roots, 10) is None or leaves <= 256
    assert opcodes(feature, threshold, children, roots, features) is None


def test_leaves_nearby_are_shared() -> None:
    children = np.array([[1, -2], [-1, -2]])
    code, sizes = opcodes(np.array([0, 0]), np.array([9, 4]), children, np.array([0]), 1) or (
        (),
        (),
    )
    # movw; ldd cpi brcc; cpi brcc ldi ret ldi ret: the second split has its feature still, and the
    # first one's right leaf is the second one's
    assert len(code) == 10 and list(sizes) == [20]


def test_codes_do_not_overlap() -> None:
    assert sorted({LONG, RIGHT, LEFT, BOTH}) == [252, 253, 254, 255]


def broken(name: str, value: Array) -> list[Tensor]:
    shape = (
        np.array([0], np.int32),
        np.array([5], np.int32),
        np.array([[-1, -2]], np.int32),
        np.array([0], np.int32),
    )
    inputs = tensors(shape, np.eye(2), np.zeros(2), "uint8", 1)
    return [constant(name, value) if tensor.name == name else tensor for tensor in inputs]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("feature", np.array([1], np.int32), "feature beyond"),
        ("threshold", np.array([300], np.int32), "outside uint8"),
        ("children", np.array([[-1, -3]], np.int32), "does not exist"),
        ("children", np.array([[0, -1]], np.int32), "larger number"),
        ("roots", np.array([0, 0], np.int32), "child of one split"),
        ("leaves", np.array([[30000], [-32768]], np.int16), "offset each"),
        ("offset", np.array([32767, 0], np.int16), "beyond int16"),
        ("offset", np.array([0.5], np.float32), "constant int16"),
    ],
)
def test_damaged_trees_are_refused(name: str, value: Array, said: str) -> None:
    with pytest.raises(GraphError, match=said):
        Forest().infer(broken(name, value))


def test_the_bound_of_a_score_counts_every_tree_once() -> None:
    trees = Trees(
        np.array([0]),
        np.array([5]),
        np.array([[-1, -2]]),
        np.array([0, -2]),
        np.array([[3], [-7]]),
        np.array([2]),
    )
    assert largest_score(trees) == 2 + 7 + 7
