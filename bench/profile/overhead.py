"""What looking at a program costs it: the same work with and without a profile, in turns.

    python bench/profile/overhead.py [--interval 0.1] [--pairs 7]

Prints the median over pairs of (CPU time with) / (CPU time without), the observer's own CPU time
counted in, and the same of wall time; the two of a pair run one after the other, so that other work
on the machine falls on both, and which is first changes. The least wall time of each kind is what
other work disturbed least. The goal at 100 ms is at most 1.02. The work reads memory and calls
BLAS; a mark is set a hundred times. On a machine that is busy: `taskset -c 0 nice -n -10`.
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
from collections.abc import Callable
from pathlib import Path

from netsuke.profile import Job, observe, phase

RECORD = Path(__file__).parent / "overhead.json"
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


def spent() -> float:
    """Seconds of CPU time of this process and of the ended ones below it."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, kinds))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """(CPU, wall) seconds."""
    before, began = spent(), time.monotonic()
    work()
    return spent() - before, time.monotonic() - began


def plain(command: list[str]) -> tuple[float, float]:
    """(CPU, wall) seconds of a run that nobody looks at."""
    return timed(lambda: subprocess.run(command, check=True, stdin=subprocess.DEVNULL))


def profiled(command: list[str], interval: float) -> tuple[float, float]:
    """(CPU, wall) seconds of a run under observation, those of the observer included."""

    def work() -> None:
        run = observe(Job(tuple(command), repeat=1, interval=interval)).runs[0]
        assert run.done, run

    return timed(work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interval", type=float, default=0.1)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--record", action="store_true", help="in overhead.json")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    command = [sys.executable, "-c", WORK]
    plain(command)  # files are in the cache from here on
    pairs: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for number in range(options.pairs):
        turns = [lambda: plain(command), lambda: profiled(command, options.interval)]
        first, second = turns if number % 2 else turns[::-1]
        one, two = first(), second()
        pairs.append((one, two) if number % 2 else (two, one))
    cpu, wall = ([with_[i] / without[i] for without, with_ in pairs] for i in (0, 1))
    least = [min(pair[i][1] for pair in pairs) for i in (0, 1)]
    mark = min(timeit.repeat("with phase('x'): pass", globals={"phase": phase}, number=100_000))
    result = {
        "interval": options.interval,
        "pairs": options.pairs,
        "cpu": statistics.median(cpu),
        "cpu_from_to": [min(cpu), max(cpu)],
        "wall": statistics.median(wall),
        "wall_from_to": [min(wall), max(wall)],
        "least_wall": least[1] / least[0],
        "seconds": least[0],
        "mark_microseconds_without_profile": mark / 100_000 * 1e6,
    }
    print(json.dumps(result, indent=1))
    if options.record:
        RECORD.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
