"""Random shapes through every integer kernel of a core, each call equal to its NumPy meaning.

``python bench/kernels_random.py --core cortex-m4 --count 5000`` draws that many nodes of each
operator, asks `Op.kernels` for every candidate of the core's instruction sets, and runs each
candidate (and each way in which it works in place) between canaries: on this machine under address
and undefined-behaviour sanitizers, and on the emulated core. It prints how often each kernel ran.

* ``--core cortex-m0plus | cortex-m3 | cortex-m4 | cortex-m7 | cortex-m33 | rv32``: Unicorn;
  ``--core cortex-m55``: QEMU; ``--core host``: this machine alone, with ``--isa avx2`` and
  ``--flags=-mavx2`` for its own instruction sets.
* ``--kernel winograd`` takes the kernels whose name contains the word, ``--op conv2d`` the nodes.
* ``--least 5000`` goes on until every kernel that came up ran so often, or ``--count`` is reached.

A failure names the seed: ``random_node(op, seed)`` of ``tests/random_nodes.py`` gives the node
again, `jobs_of` its calls, and `tests/kernel_machines.py` runs them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from kernel_jobs import check
from kernel_machines import EmulatedBoard, EmulatedCore, EmulatedRv32, SanitizedHost
from random_nodes import KINDS, jobs_of, random_node

CORES = {
    "cortex-m0plus": frozenset({"thumb"}),
    "cortex-m3": frozenset({"thumb2"}),
    "cortex-m4": frozenset({"thumb2", "dsp", "fpu-sp"}),
    "cortex-m7": frozenset({"thumb2", "dsp", "fpu-sp"}),
    "cortex-m33": frozenset({"thumb2", "dsp", "fpu-sp"}),
    "cortex-m55": frozenset({"thumb2", "dsp", "mve", "fpu-dp"}),
    "rv32": frozenset({"rv32imac"}),
}
BATCH = 200


def runners(options: argparse.Namespace, isa: frozenset[str]) -> list[Any]:
    """Everything that runs the jobs."""
    found: list[Any] = [] if options.skip_host else [SanitizedHost(*options.flags)]
    if options.core == "cortex-m55":
        found += [EmulatedBoard(options.core, isa, name) for name in options.compiler]
    elif options.core == "rv32":
        found.append(EmulatedRv32(options.core, isa))
    elif options.core != "host":
        found += [EmulatedCore(options.core, isa, name) for name in options.compiler]
    return found


def run(kind: str, options: argparse.Namespace, isa: frozenset[str]) -> Counter[str]:
    """Run the nodes of one operator; returns calls by kernel."""
    ran: Counter[str] = Counter()
    machines = runners(options, isa)
    for first in range(options.first, options.first + options.count, BATCH):
        seeds = range(first, min(first + BATCH, options.first + options.count))
        nodes = [(f"seed {seed}", random_node(kind, seed)) for seed in seeds]
        for machine in machines:
            jobs = [
                job
                for label, node in nodes
                for job in jobs_of(
                    node, isa, machine.pointer, label, lambda name: options.kernel in name
                )
            ]
            if jobs:
                check(jobs, machine.run(jobs))
            if machine is machines[0]:
                ran.update(job.function for job in jobs)
        if ran and options.least and min(ran.values()) >= options.least:
            break
    return ran


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--core", choices=["host", *CORES], default="cortex-m4")
    parser.add_argument("--isa", nargs="*", default=None, help="instead of the core's own")
    parser.add_argument("--op", nargs="*", choices=sorted(KINDS), default=sorted(KINDS))
    parser.add_argument("--kernel", default="", help="part of a kernel's name")
    parser.add_argument("--count", type=int, default=1000, help="nodes of each operator")
    parser.add_argument("--least", type=int, default=0, help="calls of each kernel to stop at")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--compiler", nargs="*", default=["zig"])
    parser.add_argument("--flags", nargs="*", default=[], help="of the host's compiler")
    parser.add_argument("--skip-host", action="store_true")
    options = parser.parse_args()
    isa = CORES.get(options.core, frozenset()) if options.isa is None else frozenset(options.isa)
    for kind in options.op:
        start = time.monotonic()
        ran = run(kind, options, isa)
        print(f"{kind}: {sum(ran.values())} calls in {time.monotonic() - start:.0f} s", flush=True)
        for function, calls in sorted(ran.items()):
            print(f"  {calls:8d} {function}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
