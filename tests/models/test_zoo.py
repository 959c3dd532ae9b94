"""The zoo against published figures, and as graphs that everything else can use."""

from __future__ import annotations

import numpy as np
import pytest

from netsuke.errors import UsageError
from netsuke.ir import interpret
from netsuke.models import build, is_model_name, model_names, model_options


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


def test_the_widest_mobilenet_has_its_published_weights() -> None:
    graph = build("mobilenet_v1")
    learned = sum(
        tensor.elements
        for tensor in graph.constants()
        if tensor.name.endswith((".weights", ".scale", ".offset"))
    )
    last_bias = 2
    assert learned + last_bias == 3_209_026  # weights and affine normalizations, two classes


def test_densenet_has_its_published_weights() -> None:
    graph = build("densenet121")
    measured = (".mean", ".variance")
    learned = sum(
        tensor.elements
        for tensor in graph.constants()
        if not tensor.name.endswith(measured)
        and (not tensor.name.endswith(".bias") or tensor.name.startswith("dense"))
    )
    assert learned == 7_978_856


@pytest.mark.parametrize("name", model_names())
def test_every_network_runs_and_ends_in_its_classes(name: str) -> None:
    small = {
        "mobilenet_v1": "&width=0.1&size=32",
        "densenet121": "&growth=4&size=32",
    }.get(name, "&width=0.25")
    graph = build(f"{name}?classes=7&softmax=1{small}")
    shape = graph.tensors[graph.inputs[0]].shape
    sample = np.random.default_rng(0).uniform(size=shape).astype(np.float32)
    (result,) = interpret(graph, {graph.inputs[0]: sample}).values()
    assert result.shape == (7,) and abs(result.sum() - 1.0) < 1e-5


def test_a_seed_decides_the_weights() -> None:
    assert build("lenet").fingerprint() == build("lenet").fingerprint()
    assert build("lenet").fingerprint() != build("lenet?seed=1").fingerprint()


def test_unknown_names_and_options_are_refused() -> None:
    with pytest.raises(UsageError, match="known are densenet121, ds_cnn, lenet"):
        build("lenet5")
    with pytest.raises(UsageError, match="no option 'widht'"):
        build("lenet?widht=2")
    with pytest.raises(UsageError, match="width=99 is not from"):
        build("lenet?width=99")
    assert is_model_name("lenet?width=2") and not is_model_name("model.onnx")
    assert "width" in model_options("resnet8")
