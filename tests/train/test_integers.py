"""Batches of integers come out as `interpret` computes them one by one, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from random_graphs import random_graph

from netsuke.frontend import load
from netsuke.ir import Array, Graph, GraphBuilder, Quant, interpret, interpret_batch
from netsuke.ops import Dense
from netsuke.passes import optimize
from netsuke.train.integers import interpret_many


def stored_samples(graph: Graph, count: int, seed: int = 0) -> Array:
    tensor = graph.tensors[graph.inputs[0]]
    rng = np.random.default_rng(seed)
    return rng.integers(-128, 128, (count, *tensor.shape)).astype(tensor.dtype)


def test_random_graphs_mean_the_same_on_batches() -> None:
    tried = 0
    for seed in range(150):
        graph = random_graph(seed, True)
        if len(graph.inputs) != 1:
            continue
        tried += 1
        stored = stored_samples(graph, 3, seed)
        found: dict[str, Array] = {}
        interpret_many(graph, stored, found.__setitem__)
        for number in range(3):
            meaning: dict[str, Array] = {}
            interpret(graph, {graph.inputs[0]: stored[number]}, meaning.__setitem__)
            assert meaning.keys() == found.keys()
            for name, value in meaning.items():
                np.testing.assert_array_equal(found[name][number], value, f"seed {seed} {name}")
    assert tried > 50


def test_sums_beyond_the_exact_floats_of_32_bits_keep_their_last_bit() -> None:
    builder, half = GraphBuilder("long"), 3000
    x = builder.input("x", (2 * half + 1,), "int8", Quant((1.0,), (-128,)))
    # Partial sums reach 97 million, where neighbouring float32 are 8 apart; the whole is small.
    weights = np.repeat(np.array([[127, -127]], np.int8), half, axis=1)
    w = builder.constant("w", np.append(weights, [[1]], axis=1).astype(np.int8), Quant((1.0,)))
    b = builder.constant("b", np.array([-100], np.int32), Quant((1.0,)))
    graph = builder.build([builder.one(Dense(), x, w, b, quant=Quant((1.0,), (0,)))])
    stored = np.full((20, 2 * half + 1), 127, np.int8)
    stored[:, -1] = np.arange(20) - 30
    np.testing.assert_array_equal(interpret_many(graph, stored)[:, 0], np.arange(20) - 2)


def test_no_samples_have_no_outputs() -> None:
    graph = next(g for g in (random_graph(s, True) for s in range(99)) if len(g.inputs) == 1)
    assert interpret_many(graph, stored_samples(graph, 0)).shape[0] == 0


def test_trained_int8_networks_mean_the_same_on_batches(real_data: Path) -> None:
    for name in ("pretrainedResnet_quant", "kws_ref_model", "vww_96_int8"):
        graph = optimize(load(real_data / "mlperf_tiny" / f"{name}.tflite"))
        stored = stored_samples(graph, 5)
        (meaning,) = interpret_batch(graph, stored)
        np.testing.assert_array_equal(interpret_many(graph, stored), meaning, name)
