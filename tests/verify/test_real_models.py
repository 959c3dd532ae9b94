"""Published int8 models: emulated C, host C and LiteRT give the same bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from netsuke.codegen import Artifact, compile_graph
from netsuke.devices import device
from netsuke.frontend import load
from netsuke.verify import run

# (file, inputs on the host, inputs on the emulator)
MODELS = [
    ("mlperf_tiny/kws_ref_model.tflite", 200, 4),
    ("mlperf_tiny/pretrainedResnet_quant.tflite", 60, 2),
    ("mlperf_tiny/vww_96_int8.tflite", 60, 2),
    ("tflite_micro/hello_world_int8.tflite", 200, 20),
    ("tflite_micro/micro_speech_quantized.tflite", 200, 4),
]


def compiled(path: Path) -> Artifact:
    return compile_graph(load(path), device("nucleo-f446re"))


def litert(path: Path, x: np.ndarray) -> np.ndarray:
    interpreter = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="left out: ai-edge-litert is not installed"
    )
    kernels = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    model = interpreter.Interpreter(str(path), experimental_op_resolver_type=kernels, num_threads=1)
    model.allocate_tensors()
    source, target = model.get_input_details()[0], model.get_output_details()[0]
    results = []
    for sample in x:
        model.set_tensor(source["index"], sample.reshape(source["shape"]))
        model.invoke()
        results.append(model.get_tensor(target["index"])[0].copy())
    return np.stack(results)


@pytest.mark.parametrize(("name", "many", "few"), MODELS, ids=[m[0] for m in MODELS])
def test_emulated_and_host_c_give_litert_s_bytes(
    real_data: Path, name: str, many: int, few: int
) -> None:
    path = real_data / name
    artifact = compiled(path)
    graph = load(path)
    shape = graph.tensors[graph.inputs[0]].shape
    x = np.random.default_rng(0).integers(-128, 128, (many, *shape)).astype(np.int8)
    expected = litert(path, x)
    (host,) = run(artifact, "host", [x]).outputs
    np.testing.assert_array_equal(host.reshape(expected.shape), expected)
    emulated = run(artifact, "unicorn", [x[:few]])
    np.testing.assert_array_equal(emulated.outputs[0].reshape(expected[:few].shape), expected[:few])
    assert emulated.stack is not None
    assert emulated.stack < 2048


def test_the_keyword_model_answers_1000_words_as_litert_does(real_data: Path) -> None:
    with zipfile.ZipFile(real_data / "mlperf_tiny" / "kws01_features.zip") as archive:
        rows = archive.read("kws01/y_labels.csv").decode().splitlines()
        table = [row.split(",") for row in rows if row]
        x = np.stack(
            [np.frombuffer(archive.read(f"kws01/{row[0]}"), np.int8) for row in table]
        ).reshape(-1, 49, 10, 1)
    labels = np.array([int(row[2]) for row in table])
    path = real_data / "mlperf_tiny" / "kws_ref_model.tflite"
    (scores,) = run(compiled(path), "host", [x]).outputs
    np.testing.assert_array_equal(scores.reshape(1000, 12), litert(path, x))
    # LiteRT's own kernels find 901, its XNNPACK delegate 902: three samples are ties.
    assert int((scores.argmax(-1) == labels).sum()) == 901
    right = scores[np.arange(1000), labels] == scores.max(-1)
    assert int(right.sum()) == 902
