"""What each edit means: where nothing is lost, nothing changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from edited_graphs import check, network, run, sample, value_of

from netsuke.codegen import compile_graph
from netsuke.compress.edits import Edit, apply_edits, edits, view
from netsuke.compress.edits.drop_block import find_blocks
from netsuke.compress.edits.shrink_kernel import cropped_weights
from netsuke.compress.quantize import quantize
from netsuke.data import Normalisation, Part, from_arrays
from netsuke.devices import device
from netsuke.errors import NetsukeError
from netsuke.ir import Graph, GraphBuilder, constant, interpret
from netsuke.models import build
from netsuke.ops import (
    Add,
    AveragePool2d,
    BatchNorm,
    Clamp,
    Concat,
    Conv2d,
    Dense,
    DepthwiseConv2d,
    MaxPool2d,
    Mul,
    ReduceMean,
    Reshape,
    Resize,
    Sigmoid,
    Slice,
    Split,
)
from netsuke.ops.window import same_padding
from netsuke.passes import optimize
from netsuke.verify.host import HostLibrary


class Sketch:
    """A builder with random weights on an image `x`."""

    def __init__(self, *shape: int) -> None:
        self.builder = GraphBuilder()
        self.rng = np.random.default_rng(0)
        self.x = self.builder.input("x", shape)

    def values(self, *shape: int) -> str:
        data = self.rng.normal(size=shape).astype(np.float32) / np.sqrt(np.prod(shape[1:]))
        return self.builder.constant("c", data)

    def conv(
        self, x: str, channels: int, kernel: int, name: str, stride: int = 1, pad: int | None = None
    ) -> str:
        side, depth = kernel // 2 if pad is None else pad, self.builder.tensors[x].shape[2]
        op = Conv2d(stride=(stride, stride), padding=((side, side), (side, side)), low=0.0)
        weights = self.values(channels, kernel, kernel, depth)
        return self.builder.one(op, x, weights, self.values(channels), name=name)

    def depthwise(self, x: str, name: str, kernel: int = 3) -> str:
        side, depth = kernel // 2, self.builder.tensors[x].shape[2]
        op = DepthwiseConv2d(padding=((side, side), (side, side)), low=0.0)
        weights = self.values(kernel, kernel, depth)
        return self.builder.one(op, x, weights, self.values(depth), name=name)

    def dense(self, x: str, units: int) -> str:
        elements = self.builder.tensors[x].elements
        flat = self.builder.one(Reshape((elements,)), x)
        weights = self.values(units, elements)
        return self.builder.one(Dense(), flat, weights, self.values(units), name="scores")

    def scores(self, x: str) -> Graph:
        mean = self.builder.one(ReduceMean((0, 1)), x)
        return self.builder.build([self.dense(mean, 3)])


def with_zeros(graph: Graph, name: str, keep: slice | None, axes: tuple[int, int]) -> Graph:
    """The graph with zeros in a constant, but for a middle along two axes."""
    data = np.array(graph.tensors[name].data)
    kept = np.zeros_like(data)
    if keep is not None:
        index = [slice(None)] * data.ndim
        index[axes[0]] = index[axes[1]] = keep
        kept[tuple(index)] = data[tuple(index)]
    return replace(graph, tensors={**graph.tensors, name: constant(name, kept)})


def drops(graph: Graph) -> dict[str, str]:
    """Exit -> place of the blocks that a graph offers."""
    found = edits(graph)
    return {str(edit.value): edit.place for edit in found if edit.kind == "drop_block"}


@pytest.mark.parametrize("block", ["add9", "add17", "add25"])
def test_a_dropped_residual_body_is_one_that_adds_zero(block: str) -> None:
    graph = network("resnet8")
    node = graph.producers()[block]
    norm = [n for n in graph.nodes if n.name in node.inputs and isinstance(n.op, BatchNorm)][-1]
    silent = graph
    for name in norm.inputs[1:3]:  # scale and offset
        silent = with_zeros(silent, name, None, (0, 0))
    small = apply_edits(graph, [Edit("drop_block", block, block)])
    x = sample(graph)
    np.testing.assert_array_equal(run(small, x), run(silent, x))
    assert not np.array_equal(run(small, x), run(graph, x))


def test_a_dropped_chain_is_the_identity() -> None:
    graph = network("mobilenet_v1")
    for block in find_blocks(graph):
        small = apply_edits(graph, [Edit("drop_block", block.exit, block.exit)])
        x = sample(graph)
        readers = [n for n in small.nodes if block.kept in n.inputs]
        assert readers and all(n.name in graph.tensors for n in readers)
        assert len(small.nodes) == len(graph.nodes) - len(block.nodes)
        before = value_of(graph, block.kept, x)
        np.testing.assert_array_equal(value_of(small, block.kept, x), before)
    everything = [edit for edit in edits(graph) if edit.kind == "drop_block"]
    small = apply_edits(graph, everything)
    check(small, graph)
    assert not any(edit.kind == "drop_block" for edit in edits(small))


def test_gates_fires_and_halves_are_found_by_dataflow() -> None:
    sketch = Sketch(8, 8, 3)
    build_one = sketch.builder.one
    y = sketch.conv(sketch.x, 8, 3, "stem")
    gated = sketch.depthwise(y, "private")
    mean = build_one(ReduceMean((0, 1), True), gated)
    gate = build_one(
        Sigmoid(), sketch.conv(sketch.conv(mean, 2, 1, "few"), 8, 1, "all"), name="gate"
    )
    y = sketch.conv(build_one(Mul(), gated, gate, name="scaled"), 8, 1, "project")
    squeezed = sketch.conv(y, 2, 1, "squeeze")
    both = sketch.conv(squeezed, 4, 1, "expand1"), sketch.conv(squeezed, 4, 3, "expand3")
    y = build_one(Concat(2), *both, name="fire")
    halves = sketch.builder.add(Split(2, (4, 4)), [y], ["left", "right"])
    worked = sketch.conv(halves[1], 4, 3, "worked")
    y = build_one(Concat(2), halves[0], worked, name="joined")
    graph = sketch.scores(y)
    found = drops(graph)
    assert {"scaled", "fire", "worked"} <= set(found)
    assert "gate" not in found  # without its layers it would be no gate
    assert "private" not in found  # a depthwise convolution goes with what reads it
    kept = {block.exit: block.kept for block in find_blocks(graph)}
    assert (kept["scaled"], kept["fire"], kept["worked"]) == ("private", "project", "right")
    for exit, place in found.items():
        check(apply_edits(graph, [Edit("drop_block", place, exit)]), graph)


def test_blocks_in_a_row_can_all_go_and_clamped_sums_stay_clamped() -> None:
    sketch = Sketch(6, 6, 2)
    y = first = sketch.conv(sketch.x, 4, 3, "stem")
    for number in range(3):
        body = sketch.conv(y, 6, 3, f"wide{number}")
        body = sketch.conv(body, 4, 3, f"narrow{number}")
        y = sketch.builder.one(Add(high=0.5), y, body, name=f"sum{number}")
    graph = sketch.scores(y)
    small = apply_edits(graph, [Edit("drop_block", f"sum{n}", f"sum{n}") for n in range(3)])
    assert [node.op.kind for node in small.nodes].count("clamp") == 3
    x = sample(graph)
    expected = np.minimum(value_of(graph, first, x), 0.5)
    np.testing.assert_array_equal(value_of(small, "sum2", x), expected)


def test_the_heads_last_layer_and_the_graphs_output_are_never_dropped() -> None:
    sketch = Sketch(4, 4, 3)
    y = sketch.dense(sketch.x, 5)
    for name in ("hidden", "last"):
        y = sketch.builder.one(Dense(), y, sketch.values(5, 5), sketch.values(5), name=name)
    found = drops(sketch.builder.build([sketch.builder.one(Sigmoid(), y)]))
    assert set(found) == {"hidden"}


@pytest.mark.parametrize(("kernel", "target"), [(5, 3), (7, 5), (7, 3), (4, 2)])
@pytest.mark.parametrize("pad", [0, 1, 3])
def test_a_smaller_window_is_the_same_where_its_border_is_zero(kernel, target, pad) -> None:
    sketch = Sketch(13, 12, 3)
    y = sketch.conv(sketch.x, 4, kernel, "wide", stride=2, pad=pad)
    graph = sketch.scores(y)
    border = (kernel - target) // 2
    weights = graph.producers()["wide"].inputs[1]
    graph = with_zeros(graph, weights, slice(border, border + target), (1, 2))
    small = apply_edits(graph, [Edit("shrink_kernel", "wide", target)])
    assert small.tensors[weights].shape[1:3] == (target, target)
    assert small.tensors["wide"].shape == graph.tensors["wide"].shape
    x = sample(graph)
    assert np.allclose(value_of(small, "wide", x), value_of(graph, "wide", x), atol=1e-5)
    check(apply_edits(small, [Edit("input_size", "x", "11x10")]), graph)


def test_a_window_without_padding_runs_smaller_as_integers_in_c() -> None:
    sketch = Sketch(13, 12, 3)
    y = sketch.conv(sketch.conv(sketch.x, 4, 5, "wide", pad=0), 4, 3, "next", stride=2)
    small = apply_edits(sketch.scores(y), [Edit("shrink_kernel", "wide", 3)])
    assert any(isinstance(node.op, Slice) for node in small.nodes)
    samples = np.stack([sample(small, seed) for seed in range(4)])
    integers = quantize(optimize(small), samples)
    quant = integers.tensors["x"].quant
    assert quant is not None
    stored = quant.quantize(samples)
    answers = HostLibrary(compile_graph(integers, device("nucleo-f446re"))).run(stored)[0]
    for each, answer in zip(stored, answers, strict=True):
        (meaning,) = interpret(integers, {"x": each}).values()
        np.testing.assert_array_equal(answer, meaning)


def test_a_smaller_window_keeps_its_answer_to_what_is_flat() -> None:
    rng = np.random.default_rng(3)
    weights = rng.normal(size=(4, 7, 7, 3)).astype(np.float32)
    small = cropped_weights(weights, (1, 2), (3, 3))
    assert small.shape == (4, 3, 3, 3)
    np.testing.assert_allclose(small.sum(axis=(1, 2)), weights.sum(axis=(1, 2)), atol=1e-5)
    sketch = Sketch(12, 12, 2)
    y = sketch.depthwise(sketch.conv(sketch.x, 4, 1, "stem"), "wide", kernel=5)
    graph = sketch.scores(y)
    shrunk = apply_edits(graph, [Edit("shrink_kernel", "wide", 3)])
    x = np.ones((12, 12, 2), np.float32)
    middle = (slice(3, -3), slice(3, -3))
    flat = value_of(graph, "wide", x)[middle]
    np.testing.assert_allclose(value_of(shrunk, "wide", x)[middle], flat, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet8", "mobilenet_v1", "densenet121"])
def test_a_grey_network_answers_grey_images_as_before(name: str) -> None:
    graph = network(name)
    small = apply_edits(graph, [Edit("input_colour", "input", "grey")])
    height, width, _ = graph.tensors["input"].shape
    grey = np.random.default_rng(0).normal(size=(height, width, 1)).astype(np.float32)
    colour = np.repeat(grey, 3, axis=2)
    np.testing.assert_allclose(run(small, grey), run(graph, colour), rtol=1e-3, atol=1e-4)


def test_colours_that_are_treated_apart_stay() -> None:
    sketch = Sketch(8, 8, 3)
    apart = sketch.depthwise(sketch.x, "apart")
    graph = sketch.scores(sketch.conv(apart, 4, 3, "stem"))
    assert not any(edit.kind == "input_colour" for edit in edits(graph))
    with pytest.raises(NetsukeError, match="apart"):
        apply_edits(graph, [Edit("input_colour", "x", "grey")])


@pytest.mark.parametrize(
    ("text", "size"),
    [("resnet8", 24), ("resnet8", 20), ("mobilenet_v1?width=0.1", 72), ("lenet", 21)],
)
def test_a_resized_network_is_the_one_that_the_zoo_builds_at_that_size(text, size) -> None:
    graph, mark = build(text), "&" if "?" in text else "?"
    small = apply_edits(graph, [Edit("input_size", "input", f"{size}x{size}")])
    expected = build(f"{text}{mark}size={size}")
    for node, other in zip(small.nodes, expected.nodes, strict=True):
        assert node == other
        assert [t.type for t in small.in_of(node)] == [t.type for t in expected.in_of(node)]


def test_what_sees_the_whole_map_answers_flat_images_as_before() -> None:
    sketch = Sketch(12, 8, 3)
    y = sketch.conv(sketch.x, 4, 1, "stem")
    y = sketch.builder.one(Add(), y, sketch.builder.constant("ones", np.ones((12, 8, 1))))
    window = Conv2d(low=0.0)
    whole = sketch.builder.one(window, y, sketch.values(5, 12, 8, 4), sketch.values(5), name="all")
    flat = sketch.builder.one(Reshape((12 * 8 * 4,)), y, name="flat")
    seen = sketch.builder.one(Clamp(0.0), flat)
    dense = sketch.builder.one(Dense(), seen, sketch.values(5, 384), sketch.values(5), name="flat5")
    joined = sketch.builder.one(Reshape((5,)), whole)
    graph = sketch.builder.build([sketch.builder.one(Add(), joined, dense)])
    big = run(graph, np.ones((12, 8, 3), np.float32))
    for height, width in [(6, 4), (9, 5), (12, 3), (16, 8)]:
        small = apply_edits(graph, [Edit("input_size", "x", f"{height}x{width}")])
        check(small, graph)
        answer = run(small, np.ones((height, width, 3), np.float32))
        np.testing.assert_allclose(answer, big, rtol=1e-4, atol=1e-4)


def test_a_dense_layer_of_half_the_map_adds_up_what_neighbours_had() -> None:
    sketch = Sketch(4, 4, 2)
    graph = sketch.builder.build([sketch.dense(sketch.x, 3)])
    small = apply_edits(graph, [Edit("input_size", "x", "2x2")])
    old = np.array(graph.tensors[graph.producers()["scores"].inputs[1]].data)
    new = small.tensors[graph.producers()["scores"].inputs[1]].data
    expected = old.reshape(3, 2, 2, 2, 2, 2).sum(axis=(2, 4)).reshape(3, 8)
    np.testing.assert_allclose(new, expected, atol=1e-6)
    x = sample(small)
    blocks = np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)
    np.testing.assert_allclose(run(small, x), run(graph, blocks), rtol=1e-4, atol=1e-5)


def test_upsampling_slices_and_unpadded_pools_follow() -> None:
    sketch = Sketch(16, 16, 3)
    build_one = sketch.builder.one
    y = sketch.conv(sketch.x, 4, 3, "down", stride=2)
    up = build_one(Resize((16, 16)), y, name="up")
    y = build_one(Add(), up, sketch.conv(sketch.x, 4, 1, "beside"))
    y = build_one(Slice(((1, 14, 1), (0, 8, 2), (0, 4, 1))), y, name="part")
    y = build_one(MaxPool2d((2, 2), (2, 2)), y, name="pooled")
    y = build_one(AveragePool2d((7, 4), (7, 4)), y, name="mean")
    graph = sketch.builder.build([sketch.dense(y, 3)])
    small = apply_edits(graph, [Edit("input_size", "x", "12x12")])
    shapes = {name: small.tensors[name].shape[:2] for name in ("up", "part", "pooled", "mean")}
    assert shapes == {"up": (12, 12), "part": (10, 6), "pooled": (5, 3), "mean": (1, 1)}
    check(small, graph)


def test_a_size_that_cannot_be_is_refused_with_the_node_that_is_in_the_way() -> None:
    sketch = Sketch(16, 16, 3)
    y = sketch.conv(sketch.x, 4, 5, "narrow", pad=0)
    graph = sketch.scores(y)
    with pytest.raises(NetsukeError, match="narrow"):
        apply_edits(graph, [Edit("input_size", "x", "4x4")])
    maps = sketch.builder.build([y])
    with pytest.raises(NetsukeError, match=r"narrow.*output"):
        apply_edits(maps, [Edit("input_size", "x", "8x8")])
    tokens = Sketch(4, 4, 2)
    y = tokens.builder.one(Reshape((4, 2, 2, 2)), tokens.x, name="split")
    y = tokens.builder.one(ReduceMean((0, 1, 2)), y)
    with pytest.raises(NetsukeError, match="split"):
        apply_edits(tokens.builder.build([y]), [Edit("input_size", "x", "2x2")])


def test_padding_keeps_windows_where_they_were_if_it_can() -> None:
    sketch = Sketch(16, 16, 3)
    even = Conv2d(stride=(2, 2), padding=(same_padding(16, 3, 2),) * 2)
    y = sketch.builder.one(even, sketch.x, sketch.values(4, 3, 3, 3), sketch.values(4), name="tf")
    graph = sketch.scores(sketch.conv(y, 4, 3, "torch", stride=2))
    small = apply_edits(graph, [Edit("input_size", "x", "13x13")])
    ops = {node.name: node.op for node in small.nodes}
    assert ops["tf"].padding == ((1, 1), (1, 1))  # 13 pixels by 2 make 7 only so
    assert ops["torch"].padding == ((1, 1), (1, 1))
    assert small.tensors["torch"].shape == (4, 4, 4)


def test_a_larger_stride_of_the_stem_takes_every_other_answer() -> None:
    sketch = Sketch(9, 9, 3)
    graph = sketch.scores(sketch.conv(sketch.x, 4, 3, "stem"))
    small = apply_edits(graph, [Edit("stem_stride", "stem", 2)])
    x = sample(graph)
    every = value_of(graph, "stem", x)[::2, ::2]
    np.testing.assert_allclose(value_of(small, "stem", x), every, atol=1e-5)
    assert not any(edit.kind == "stem_stride" for edit in edits(small))


def test_data_look_as_the_edited_network_takes_them() -> None:
    graph = network("resnet8")
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    data = from_arrays((colour, [0, 1, 0, 1]), (colour, [0, 1, 0, 1]), (colour, [0, 1, 0, 1]))
    unit = Normalisation("unit", np.float32(1 / 255), np.float32(0))
    part = Part(colour, np.arange(4), data.train.targets, unit)
    data = replace(data, train=part, validation=part, test=part)
    chosen = [Edit("input_size", "input", "24x24"), Edit("input_colour", "input", "grey")]
    seen, small = view(data, chosen), apply_edits(graph, chosen)
    assert seen.shape == small.tensors["input"].shape == (24, 24, 1)
    assert seen.train.stored.dtype == np.uint8 and seen.normalisation.name == "unit"
    assert view(data, [Edit("stem_stride", "conv1", 2)]) is data
    check(small, graph)
