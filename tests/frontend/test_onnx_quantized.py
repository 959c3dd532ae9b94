"""Quantized ONNX files: QDQ and QOperator models become integer graphs."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from onnx_compiled import compile_all
from onnx_models import model, node, random, run_graph, run_oracle, to_shown, to_stored

from netsuke.errors import UnsupportedOperatorError
from netsuke.frontend.onnx import load_onnx
from netsuke.frontend.onnx.importer import import_model
from netsuke.ir import interpret, is_integer_node
from netsuke.passes import optimize

SHAPE = (3, 16, 16)


def network():
    """A float network with all that an image classifier has."""
    weights = {
        "w1": random(8, 3, 3, 3, seed=1) / 4, "b1": random(8, seed=2) / 4,
        "w2": random(8, 1, 3, 3, seed=3) / 3, "b2": random(8, seed=4) / 4,
        "w3": random(8, 8, 1, 1, seed=5) / 3, "b3": random(8, seed=6) / 4,
        "w4": random(5, 8, seed=7), "b4": random(5, seed=8),
        "low": np.float32(0), "high": np.float32(6),
    }  # fmt: skip
    nodes = [
        node("Conv", "x w1 b1", "c1", pads=[1] * 4, strides=[2, 2], kernel_shape=[3, 3]),
        node("Relu", "c1", "r1"),
        node("Conv", "r1 w2 b2", "c2", pads=[1] * 4, group=8, kernel_shape=[3, 3]),
        node("Clip", "c2 low high", "r2"),
        node("Conv", "r2 w3 b3", "c3", kernel_shape=[1, 1]),
        node("Add", "c3 r1", "s"),
        node("MaxPool", "s", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Concat", "p p", "cc", axis=1),
        node("Split", "cc", "left right", axis=1),
        node("GlobalAveragePool", "left", "g"),
        node("Flatten", "g", "f"),
        node("Gemm", "f w4 b4", "y", transB=1),
    ]
    return model(nodes, {"x": [1, *SHAPE]}, ["y"], weights)


def quantized(folder: Path, form: str, activations: str, weights: str, per_channel: bool) -> Path:
    """The network, quantized by ONNX Runtime's own tool."""
    ort = pytest.importorskip(
        "onnxruntime.quantization", reason="left out: ONNX Runtime is not installed"
    )

    class Samples(ort.CalibrationDataReader):
        def __init__(self) -> None:
            self.left = [{"x": random(1, *SHAPE, seed=seed)} for seed in range(6)]

        def get_next(self):
            return self.left.pop() if self.left else None

    logging.disable(logging.WARNING)
    source, target = folder / "float.onnx", folder / "quantized.onnx"
    source.write_bytes(network().SerializeToString())
    ort.quantize_static(
        str(source), str(target), Samples(), quant_format=ort.QuantFormat[form],
        activation_type=ort.QuantType[activations], weight_type=ort.QuantType[weights],
        per_channel=per_channel,
    )  # fmt: skip
    logging.disable(logging.NOTSET)
    return target


VARIANTS = [
    ("QDQ", "QInt8", "QInt8", True),
    ("QDQ", "QUInt8", "QInt8", False),
    ("QDQ", "QUInt8", "QUInt8", False),
    ("QOperator", "QInt8", "QInt8", True),
    ("QOperator", "QUInt8", "QUInt8", False),
]


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: "-".join(map(str, v)))
def test_a_quantized_model_is_an_integer_graph_near_onnx_runtime(variant, tmp_path: Path) -> None:
    path = quantized(tmp_path, *variant)
    imported = import_model(path)
    graph = imported.graph
    assert all(is_integer_node(graph, entry) for entry in graph.nodes)
    assert not [entry for entry in graph.nodes if entry.op.kind in ("quantize", "dequantize")]
    assert graph.ports["x"].dtype == graph.ports["y"].dtype == "float32"
    quant = graph.tensors["y"].quant
    assert quant is not None
    for seed in range(20, 28):
        feeds = {"x": random(1, *SHAPE, seed=seed)}
        (got,), (wanted,) = run_graph(imported, feeds), run_oracle(path.read_bytes(), feeds)
        assert np.abs(got - wanted).max() <= 2.01 * quant.scale[0]


def test_the_c_of_a_quantized_model_equals_its_integer_meaning(tmp_path: Path) -> None:
    graphs = [optimize(load_onnx(quantized(tmp_path, *variant))) for variant in VARIANTS]
    for graph, compiled in zip(graphs, compile_all(graphs), strict=True):
        for seed in range(3):
            feeds = {"x": to_stored(graph, "x", random(*SHAPE, seed=seed))}
            expected = interpret(graph, feeds)
            np.testing.assert_array_equal(compiled.run(feeds)["y"], expected["y"])


