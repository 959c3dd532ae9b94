"""Where the time of an artifact goes on this machine, step by step."""

from __future__ import annotations

import ctypes
import re
from dataclasses import replace
from pathlib import PurePosixPath

from netsuke.codegen import Artifact
from netsuke.verify.host import HostLibrary

CLOCK = """
#include <time.h>
double model_seconds[{steps}];
static double model_now(void)
{{
    struct timespec t;
    clock_gettime(3, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}}
"""


def with_clock(artifact: Artifact) -> tuple[Artifact, int]:
    """An artifact whose model.c adds up the seconds of each call."""
    path = next(path for path in artifact.files if path.name == "model.c")
    head, body = artifact.files[path].decode().split("void model_invoke(void)\n{\n")
    calls = re.findall(r"    nsk_.*?;\n", body, re.DOTALL)
    timed = body
    for number, call in enumerate(calls):
        clocked = (
            f"    model_seconds[{number}] -= model_now();\n{call}"
            f"    model_seconds[{number}] += model_now();\n"
        )
        timed = timed.replace(call, clocked, 1)
    text = "#define _POSIX_C_SOURCE 199309L\n" + CLOCK.format(steps=len(calls)) + head
    text += "void model_invoke(void)\n{\n" + timed
    files = {**artifact.files, PurePosixPath(path): text.encode()}
    return replace(artifact, files=files), len(calls)


def seconds(artifact: Artifact, compiler: str | None = None, runs: int = 200) -> list[float]:
    """Least seconds of each call of an inference."""
    import numpy as np

    clocked, steps = with_clock(artifact)
    library = HostLibrary(clocked, compiler=compiler)
    rng = np.random.default_rng(0)
    inputs = [library.graph.tensors[name] for name in library.graph.inputs]
    arrays = [rng.integers(-128, 128, (1, *t.shape)).astype(t.dtype) for t in inputs]
    library.run(*arrays)
    table = (ctypes.c_double * steps).in_dll(library._library, "model_seconds")
    least = [float("inf")] * steps
    for _ in range(runs):
        before = list(table)
        library.run(*arrays)
        least = [min(old, new - b) for old, new, b in zip(least, table, before, strict=True)]
    return least


def print_layers(artifact: Artifact, compiler: str | None = None, most: int = 25) -> None:
    """Print what takes longest, and the sums by kernel."""
    found = seconds(artifact, compiler)
    steps = [step for step in artifact.plan.steps if step.kernel is not None]
    total = sum(found)
    rows = sorted(zip(found, steps, strict=True), key=lambda row: -row[0])
    for time, step in rows[:most]:
        assert step.kernel is not None
        graph = artifact.plan.graph
        shapes = [list(graph.tensors[n].shape) for n in (*step.node.inputs[:2], *step.node.outputs)]
        print(f"  {time * 1e6:8.1f} us {time / total:5.1%}  {step.kernel.function}  {shapes}")
    sums: dict[str, float] = {}
    for time, step in rows:
        assert step.kernel is not None
        sums[step.kernel.function] = sums.get(step.kernel.function, 0.0) + time
    for function, time in sorted(sums.items(), key=lambda item: -item[1]):
        print(f"  {time * 1e6:8.1f} us {time / total:5.1%}  {function}")
    print(f"  {total * 1e6:8.1f} us in all")
