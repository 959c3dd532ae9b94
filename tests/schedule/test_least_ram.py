"""No plan takes less than the least RAM, in stripes or not; and often a plan takes no more."""

from __future__ import annotations

import time

import numpy as np
import pytest
from image_graphs import image_graph
from random_graphs import random_graph

from netsuke.compress.quantize import quantize
from netsuke.devices import device
from netsuke.ir import GraphBuilder, Quant
from netsuke.models import build
from netsuke.ops import Concat, Conv2d, Dense, ReduceMean, Reshape
from netsuke.passes import optimize
from netsuke.passes.channel_groups import channel_groups, cut
from netsuke.schedule import least_ram, plan

BOARD = device("nucleo-f446re")


@pytest.mark.parametrize("seed", [0, 1, 2, 5, 6])
def test_no_plan_of_a_random_network_takes_less(seed: int) -> None:
    for graph in (image_graph(seed), random_graph(seed, True)):
        graph = optimize(graph)
        whole, least = (plan(graph, BOARD, ram=0, stripes=s).arena for s in (False, True))
        bound, place = least_ram(graph, ())
        assert 0 < bound <= least and place in graph.tensors
        assert bound <= least_ram(graph, (), stripes=False)[0] <= whole


@pytest.mark.parametrize("name", ["resnet8", "ds_cnn", "lenet", "mobilenet_v1?width=0.25"])
def test_no_narrowest_network_of_the_zoo_takes_less(name: str) -> None:
    graph = optimize(build(name))
    groups = channel_groups(graph)
    start = time.perf_counter()
    bound, place = least_ram(graph, groups)
    assert time.perf_counter() - start < 1.0  # some milliseconds on a machine that is idle
    assert (bound, place) == (graph.tensors["input"].elements, "input")
    whole = least_ram(graph, groups, stripes=False)[0]
    narrow = cut(graph, groups, [[0]] * len(groups))
    samples = np.random.default_rng(0).normal(size=(2, *graph.tensors["input"].shape))
    integers = quantize(narrow, samples.astype(np.float32))
    arena = plan(integers, BOARD, stripes=False).arena
    assert bound <= whole <= arena <= 1.5 * whole


def test_what_cannot_run_in_parts_counts_whole_and_views_count_once() -> None:
    builder = GraphBuilder()
    quant = Quant((0.1,), (0,))
    x = builder.input("x", (16, 16, 1), "int8", quant)

    def conv(x: str, channels: int, name: str) -> str:
        depth = builder.tensors[x].shape[2]
        weights = np.ones((channels, 1, 1, depth), np.int8)
        filters = builder.constant("w", weights, Quant((0.1,) * channels, (0,) * channels, 0))
        bias = builder.constant("b", np.zeros(channels, np.int32))
        return builder.one(Conv2d(), x, filters, bias, name=name, quant=quant)

    both = builder.one(Concat(2), conv(x, 4, "a"), conv(x, 8, "b"), name="both", quant=quant)
    mean = builder.one(ReduceMean((0, 1)), both, name="mean", quant=quant)
    graph = builder.build([mean])
    assert least_ram(graph, ()) == (16 * 16 * 12, "both")
    assert least_ram(graph, (), stripes=False)[0] == 16 * 16 * 12


def test_a_flattened_map_is_needed_whole() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (8, 8, 3))
    weights = builder.constant("w", np.ones((8, 1, 1, 3), np.float32))
    y = builder.one(Conv2d(), x, weights, builder.constant("b", np.zeros(8)), name="wide")
    flat = builder.one(Reshape((512,)), y, name="flat")
    dense = builder.constant("d", np.ones((2, 512), np.float32))
    scores = builder.one(Dense(), flat, dense, builder.constant("e", np.zeros(2)), name="scores")
    graph = builder.build([scores])
    assert least_ram(graph, ()) == (512, "flat")
    assert least_ram(graph) == (192, "x")
