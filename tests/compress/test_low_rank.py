"""Thin layers have exactly the error of the singular values that they leave out."""

from __future__ import annotations

import numpy as np
import pytest

import netsuke as nk
from netsuke.compress.low_rank import BIAS, factorise
from netsuke.compress.quantize import quantize
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph, GraphBuilder, interpret, interpret_batch
from netsuke.models import build
from netsuke.ops import Conv2d, Dense, DepthwiseConv2d

RNG = np.random.default_rng(0)


def dense_graph(units: int = 24, depth: int = 30, low: float = -np.inf) -> Graph:
    builder = GraphBuilder()
    x = builder.input("x", (depth,))
    weights = builder.constant("w", RNG.normal(size=(units, depth)).astype(np.float32))
    bias = builder.constant("b", RNG.normal(size=units).astype(np.float32))
    return builder.build([builder.one(Dense(low=low), x, weights, bias, name="y")])


def decaying(units: int, depth: int, power: float = 1.5) -> Array:
    """A matrix with singular values 1 / i^power."""
    left, _ = np.linalg.qr(RNG.normal(size=(units, units)))
    right, _ = np.linalg.qr(RNG.normal(size=(depth, depth)))
    count = min(units, depth)
    return (left[:, :count] / np.arange(1, count + 1) ** power) @ right[:count]


def product(graph: Graph, name: str = "y") -> Array:
    """A B of a layer that was made thin."""
    outer, inner = (graph.tensors[f"{name}.{part}"].data for part in ("outer", "inner"))
    return outer.reshape(outer.shape[0], -1).astype(float) @ inner.reshape(inner.shape[0], -1)


def test_the_error_without_data_is_that_of_the_truncated_decomposition() -> None:
    graph = dense_graph()
    weights = graph.tensors["w"].data.astype(np.float64)
    values = np.square(np.linalg.svd(weights, compute_uv=False))
    thin = factorise(graph, energy=0.6)
    full, rank, lost = thin.ranks["y"]
    assert full == 24 and values[:rank].sum() >= 0.6 * values.sum() > values[: rank - 1].sum()
    error = np.square(weights - product(thin.graph)).sum()
    assert error == pytest.approx(values[rank:].sum(), rel=1e-5)
    assert lost == pytest.approx(error / values.sum(), rel=1e-5)
    assert thin.graph.macs == rank * (24 + 30) < graph.macs


def test_the_error_with_data_is_that_of_the_responses() -> None:
    graph = dense_graph()
    mixing = RNG.normal(size=(30, 6)) @ RNG.normal(size=(6, 30)) + 0.1 * np.eye(30)
    x = (RNG.normal(size=(200, 30)) @ mixing + 3.0).astype(np.float32)
    aware = factorise(graph, energy=0.95, samples=[x])
    _, rank, lost = aware.ranks["y"]
    y, z = interpret_batch(graph, x)[0], interpret_batch(aware.graph, x)[0]
    centred = np.square(y - y.mean(axis=0)).sum()
    assert np.square(y - z).sum() / centred == pytest.approx(lost, rel=1e-3)
    assert np.abs((y - z).mean(axis=0)).max() < 1e-3 * np.abs(y).max()  # the mean is kept
    assert rank <= 6  # as many directions as the inputs have
    blind = factorise(graph, budget=rank * (24 + 30 + BIAS))
    assert blind.ranks["y"][1] == rank
    w = interpret_batch(blind.graph, x)[0]
    assert np.square(y - z).sum() < 0.5 * np.square(y - w).sum()


def test_pointwise_convolutions_keep_stride_clamp_and_bias() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (7, 5, 20))
    weights = decaying(16, 20, 3.0).reshape(16, 1, 1, 20).astype(np.float32)
    names = builder.constant("w", weights), builder.constant("b", np.arange(16.0) / 8)
    op = Conv2d(stride=(2, 2), low=0.0, high=1.5)
    graph = builder.build([builder.one(op, x, *names, name="y")])
    thin = factorise(graph, energy=0.9999)
    assert [node.op.stride for node in thin.graph.nodes] == [(2, 2), (1, 1)]
    assert thin.graph.nodes[0].op.low == -np.inf and thin.graph.nodes[1].op.high == 1.5
    sample = RNG.normal(size=(7, 5, 20)).astype(np.float32)
    before, after = (interpret(g, {"x": sample})["y"] for g in (graph, thin.graph))
    assert np.abs(before - after).max() < 0.1 and before.max() == 1.5


