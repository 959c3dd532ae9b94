"""Channels that no input changes are folded into the next layer; the integers stay the same."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from meaning import assert_same_meaning

import netsuke
from netsuke import ops
from netsuke.ir import Array, Graph, GraphBuilder, Op, Quant, constant, interpret, interpret_batch
from netsuke.passes import optimize
from netsuke.passes.drop_constant_channels import drop_constant_channels

sys.path.insert(0, str(Path(__file__).parents[1]))
from random_graphs import random_graph

DATA = Path(os.environ.get("NETSUKE_DATA") or Path(__file__).parents[3] / "shared" / "data")
SAME = ((1, 1), (1, 1))


class Integers(GraphBuilder):
    """A builder of int8 graphs whose filters can be killed."""

    def __init__(self, seed: int = 3) -> None:
        super().__init__()
        self.rng = np.random.default_rng(seed)

    def quant(self, zero: int = -5) -> Quant:
        return Quant((0.05,), (zero,))

    def start(self, *shape: int) -> str:
        return self.input("x", shape, "int8", self.quant(7))

    def layer(
        self,
        op: Op,
        x: str,
        shape: tuple[int, ...],
        axis: int = 0,
        dead: tuple[int, ...] = (),
        biases: tuple[int, ...] = (),
        zero: int = -5,
    ) -> str:
        """A layer with random weights; filters `dead` are zero and get these biases."""
        data = self.rng.integers(-127, 128, shape).astype(np.int8)
        bias = self.rng.integers(-300, 300, shape[axis]).astype(np.int32)
        for number, place in enumerate(dead):
            np.moveaxis(data, axis, 0)[place] = 0
            bias[place] = biases[number % len(biases)] if biases else 0
        count = shape[axis]
        scales = tuple(float(np.float32(s)) for s in self.rng.uniform(0.003, 0.01, count))
        w = self.constant("w", data, Quant(scales, (0,) * count, axis))
        b = self.constant("b", bias)
        return self.one(op, x, w, b, quant=self.quant(zero))

    def conv(self, x: str, k: int, kernel: int = 1, op: Op | None = None, **more: object) -> str:
        op = op or ops.Conv2d(padding=SAME if kernel == 3 else ((0, 0), (0, 0)))
        depth = self.tensors[x].shape[2] // getattr(op, "groups", 1)
        return self.layer(op, x, (k, kernel, kernel, depth), 0, **more)  # type: ignore[arg-type]

    def depthwise(self, x: str, **more: object) -> str:
        shape = (3, 3, self.tensors[x].shape[2])
        op = ops.DepthwiseConv2d(padding=SAME, low=0.0)
        return self.layer(op, x, shape, 2, **more)  # type: ignore[arg-type]

    def same(self, op: Op, *names: str) -> str:
        return self.one(op, *names, quant=self.tensors[names[0]].quant)


def widths(graph: Graph) -> list[int]:
    """Last extents of what the nodes make."""
    return [graph.tensors[node.name].shape[-1] for node in graph.nodes]


def check(graph: Graph, expected: list[int]) -> Graph:
    """The nodes are left with these channels, and every output stays exactly the same."""
    after = drop_constant_channels(graph)
    assert widths(after) == expected
    assert_same_meaning(graph, after, exactly=graph.tensors["x"].dtype == "int8")
    assert drop_constant_channels(after) is after
    return after


@pytest.mark.parametrize("bias", [0, 4000, -100000])
def test_a_dead_filter_goes_into_the_bias_of_its_reader(bias: int) -> None:
    b = Integers()
    y = b.conv(b.start(5, 4, 3), 8, dead=(1, 4, 5, 7), biases=(bias,))
    graph = b.build([b.conv(y, 6)])
    after = check(graph, [4, 6])
    assert after.tensors[after.nodes[0].inputs[1]].quant.scale == tuple(
        graph.tensors[graph.nodes[0].inputs[1]].quant.scale[i] for i in (0, 2, 3, 6)
    )


def test_a_border_keeps_constants_that_are_not_zero() -> None:
    b = Integers()
    y = b.conv(b.start(5, 4, 3), 8, dead=(1, 2, 4, 5), biases=(0, 4000, 4000, 0))
    check(b.build([b.conv(y, 6, kernel=3)]), [6, 6])


def test_a_relu_that_no_input_opens_and_one_that_is_always_full() -> None:
    b = Integers()
    x = b.start(4, 4, 3)
    op = ops.Conv2d(low=0.0, high=6.0)
    w = b.constant("w", np.ones((6, 1, 1, 3), np.int8), Quant((0.01,) * 6, (0,) * 6, 0))
    bias = b.constant("b", np.array([-500, 0, 20000, 100, -450, 13000], np.int32))
    y = b.one(op, x, w, bias, quant=b.quant())
    check(b.build([b.conv(y, 4)]), [2, 4])


def test_constants_are_followed_through_everything_between_two_layers() -> None:
    b = Integers()
    y = b.conv(b.start(8, 8, 3), 8, 3, dead=(0, 3, 6, 7), biases=(0, 900, 900, -900))
    y = b.same(ops.Clamp(low=-1.0, high=2.0), y)
    y = b.same(ops.MaxPool2d((2, 2), (2, 2)), y)
    y = b.one(ops.Sigmoid(), y, quant=Quant((1 / 256,), (-128,)))
    offset = b.constant("o", np.arange(8, dtype=np.int8), b.quant())
    y = b.one(ops.Add(low=0.0), y, offset, quant=b.quant())
    y = b.same(ops.Transpose((2, 0, 1)), y)
    y = b.same(ops.Transpose((1, 2, 0)), y)
    y = b.same(ops.AveragePool2d((2, 2), (2, 2), SAME), y)
    y = b.same(ops.Reshape((72,)), y)
    check(b.build([b.layer(ops.Dense(), y, (5, 72))]), [4, 4, 4, 4, 4, 4, 4, 4, 36, 5])


def test_a_dead_depthwise_filter_frees_the_filter_before_it() -> None:
    b = Integers()
    y = b.conv(b.start(6, 6, 3), 8)
    y = b.depthwise(y, dead=(0, 1, 2, 3, 5), biases=(-40, 900))
    after = check(b.build([b.conv(y, 4)]), [4, 4, 4])
    assert after.macs < 0.6 * 36 * (24 + 72 + 32)


def test_channels_that_only_dead_filters_read_go_too() -> None:
    b = Integers()
    x = b.start(4, 4, 3)
    y = b.conv(x, 8)
    w = b.rng.integers(-9, 9, (6, 1, 1, 8)).astype(np.int8)
    w[:, 0, 0, [0, 2, 3, 6]] = 0
    w[[1, 4, 5]] = 0
    names = b.constant("w", w, Quant((0.1,))), b.constant("b", np.full(6, 40, np.int32))
    y = b.one(ops.Conv2d(), y, *names, quant=b.quant())
    check(b.build([b.conv(y, 4)]), [4, 4, 4])


def test_a_residual_sum_keeps_what_one_side_needs() -> None:
    b = Integers()
    x = b.conv(b.start(4, 4, 3), 8, dead=(0, 1, 2, 3))
    y = b.conv(x, 8, dead=(2, 3, 4, 5), biases=(500,))
    y = b.one(ops.Add(), x, y, quant=b.quant())
    check(b.build([b.conv(y, 4)]), [6, 6, 6, 4])


def test_parts_of_a_concat_are_cut_each_by_itself() -> None:
    b = Integers()
    x = b.start(4, 4, 3)
    parts = b.conv(x, 4, dead=(0, 1), biases=(700,)), b.conv(x, 6, dead=(1, 3, 4, 5))
    check(b.build([b.conv(b.same(ops.Concat(2), *parts), 3)]), [2, 2, 4, 3])


def test_groups_lose_a_channel_only_together() -> None:
    b = Integers()
    y = b.conv(b.start(4, 4, 3), 8, dead=(0, 1, 4, 5, 6), biases=(60, -70))
    check(b.build([b.conv(y, 4, op=ops.Conv2d(groups=2))]), [4, 4])


@pytest.mark.parametrize(("dead", "left"), [((1,), 8), ((1, 2), 6), ((0, 1, 2), 6)])
def test_channels_stay_in_couples(dead: tuple[int, ...], left: int) -> None:
    b = Integers()
    check(b.build([b.conv(b.conv(b.start(4, 4, 3), 8, dead=dead), 4)]), [left, 4])


def test_a_layer_that_is_dead_altogether_keeps_two_channels() -> None:
    b = Integers()
    y = b.conv(b.start(4, 4, 3), 6, dead=tuple(range(6)), biases=(10, 20, 3000))
    check(b.build([b.conv(y, 4)]), [2, 4])


def test_the_outputs_of_a_graph_keep_their_channels() -> None:
    b = Integers()
    y = b.conv(b.start(4, 4, 3), 8, dead=(0, 1, 2, 3))
    graph = b.build([y, b.conv(y, 4)])
    assert drop_constant_channels(graph) is graph


def test_what_rounds_by_the_number_of_channels_keeps_them() -> None:
    b = Integers()
    y = b.conv(b.start(4, 4, 3), 20)
    y = b.one(ops.ReduceMean((0, 1), keepdims=True), y, quant=Quant((0.03,), (3,)))
    w = b.rng.integers(-9, 9, (4, 1, 1, 20)).astype(np.int8)
    w[..., :6] = 0
    names = b.constant("w", w, Quant((0.1,))), b.constant("b", np.zeros(4, np.int32))
    graph = b.build([b.one(ops.Conv2d(), y, *names, quant=b.quant())])
    assert drop_constant_channels(graph) is graph


def test_products_of_activations_keep_their_channels() -> None:
    b = GraphBuilder()
    rng = np.random.default_rng(0)
    x = b.input("x", (4, 3))

    def dense(x: str, k: int) -> str:
        w = rng.normal(size=(k, b.tensors[x].shape[-1]))
        w[: k // 2] = 0.0
        return b.one(ops.Dense(), x, b.constant("w", w), b.constant("b", rng.normal(size=k)))

    left, right = dense(x, 6), b.one(ops.Transpose((1, 0)), dense(x, 6))
    products = b.one(ops.Matmul(), left, right)
    graph = b.build([products, dense(dense(x, 8), 4)])
    check(graph, [6, 6, 4, 4, 4, 4])


def test_constants_that_layers_share_are_not_cut_under_the_others() -> None:
    b = Integers()
    x = b.start(4, 4, 4)
    w = b.rng.integers(-90, 90, (4, 1, 1, 4)).astype(np.int8)
    w[[0, 2]] = 0
    names = b.constant("w", w, Quant((0.01,))), b.constant("b", np.zeros(4, np.int32))
    y = b.one(ops.Conv2d(), x, *names, quant=b.quant())
    graph = b.build([b.one(ops.Conv2d(), y, *names, quant=b.quant())])
    check(graph, [2, 4])


def test_a_graph_without_dead_channels_is_left_as_it_is() -> None:
    b = Integers()
    graph = b.build([b.conv(b.depthwise(b.conv(b.start(6, 6, 3), 8, 3)), 4)])
    assert drop_constant_channels(graph) is graph


def test_floats_keep_their_meaning() -> None:
    b = GraphBuilder()
    rng = np.random.default_rng(0)
    x = b.input("x", (6, 6, 3))

    def layer(op: Op, x: str, *shape: int, axis: int = 0, dead: tuple[int, ...] = ()) -> str:
        w, bias = rng.normal(size=shape), rng.normal(size=shape[axis])
        np.moveaxis(w, axis, 0)[list(dead)] = 0.0
        return b.one(op, x, b.constant("w", w), b.constant("b", bias))

    y = layer(ops.Conv2d(low=0.0), x, 8, 3, 3, 3, dead=(1, 2, 4))
    y = layer(ops.DepthwiseConv2d(high=1.0), y, 2, 2, 8, axis=2, dead=(5,))
    y = b.one(ops.HardSwish(), y)
    y = b.one(ops.ReduceMean((0, 1)), y)
    graph = b.build([layer(ops.Dense(), y, 5, 8)])
    check(graph, [4, 4, 4, 4, 5])
    assert math.isclose(drop_constant_channels(graph).macs / graph.macs, 0.5, abs_tol=0.05)


def killed(graph: Graph, seed: int) -> Graph:
    """The graph with about half of its filters, and a few of what they read, set to zero."""
    rng = np.random.default_rng(seed)
    tensors = dict(graph.tensors)
    for node in graph.nodes:
        for number, axis in node.op.rule.weights.items():
            weights, bias = (tensors[node.inputs[i]] for i in (number, node.op.rule.bias or 0))
            if weights.data is None or bias.data is None or axis is None:
                continue
            data, addend = np.array(weights.data), np.array(bias.data)
            dead = rng.random(weights.shape[axis]) < 0.5
            np.moveaxis(data, axis, 0)[dead] = 0
            addend[dead & (rng.random(dead.shape) < 0.7)] = 0
            if rng.random() < 0.5 and axis == 0:
                data[..., rng.random(data.shape[-1]) < 0.3] = 0
            tensors[weights.name] = constant(weights.name, data, weights.quant)
            tensors[bias.name] = constant(bias.name, addend, bias.quant)
    return replace(graph, tensors=tensors)


def grown(seed: int, integer: bool) -> Graph:
    """A random graph that does not end where its dead filters are."""
    graph = random_graph(seed, integer)
    kept = [name for name in graph.outputs if len(graph.tensors[name].shape) == 3][:1]
    if not kept:
        return graph
    b = Integers(seed)
    b.tensors, b.nodes, b.inputs = dict(graph.tensors), list(graph.nodes), list(graph.inputs)
    (y,), rng = kept, b.rng
    depth, flat = graph.tensors[y].shape[2], graph.tensors[y].elements
    if integer and flat <= 2048:
        y = b.conv(y, 2 * depth + 2, kernel=3 if rng.random() < 0.5 else 1)
        y = b.same(ops.Clamp(low=0.0), y)
        y = b.conv(y, 8) if rng.random() < 0.7 else b.depthwise(y)
        shape = b.tensors[y].shape
        y = b.same(ops.Reshape((math.prod(shape),)), y)
        y = b.layer(ops.Dense(), y, (4, math.prod(shape)))
    outputs = [y, *(name for name in graph.outputs if name not in kept)]
    return b.build(outputs)


@pytest.mark.parametrize("seed", range(120))
def test_random_integer_graphs_with_dead_filters_stay_the_same(seed: int) -> None:
    graph = killed(grown(seed, integer=True), seed)
    after = drop_constant_channels(graph)
    assert_same_meaning(graph, after, exactly=True)
    assert_same_meaning(graph, optimize(graph), exactly=True)


def test_most_of_these_random_graphs_become_smaller() -> None:
    graphs = [killed(grown(seed, integer=True), seed) for seed in range(60)]
    assert sum(drop_constant_channels(graph).macs < graph.macs for graph in graphs) > 30


@pytest.mark.parametrize("seed", range(40))
def test_random_float_graphs_with_dead_filters_keep_their_meaning(seed: int) -> None:
    graph = killed(random_graph(seed, integer=False), seed)
    assert_same_meaning(graph, drop_constant_channels(graph))


def wake_words() -> Path:
    path = DATA / "mlperf_tiny" / "vww_96_int8.tflite"
    if not path.exists():
        pytest.skip("left out: the MLPerf Tiny model vww_96_int8.tflite is not here")
    return path


def images(count: int) -> Array:
    rng = np.random.default_rng(4)
    noise = rng.integers(-128, 128, (count, 96, 96, 3)).astype(np.int8)
    noise[0], noise[1] = -128, 127
    return noise


def test_half_of_the_published_wake_word_model_is_dead() -> None:
    before, after = netsuke.load(wake_words(), optimize=False), netsuke.load(wake_words())
    assert before.macs == 7_489_664
    assert after.macs < 3_780_000
    assert after.parameters < before.parameters / 6
    samples = images(12)
    for left, right in zip(
        interpret_batch(before, samples), interpret_batch(after, samples), strict=True
    ):
        np.testing.assert_array_equal(left, right)


def test_the_wake_word_model_still_answers_as_litert_does() -> None:
    litert = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="left out: LiteRT is not installed"
    )
    resolver = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    peer = litert.Interpreter(
        str(wake_words()), experimental_op_resolver_type=resolver, num_threads=1
    )
    peer.allocate_tensors()
    source, target = (
        details[0]["index"] for details in (peer.get_input_details(), peer.get_output_details())
    )
    graph = netsuke.load(wake_words())
    for sample in images(12):
        peer.set_tensor(source, sample[None])
        peer.invoke()
        (ours,) = interpret(graph, {graph.inputs[0]: sample}).values()
        np.testing.assert_array_equal(ours, peer.get_tensor(target)[0])
