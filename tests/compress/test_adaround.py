"""Weights are rounded up or down as the layer's output likes it best."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

import netsuke as nk
from netsuke.cli import main
from netsuke.codegen import compile_graph
from netsuke.codegen.onnx import to_onnx
from netsuke.compress.adaround import adaround, beta_at, network, regulariser, soft_rounding
from netsuke.compress.adaround.rounding import Layer, round_layer
from netsuke.compress.quantize import Chosen, prepare, quantize
from netsuke.data import Dataset, load_data
from netsuke.devices import device
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph, interpret_batch
from netsuke.models import build
from netsuke.train import Recipe, train
from netsuke.verify.host import HostLibrary

STEPS = 120


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits?limit=400")


@pytest.fixture(scope="module")
def trained(digits: Dataset) -> Graph:
    recipe = Recipe(epochs=4, batch=64, lr=3e-3, weight_decay=0.0, threads=1)
    return train(build("lenet?size=8&width=0.5"), digits, recipe).graph


Learned = list[tuple[Layer, Array | None]]


@pytest.fixture(scope="module")
def learned(digits: Dataset, trained: Graph) -> tuple[Graph, Learned]:
    """The rounded network, and each layer with the integers that were found for it."""
    layers: Learned = []

    def spy(layer: Layer, steps: int, seed: int, deadline: float | None) -> Array | None:
        layers.append((layer, round_layer(layer, steps, seed, deadline)))
        return layers[-1][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "round_layer", spy)
        graph = adaround(trained, digits.train.samples[:96], steps=STEPS)
    return graph, layers


@pytest.fixture(scope="module")
def rounded(learned: tuple[Graph, Learned]) -> Graph:
    return learned[0]


def test_the_formulas_are_those_of_the_paper() -> None:
    v = torch.tensor([-50.0, 0.0, 50.0])
    torch.testing.assert_close(soft_rounding(v), torch.tensor([0.0, 0.5, 1.0]))
    inside = float(soft_rounding(torch.tensor(1.0)))  # eq. 23: σ(1) · 1.2 - 0.1
    assert inside == pytest.approx(0.7310586 * 1.2 - 0.1)
    assert float(regulariser(torch.tensor([0.0, 0.5, 1.0]), 3.0)) == pytest.approx(1.0)
    assert float(regulariser(torch.tensor([0.75]), 2.0)) == pytest.approx(0.75)  # 1 - 0.5²
    betas = [beta_at(step, 100) for step in range(100)]
    assert betas[0] == betas[20] == 20.0 and betas[-1] == pytest.approx(2.0, abs=0.05)
    assert all(a >= b for a, b in pairwise(betas))


def test_no_weight_is_further_than_one_step_from_the_nearest(
    digits: Dataset, trained: Graph, rounded: Graph
) -> None:
    nearest = quantize(trained, digits.train.samples[:96])
    assert all(t.dtype in ("int8", "int32") for t in rounded.tensors.values())
    pairs = list(zip(weights_of(nearest), weights_of(rounded), strict=True))
    distances = [np.abs(a.astype(int) - b) for a, b in pairs]
    assert max(d.max() for d in distances) == 1
    assert sum(int((d == 1).any()) for d in distances) >= 2  # the method moved layers


def weights_of(graph: Graph) -> list[Array]:
    places = [n.inputs[i] for n in graph.nodes for i in n.op.rule.weights]
    return [np.asarray(graph.tensors[name].data) for name in places]


def test_coarse_layers_yield_less_error_on_samples_not_seen(
    digits: Dataset, trained: Graph
) -> None:
    """Grids of 4 bits, where rounding hurts: each layer, and the bias is the float one's."""
    seen = prepare(trained, digits.train.samples[:160], bias_correction=False)
    unseen = replace(seen, arrays=(digits.test.samples[:100],))
    gains = []
    for place, chosen in network._scales(
        seen, [n for n in seen.graph.nodes if n.op.rule.weights]
    ).items():
        coarse = {place: Chosen(chosen.scales * 17.0)}
        node = next(n for n in seen.graph.nodes if n.name == place[0])
        here, there = (network._layer(p, node, p.convert(coarse)) for p in (seen, unseen))
        stored = round_layer(here, STEPS, 0, None)
        assert stored is not None
        found = there.whole_error((stored * there.steps).astype(np.float32), there.bias)
        gains.append(found / there.whole_error(*there.nearest))
    assert max(gains) < 1.0 and np.mean(gains) < 0.8


def test_a_layer_is_never_worse_than_nearest_on_its_samples(
    learned: tuple[Graph, Learned],
) -> None:
    assert len(learned[1]) == 4
    for layer, stored in learned[1]:
        if stored is not None:
            error = layer.whole_error((stored * layer.steps).astype(np.float32), layer.bias)
            assert error < layer.whole_error(*layer.nearest)


def test_the_integers_mean_the_same_in_c(digits: Dataset, rounded: Graph) -> None:
    source = rounded.tensors[rounded.inputs[0]].quant
    assert source is not None
    stored = source.quantize(digits.test.samples[:40])
    (found,) = HostLibrary(compile_graph(rounded, device("nucleo-f446re"))).run(stored)
    np.testing.assert_array_equal(found, interpret_batch(rounded, stored)[0])


def test_the_same_seed_gives_the_same_integers(
    digits: Dataset, trained: Graph, rounded: Graph
) -> None:
    samples = digits.train.samples[:96]
    assert adaround(trained, samples, steps=STEPS).fingerprint() == rounded.fingerprint()


def test_without_time_it_is_rounding_to_the_nearest(digits: Dataset, trained: Graph) -> None:
    samples = digits.train.samples[:32]
    hurried = adaround(trained, samples, deadline=time.monotonic() - 1.0)
    assert hurried.fingerprint() == quantize(trained, samples).fingerprint()


def test_what_cannot_be_rounded_is_said(digits: Dataset, trained: Graph) -> None:
    samples = digits.train.samples[:4]
    with pytest.raises(UsageError, match="0 steps"):
        adaround(trained, samples, steps=0)
    with pytest.raises(UsageError, match="seed -1"):
        adaround(trained, samples, seed=-1)
    with pytest.raises(UsageError, match="'up' is unknown"):
        nk.quantize(trained, samples, rounding="up")
    with pytest.raises(UsageError, match="training learns the weights"):
        nk.quantize(trained, "digits", qat=1, rounding="adaround")
    with pytest.raises(UsageError, match="calibration needs at least one"):
        adaround(trained, samples[:0])


def test_the_command_writes_what_python_returns(
    trained: Graph,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, out = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    model.write_bytes(to_onnx(trained))
    command = ["quantize", str(model), "--data", "digits?limit=300", "-o", str(out)]
    assert main([*command, "--rounding", "up"]) == 2
    assert main([*command, "--rounding", "adaround", "--qat", "1"]) == 2
    assert not out.exists()
    monkeypatch.setattr(adaround, "__kwdefaults__", {**adaround.__kwdefaults__, "steps": 20})
    assert main([*command, "--rounding", "adaround", "--samples", "8"]) == 0
    assert "int8" in capsys.readouterr().out
    wanted = nk.quantize(model, "digits?limit=300", samples=8, rounding="adaround")
    for a, b in zip(weights_of(nk.load(out)), weights_of(wanted), strict=True):
        np.testing.assert_array_equal(a, b)
