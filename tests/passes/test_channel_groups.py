"""Which channels stand or fall together, and that cutting keeps a graph whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_zoo import small_spec

from netsuke.ir import Graph, GraphBuilder, constant, interpret
from netsuke.models import build, model_names
from netsuke.ops import (
    Add,
    ChannelShuffle,
    Clamp,
    Concat,
    Conv2d,
    Dense,
    DepthwiseConv2d,
    Gather,
    Lstm,
    Pad,
    Reshape,
    Slice,
    Softmax,
    Split,
)
from netsuke.passes.channel_groups import channel_groups, cut


class Sketch:
    """A builder with random weights."""

    def __init__(self) -> None:
        self.builder = GraphBuilder()
        self.rng = np.random.default_rng(0)
        self.x = self.builder.input("x", (6, 5, 3))

    def values(self, *shape: int) -> str:
        data = self.rng.normal(size=shape).astype(np.float32)
        return self.builder.constant("c", data)

    def conv(self, x: str, channels: int, groups: int = 1, name: str = "conv") -> str:
        depth = self.builder.tensors[x].shape[2] // groups
        weights, bias = self.values(channels, 1, 1, depth), self.values(channels)
        return self.builder.one(Conv2d(groups=groups), x, weights, bias, name=name)

    def flat_dense(self, x: str, units: int, name: str = "scores") -> str:
        elements = self.builder.tensors[x].elements
        flat = self.builder.one(Reshape((elements,)), x)
        weights, bias = self.values(units, elements), self.values(units)
        return self.builder.one(Dense(), flat, weights, bias, name=name)


def run(graph: Graph) -> np.ndarray:
    shape = graph.tensors["x"].shape
    sample = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    return interpret(graph, {"x": sample})[graph.outputs[0]]


def silenced(graph: Graph, kept: list[list[int]]) -> Graph:
    """The uncut graph with the weights of every unit that would be cut set to zero."""
    tensors = dict(graph.tensors)
    for group, units in zip(channel_groups(graph), kept, strict=True):
        gone = np.setdiff1d(np.arange(group.units), units)
        for (name, axis), places in group.members.items():
            data = tensors[name].data
            if data is not None and data.dtype == np.float32:
                changed = np.array(data)
                index = [slice(None)] * changed.ndim
                index[axis] = places[gone].ravel()
                changed[tuple(index)] = 0.0
                tensors[name] = constant(name, changed)
    return replace(graph, tensors=tensors)


def check(graph: Graph, expected: dict[str, int]) -> None:
    """The groups are these, and cutting is the same as silencing."""
    groups = channel_groups(graph)
    assert {group.name: group.units for group in groups} == expected
    kept = [list(range(0, group.units, 2)) for group in groups]
    small = cut(graph, groups, kept)
    assert small.parameters < graph.parameters
    assert np.allclose(run(small), run(silenced(graph, kept)), atol=1e-4)


def test_a_chain_has_one_group_a_layer_and_keeps_its_classes() -> None:
    s = Sketch()
    y = s.conv(s.builder.one(Clamp(0.0), s.conv(s.x, 8, name="first")), 6, name="second")
    check(s.builder.build([s.flat_dense(y, 4)]), {"first": 8, "second": 6})


def test_a_residual_addition_ties_both_sides() -> None:
    s = Sketch()
    a = s.conv(s.x, 8, name="a")
    b = s.conv(s.conv(a, 4, name="inner"), 8, name="b")
    check(s.builder.build([s.flat_dense(s.builder.one(Add(), a, b), 4)]), {"a": 8, "inner": 4})


def test_a_concatenation_keeps_its_parts_apart() -> None:
    s = Sketch()
    parts = [s.conv(s.x, 4, name="a"), s.conv(s.x, 6, name="b")]
    y = s.conv(s.builder.one(Concat(2), *parts), 4, name="third")
    check(s.builder.build([s.flat_dense(y, 4)]), {"a": 4, "b": 6, "third": 4})


def test_a_split_passes_cuts_through() -> None:
    s = Sketch()
    halves = s.builder.add(Split(2, (4, 4)), [s.conv(s.x, 8, name="a")])
    y = s.builder.one(Add(), *halves)
    check(s.builder.build([s.flat_dense(y, 4)]), {"a": 4})


def test_grouped_convolutions_lose_the_same_channels_of_each_group() -> None:
    s = Sketch()
    y = s.conv(s.conv(s.x, 8, name="a"), 12, groups=2, name="b")
    graph = s.builder.build([s.flat_dense(y, 4)])
    check(graph, {"a": 4, "b": 6})
    groups = channel_groups(graph)
    small = cut(graph, groups, [[0, 3], [1]])
    assert small.tensors["b"].shape == (6, 5, 2)
    assert [node.op.groups for node in small.nodes if node.outputs == ("b",)] == [2]


def test_a_shuffle_between_grouped_convolutions() -> None:
    s = Sketch()
    y = s.builder.one(ChannelShuffle(2), s.conv(s.x, 8, groups=1, name="a"), name="mixed")
    graph = s.builder.build([s.flat_dense(s.conv(y, 8, groups=2, name="b"), 4)])
    groups = {group.name: group.units for group in channel_groups(graph)}
    assert groups["b"] == 4 and groups["a"] in (2, 4)
    found = channel_groups(graph)
    kept = [[0] for _ in found]
    small = cut(graph, found, kept)
    assert np.allclose(run(small), run(silenced(graph, kept)), atol=1e-4)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_channels_follow_their_input(multiplier: int) -> None:
    s = Sketch()
    a = s.conv(s.x, 6, name="a")
    weights, bias = s.values(3, 3, 6 * multiplier), s.values(6 * multiplier)
    y = s.builder.one(DepthwiseConv2d(padding=((1, 1), (1, 1))), a, weights, bias, name="d")
    check(s.builder.build([s.flat_dense(y, 4)]), {"a": 6})


def test_recurrent_units_are_cut_in_every_gate() -> None:
    builder = GraphBuilder()
    rng = np.random.default_rng(0)
    x = builder.input("x", (5, 3))
    shapes = [(16, 3), (16, 4), (16,), (4,), (4,)]
    names = [builder.constant("c", rng.normal(size=s).astype(np.float32)) for s in shapes]
    _, last, _ = builder.add(Lstm(), [x, *names], ["y", "h", "c_out"])
    weights = builder.constant("w", rng.normal(size=(2, 4)).astype(np.float32))
    bias = builder.constant("b", np.zeros(2, np.float32))
    graph = builder.build([builder.one(Dense(), last, weights, bias)])
    groups = channel_groups(graph)
    assert [(group.name, group.units) for group in groups] == [("y", 4)]
    small = cut(graph, groups, [[1, 2]])
    assert np.allclose(run(small), run(silenced(graph, [[1, 2]])), atol=1e-5)


def test_a_softmax_over_channels_keeps_them_all() -> None:
    s = Sketch()
    y = s.builder.one(Softmax(), s.conv(s.x, 8, name="attention"))
    check_free = channel_groups(s.builder.build([s.flat_dense(y, 4)]))
    assert check_free == ()


def test_zeros_added_behind_or_around_the_channels_go_with_what_they_are_added_to() -> None:
    for padding in ((0, 4), (4, 0), (2, 2)):
        s = Sketch()
        a = s.conv(s.x, 4, name="a")
        wide = s.builder.one(Pad(padding=((0, 0), (0, 0), padding)), a, name="wide")
        y = s.builder.one(Add(), s.conv(s.x, 8, name="b"), wide)
        graph = s.builder.build([s.flat_dense(y, 4)])
        check(graph, {"a": 4, "wide": 2 if padding == (2, 2) else 4})


def test_unequal_borders_of_channels_stay() -> None:
    s = Sketch()
    wide = s.builder.one(Pad(padding=((0, 0), (0, 0), (1, 3))), s.conv(s.x, 4, name="a"))
    assert channel_groups(s.builder.build([s.flat_dense(wide, 4)])) == ()


def test_slices_at_the_ends_pass_cuts_through() -> None:
    s = Sketch()
    a = s.conv(s.x, 8, name="a")
    pieces = [(0, 4, 1), (4, 4, 1)]
    halves = [s.builder.one(Slice(((0, 6, 1), (0, 5, 1), piece)), a) for piece in pieces]
    y = s.builder.one(Concat(2), s.conv(halves[1], 3, name="b"), halves[0])
    graph = s.builder.build([s.flat_dense(y, 4)])
    groups = channel_groups(graph)
    assert sorted((group.name, group.units) for group in groups) == [("a", 4), ("a", 4), ("b", 3)]
    kept = [[0, 2], [1], [2]]
    small = cut(graph, groups, kept)
    assert np.allclose(run(small), run(silenced(graph, kept)), atol=1e-4)


def test_a_slice_out_of_the_middle_stays() -> None:
    s = Sketch()
    piece = s.builder.one(Slice(((0, 6, 1), (0, 5, 1), (2, 4, 1))), s.conv(s.x, 8, name="a"))
    assert channel_groups(s.builder.build([s.flat_dense(piece, 4)])) == ()


def test_gathered_channels_are_told_their_new_positions() -> None:
    s = Sketch()
    order = s.builder.constant("order", np.array([3, -1, 0, 3], np.int32))
    y = s.builder.one(Gather(2), s.conv(s.x, 6, name="a"), order)
    z = s.builder.one(Gather(2), y, order)  # the same list, read twice
    graph = s.builder.build([s.flat_dense(z, 4)])
    found = channel_groups(graph)
    kept = [[group.units - 1] for group in found]
    assert found and cut(graph, found, kept).parameters < graph.parameters
    assert np.allclose(run(cut(graph, found, kept)), run(silenced(graph, kept)), atol=1e-4)


@pytest.mark.parametrize("seed", range(20))
def test_any_list_of_channels_can_be_cut(seed: int) -> None:
    s = Sketch()
    rng = np.random.default_rng(seed)
    a = s.conv(s.x, 8, name="a")
    order = s.builder.constant("order", rng.integers(-8, 8, 6).astype(np.int64))
    graph = s.builder.build([s.flat_dense(s.builder.one(Gather(2), a, order), 4)])
    found = channel_groups(graph)
    kept = [sorted(rng.permutation(g.units)[: max(1, g.units // 2)].tolist()) for g in found]
    assert np.allclose(run(cut(graph, found, kept)), run(silenced(graph, kept)), atol=1e-4)


# The interleaved groups of ShuffleNet V1 are all one unit; pruning opens them first.
@pytest.mark.parametrize("name", [n for n in model_names() if n != "shufflenet_v1"])
def test_networks_of_the_zoo_can_be_cut_to_one_channel(name: str) -> None:
    graph = build(small_spec(name))
    groups = channel_groups(graph)
    small = cut(graph, groups, [[group.units - 1] for group in groups])
    assert small.tensors[small.outputs[0]].shape == graph.tensors[graph.outputs[0]].shape
    assert small.parameters < graph.parameters / 5
