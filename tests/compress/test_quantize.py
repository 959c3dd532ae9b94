"""Post-training quantization keeps what a network does, and says what it cannot quantize."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from netsuke import ops
from netsuke.compress.quantize import compare, quantize
from netsuke.errors import QuantizationError, UsageError
from netsuke.ir import (
    Array,
    Graph,
    GraphBuilder,
    Port,
    Quant,
    Tensor,
    TensorType,
    interpret_batch,
)


class Drawn(GraphBuilder):
    """A builder with seeded weights."""

    def __init__(self, seed: int = 3) -> None:
        super().__init__()
        self.rng = np.random.default_rng(seed)

    def weights(self, *shape: int, spread: float = 0.3) -> str:
        return self.constant("w", self.rng.normal(size=shape).astype(np.float32) * spread)

    def conv(self, x: str, channels: int, **fields: float) -> str:
        depth = self.tensors[x].shape[2]
        op = ops.Conv2d(padding=((1, 1), (1, 1)), **fields)  # type: ignore[arg-type]
        return self.one(op, x, self.weights(channels, 3, 3, depth), self.weights(channels))

    def dense(self, x: str, units: int) -> str:
        depth = self.tensors[x].shape[-1]
        return self.one(ops.Dense(), x, self.weights(units, depth), self.weights(units))

    def samples(self, *shape: int, count: int = 24) -> Array:
        return self.rng.normal(size=(count, *shape)).astype(np.float32)


def stored(graph: Graph, samples: Array) -> Array:
    quant = graph.tensors[graph.inputs[0]].quant
    assert quant is not None
    return np.stack([quant.quantize(sample) for sample in samples])


def worst_sqnr(graph: Graph, integers: Graph, samples: Array) -> float:
    return min(compare(graph, integers, samples).outputs.values())


def assert_pure_integer(graph: Graph) -> None:
    assert not [tensor.name for tensor in graph.tensors.values() if tensor.dtype == "float32"]


@pytest.mark.parametrize("ranges", ["mse", "minmax", "percentile"])
@pytest.mark.parametrize("per_channel", [True, False])
def test_a_residual_network_survives(ranges: str, per_channel: bool) -> None:
    b = Drawn()
    x = b.conv(b.input("x", (8, 8, 3)), 8, low=0.0)
    x = b.one(ops.Add(low=0.0), b.conv(b.conv(x, 8, low=0.0), 8), x)
    pooled = b.one(ops.AveragePool2d((8, 8)), b.one(ops.MaxPool2d((1, 1)), x))
    graph = b.build([b.dense(b.one(ops.Reshape((8,)), pooled), 4)])
    samples = b.samples(8, 8, 3)
    integers = quantize(graph, samples, ranges, per_channel)
    assert_pure_integer(integers)
    assert worst_sqnr(graph, integers, samples) > 25.0
    assert all(port.dtype == "float32" for port in integers.ports.values())
    assert set(integers.ports) == {*integers.inputs, *integers.outputs}


def test_scales_are_float32_and_zero_is_exact() -> None:
    b = Drawn()
    graph = b.build([b.conv(b.conv(b.input("x", (6, 6, 2)), 5), 3, low=0.0)])
    integers = quantize(graph, b.samples(6, 6, 2))
    for tensor in integers.tensors.values():
        assert tensor.quant is not None
        if tensor.dtype == "int8":
            assert all(scale == float(np.float32(scale)) for scale in tensor.quant.scale)
        assert all(-128 <= zero <= 127 for zero in tensor.quant.zero_point)
        if tensor.is_constant:
            assert tensor.quant.zero_point == (0,) * len(tensor.quant.scale)


def test_a_bias_has_the_scale_of_its_accumulator() -> None:
    b = Drawn()
    graph = b.build([b.dense(b.input("x", (6,)), 3)])
    integers = quantize(graph, b.samples(6))
    x, weights, bias = (integers.tensors[name].quant for name in integers.nodes[0].inputs)
    assert x is not None and weights is not None and bias is not None
    np.testing.assert_allclose(bias.scale, np.array(weights.scale) * x.scale[0], rtol=1e-12)


def test_tensors_that_must_share_one_quantization_do() -> None:
    b = Drawn()
    x = b.input("x", (4, 4, 2))
    wide, narrow = b.conv(x, 3), b.one(ops.Mul(), b.conv(x, 3), b.constant("c", [0.01]))
    joined = b.one(ops.Concat(2), wide, narrow)
    cut, rest = b.add(ops.Split(2, (2, 4)), [b.one(ops.MaxPool2d((2, 2)), joined)])
    graph = b.build([b.one(ops.Reshape((18,)), cut), rest])
    samples = b.samples(4, 4, 2)
    integers = quantize(graph, samples)
    assert_pure_integer(integers)
    names = [wide, joined, cut, rest, *integers.outputs]
    assert len({integers.tensors[name].quant for name in names}) == 1
    assert worst_sqnr(graph, integers, samples) > 20.0


def test_a_fixed_output_is_requantized_where_others_share() -> None:
    b = Drawn()
    x = b.input("x", (6,))
    gate, big = b.one(ops.Sigmoid(), x), b.dense(x, 6)
    graph = b.build([b.one(ops.Concat(0), gate, big), gate])
    samples = b.samples(6)
    integers = quantize(graph, samples)
    assert integers.tensors[gate].quant == Quant((1 / 256,), (-128,))
    assert [node.op.kind for node in integers.nodes].count("requantize") == 1
    assert worst_sqnr(graph, integers, samples) > 25.0


def test_a_fixed_output_is_shared_when_it_covers_all() -> None:
    b = Drawn()
    x = b.input("x", (6,))
    graph = b.build([b.one(ops.Reshape((2, 3)), b.one(ops.Softmax(), b.dense(x, 6)))])
    integers = quantize(graph, b.samples(6))
    assert integers.tensors[integers.outputs[0]].quant == Quant((1 / 256,), (-128,))
    assert "requantize" not in [node.op.kind for node in integers.nodes]


def test_dead_and_constant_channels_do_no_harm() -> None:
    b = Drawn()
    weights = b.rng.normal(size=(5, 4)).astype(np.float32)
    weights[1], weights[2] = 0.0, 1e-12
    bias = np.array([0.1, 3.0, -2.0, 0.0, 1000.0], np.float32)
    y = b.one(ops.Dense(), b.input("x", (4,)), b.constant("w", weights), b.constant("b", bias))
    graph = b.build([y])
    samples = b.samples(4)
    integers = quantize(graph, samples, ranges="minmax")
    results = interpret_batch(integers, stored(integers, samples))[0]
    quant = integers.tensors[integers.outputs[0]].quant
    assert quant is not None
    step = quant.scale[0]
    np.testing.assert_allclose(quant.dequantize(results)[:, 1], 3.0, atol=step)
    np.testing.assert_allclose(quant.dequantize(results)[:, 2], -2.0, atol=step)


def test_a_tensor_that_is_always_zero_gets_a_usable_scale() -> None:
    b = Drawn()
    x = b.input("x", (4,))
    graph = b.build([b.dense(b.one(ops.Mul(), b.one(ops.Tanh(), x), b.constant("c", [0.0])), 3)])
    integers = quantize(graph, np.zeros((3, 4), np.float32))
    assert_pure_integer(integers)


def test_inputs_are_taken_as_the_graph_stores_them() -> None:
    b = Drawn()
    x = b.input("x", (3, 8, 8))
    y = b.one(ops.Transpose((2, 0, 1)), b.conv(b.one(ops.Transpose((1, 2, 0)), x), 4))
    graph = b.build([y])
    samples = b.samples(3, 8, 8)
    integers = quantize(graph, samples)
    assert integers.ports["x"] == Port((1, 2, 0), "float32")
    assert integers.tensors["x"].shape == (8, 8, 3)
    assert worst_sqnr(graph, integers, samples) > 30.0


def test_several_inputs_each_get_their_samples() -> None:
    b = Drawn()
    left, right = b.input("left", (4,)), b.input("right", (2, 4))
    graph = b.build([b.one(ops.Add(), left, right)])
    samples = (b.samples(4), b.samples(2, 4) * 100.0)
    integers = quantize(graph, samples)
    scales = [integers.tensors[name].quant for name in integers.inputs]
    assert scales[0] is not None and scales[1] is not None
    assert scales[1].scale[0] > 20.0 * scales[0].scale[0]


def test_bias_correction_removes_the_mean_error_of_rounded_weights() -> None:
    b = Drawn()
    weights = b.constant("w", b.rng.normal(size=(8, 64)).astype(np.float32))
    y = b.one(ops.Dense(), b.input("x", (64,)), weights, b.weights(8))
    graph = b.build([y])
    samples = b.samples(64, count=64) * 0.1 + 3.0
    errors = []
    for correct in (False, True):
        integers = quantize(graph, samples, "minmax", per_channel=False, bias_correction=correct)
        quant = integers.tensors[integers.outputs[0]].quant
        assert quant is not None
        (results,) = interpret_batch(integers, stored(integers, samples))
        (wanted,) = interpret_batch(graph, samples)
        errors.append(np.abs((quant.dequantize(results) - wanted).mean(axis=0)).max())
    assert errors[1] < 0.5 * errors[0]


def test_an_outlier_is_cut_off_by_mse_and_percentile_only() -> None:
    b = Drawn()
    graph = b.build([b.one(ops.Abs(), b.input("x", (2000,)))])
    samples = b.samples(2000, count=20)
    samples[0, 0] = 400.0
    scales = {}
    for ranges in ("mse", "minmax", "percentile"):
        quant = quantize(graph, samples, ranges).tensors["x"].quant
        assert quant is not None
        scales[ranges] = quant.scale[0]
    assert scales["minmax"] > 1.5
    assert scales["percentile"] < 0.1
    assert scales["mse"] < scales["minmax"]


@dataclass(frozen=True, slots=True)
class Cosine(ops.Op):
    """An operator without integers."""

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        return (inputs[0].type,)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (np.cos(arrays[0]),)


def test_what_has_no_integer_meaning_is_named() -> None:
    b = Drawn()
    wave = b.one(Cosine(), b.input("x", (5, 3)), name="wave")
    with pytest.raises(QuantizationError, match="wave: cosine has no integer meaning"):
        quantize(b.build([b.one(ops.Tanh(), wave)]), b.samples(5, 3))


def test_a_quantized_graph_and_bad_samples_are_refused() -> None:
    b = Drawn()
    graph = b.build([b.dense(b.input("x", (4,)), 3)])
    samples = b.samples(4)
    with pytest.raises(QuantizationError, match="already"):
        quantize(quantize(graph, samples), samples)
    with pytest.raises(UsageError, match=r"\[n, 4\]"):
        quantize(graph, b.samples(5))
    with pytest.raises(UsageError, match="at least one"):
        quantize(graph, samples[:0])
    with pytest.raises(UsageError, match="2 are given"):
        quantize(graph, (samples, samples))
    with pytest.raises(UsageError, match="mse"):
        quantize(graph, samples, ranges="best")
    with pytest.raises(UsageError, match="no numbers"):
        quantize(graph, samples.astype(complex))
    samples[3, 1] = np.nan
    with pytest.raises(QuantizationError, match="sample 3"):
        quantize(graph, samples)


def test_values_that_are_not_finite_are_found_before_layers_are_equalized() -> None:
    b = Drawn()
    graph = b.build([b.dense(b.one(ops.Clamp(0.0, np.inf), b.dense(b.input("x", (4,)), 6)), 3)])
    samples = b.samples(4)
    samples[2, 1] = np.inf
    with pytest.raises(QuantizationError, match="x: sample 2"):
        quantize(graph, samples)


def test_the_comparison_names_every_tensor_and_prints() -> None:
    b = Drawn()
    x = b.conv(b.input("x", (6, 6, 2)), 5, low=0.0)
    graph = b.build([b.conv(x, 3)])
    samples = b.samples(6, 6, 2)
    result = compare(graph, quantize(graph, samples), samples)
    assert [row.tensor for row in result.rows] == [x, graph.outputs[0]]
    assert [row.rescaled for row in result.rows] == [True, False]
    assert all(row.sqnr > 25.0 for row in result.rows)
    assert f"output {graph.outputs[0]}" in str(result)


def host_outputs(graph: Graph, samples: Array) -> Array:
    """The outputs of the compiled C, which must equal the integer meaning on the first samples."""
    from netsuke.codegen import compile_graph
    from netsuke.devices import device
    from netsuke.verify.host import HostLibrary

    whole = stored(graph, samples)
    (outputs,) = HostLibrary(compile_graph(graph, device("nucleo-f446re"))).run(whole)
    np.testing.assert_array_equal(outputs[:8], interpret_batch(graph, whole[:8])[0])
    return outputs


def test_the_float_resnet_loses_at_most_half_a_point(real_data: Path) -> None:
    from PIL import Image

    from netsuke.frontend import load

    sheets = [np.asarray(Image.open(real_data / f"cifar10/lossless_{i}.png")) for i in (0, 1)]
    images = np.concatenate([s[..., :3].reshape(-1, 32, 32, 3) for s in sheets]).astype(np.float32)
    labels = np.array((real_data / "cifar10/lossless_labels.txt").read_text().split(), int)
    graph = load(real_data / "mlperf_tiny/pretrainedResnet.tflite")
    with threadpool_limits(1):
        integers = quantize(graph, images[:200])
        assert_pure_integer(integers)
        (real,) = interpret_batch(graph, images[200:600])
    whole = host_outputs(integers, images[200:600])
    right = [(r.argmax(axis=1) == labels[200:600]).mean() for r in (real, whole)]
    assert right[1] > right[0] - 0.005


def test_the_float_keyword_model_loses_at_most_half_a_point(real_data: Path) -> None:
    from netsuke.frontend import load

    archive = zipfile.ZipFile(real_data / "mlperf_tiny/kws01_features.zip")
    names = [name for name in archive.namelist() if name.endswith(".bin")]
    raw = np.stack([np.frombuffer(archive.read(name), np.int8) for name in names])
    labels = np.array([int(name.removesuffix(".bin").rsplit("_", 1)[1]) for name in names])
    twin = load(real_data / "mlperf_tiny/kws_ref_model.tflite")
    quant = twin.tensors[twin.inputs[0]].quant
    assert quant is not None
    features = quant.dequantize(raw.reshape(-1, 49, 10, 1))
    graph = load(real_data / "mlperf_tiny/kws_ref_model_float32.tflite")
    with threadpool_limits(1):
        integers = quantize(graph, features[800:])
        (real,) = interpret_batch(graph, features[:800])
    whole = host_outputs(integers, features[:800])
    right = [(r.argmax(axis=1) == labels[:800]).mean() for r in (real, whole)]
    assert right[1] > right[0] - 0.005


def test_dead_channels_between_layers_do_not_upset_equalization() -> None:
    b = Drawn()
    weights = b.rng.normal(size=(6, 3, 3, 2)).astype(np.float32)
    weights[0], weights[1] = 1e-38, 0.0
    bias = np.array([-5.0, 2.0, -1e4, 0.1, 0.2, 0.3], np.float32)
    x = b.input("x", (6, 6, 2))
    x = b.one(ops.Conv2d(low=0.0), x, b.constant("w", weights), b.constant("b", bias))
    x = b.one(ops.DepthwiseConv2d(low=0.0), x, b.weights(3, 3, 6, spread=1e-3), b.weights(6))
    graph = b.build([b.conv(x, 4)])
    samples = b.samples(6, 6, 2)
    integers = quantize(graph, samples)
    assert worst_sqnr(graph, integers, samples) > 30.0
