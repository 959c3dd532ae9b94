"""A rectangle of an operator's output is what the operator makes of a rectangle of its inputs."""

from __future__ import annotations

import numpy as np
import pytest
from image_graphs import image_graph
from random_graphs import random_inputs

from netsuke.ir import Box, Graph, GraphBuilder, Node, Tensor, interpret_batch, is_integer_node
from netsuke.ops import Add, Conv2d, DepthwiseConv2d, Requantize, Softmax


def part_of(tensor: Tensor, value: np.ndarray, box: Box | None) -> np.ndarray:
    return value if box is None else value[slice(*box[0]), slice(*box[1])]


def check_tile(graph: Graph, node: Node, values: dict[str, np.ndarray], box: Box) -> bool:
    """Compare a rectangle with the operator's tile; False where there is none."""
    inputs, output = graph.in_of(node), graph.tensors[node.name]
    tile = node.op.tile(inputs, box)
    if tile is None:
        return False
    arrays = [
        part_of(tensor, values[tensor.name], read)
        for tensor, read in zip(inputs, tile.reads, strict=True)
    ]
    small = [
        Tensor(t.name, a.shape, t.dtype, t.quant, a if t.is_constant else None)
        for t, a in zip(inputs, arrays, strict=True)
    ]
    expected = part_of(output, values[node.name], box)
    (kind,) = tile.op.infer(small)
    assert kind.shape == expected.shape
    if is_integer_node(graph, node):
        made = Tensor(output.name, kind.shape, output.dtype, output.quant)
        (got,) = tile.op.quantized(small, [made], *arrays)
        assert np.array_equal(got, expected)
    else:
        (got,) = tile.op.reference(*arrays)
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
    return True


def all_values(graph: Graph, seed: int) -> dict[str, np.ndarray]:
    """Every tensor of one run."""
    arrays = random_inputs(graph, 1, seed)
    names = [node.name for node in graph.nodes]
    wide = Graph(graph.inputs, tuple(names), graph.nodes, graph.tensors)
    results = interpret_batch(wide, *arrays)
    values = {name: t.data for name, t in graph.tensors.items() if t.data is not None}
    values |= {name: array[0] for name, array in zip(graph.inputs, arrays, strict=True)}
    return values | {name: result[0] for name, result in zip(names, results, strict=True)}


@pytest.mark.parametrize("integer", [True, False], ids=["int8", "float"])
def test_rectangles_of_random_networks_come_out_as_in_the_whole(integer: bool) -> None:
    served = 0
    for seed in range(40):
        graph, rng = image_graph(seed, integer), np.random.default_rng(seed)
        values = all_values(graph, seed)
        for node in graph.nodes:
            height, width, _ = graph.tensors[node.name].shape
            for _ in range(4):
                top, bottom = sorted(rng.choice(height + 1, 2, replace=False).tolist())
                left, right = sorted(rng.choice(width + 1, 2, replace=False).tolist())
                served += check_tile(graph, node, values, ((top, bottom), (left, right)))
    assert served > 400


def test_a_rectangle_that_sees_padding_only_has_no_tile() -> None:
    builder = GraphBuilder("border")
    x = builder.input("x", (4, 4, 1))
    w = builder.constant("w", np.ones((1, 1, 1, 1), np.float32))
    b = builder.constant("b", np.zeros(1, np.float32))
    graph = builder.build([builder.one(Conv2d(padding=((2, 0), (0, 0))), x, w, b)])
    inputs = graph.in_of(graph.nodes[0])
    assert graph.nodes[0].op.tile(inputs, ((0, 2), (0, 4))) is None
    assert graph.nodes[0].op.tile(inputs, ((0, 3), (0, 4))) is not None


def test_what_a_tile_reads_grows_by_the_window_and_stops_at_the_border() -> None:
    x = Tensor("x", (10, 10, 2))
    weights, bias = Tensor("w", (3, 3, 2)), Tensor("b", (2,))
    op = DepthwiseConv2d(stride=(2, 2), padding=((1, 1), (1, 1)))
    tile = op.tile([x, weights, bias], ((1, 3), (0, 5)))
    assert tile is not None
    assert tile.reads == (((1, 6), (0, 10)), None, None)
    assert isinstance(tile.op, DepthwiseConv2d)
    assert tile.op.padding == ((0, 0), (1, 0))


def test_operands_that_broadcast_are_read_whole_along_their_single_row() -> None:
    tile = Add().tile([Tensor("a", (8, 6, 4)), Tensor("b", (1, 6, 4))], ((2, 5), (1, 3)))
    assert tile is not None
    assert tile.reads == (((2, 5), (1, 3)), ((0, 1), (1, 3)))


def test_operators_that_need_everything_have_no_tiles() -> None:
    assert Softmax().tile([Tensor("x", (4, 4, 4))], ((0, 1), (0, 4))) is None


def test_what_rounds_by_the_place_of_an_element_has_no_tiles() -> None:
    assert Requantize().tile([Tensor("x", (4, 4, 4), "int8")], ((0, 1), (0, 4))) is None
