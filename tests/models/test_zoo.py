"""The zoo against published figures, and as graphs that everything else can use."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_zoo import small_spec

from netsuke.errors import UsageError
from netsuke.ir import interpret
from netsuke.models import build, is_model_name, layers, model_names, model_options
from netsuke.train import to_module


@pytest.mark.parametrize(
    ("spec", "parameters", "macs"),
    [
        ("resnet8", 78_666, 12_501_632),
        ("ds_cnn", 24_908, 2_656_768),
        ("mobilenet_v1?width=0.25", None, 7_489_664),
        ("mobilenet_v1?size=224", None, 567_718_400),
    ],
)
def test_reference_networks_have_their_published_size(
    spec: str, parameters: int | None, macs: int
) -> None:
    graph = build(spec)
    assert graph.macs == macs
    assert parameters is None or graph.parameters == parameters


@pytest.mark.parametrize("name", model_names())
def test_every_network_runs_and_ends_in_its_classes(name: str) -> None:
    graph = build(small_spec(name, "&softmax=1"))
    shape = graph.tensors[graph.inputs[0]].shape
    sample = np.random.default_rng(0).uniform(size=shape).astype(np.float32)
    (result,) = interpret(graph, {graph.inputs[0]: sample}).values()
    assert result.shape == (7,) and abs(result.sum() - 1.0) < 1e-5


@pytest.mark.parametrize("name", model_names())
def test_every_network_computes_the_same_in_pytorch(name: str) -> None:
    graph = build(small_spec(name))
    (x,) = graph.inputs
    sample = np.random.default_rng(0).normal(size=graph.tensors[x].shape).astype(np.float32)
    (ours,) = interpret(graph, {x: sample}).values()
    with torch.no_grad():
        theirs = to_module(graph).eval()(torch.from_numpy(sample[None]))[0].numpy()
    assert np.abs(ours - theirs).max() <= 1e-4 * max(1.0, np.abs(ours).max())


def test_layers_drawn_in_parts_have_the_weights_of_one_draw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = build("lenet").fingerprint()
    monkeypatch.setattr(layers, "DRAWN", 7)
    assert build("lenet").fingerprint() == whole


def test_a_seed_decides_the_weights() -> None:
    assert build("lenet").fingerprint() == build("lenet").fingerprint()
    assert build("lenet").fingerprint() != build("lenet?seed=1").fingerprint()


def test_unknown_names_and_options_are_refused() -> None:
    with pytest.raises(UsageError, match="known are alexnet, densenet121, ds_cnn"):
        build("lenet6")
    with pytest.raises(UsageError, match="no option 'widht'"):
        build("lenet?widht=2")
    with pytest.raises(UsageError, match="width=99 is not from"):
        build("lenet?width=99")
    assert is_model_name("lenet?width=2") and not is_model_name("model.onnx")
    assert "width" in model_options("resnet8")
