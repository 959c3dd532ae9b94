"""Float against int8 for any model, on this machine and on a named device: one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from netsuke.errors import NetsukeError, UsageError
from netsuke.ir import Array, Graph

if TYPE_CHECKING:
    from netsuke.data import Dataset
    from netsuke.devices import Device

PRECISIONS = ("float", "int8")
RUNTIMES = ("c", "onnxruntime", "litert")
SECONDS = 1.0
"""Least seconds of processor time over which an inference is timed."""
REPEATS = (5, 200)
"""Fewest and most timed inferences."""
MOST_MACS = 30_000_000
"""Multiply-accumulates up to which an inference is emulated for its modelled time."""

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
        Bytes on the device: (expected, upper bound); equal where exact, zeros where unknown.
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
    return precisions, tuple(text for text in RUNTIMES if text in texts) or RUNTIMES


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
        For memory and modelled time; None: this machine only.
    say
        Told what goes on.
    """
    integer = any(tensor.quant is not None for tensor in graph.tensors.values())
    for precision in precisions:
        if precision == "float" and integer:
            continue
        made = graph if integer or precision == "float" else _quantized(graph, data)
        for runtime in runtimes:
            if runtime == "litert" and not (
                name.endswith(".tflite") and integer == (precision == "int8")
            ):
                continue
            say(f"{name}: {precision} in {runtime}")
            yield _row(name, made, precision, runtime, data, device)


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
    x = _sample(graph)
    row = Row(
        name,
        precision,
        runtime,
        accuracy=float("nan") if data is None else _accuracy(graph, data, run),
        milliseconds=1e3 * _seconds(run, x),
        parameters=graph.parameters,
        size=size,
        memory=(0, 0),
        device_milliseconds=float("nan"),
        sources={
            "accuracy": "measured here" if data is not None else "no data",
            "ms": "measured here: processor time, one thread, median",
            "size": "exact",
        },
    )
    return row if device is None else _on_device(row, graph, device)


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
    from netsuke.train.evaluate import check_match, judge, predict

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


def _on_device(row: Row, graph: Graph, device: Device) -> Row:
    """The row with memory and time on a device, where they can be told."""
    found: dict[str, Any] = {}
    sources = dict(row.sources)
    try:
        if row.runtime == "c":
            found, source = _c_on_device(graph, device)
            sources |= source
        elif "a64" in device.isa:
            from netsuke.profile.estimate import estimate_process

            model = row.model if row.runtime == "litert" else graph
            made = estimate_process(model, lambda: graph, row.runtime, device)
            found = {"memory": (made.expected, made.high)}
            sources["memory"] = f"modelled: {device.id}, {row.runtime} {made.version}"
    except NetsukeError as error:
        sources["memory"] = str(error).split("; ")[0]
    return replace(row, **found, sources=sources)


def _c_on_device(graph: Graph, device: Device) -> tuple[dict[str, Any], dict[str, str]]:
    from netsuke.codegen import compile_graph
    from netsuke.devices.timing import has_timing
    from netsuke.verify.cycles import model_cycles
    from netsuke.verify.samples import random_samples

    artifact = compile_graph(graph, device)
    found: dict[str, Any] = {"memory": (artifact.plan.arena, artifact.plan.arena)}
    sources = {"memory": f"exact: the arena on {device.id}"}
    if has_timing(device.core) and graph.macs <= MOST_MACS:
        cycles = model_cycles(artifact, random_samples(graph, 1, 0))
        found["device_milliseconds"] = 1e3 * cycles.modelled / device.clock
        sources["device ms"] = f"modelled: counted instructions, cycles of the {device.core}"
    return found, sources
