"""Random shapes through the kernels of 64-bit Arm boards, in Unicorn, each equal to its meaning.

    python bench/hosts/random_a64.py [--board rpi-4b] [--op conv2d ...] [--least 5000]

The kernels are compiled for the board by zig; every candidate whose name ends in ``neon`` or
``dotprod`` is called between canaries. A failure names the seed of `tests/random_nodes.py`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from kernel_jobs import check
from kernel_machines import EmulatedA64
from random_nodes import jobs_of, random_node

from netsuke.devices import device

KINDS = ("conv2d", "depthwise_conv2d", "dense", "add", "max_pool2d", "average_pool2d")
BATCH = 100
MOST = 12_000
"""Nodes of an operator at which it ends."""


def run(kind: str, board: str, least: int) -> Counter[str]:
    """Run nodes of one operator until every kernel ran `least` times; calls by kernel."""
    target = device(board)
    machine = EmulatedA64(target.core, target.isa)
    ran: Counter[str] = Counter()
    for first in range(0, MOST, BATCH):
        jobs = [
            job
            for seed in range(first, first + BATCH)
            for job in jobs_of(
                random_node(kind, seed),
                target.isa,
                machine.pointer,
                f"{kind} seed {seed}",
                lambda function: function.endswith(("_neon", "_dotprod")),
            )
        ]
        check(jobs, machine.run(jobs))
        ran.update(job.function for job in jobs)
        if min(ran.values(), default=0) >= least:
            break
    return ran


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--board", default="rpi-4b")
    parser.add_argument("--op", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--least", type=int, default=5000)
    options = parser.parse_args()
    for kind in options.op:
        start = time.monotonic()
        ran = run(kind, options.board, options.least)
        print(f"{kind} on {options.board}: {time.monotonic() - start:.0f} s", flush=True)
        for function, calls in sorted(ran.items()):
            print(f"  {calls:8d} {function}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