def test_layers_stay_where_nothing_is_saved() -> None:
    graph = dense_graph(4, 4)
    assert factorise(graph, energy=0.5).graph is graph
    assert factorise(dense_graph(), energy=0.999).ranks == {}
    for m, n in ((24, 30), (10, 200), (7, 9)):
        thin = factorise(dense_graph(m, n), energy=0.3)
        for _, rank, _ in thin.ranks.values():
            assert rank * (m + n + BIAS) < m * n and rank * (m + n) < m * n


def test_three_by_three_padded_and_depthwise_layers_stay() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (8, 8, 16))
    values = lambda *shape: builder.constant("c", RNG.normal(size=shape))  # noqa: E731
    y = builder.one(Conv2d(), x, values(16, 3, 3, 16), values(16))
    y = builder.one(Conv2d(padding=((1, 1), (1, 1))), y, values(16, 1, 1, 16), values(16))
    y = builder.one(DepthwiseConv2d(), y, values(1, 1, 16), values(16))
    graph = builder.build([builder.one(Conv2d(groups=2), y, values(16, 1, 1, 8), values(16))])
    assert factorise(graph, energy=0.1).graph is graph


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_budget_in_bytes_is_held_by_the_layers_together(share: float) -> None:
    builder = GraphBuilder()
    x = builder.input("x", (64,))
    for index, power in enumerate((0.2, 2.0)):
        weights = builder.constant("w", decaying(64, 64, power).astype(np.float32))
        bias = builder.constant("b", np.zeros(64, np.float32))
        x = builder.one(Dense(), x, weights, bias, name=f"y{index}")
    graph = builder.build([x])
    budget = int(share * 2 * 64 * 64)
    thin = factorise(graph, budget=budget)
    ranks = {name: rank for name, (_, rank, _) in thin.ranks.items()}
    taken = sum(
        rank * (128 + BIAS) if (rank := ranks.get(name)) else 64 * 64 for name in ("y0", "y1")
    )
    assert taken <= budget
    assert ranks["y1"] < ranks.get("y0", 64)  # the layer that decays faster gives more


def test_what_cannot_be_made_thin_is_refused() -> None:
    graph = dense_graph()
    for arguments in ({}, {"energy": 0.9, "budget": 10}, {"energy": 1.0}, {"energy": 0.0}):
        with pytest.raises(UsageError):
            factorise(graph, **arguments)
    with pytest.raises(UsageError, match="still take 58 B"):
        factorise(graph, budget=57)
    assert factorise(graph, budget=58).ranks["y"][1] == 1
    with pytest.raises(UsageError, match="no samples"):
        factorise(graph, energy=0.5, samples=[np.zeros((0, 30), np.float32)])
    with pytest.raises(UsageError, match="is quantized"):
        factorise(quantize(graph, RNG.normal(size=(2, 30)).astype(np.float32)), energy=0.5)


def test_dead_weights_become_thin_without_trouble() -> None:
    graph = dense_graph()
    silent = np.zeros((3, 30), np.float32)
    thin = factorise(graph, energy=0.9, samples=[silent])
    assert all(np.isfinite(t.data).all() for t in thin.graph.constants())


def test_thin_networks_quantize_and_are_smaller() -> None:
    graph = build("lenet_300_100?size=16&width=0.5")
    x = RNG.normal(size=(4, 16, 16, 1)).astype(np.float32)
    thin = factorise(graph, energy=0.5)
    before, after = (sum(t.size for t in quantize(g, x).constants()) for g in (graph, thin.graph))
    assert thin.ranks and after < before
    assert nk.prune(graph, 0.5, low_rank=0.5).parameters < nk.prune(graph, 0.5).parameters
