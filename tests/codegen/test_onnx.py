"""ONNX files that netsuke writes mean the same in ONNX Runtime, and the same when read again."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from random_graphs import random_graph, random_inputs

from netsuke.codegen.onnx import to_onnx
from netsuke.codegen.onnx.export import export_of
from netsuke.errors import UnsupportedOperatorError
from netsuke.frontend import load
from netsuke.frontend.onnx import load_onnx
from netsuke.ir import Graph, GraphBuilder, Op, Port, interpret_batch
from netsuke.models import build
from netsuke.ops import (
    OPERATORS,
    Abs,
    Add,
    Concat,
    Conv2d,
    Gru,
    Lstm,
    Reshape,
    Resize,
    TransposedConv2d,
)
from netsuke.passes import optimize

DATA = Path(os.environ.get("NETSUKE_DATA", Path(__file__).parents[3] / "shared" / "data"))

ort = pytest.importorskip("onnxruntime", reason="left out: ONNX Runtime is not installed")


def run(data: bytes, arrays: list[np.ndarray]) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    return session.run(None, dict(zip(names, arrays, strict=True)))


def assert_means_the_same(graph: Graph, count: int = 2, seed: int = 0) -> None:
    arrays = random_inputs(graph, count, seed)
    expected = interpret_batch(graph, *arrays)
    for got, wanted in zip(run(to_onnx(graph), arrays), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-4, atol=2e-4)


def test_every_operator_can_be_written_that_computes_real_numbers() -> None:
    missing = [operator for operator in OPERATORS if export_of(operator) is None]
    # Those of classical models are integers only: no PyTorch form, and none in ONNX.
    assert all(operator.lower is Op.lower for operator in missing), missing


def test_operators_that_cannot_be_written_are_all_named() -> None:
    @dataclass(frozen=True)
    class Odd(Abs):
        pass

    builder = GraphBuilder("odd")
    x = builder.input("x", (3,))
    first = builder.one(Odd(), x, name="first")
    graph = builder.build([builder.one(Odd(), first, name="second")])
    with pytest.raises(UnsupportedOperatorError) as caught:
        to_onnx(graph)
    assert [node for _, node, _ in caught.value.operators] == ["first", "second"]


@pytest.mark.parametrize(
    "name",
    [
        "mlperf_tiny/kws_ref_model_float32.tflite",
        "mlperf_tiny/pretrainedResnet.tflite",
        "mlperf_tiny/vww_96_float.tflite",
        "mlperf_tiny/pretrainedResnet_quant.tflite",
        "tflite_micro/micro_speech_quantized.tflite",
    ],
)
def test_twins_of_tflite_models_mean_the_same(name: str) -> None:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"left out: {path} is missing")
    graph = optimize(load(path))
    data = to_onnx(graph)
    x = graph.tensors[graph.inputs[0]]
    (array,) = random_inputs(graph, 1)
    (expected,) = interpret_batch(graph, array)
    (got,) = run(data, [array])
    if x.dtype == "float32":
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    else:
        assert np.abs(got.astype(int) - expected.astype(int)).max() <= 1
    again = optimize(load_onnx(data))
    assert not [node.name for node in again.nodes if node.op.kind == "transpose"]
    assert len(again.nodes) == len(graph.nodes)


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert to_onnx(random_graph(7, integer=True)) == to_onnx(random_graph(7, integer=True))


def test_constants_may_be_joined_and_repeated_for_a_batch() -> None:
    builder = GraphBuilder("joined")
    x = builder.input("x", (2, 3))
    c = builder.constant("c", np.arange(3, dtype=np.float32).reshape(1, 3))
    joined = builder.one(Concat(0), x, c)
    vector = builder.constant("v", np.arange(9, dtype=np.float32).reshape(3, 3))
    total = builder.one(
        Add(), builder.one(Reshape((9,)), joined), builder.one(Reshape((9,)), vector)
    )
    assert_means_the_same(builder.build([builder.one(Reshape((3, 3)), total)]))


@pytest.mark.parametrize("seed", range(40))
def test_random_float_graphs_mean_the_same_in_onnx_runtime(seed: int) -> None:
    assert_means_the_same(random_graph(seed, integer=False), seed=seed)


@pytest.mark.parametrize("name", ["resnet8", "ds_cnn", "mobilenet_v1?width=0.25&size=96", "lenet"])
def test_zoo_models_mean_the_same_in_onnx_runtime(name: str) -> None:
    assert_means_the_same(build(name), count=1)


@pytest.mark.parametrize("name", ["resnet8", "ds_cnn", "lenet?size=8"])
def test_zoo_models_come_back_without_transpositions(name: str) -> None:
    graph = optimize(build(name))
    again = optimize(load_onnx(to_onnx(graph)))
    assert not [node.name for node in again.nodes if node.op.kind == "transpose"]
    arrays = random_inputs(graph, 1)
    for a, b in zip(interpret_batch(graph, *arrays), interpret_batch(again, *arrays), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(40))
def test_random_integer_graphs_differ_from_onnx_runtime_by_a_step_at_most(seed: int) -> None:
    graph = random_graph(seed, integer=True)
    arrays = random_inputs(graph, 2, seed)
    expected = interpret_batch(graph, *arrays)
    for got, wanted in zip(run(to_onnx(graph), arrays), expected, strict=True):
        assert got.dtype == wanted.dtype
        steps = np.abs(got.astype(int) - wanted.astype(int))
        assert np.mean(steps > 1) < 0.02, "more than rounding"


@pytest.mark.parametrize("name", ["resnet8?size=16", "ds_cnn", "lenet?size=8"])
def test_quantized_models_come_back_bit_for_bit(name: str) -> None:
    from netsuke.compress.quantize import quantize

    graph = optimize(build(name))
    (samples,) = random_inputs(graph, 16)
    integer = quantize(graph, samples)
    again = optimize(load_onnx(to_onnx(integer)))
    (x,) = random_inputs(integer, 4, 3)
    (expected,), (got,) = interpret_batch(integer, x), interpret_batch(again, x)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("integer", [False, True])
def test_random_graphs_come_back_with_the_same_outputs(integer: bool) -> None:
    for seed in range(100, 130):
        graph = random_graph(seed, integer=integer)
        again = load_onnx(to_onnx(graph))
        arrays = random_inputs(graph, 1, seed)
        expected, got = interpret_batch(graph, *arrays), interpret_batch(again, *arrays)
        for a, b in zip(expected, got, strict=True):
            if integer:
                np.testing.assert_array_equal(b, a, err_msg=str(seed))
            else:
                np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-4, err_msg=str(seed))


def test_an_input_shown_channels_first_is_shown_so_again() -> None:
    builder = GraphBuilder("shown")
    x = builder.input("x", (5, 6, 3))
    w, b = builder.constant("w", np.ones((4, 3, 3, 3))), builder.constant("b", np.zeros(4))
    y = builder.one(Conv2d(), x, w, b, name="y")
    graph = builder.build([y], {"x": Port((1, 2, 0), "float32"), "y": Port((1, 2, 0), "float32")})
    value = np.random.default_rng(0).normal(size=(2, 3, 5, 6)).astype(np.float32)
    (got,) = run(to_onnx(graph), [value])
    (expected,) = interpret_batch(graph, np.ascontiguousarray(value.transpose(0, 2, 3, 1)))
    np.testing.assert_allclose(got, expected.transpose(0, 3, 1, 2), rtol=1e-4, atol=1e-5)


def test_a_uint8_port_is_shown_as_uint8() -> None:
    graph = random_graph(3, integer=True)
    name = graph.inputs[0]
    axes = tuple(range(len(graph.tensors[name].shape)))
    shown = replace(graph, ports={name: Port(axes, "uint8")})
    arrays = random_inputs(graph, 2)
    as_bytes = [(arrays[0].astype(np.int16) + 128).astype(np.uint8), *arrays[1:]]
    for a, b in zip(run(to_onnx(graph), arrays), run(to_onnx(shown), as_bytes), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("groups", [1, 2])
def test_transposed_convolutions_mean_the_same(groups: int) -> None:
    rng = np.random.default_rng(groups)
    builder = GraphBuilder("up")
    x = builder.input("x", (4, 5, 4))
    w = builder.constant("w", rng.normal(size=(6, 3, 2, 4 // groups)))
    b = builder.constant("b", rng.normal(size=6))
    op = TransposedConv2d(stride=(2, 2), padding=((1, 0), (0, 1)), groups=groups)
    assert_means_the_same(builder.build([builder.one(op, x, w, b)]))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("coordinates", ["asymmetric", "half_pixel", "align_corners"])
def test_resizes_mean_the_same(mode: str, coordinates: str) -> None:
    builder = GraphBuilder("resize")
    x = builder.input("x", (4, 5, 2))
    op = Resize(size=(7, 3), mode=mode, coordinates=coordinates)
    assert_means_the_same(builder.build([builder.one(op, x)]))


@pytest.mark.parametrize("reverse", [False, True])
def test_recurrent_layers_mean_the_same(reverse: bool) -> None:
    rng = np.random.default_rng(0)

    def constants(builder: GraphBuilder, *shapes: tuple[int, ...]) -> list[str]:
        return [builder.constant("c", 0.5 * rng.normal(size=shape)) for shape in shapes]

    builder = GraphBuilder("recurrent")
    x = builder.input("x", (6, 3))
    zero = builder.constant("zero", np.zeros(4))
    y = builder.add(
        Lstm(reverse=reverse), [x, *constants(builder, (16, 3), (16, 4), (16,)), zero, zero]
    )
    parts = constants(builder, (12, 4), (12, 4), (12,), (12,))
    z = builder.add(Gru(reverse=reverse, reset_after=True), [y[0], *parts, zero])
    flat = builder.one(Reshape(shape=(24,)), z[0])
    assert_means_the_same(builder.build([flat, y[2], z[1]]))