def test_weights_keep_the_integers_of_the_file(tmp_path: Path) -> None:
    import onnx
    from onnx import numpy_helper

    path = quantized(tmp_path, "QDQ", "QInt8", "QInt8", True)
    graph = load_onnx(path)
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    (name,) = (tensor.name for tensor in graph.constants() if tensor.shape == (8, 1, 1, 8))
    np.testing.assert_array_equal(
        graph.tensors[name].data, stored["w3_quantized"].transpose(0, 2, 3, 1)
    )
    quant = graph.tensors[name].quant
    assert quant is not None
    assert quant.axis == 0
    np.testing.assert_array_equal(np.float32(quant.scale), stored["w3_scale"])


def qdq(name: str, scale: float, zero: int, dtype: str = "int8"):
    """A pair of nodes around ``name``, giving ``name.q``; and its constants."""
    constants = {
        f"{name}.s": np.float32(scale), f"{name}.z": np.array(zero, dtype)
    }  # fmt: skip
    ends = f"{name}.s {name}.z"
    pair = [
        node("QuantizeLinear", f"{name} {ends}", f"{name}.i"),
        node("DequantizeLinear", f"{name}.i {ends}", f"{name}.q"),
    ]
    return pair, constants


def chain(nodes, constants, shape, opset: int = 17):
    """x -> QDQ -> nodes (x.q -> y) -> QDQ, and the float result ``y.q``."""
    before, first = qdq("x", 0.05, 3)
    behind, last = qdq("y", 0.1, -7)
    file = model([*before, *nodes, *behind], {"x": shape}, ["y.q"], constants | first | last, opset)
    file.graph.output[0].name = "y.q"
    return file


UNARY = ["Relu", "Sigmoid", "Tanh", "HardSwish", "Abs", "Exp", "LeakyRelu", "HardSigmoid", "Neg"]


@pytest.mark.parametrize("kind", UNARY)
def test_a_function_between_dequantize_and_quantize_is_one_integer_node(kind: str) -> None:
    file = chain([node(kind, "x.q", "y")], {}, [1, 40])
    imported = import_model(file)
    graph = imported.graph
    assert {entry.op.kind for entry in graph.nodes} <= {kind.lower(), "clamp", "requantize"} | {
        {"HardSwish": "hard_swish", "LeakyRelu": "leaky_relu", "HardSigmoid": "hard_sigmoid"}.get(
            kind, ""
        )
    }
    feeds = {"x": np.linspace(-7, 7, 40, dtype=np.float32)[None]}
    (got,), (wanted,) = run_graph(imported, feeds), run_oracle(file, feeds)
    assert np.abs(got - wanted).max() <= 0.1001


def test_movement_between_quantized_operators_moves_integers() -> None:
    nodes = [
        node("Transpose", "x.q", "t", perm=[0, 2, 1]),
        node("Reshape", "t shape", "r"),
        node("Slice", "r starts ends axes", "y"),
    ]
    constants = {
        "shape": np.array([1, -1]), "starts": np.array([2]), "ends": np.array([9]),
        "axes": np.array([1]),
    }  # fmt: skip
    file = chain(nodes, constants, [1, 4, 5])
    imported = import_model(file)
    assert all(is_integer_node(imported.graph, entry) for entry in imported.graph.nodes)
    feeds = {"x": random(1, 4, 5)}
    (got,), (wanted,) = run_graph(imported, feeds), run_oracle(file, feeds)
    assert np.abs(got - wanted).max() <= 0.1001


def test_a_bias_added_behind_the_product_becomes_its_bias() -> None:
    weights = np.arange(-12, 12, dtype=np.int8).reshape(6, 4)
    constants = {
        "w": weights, "w.s": np.float32(0.02), "w.z": np.int8(0), "b": random(4, seed=9),
    }  # fmt: skip
    nodes = [
        node("DequantizeLinear", "w w.s w.z", "w.q"),
        node("MatMul", "x.q w.q", "m"),
        node("Add", "m b", "y"),
    ]
    file = chain(nodes, constants, [1, 3, 6])
    imported = import_model(file)
    assert [entry.op.kind for entry in imported.graph.nodes] == ["dense"]
    feeds = {"x": random(1, 3, 6)}
    (got,), (wanted,) = run_graph(imported, feeds), run_oracle(file, feeds)
    assert np.abs(got - wanted).max() <= 0.1001


