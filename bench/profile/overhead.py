"""What looking at a program costs it: the same work with and without a profile, in turns.

    python bench/profile/overhead.py [--interval 0.1] [--pairs 7]

Prints the median over pairs of (CPU time with) / (CPU time without) and the same of wall time; the
two of a pair run one after the other, so that other work on the machine falls on both. The goal
at 100 ms is at most 1.02. The work reads memory and calls BLAS; a mark is set a hundred times.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import timeit

from netsuke.profile import Job, observe, phase

WORK = """
import numpy as np
from netsuke.profile import phase
rng = np.random.default_rng(0)
held = rng.random((700, 700))
for _ in range(100):
    with phase("step"):
        held = held @ held
        held /= np.abs(held).max()
"""


def plain(command: list[str]) -> tuple[float, float]:
    """(CPU, wall) seconds of a run that nobody looks at."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def profiled(command: list[str], interval: float) -> tuple[float, float]:
    """(CPU, wall) seconds of a run under observation."""
    run = observe(Job(tuple(command), repeat=1, interval=interval)).runs[0]
    assert run.done, run
    return run.cpu, run.wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interval", type=float, default=0.1)
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    command = [sys.executable, "-c", WORK]
    plain(command)  # files are in the cache from here on
    cpu: list[float] = []
    wall: list[float] = []
    for number in range(options.pairs):
        turns = [lambda: plain(command), lambda: profiled(command, options.interval)]
        first, second = turns if number % 2 else turns[::-1]
        one, two = first(), second()
        without, with_ = (one, two) if number % 2 else (two, one)
        cpu.append(with_[0] / without[0])
        wall.append(with_[1] / without[1])
    mark = min(timeit.repeat("with phase('x'): pass", globals={"phase": phase}, number=100_000))
    result = {
        "interval": options.interval,
        "pairs": options.pairs,
        "cpu": statistics.median(cpu),
        "cpu_from_to": [min(cpu), max(cpu)],
        "wall": statistics.median(wall),
        "wall_from_to": [min(wall), max(wall)],
        "mark_microseconds_without_profile": mark / 100_000 * 1e6,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
