"""Training computes what ships: the same integers, with gradients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from random_graphs import random_graph

import netsuke as nk
from netsuke.cli import main
from netsuke.codegen.onnx import to_onnx
from netsuke.compress.qat import QuantizedModule, tune
from netsuke.compress.qat.steps import Quantized
from netsuke.compress.quantize import prepare, quantize
from netsuke.data import Dataset, load_data
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph, interpret_batch
from netsuke.models import build
from netsuke.train import Recipe, evaluate, loop, train

QUICK = Recipe(epochs=2, batch=64, lr=5e-4, weight_decay=0.0, threads=1)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits?limit=500")


@pytest.fixture(scope="module")
def trained(digits: Dataset) -> Graph:
    return train(build("lenet?size=8&width=0.5"), digits, replace(QUICK, epochs=12, lr=3e-3)).graph


def scores_of(graph: Graph, samples: Array) -> Array:
    """Real outputs of an integer graph, computed in NumPy one by one."""
    source, target = graph.tensors[graph.inputs[0]].quant, graph.tensors[graph.outputs[0]].quant
    assert source is not None and target is not None
    return target.dequantize(interpret_batch(graph, source.quantize(samples))[0])


def test_training_starts_from_post_training_quantization(digits: Dataset, trained: Graph) -> None:
    samples = digits.train.take(64).samples
    prepared = prepare(trained, samples)
    assert (
        prepared.finish(prepared.convert()).fingerprint()
        == quantize(trained, samples).fingerprint()
    )
    before = quantize(trained, samples, bias_correction=False)
    after = QuantizedModule(
        replace(prepared, recipe=replace(prepared.recipe, bias_correction=False))
    )
    got, meant = (scores_of(g, digits.test.samples[:50]) for g in (after.export(), before))
    np.testing.assert_array_equal(got, meant)


@pytest.mark.parametrize(
    "spec",
    [
        "resnet8?size=16&width=0.5",
        "mobilenet_v1?width=0.25&size=32&classes=3",
        "ds_cnn?width=0.25",
    ],
)
def test_the_exported_integers_are_what_the_loss_saw(spec: str) -> None:
    check_export(build(spec), steps=True)


def test_random_graphs_export_what_the_module_computes() -> None:
    tried = 0
    for seed in range(120):
        graph = random_graph(seed, False)
        if len(graph.inputs) == 1 and len(graph.outputs) == 1:
            check_export(graph, steps=False)
            tried += 1
    assert tried > 5


def check_export(graph: Graph, steps: bool) -> None:
    """A module in evaluation equals the integers that it exports, wherever training has led it."""
    shape = graph.tensors[graph.inputs[0]].shape
    samples = np.random.default_rng(0).normal(size=(6, *shape)).astype(np.float32)
    module = QuantizedModule(prepare(graph, samples)).train()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
    x = torch.from_numpy(samples)
    for exact in (False, True) if steps else ():  # weights, biases and steps of grids move
        module.exact = exact
        optimizer.zero_grad()
        module(x).square().mean().backward()
        optimizer.step()
    module.eval()
    with torch.no_grad():
        found = module.activations(x)[module.prepared.graph.outputs[0]].numpy()
    np.testing.assert_array_equal(found, scores_of(module.export(), samples))


def test_training_recovers_what_rounding_lost_and_ships_what_it_measured(
    digits: Dataset, trained: Graph
) -> None:
    result = tune(trained, digits, replace(QUICK, epochs=3), calibration=64)
    integers = result.graph
    assert all(t.dtype in ("int8", "int32") for t in integers.tensors.values())
    samples = digits.validation.samples
    right = scores_of(integers, samples).argmax(axis=1) == digits.validation.labels
    assert 100.0 * right.mean() == pytest.approx(result.history[-1]["validation"])
    before = evaluate(trained, digits, digits.validation).metric
    assert result.history[-1]["validation"] > before - 1.0
    assert result.history[-1]["loss"] < result.history[0]["loss"]


def test_the_same_seed_gives_the_same_integers_and_a_stop_changes_nothing(
    digits: Dataset, trained: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tune(trained, digits, QUICK, calibration=32).graph
    save = loop.save_checkpoint

    def stop(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "save_checkpoint", stop)
    with pytest.raises(KeyboardInterrupt):
        tune(trained, digits, QUICK, calibration=32, out=tmp_path)
    monkeypatch.setattr(loop, "save_checkpoint", save)
    resumed = tune(trained, digits, QUICK, calibration=32, out=tmp_path, resume=True).graph
    assert resumed.fingerprint() == whole.fingerprint()
    other = replace(QUICK, seed=1)
    assert tune(trained, digits, other, calibration=32).graph.fingerprint() != (whole.fingerprint())
    with pytest.raises(UsageError, match="another recipe"):
        tune(trained, digits, other, calibration=32, out=tmp_path, resume=True)


def test_a_teacher_teaches_integers(digits: Dataset, trained: Graph) -> None:
    bare = replace(
        digits, **{name: replace(part, targets=None) for name, part in digits.parts.items()}
    )
    result = tune(trained, bare, QUICK, teacher=trained, calibration=64)
    assert evaluate(result.graph, digits, digits.test).metric > (
        evaluate(trained, digits, digits.test).metric - 2.0
    )


@pytest.mark.parametrize("axis", [None, 1])
def test_gradients_are_those_of_the_paper(axis: int | None) -> None:
    torch.manual_seed(0)
    low, high, zero = -128, 127, 0 if axis == 1 else -120
    base = torch.tensor(0.05) if axis is None else torch.tensor([0.05, 0.02, 0.1])
    ratio = torch.full_like(base, 1.25, requires_grad=True)
    v = (torch.randn(4, 3, 5) * 4).requires_grad_()
    weight = torch.randn(4, 3, 5)
    (Quantized.apply(v, ratio, base, zero, axis, low, high) * weight).sum().backward()
    step = (base * 1.25).reshape(() if axis is None else (1, 3, 1))
    q = v.detach() / step
    bottom, top = low - zero, high - zero
    inside = (q >= bottom - 0.5) & (q <= top + 0.5)
    assert not inside.all() and inside.any()
    torch.testing.assert_close(v.grad, weight * inside)
    slope = torch.where(inside, q.round() - q, q.clamp(bottom, top))  # eq. 3
    sums = (weight * slope).sum() if axis is None else (weight * slope).sum(dim=(0, 2))
    count = 15 if axis is None else 20
    factor = 1.0 / (count * max(top, -bottom)) ** 0.5  # section 2.2
    torch.testing.assert_close(ratio.grad, sums * factor / base, rtol=1e-3, atol=1e-4)


def test_what_cannot_be_tuned_is_said(digits: Dataset, trained: Graph) -> None:
    with pytest.raises(UsageError, match="hints"):
        tune(trained, digits, replace(QUICK, hint=1.0))
    with pytest.raises(UsageError, match="-1 epochs"):
        tune(trained, digits, QUICK, exact_epochs=-1)
    with pytest.raises(UsageError, match="calibration needs at least one"):
        tune(trained, digits, QUICK, calibration=0)
    with pytest.raises(UsageError, match="takes samples of"):
        tune(build("resnet8"), digits, QUICK)


def test_the_command_writes_what_python_returns(
    trained: Graph, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    model.write_bytes(to_onnx(trained))
    command = ["quantize", str(model), "--data", "digits?limit=300", "-o", str(out)]
    assert main([*command, "--qat", "1", "--samples", "16"]) == 0
    assert "int8" in capsys.readouterr().out
    samples = load_data("digits").test.samples[:40]
    wanted = nk.quantize(model, "digits?limit=300", samples=16, qat=1)
    found = scores_of(nk.load(out), samples)
    np.testing.assert_array_equal(found, scores_of(wanted, samples))
    assert not np.array_equal(found, scores_of(nk.quantize(model, "digits?limit=300", 16), samples))
    assert main([*command, "--qat", "-1"]) == 2
    assert main([*command, "--resume"]) == 2
