"""Random shapes through the kernels of 64-bit Arm boards, in Unicorn, each equal to its meaning.

    python bench/hosts/random_a64.py [--board rpi-4b] [--count 1000] [--first 0]

Every chunk is a graph of nodes that stand alone, compiled for the board by zig; the kernels that
the plan chose are counted. A failure names the seed of `tests/random_nodes.py`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from joined_nodes import differing, joined
from random_nodes import random_node

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.verify.a64 import A64Model

KINDS = ("conv2d", "depthwise_conv2d", "dense", "add", "max_pool2d", "average_pool2d")
CHUNK = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--board", default="rpi-4b")
    parser.add_argument("--count", type=int, default=1000, help="nodes of each operator")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    options = parser.parse_args()
    ran: Counter[str] = Counter()
    start = time.monotonic()
    for first in range(options.first, options.first + options.count, CHUNK):
        named = [(kind, seed) for seed in range(first, first + CHUNK) for kind in KINDS]
        nodes = [random_node(kind, seed) for kind, seed in named]
        graph, feeds = joined(nodes)
        artifact = compile_graph(graph, device(options.board))
        ran.update(step.kernel.function for step in artifact.plan.steps if step.kernel)
        wrong = differing(A64Model(artifact), nodes, feeds)
        if wrong:
            texts = [str(node) for node in nodes]
            print(*(f"{named[texts.index(text)]}: {text}" for text in wrong), sep="\n")
            return 1
    print(f"{options.board}: {sum(ran.values())} calls in {time.monotonic() - start:.0f} s")
    for function, calls in sorted(ran.items()):
        print(f"  {calls:8d} {function}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
