"""Float against int8 for any model, on this machine and on a named device: one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from netsuke.data.stored import check_match
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph
from netsuke.profile.footprint import here, there

if TYPE_CHECKING:
    from netsuke.data import Dataset
    from netsuke.devices import Device

PRECISIONS = ("float", "int8")
RUNTIMES = ("c", "onnxruntime", "litert")
PACKAGES = {"onnxruntime": "onnxruntime", "litert": "ai_edge_litert"}
"""What must be installed for a runtime."""
SECONDS = 1.0
"""Least seconds of processor time over which an inference is timed."""
REPEATS = (5, 200)
"""Fewest and most timed inferences."""

SIZES = {
    "c": "exact: the tables in C",
    "onnxruntime": "exact: the ONNX file",
    "litert": "exact: the .tflite file",
}
"""Runtime -> of what the size is."""

Run = Callable[[Array], Array]
"""Stored inputs ``(n, *shape)`` -> stored first outputs ``(n, *shape)``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model in one precision and one runtime.

    Attributes
    ----------
    accuracy
        Points on the test part; nan without data.
    milliseconds
        Processor time of one sample here, median; one thread.
    parameters, size
        Count; bytes of what the runtime reads, or of the tables in C.
    memory
        Bytes here, or on the device: (expected, upper bound); equal where measured or exact,
        zeros where unknown.
    device_milliseconds
        Modelled on the device; nan where nothing models its core.
    sources
        Column -> where its figure comes from.
    """

    model: str
    precision: str
    runtime: str
    accuracy: float
    milliseconds: float
    parameters: int
    size: int
    memory: tuple[int, int]
    device_milliseconds: float
    sources: Mapping[str, str] = field(default_factory=dict)


def chosen(texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(precisions, runtimes) that a person named, in any mixture; a kind not named means all.

    Of runtimes that nobody named, those that are not installed are left out (`missing`).

    Raises
    ------
    UsageError
        For another word.
    """
    for text in texts:
        if text not in (*PRECISIONS, *RUNTIMES):
            raise UsageError(
                f"{text!r} is none of {', '.join((*PRECISIONS, *RUNTIMES))} (separated by commas)"
            )
    precisions = tuple(text for text in PRECISIONS if text in texts) or PRECISIONS
    named = tuple(text for text in RUNTIMES if text in texts)
    return precisions, named or tuple(text for text in RUNTIMES if text not in missing())


def missing() -> tuple[str, ...]:
    """Runtimes that are not installed."""
    return tuple(name for name, package in PACKAGES.items() if find_spec(package) is None)


def compare_model(
    name: str,
    graph: Graph,
    data: Dataset | None,
    device: Device | None,
    precisions: Sequence[str] = PRECISIONS,
    runtimes: Sequence[str] = RUNTIMES,
    say: Callable[[str], None] = lambda now: None,
) -> Iterator[Row]:
    """Measure a model in every precision and runtime that there are for it.

    Parameters
    ----------
    name
        Of the model; a ``.tflite`` file also runs in LiteRT.
    graph
        The model.
    data
        Its test part judges, its training part calibrates int8. Without it int8 is calibrated
        with noise, and nothing is judged.
    device
        For memory and modelled time; None: this machine, where the memory is measured.
    say
        Told what goes on.

    Raises
    ------
    UsageError
        When there is no such row for the model.
    """
    pairs = _pairs(name, graph, precisions, runtimes)
    if not pairs:
        raise UsageError(
            f"{name}: cannot be compared as {' or '.join(precisions)} in {' or '.join(runtimes)}; "
            "LiteRT runs .tflite files as they are, and an int8 model has no float one"
        )
    integer = _is_integer(graph)
    made = {
        precision: graph if integer or precision == "float" else _quantized(graph, data)
        for precision in dict(pairs)
    }
    for precision, runtime in pairs:
        say(f"{name}: {precision} in {runtime}")
        yield _row(name, made[precision], precision, runtime, data, device)


def _is_integer(graph: Graph) -> bool:
    return any(tensor.quant is not None for tensor in graph.tensors.values())


