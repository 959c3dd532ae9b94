"""Profiling a model in a runtime: load, first run, runs.

``python -m netsuke.profile.model RUNTIME FILE RUNS BATCH THREADS`` is the process that is looked
at. It imports the runtime and NumPy, and nothing of netsuke but the marks.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from netsuke.errors import MissingToolError, UsageError
from netsuke.ir import Graph
from netsuke.profile.job import Job
from netsuke.profile.observe import Say, observe
from netsuke.profile.phases import phase
from netsuke.profile.result import Profile

RUNTIMES = ("onnxruntime", "litert", "torch")
INSTALL = "pip install netsuke[oracle]"


def run_model(
    model: str,
    graph: Graph | None,
    runtime: str = "onnxruntime",
    *,
    runs: int = 20,
    batch: int = 1,
    threads: int = 1,
    say: Say = lambda now: None,
    **options: Any,
) -> Profile:
    """Profile inferences of a model: phases ``load``, ``first run``, ``runs``.

    Parameters
    ----------
    model
        A file that the runtime reads (``.onnx`` for onnxruntime, ``.tflite`` for litert, ``.pt2``
        for torch), or a name.
    graph
        What to run when the runtime cannot read `model` itself: as ONNX, or as a PyTorch module.
    runtime
        One of `RUNTIMES`.
    runs
        Inferences after the first one.
    batch
        Samples of an inference; only where the model leaves its batch open.
    threads
        Of the runtime.
    options
        Of `Job`, such as ``repeat`` and ``interval``.
    """
    if runtime not in RUNTIMES:
        raise UsageError(f"no runtime is called {runtime!r}; known are {', '.join(RUNTIMES)}")
    if not (0 <= runs <= 1_000_000 and 1 <= batch <= 1 << 20 and 1 <= threads <= 1024):
        raise UsageError(f"{runs} runs, a batch of {batch} or {threads} threads are none")
    with tempfile.TemporaryDirectory(prefix="netsuke-model-") as folder:
        path = _file(model, graph, runtime, Path(folder))
        numbers = (str(runs), str(batch), str(threads))
        command = (sys.executable, "-m", "netsuke.profile.model", runtime, str(path), *numbers)
        environment = {"OMP_NUM_THREADS": str(threads), **options.pop("environment", {})}
        job = Job(command, f"{model} in {runtime}", environment, **options)
        return observe(job, say=say)


def _file(model: str, graph: Graph | None, runtime: str, folder: Path) -> Path:
    """The file that the runtime is given."""
    native = {"onnxruntime": ".onnx", "litert": ".tflite", "torch": ".pt2"}[runtime]
    if model.lower().endswith(native) and Path(model).is_file():
        return Path(model).resolve()
    if graph is None or runtime == "litert":
        raise UsageError(f"{runtime} reads {native} files, and {model} is none")
    if runtime == "onnxruntime":
        from netsuke.codegen.onnx import to_onnx

        path = folder / "model.onnx"
        path.write_bytes(to_onnx(graph))
        return path
    from netsuke.ir import save_graph

    path = folder / "model.nsk"
    path.write_bytes(save_graph(graph))
    return path


def _main(runtime: str, path: str, runs: str, batch: str, threads: str) -> None:
    with phase("load"):
        step = _LOADERS[runtime](path, int(batch), int(threads))
    with phase("first run"):
        step()
    with phase("runs"):
        for _ in range(int(runs)):
            step()


def _onnxruntime(path: str, batch: int, threads: int) -> Any:
    import numpy as np

    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise MissingToolError("ONNX Runtime", "to run .onnx files", INSTALL) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    kinds = {"tensor(float)": "float32", "tensor(int8)": "int8", "tensor(uint8)": "uint8"}
    feed = {}
    for port in session.get_inputs():
        shape = [extent if isinstance(extent, int) else batch for extent in port.shape]
        kind = kinds.get(port.type, port.type.removeprefix("tensor(").removesuffix(")"))
        feed[port.name] = np.zeros(shape, kind)
    return lambda: session.run(None, feed)


def _litert(path: str, batch: int, threads: int) -> Any:
    import numpy as np

    try:
        from ai_edge_litert.interpreter import Interpreter
    except ModuleNotFoundError:
        raise MissingToolError("LiteRT", "to run .tflite files", INSTALL) from None
    interpreter = Interpreter(model_path=path, num_threads=threads)
    for port in interpreter.get_input_details():
        if batch > 1:
            interpreter.resize_tensor_input(port["index"], [batch, *port["shape"][1:]])
    interpreter.allocate_tensors()
    for port in interpreter.get_input_details():
        interpreter.set_tensor(port["index"], np.zeros(port["shape"], port["dtype"]))
    return interpreter.invoke


def _torch(path: str, batch: int, threads: int) -> Any:
    from netsuke.frontend import load as read
    from netsuke.ir import load_graph
    from netsuke.ops import OPERATORS

    graph = read(path) if path.endswith(".pt2") else load_graph(Path(path).read_bytes(), OPERATORS)
    import torch

    from netsuke.train import to_module

    torch.set_num_threads(threads)
    module = to_module(graph).eval()
    inputs = [torch.zeros(batch, *graph.tensors[name].shape) for name in graph.inputs]

    def step() -> None:
        with torch.inference_mode():
            module(*inputs)

    return step


_LOADERS = {"onnxruntime": _onnxruntime, "litert": _litert, "torch": _torch}

if __name__ == "__main__":
    from netsuke.errors import NetsukeError

    try:
        _main(*sys.argv[1:])
    except NetsukeError as error:
        sys.exit(f"netsuke: {error}")
