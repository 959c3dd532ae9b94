"""Random graphs through every way of computing them; prints one line a hundred graphs.

``python bench/random_graphs.py --count 2000`` runs integer and float graphs in NumPy, in C on this
machine under address and undefined-behaviour sanitizers, and in C on an emulated Cortex-M4 or M0+.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from random_graphs import random_graph, random_inputs

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.ir import interpret_batch
from netsuke.verify.host import HostLibrary
from netsuke.verify.unicorn import UnicornModel

BOARDS = ("nucleo-f446re", "rpi-pico")


def one(seed: int) -> str:
    """An empty text, or what differs."""
    integer = seed % 2 == 0
    graph = random_graph(seed, integer)
    arrays = random_inputs(graph, 3, seed)
    meaning = interpret_batch(graph, *arrays)
    artifact = compile_graph(graph, device(BOARDS[seed // 2 % 2]))
    host = HostLibrary(artifact, sanitize=True).run(*arrays)
    emulated = UnicornModel(artifact).run(*arrays)
    for index, name in enumerate(graph.outputs):
        if not np.array_equal(host[index], emulated[index]):
            return f"seed {seed}: {name} differs between host and emulator"
        if graph.tensors[name].dtype == "float32":
            same = np.allclose(host[index], meaning[index], rtol=1e-4, atol=1e-4)
        else:
            same = np.array_equal(host[index], meaning[index])
        if not same:
            return f"seed {seed}: {name} differs from the meaning"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    start, failures = time.monotonic(), []
    seeds = range(arguments.first, arguments.first + arguments.count)
    with ProcessPoolExecutor(arguments.workers) as pool:
        for done, text in enumerate(pool.map(one, seeds, chunksize=4), start=1):
            if text:
                failures.append(text)
                print(text, flush=True)
            if done % 100 == 0:
                elapsed = time.monotonic() - start
                print(f"{done} graphs, {len(failures)} differ, {elapsed:.0f} s", flush=True)
    print(f"{arguments.count} graphs: {arguments.count - len(failures)} equal, {len(failures)} not")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
