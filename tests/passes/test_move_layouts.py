"""Transpositions cancel, move and disappear."""

from __future__ import annotations

import math

import numpy as np
import pytest
from build import First
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.ir import Graph
from netsuke.passes.drop_dead_nodes import drop_dead_nodes
from netsuke.passes.drop_identity import drop_identity
from netsuke.passes.move_layouts import move_layouts


def check(graph: Graph, transposes: int = 0) -> Graph:
    after = move_layouts(graph)
    assert_same_meaning(graph, after)
    assert_idempotent(move_layouts, graph)
    assert kinds(after).count("transpose") == transposes
    return after


def test_a_chain_of_convolutions_keeps_no_transposition() -> None:
    b = First()
    x = b.input("x", (3, 8, 8))
    y = b.conv(b.relu(b.conv(x, 4)), 5, stride=(2, 2))
    after = check(b.build([y]))
    assert kinds(after) == ["conv2d", "clamp", "conv2d"]
    assert after.ports["x"].axes == (1, 2, 0)
    assert after.tensors["x"].shape == (8, 8, 3)
    assert after.ports[y].axes == (1, 2, 0)


def test_residual_blocks_keep_no_transposition() -> None:
    b = First()
    x = b.relu(b.conv(b.input("x", (3, 8, 8)), 4))
    for _ in range(3):
        x = b.relu(b.one(ops.Add(), b.conv(b.relu(b.conv(x, 4)), 4), x))
    x = b.wrapped(ops.AveragePool2d((8, 8)), x)
    x = b.dense(b.one(ops.Reshape((4,)), x), 10)
    check(b.build([x]))


def test_a_flattening_is_absorbed_by_the_dense_weights() -> None:
    b = First()
    x = b.conv(b.input("x", (2, 4, 6)), 3)
    flat = b.one(ops.Reshape((72,)), x)
    scaled = b.one(ops.Mul(), b.relu(flat), b.weights(72))
    after = check(b.build([b.dense(scaled, 5)]))
    assert kinds(after) == ["conv2d", "reshape", "clamp", "mul", "dense"]


def test_a_flattening_with_another_reader_keeps_its_order() -> None:
    b = First()
    x = b.conv(b.input("x", (2, 4, 6)), 3)
    flat = b.one(ops.Reshape((72,)), x)
    check(b.build([b.dense(flat, 5), b.one(ops.Softmax(), flat)]), transposes=1)


def test_concat_split_slice_pad_and_constants_move_along() -> None:
    b = First()
    x = b.conv(b.input("x", (3, 8, 8)), 4)
    left, right = b.add(ops.Split(0, (1, 3)), [x])
    joined = b.one(ops.Concat(0), right, left, b.weights(2, 8, 8))
    padded = b.one(ops.Pad(((0, 0), (1, 1), (0, 2))), joined)
    sliced = b.one(ops.Slice(((0, 3, 2), (1, 8, 1), (0, 5, 2))), padded)
    biased = b.one(ops.Add(), sliced, b.weights(3, 1, 1))
    sloped = b.one(ops.Prelu(), biased, b.weights(3, 1, 1))
    check(b.build([b.conv(sloped, 2)]))


def test_reductions_softmax_gather_and_argmax_move_along() -> None:
    b = First()
    x = b.conv(b.input("x", (3, 8, 8)), 6)
    gathered = b.one(ops.Gather(0), x, b.constant("i", np.array([5, 0, 2], np.int64)))
    soft = b.one(ops.Softmax(axis=0), gathered)
    best = b.one(ops.ArgMax(axis=0), gathered)
    mean = b.one(ops.ReduceMean((1, 2), keepdims=True), soft)
    gate = b.one(ops.Mul(), soft, b.one(ops.Sigmoid(), mean))
    total = b.one(ops.ReduceMax((0,), keepdims=False), gate)
    after = check(b.build([b.conv(gate, 2), best, total]))
    assert best not in after.ports
    assert total not in after.ports


def test_squeeze_and_excite_keeps_no_transposition() -> None:
    b = First()
    x = b.conv(b.input("x", (3, 8, 8)), 4)
    pooled = b.wrapped(ops.AveragePool2d((8, 8)), x)
    gate = b.dense(b.relu(b.dense(b.one(ops.Reshape((4,)), pooled), 2)), 4)
    gate = b.one(ops.Reshape((4, 1, 1)), b.one(ops.Sigmoid(), gate))
    check(b.build([b.conv(b.one(ops.Mul(), x, gate), 2)]))