def test_what_has_no_partner_stays_float() -> None:
    before, first = qdq("x", 0.05, 3)
    nodes = [*before, node("Sqrt", "x.q", "root"), node("Add", "root root", "y")]
    file = model(nodes, {"x": [1, 9]}, ["y"], first)
    imported = import_model(file)
    kinds = [entry.op.kind for entry in imported.graph.nodes]
    assert kinds == ["dequantize", "sqrt", "add"]
    feeds = {"x": np.abs(random(1, 9))}
    (got,), (wanted,) = run_graph(imported, feeds), run_oracle(file, feeds)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_uint8_inputs_and_outputs_are_shown_as_uint8() -> None:
    constants = {"s": np.float32(0.1), "z": np.uint8(100), "t": np.float32(0.2), "u": np.uint8(7)}
    nodes = [
        node("DequantizeLinear", "x s z", "r"),
        node("Abs", "r", "a"),
        node("QuantizeLinear", "a t u", "y"),
    ]
    file = model(nodes, {"x": [1, 256]}, ["y"], constants, dtypes={"x": "uint8", "y": "uint8"})
    imported = import_model(file)
    graph = imported.graph
    assert graph.tensors["x"].dtype == graph.tensors["y"].dtype == "int8"
    assert graph.ports["x"].dtype == graph.ports["y"].dtype == "uint8"
    assert [entry.op.kind for entry in graph.nodes] == ["abs"]
    feeds = {"x": np.arange(256, dtype=np.uint8)[None]}
    (got,), (wanted,) = run_graph(imported, feeds), run_oracle(file, feeds)
    assert got.dtype == np.uint8
    assert np.abs(got.astype(int) - wanted.astype(int)).max() <= 1


def test_pixels_that_are_cast_to_float_are_dequantized() -> None:
    nodes = [node("Cast", "x", "f", to=1), node("Mul", "f scale", "y")]
    file = model(nodes, {"x": [1, 8]}, ["y"], {"scale": np.float32(1 / 255)}, dtypes={"x": "uint8"})
    imported = import_model(file)
    assert [entry.op.kind for entry in imported.graph.nodes] == ["dequantize", "mul"]
    feeds = {"x": np.array([[0, 1, 2, 127, 128, 200, 254, 255]], np.uint8)}
    (got,), (wanted,) = run_graph(imported, feeds), run_oracle(file, feeds)
    np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_microsofts_integer_operators_are_read() -> None:
    rng = np.random.default_rng(0)
    constants = {
        "s": np.float32(0.1), "z": np.uint8(120), "t": np.float32(0.2), "u": np.uint8(30),
        "w": rng.integers(-128, 128, (5, 4)).astype(np.int8), "ws": np.float32(0.01),
        "wz": np.int8(0), "b": rng.integers(-500, 500, 5).astype(np.int32),
    }  # fmt: skip
    microsoft = {"domain": "com.microsoft"}
    nodes = [
        node("QLinearAdd", "x s z x s z t u", "a", **microsoft),
        node("QLinearSigmoid", "a t u s z", "g", **microsoft),
        node("QLinearMul", "a t u g s z t u", "m", **microsoft),
        node("QGemm", "m t u w ws wz b t u", "y", transB=1, **microsoft),
    ]
    file = model(nodes, {"x": [1, 4]}, ["y"], constants, dtypes={"x": "uint8", "y": "uint8"})
    imported = import_model(file)
    kinds = [entry.op.kind for entry in imported.graph.nodes]
    assert kinds == ["add", "sigmoid", "mul", "dense"]
    for seed in range(10):
        feeds = {"x": np.random.default_rng(seed).integers(0, 256, (1, 4)).astype(np.uint8)}
        (got,), (wanted,) = run_graph(imported, feeds), run_oracle(file, feeds)
        assert np.abs(got.astype(int) - wanted.astype(int)).max() <= 1


def test_sixteen_bit_activations_are_refused_by_name() -> None:
    constants = {"s": np.float32(0.1), "z": np.array(0, np.int16)}
    nodes = [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "y")]
    with pytest.raises(UnsupportedOperatorError, match="8-bit"):
        load_onnx(model(nodes, {"x": [1, 4]}, ["y"], constants, opset=21))


def test_shown_and_stored_are_inverse() -> None:
    file = chain([node("Relu", "x.q", "y")], {}, [1, 6])
    graph = load_onnx(file)
    value = to_shown(graph, "x", np.arange(-3, 3, dtype=np.int8))
    np.testing.assert_array_equal(to_stored(graph, "x", value), np.arange(-3, 3))