def _pairs(
    name: str, graph: Graph, precisions: Sequence[str], runtimes: Sequence[str]
) -> list[tuple[str, str]]:
    """(precision, runtime) of every row that there is."""
    integer = _is_integer(graph)
    stored = "int8" if integer else "float"
    return [
        (precision, runtime)
        for precision in precisions
        if not (precision == "float" and integer)
        for runtime in runtimes
        if runtime != "litert" or (name.endswith(".tflite") and precision == stored)
    ]


def _quantized(graph: Graph, data: Dataset | None) -> Graph:
    from netsuke.compress.quantize import quantize
    from netsuke.compress.quantize.samples import calibration_samples
    from netsuke.verify.samples import random_samples

    if data is None:
        return quantize(graph, random_samples(graph, 8, 0))
    return quantize(graph, calibration_samples(graph, data, 256))


def _row(
    name: str,
    graph: Graph,
    precision: str,
    runtime: str,
    data: Dataset | None,
    device: Device | None,
) -> Row:
    run, size = _OPEN[runtime](graph, name)
    accuracy, judged = float("nan"), "no data"
    if data is not None:
        accuracy = _accuracy(graph, data, run)
        judged = f"measured here on the {len(data.test):,} samples of the test part"
    seconds = _seconds(run, _sample(graph))
    found = here(runtime, name, graph) if device is None else there(runtime, name, graph, device)
    sources = {
        **{"accuracy": judged, "ms": "measured here: processor time, one thread, median"},
        **{"parameters": "exact", "size": SIZES[runtime], **found.sources},
    }
    return Row(
        *(name, precision, runtime, accuracy, 1e3 * seconds, graph.parameters, size),
        *(found.memory, found.milliseconds, sources),
    )


def _sample(graph: Graph) -> Array:
    from netsuke.verify.samples import random_samples

    if len(graph.inputs) != 1:
        raise UsageError(f"{graph.name} has {len(graph.inputs)} inputs; one is compared")
    return random_samples(graph, 3, 0)[0][-1:]


def _seconds(run: Run, x: Array) -> float:
    """Median processor time of an inference; the first one warms up."""
    run(x)
    times: list[float] = []
    while len(times) < REPEATS[0] or (sum(times) < SECONDS and len(times) < REPEATS[1]):
        start = time.process_time()
        run(x)
        times.append(time.process_time() - start)
    return float(np.median(times))


def _accuracy(graph: Graph, data: Dataset, run: Run) -> float:
    from netsuke.train.evaluate import judge, predict

    check_match(graph, data)
    return judge(predict(graph, data.test, run, batch=32), data, data.test).metric


def _c(graph: Graph, name: str) -> tuple[Run, int]:
    from netsuke.codegen import compile_graph
    from netsuke.devices import device
    from netsuke.verify.host import HostLibrary

    artifact = compile_graph(graph, device("host"))
    library = HostLibrary(artifact)
    return (lambda x: library.run(x)[0]), artifact.weights


def _onnxruntime(graph: Graph, name: str) -> tuple[Run, int]:
    """The graph as ONNX whose inputs and outputs are the stored ones."""
    from netsuke.codegen.onnx import to_onnx
    from netsuke.profile.estimate.calibration import version

    version("onnxruntime")
    import onnxruntime

    content = to_onnx(replace(graph, ports={}))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0].name
    return (lambda x: np.asarray(session.run(None, {port: x})[0])), len(content)


def _litert(graph: Graph, name: str) -> tuple[Run, int]:
    """The file itself; its inputs must be stored as the graph has them."""
    from pathlib import Path

    from netsuke.profile.estimate.calibration import version

    version("litert")
    from ai_edge_litert.interpreter import Interpreter

    made = Interpreter(model_path=name, num_threads=1)
    made.allocate_tensors()
    source, target = made.get_input_details()[0], made.get_output_details()[0]

    def run(x: Array) -> Array:
        found = []
        for sample in x:
            stored = sample.reshape(source["shape"]).astype(source["dtype"])
            made.set_tensor(source["index"], stored)
            made.invoke()
            found.append(np.array(made.get_tensor(target["index"])))
        return np.concatenate(found)

    return run, Path(name).stat().st_size


_OPEN: Mapping[str, Callable[[Graph, str], tuple[Run, int]]] = {
    "c": _c,
    "onnxruntime": _onnxruntime,
    "litert": _litert,
}
