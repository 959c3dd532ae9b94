"""Whole TensorFlow Lite models: the real ones, and what single operators cannot show."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tflite_models import DTYPES, LiteRT, Model, differences, run_graph, schema

from netsuke.frontend import load
from netsuke.ir import interpret_batch

INTEGER = (
    "mlperf_tiny/pretrainedResnet_quant",
    "mlperf_tiny/kws_ref_model",
    "mlperf_tiny/vww_96_int8",
    "tflite_micro/hello_world_int8",
    "tflite_micro/micro_speech_quantized",
)
FLOAT = (
    "mlperf_tiny/pretrainedResnet",
    "mlperf_tiny/vww_96_float",
    "tflite_micro/hello_world_float",
)


@pytest.mark.parametrize("name", INTEGER)
def test_integer_models_equal_litert_byte_for_byte(real_data: Path, name: str) -> None:
    assert differences((real_data / f"{name}.tflite").read_bytes(), 20) == 0


@pytest.mark.parametrize("name", FLOAT)
def test_float_models_equal_litert_within_a_ten_thousandth(real_data: Path, name: str) -> None:
    assert differences((real_data / f"{name}.tflite").read_bytes(), 10) < 1e-4


def test_weights_stored_as_integers_beside_floats_are_multiplied_out(real_data: Path) -> None:
    """LiteRT quantizes activations on the fly for such a file, so its twin in floats is asked."""
    path = real_data / "mlperf_tiny" / "kws_ref_model_float32.tflite"
    graph = load(path)
    assert all(tensor.dtype == "float32" for tensor in graph.tensors.values())
    oracle = LiteRT(_multiplied_out(path.read_bytes()))
    generator = np.random.default_rng(0)
    for _ in range(10):
        feeds = oracle.random(generator)
        ours, theirs = run_graph(graph, feeds)[0], oracle.run(feeds)[0][0]
        assert np.abs(ours - theirs).max() < 1e-4


def _multiplied_out(data: bytes) -> bytes:
    """The same model with float weights."""
    twin = Model()
    twin.model = schema.ModelT.InitFromPackedBuf(data)
    twin.graph = twin.model.subgraphs[0]
    for tensor in twin.graph.tensors:
        buffer = twin.model.buffers[tensor.buffer]
        if tensor.type == DTYPES["int8"] and buffer.data is not None:
            real = np.asarray(buffer.data).view(np.int8) * tensor.quantization.scale[0]
            buffer.data = np.frombuffer(real.astype(np.float32).tobytes(), np.uint8)
            tensor.type, tensor.quantization = DTYPES["float32"], None
    return twin.bytes(twin.graph.inputs, twin.graph.outputs)


def test_the_keyword_model_scores_what_it_scores_in_litert(real_data: Path) -> None:
    """902 clips have their label's score on top; one of them shares it with a class before it."""
    graph = load(real_data / "mlperf_tiny" / "kws_ref_model.tflite")
    oracle = LiteRT((real_data / "mlperf_tiny" / "kws_ref_model.tflite").read_bytes())
    with zipfile.ZipFile(real_data / "mlperf_tiny" / "kws01_features.zip") as archive:
        table = csv.reader(io.TextIOWrapper(archive.open("kws01/y_labels.csv")))
        rows = [(row[0], int(row[2])) for row in table]
        clips = [np.frombuffer(archive.read(f"kws01/{name}"), np.int8) for name, _ in rows]
    labels = np.array([label for _, label in rows])
    features = np.stack(clips).reshape(-1, 49, 10, 1)
    (scores,) = interpret_batch(graph, features)
    theirs = np.stack([oracle.run([clip[None]])[0][0] for clip in features])
    assert np.array_equal(scores, theirs)
    of_label = scores[np.arange(1000), labels]
    assert int((of_label == scores.max(axis=1)).sum()) == 902
    assert int((scores.argmax(axis=1) == labels).sum()) == 901


def test_the_visual_wake_words_model_loads_in_no_time(real_data: Path) -> None:
    path = real_data / "mlperf_tiny" / "vww_96_int8.tflite"
    load(path)
    start = time.perf_counter()
    graph = load(path)
    assert time.perf_counter() - start < 0.2
    assert graph.macs == 7_489_664
    assert graph.name == "vww_96_int8"


def test_names_order_and_quantization_survive(real_data: Path) -> None:
    graph = load(real_data / "mlperf_tiny" / "kws_ref_model.tflite")
    assert graph.inputs == ("input_1",)
    assert graph.tensors["input_1"].quant is not None
    assert graph.tensors["input_1"].quant.zero_point == (83,)
    kinds = [node.op.kind for node in graph.nodes]
    assert kinds == ["conv2d", *["depthwise_conv2d", "conv2d"] * 4, "average_pool2d", "reshape",
                     "dense", "softmax"]  # fmt: skip
    weights = graph.tensors[graph.nodes[1].inputs[1]]
    assert weights.shape == (3, 3, 64)
    assert weights.quant is not None
    assert weights.quant.axis == 2
    assert len(weights.quant.scale) == 64
    assert run_graph(graph, [np.zeros((1, 49, 10, 1), np.int8)])[0].shape == (12,)
