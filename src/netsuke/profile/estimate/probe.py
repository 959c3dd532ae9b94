"""One cell in a fresh process: what a runtime takes of memory, stage by stage, as a JSON line.

    python probe.py '{"id": ..., "runtime": "onnxruntime", "model": "net.onnx", ...}'

It runs on the machine that is measured and needs nothing but the runtime. `VmHWM` is the kernel's
own high-water mark of resident memory: no sampling can miss it. Shapes of inputs are in the cell.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

Stages = list[dict[str, Any]]
ONNX_TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(bool)": "bool_"}
KEYS = {"VmHWM": "hwm", "VmRSS": "rss", "RssAnon": "anon", "RssFile": "file"}
"""Lines of /proc/self/status -> names in a result."""


def memory() -> dict[str, int]:
    """Bytes of this process by the kernel's count."""
    found = {}
    with open("/proc/self/status", encoding="ascii") as stream:
        for line in stream:
            key, _, value = line.partition(":")
            if key in KEYS:
                found[KEYS[key]] = int(value.split()[0]) * 1024
    return found


def onnx_runtime(cell: Mapping[str, Any], mark: Callable[[str], None]) -> None:
    import numpy as np

    mark("numpy")
    import onnxruntime as ort

    mark("import")
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = cell["threads"]
    level = cell.get("level", "ALL")
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, f"ORT_ENABLE_{level}")
    options.enable_cpu_mem_arena = cell.get("arena", True)
    options.log_severity_level = 3
    for key, value in cell.get("settings", {}).items():
        options.add_session_config_entry(key, value)
    if cell.get("folder"):  # what ran, with shapes, is kept there
        options.optimized_model_filepath = os.path.join(cell["folder"], "optimized.onnx")
        options.enable_profiling = True
        options.profile_file_prefix = os.path.join(cell["folder"], "ran")
    session = ort.InferenceSession(
        *(cell["path"], options, ["CPUExecutionProvider"]),
        **({"disabled_optimizers": cell["without"]} if "without" in cell else {}),
    )
    mark("load")
    feeds = {}
    for port, shape in zip(session.get_inputs(), cell["shapes"], strict=True):
        feeds[port.name] = np.ones(shape, ONNX_TYPES.get(port.type, port.type[7:-1]))
    mark("input")
    for number in range(cell["runs"]):
        session.run(None, feeds)
        mark(f"run{number + 1}")
    if cell.get("folder"):
        session.end_profiling()


def lite_rt(cell: Mapping[str, Any], mark: Callable[[str], None]) -> None:
    import numpy as np

    mark("numpy")
    from ai_edge_litert.interpreter import Interpreter

    mark("import")
    interpreter = Interpreter(model_path=cell["path"], num_threads=cell["threads"])
    for port, shape in zip(interpreter.get_input_details(), cell["shapes"], strict=True):
        if list(port["shape"]) != list(shape):
            interpreter.resize_tensor_input(port["index"], shape)
    interpreter.allocate_tensors()
    mark("load")
    ports = interpreter.get_input_details()
    arrays = [
        np.ones(shape, port["dtype"]) for port, shape in zip(ports, cell["shapes"], strict=True)
    ]
    mark("input")
    for number in range(cell["runs"]):
        for port, array in zip(ports, arrays, strict=True):
            interpreter.set_tensor(port["index"], array)
        interpreter.invoke()
        for port in interpreter.get_output_details():
            interpreter.get_tensor(port["index"])
        mark(f"run{number + 1}")


def torch_run(cell: Mapping[str, Any], mark: Callable[[str], None]) -> None:
    import numpy  # noqa: F401  (PyTorch uses it where it is there)

    mark("numpy")
    import torch

    mark("import")
    nets = importlib.import_module("torch_nets")  # beside this file, or on PYTHONPATH

    torch.set_num_threads(cell["threads"])
    module = nets.network(cell["model"])
    mark("load")
    x = torch.ones(cell["shapes"][0])
    y = torch.zeros(len(x), dtype=torch.int64)
    mark("input")
    if cell["phase"] == "train":
        optimizer = torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9)
        for number in range(cell["runs"]):
            nets.train_step(module, optimizer, x, y)
            mark(f"run{number + 1}")
        return
    module.eval()
    for number in range(cell["runs"]):
        with torch.inference_mode():
            scores = module(x)
            if cell["phase"] == "evaluate":
                (scores.argmax(1) == y).sum().item()
            del scores
        mark(f"run{number + 1}")


RUNTIMES = {"onnxruntime": onnx_runtime, "litert": lite_rt, "torch": torch_run}


def main() -> int:
    cell = json.loads(sys.argv[1] if len(sys.argv) > 1 else sys.stdin.readline())
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(cell["threads"])
    start, stages = time.monotonic(), []

    def mark(name: str) -> None:
        stages.append({"stage": name, "seconds": round(time.monotonic() - start, 2), **memory()})

    mark("python")
    result: dict[str, Any] = {**cell, "stages": stages, "error": None}
    try:
        RUNTIMES[cell["runtime"]](cell, mark)
    except Exception as error:  # reported with the cell: the machine goes on with the next one
        result["error"] = f"{type(error).__name__}: {error}"[:300]
    result["hwm"] = memory()["hwm"]
    print("CELL " + json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
