"""How much faster two threads are than one on this machine, beside what the estimator predicts.

    python bench/estimate/cores.py [--seconds 4]

One thread and two take turns, and only inferences count during which no thread was ready and had to
wait for a processor (by the kernel's count) for more than `WAITED` of the time; how many those are
is printed, so a busy machine says so itself. Predicted is Amdahl's law with 10 us of serial work a
node and the time that one thread took here; on a device the estimator works that time out from its
clock.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "hosts"))
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from cells import Cell
from nets import graph
from oracle import input_shape, model_file

from netsuke.profile.estimate.resources import SERIAL

THREADS = (1, 2)
V1, SQUEEZE = "mobilenet_v1?width=1.0&size=96&classes=10", "squeezenet?size=96&classes=10"
CASES = (("resnet8", 1), ("resnet8", 16), (V1, 1), (V1, 8), (SQUEEZE, 1), (SQUEEZE, 8))
RUNTIMES = ("onnxruntime", "litert", "torch")
LEAST = 5
"""Undisturbed inferences that a figure needs."""
WAITED = 0.02
"""Share of an inference that its threads may have waited for a processor."""

Run = Callable[[], Any]


def opened(cell: Cell, folder: Path, threads: int) -> Run:
    """An inference of a cell with so many threads."""
    path = None if cell.runtime == "torch" else model_file(cell, folder)
    x = np.ones(input_shape(cell, path), np.float32)
    if cell.runtime == "torch":
        import torch
        from torch_nets import network

        module, batch = network(cell.model).eval(), torch.from_numpy(x)

        def run() -> Any:
            torch.set_num_threads(threads)
            with torch.inference_mode():
                return module(batch)

        return run
    if cell.runtime == "litert":
        from ai_edge_litert.interpreter import Interpreter

        made = Interpreter(model_path=str(path), num_threads=threads)
        made.allocate_tensors()
        made.set_tensor(made.get_input_details()[0]["index"], x)
        return made.invoke  # type: ignore[no-any-return]
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x}
    return lambda: session.run(None, feed)


def waited() -> float:
    """Seconds that the threads of this process were ready to run, and did not."""
    total = 0
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that has just ended
            total += int((task / "schedstat").read_text().split()[1])
    return total / 1e9


def undisturbed(runs: dict[int, Run], seconds: float) -> tuple[dict[int, list[float]], int]:
    """(wall times by threads of inferences that did not wait, how many there were in all)."""
    times: dict[int, list[float]] = {threads: [] for threads in runs}
    total, end = 0, time.monotonic() + seconds
    for run in runs.values():
        run()
    while time.monotonic() < end:
        for threads, run in runs.items():
            before = waited()
            start = time.perf_counter()
            run()
            took = time.perf_counter() - start
            total += 1
            if waited() - before <= WAITED * took:
                times[threads].append(took)
    return times, total


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="a case")
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print(f"{'':58s} 1 thread  measured  predicted  undisturbed")
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        for runtime in RUNTIMES:
            for model, batch in CASES:
                cell = Cell(runtime, model, batch)
                runs = {threads: opened(cell, Path(folder), threads) for threads in THREADS}
                times, total = undisturbed(runs, options.seconds)
                kept = min(len(some) for some in times.values())
                note = f"{sum(map(len, times.values()))} of {total}"
                if kept < LEAST:
                    print(f"{cell.id:58s} too noisy ({note} undisturbed)", flush=True)
                    continue
                one, two = (statistics.median(times[threads]) for threads in THREADS)
                serial = min(one, SERIAL * len(graph(model).nodes))
                predicted = one / (serial + (one - serial) / 2)
                errors.append(abs(predicted / (one / two) - 1))
                figures = f"{1e3 * one:6.2f} ms {one / two:7.2f}x  {predicted:8.2f}x"
                print(f"{cell.id:58s} {figures}  {note}", flush=True)
    if errors:
        print(f"{len(errors)} cases: median error {100 * statistics.median(errors):.0f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