def test_one_dimensional_convolutions_keep_no_transposition() -> None:
    b = First()
    x = b.input("x", (3, 16))
    for channels in (4, 6):
        depth = b.tensors[x].shape[0]
        image = b.one(
            ops.Reshape((1, b.tensors[x].shape[1], depth)), b.one(ops.Transpose((1, 0)), x)
        )
        y = b.one(ops.Conv2d((1, 2)), image, b.weights(channels, 1, 3, depth), b.weights(channels))
        line = b.one(ops.Reshape((b.tensors[y].shape[1], channels)), y)
        x = b.relu(b.one(ops.Transpose((1, 0)), line))
    check(b.build([x]))


def test_a_transposition_that_matters_stays() -> None:
    b = First()
    x = b.input("x", (6, 4))
    y = b.one(ops.Matmul(), x, b.one(ops.Transpose((1, 0)), x))
    check(b.build([y]), transposes=1)


def test_the_smaller_tensor_is_transposed() -> None:
    b = First()
    x = b.conv(b.input("x", (3, 8, 8)), 8)
    pooled = b.one(ops.ReduceMean((0,), keepdims=True), b.relu(x))
    y = b.dense(b.one(ops.Reshape((8, 8)), b.one(ops.Transpose((0, 2, 1)), pooled)), 3)
    after = check(b.build([y]), transposes=1)
    (node,) = (node for node in after.nodes if node.op.kind == "transpose")
    assert after.tensors[node.name].elements == 64


def test_an_output_that_is_read_inside_too_has_one_form() -> None:
    b = First()
    x = b.conv(b.input("x", (3, 8, 8)), 4)
    y = b.conv(x, 4)
    after = check(b.build([x, y]))
    assert set(after.ports) == {"x", x, y}


def test_two_outputs_that_show_one_value_differently_are_both_made() -> None:
    b = First()
    x = b.one(ops.Exp(), b.input("x", (2, 3)))
    after = check(b.build([x, b.one(ops.Transpose((1, 0)), x)]))
    assert kinds(after) == ["exp", "reshape"]  # the first is stored as the second is shown


def test_an_input_that_is_only_transposed_is_still_copied() -> None:
    b = First()
    x = b.input("x", (2, 3))
    graph = b.build([b.one(ops.Transpose((1, 0)), x)])
    after = move_layouts(graph)
    assert after.outputs == graph.outputs
    assert_same_meaning(graph, after)


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_keep_their_meaning_and_pay_no_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    b = First()
    pool = [b.conv(b.input("x", (3, 4, 4)), 4), b.input("z", (4, 4, 4))]
    for _ in range(10):
        x = pool[rng.integers(len(pool))]
        shape = b.tensors[x].shape
        choice = rng.integers(9)
        if choice == 0:
            pool.append(b.one(ops.Transpose(tuple(map(int, rng.permutation(len(shape))))), x))
        elif choice == 1 and len(shape) == 3 and shape == (4, 4, 4):
            pool.append(b.conv(x, 4))
        elif choice == 2:
            pool.append(b.relu(x))
        elif choice == 3:
            same = [y for y in pool if b.tensors[y].shape == shape]
            pool.append(b.one(ops.Add(), x, same[rng.integers(len(same))]))
        elif choice == 4 and len(shape) > 1:
            axis = int(rng.integers(len(shape)))
            pool.append(b.one(ops.ReduceMean((axis,), keepdims=bool(rng.integers(2))), x))
        elif choice == 5 and len(shape) == 3:
            pool.append(b.one(ops.Reshape((shape[0], shape[1] * shape[2])), x))
        elif choice == 6:
            pool.append(b.dense(x, 4))
        elif choice == 7:
            pool.append(b.one(ops.Reshape((math.prod(shape),)), x))
        elif choice == 8:
            pool.append(b.one(ops.Concat(0), x, x))
    graph = drop_identity(drop_dead_nodes(b.build([pool[-1], pool[-2]])))
    after = move_layouts(graph)
    assert_same_meaning(graph, after)
    assert moved_bytes(after) <= moved_bytes(graph)
    assert moved_bytes(move_layouts(after)) <= moved_bytes(after)


def moved_bytes(graph: Graph) -> int:
    return sum(graph.tensors[node.name].size for node in graph.nodes if node.op.kind == "transpose")
