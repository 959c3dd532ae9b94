"""Every network of the zoo loses half its channels and still runs: NumPy, PyTorch, int8, C.

    python bench/fit/zoo_prune.py                 # small widths and resolutions: minutes
    python bench/fit/zoo_prune.py --size usual    # as papers have them, but for 64 x 64 pixels
    python bench/fit/zoo_prune.py resnet20 vgg16 --json zoo.json

Weights are random (offsets and biases, too, so that nothing is zero by chance). A row says how far
the pruned network is from the original whose cut channels are zero (``masked``, float32, relative
to the largest output), how far NumPy is from PyTorch, whether the integers of the pruned network
are the same bits in NumPy, in C on the host and on an emulated Cortex-M4, and how many instructions
an inference takes there ("too large" where flash or RAM of the board do not hold it).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

import netsuke as nk
from netsuke.codegen import Artifact
from netsuke.compress.prune import Pruned, prune
from netsuke.compress.quantize import quantize
from netsuke.errors import DoesNotFitError, NetsukeError
from netsuke.ir import Array, Graph, constant, interpret
from netsuke.models import build, learned_parameters, model_names
from netsuke.train import to_module
from netsuke.verify.samples import random_samples

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from small_zoo import small_spec

BOARD = "nrf52840-dk"
"""A Cortex-M4 with 1 MiB of flash and 256 KiB of RAM."""
HOST = "nucleo-h743zi"
USUAL = {
    "alexnet": "size=67&width=0.25",
    "lenet": "",
    "lenet5": "",
    "lenet_300_100": "",
    "ds_cnn": "",
    "resnet8": "",
    "resnet20": "",
}


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one network."""

    name: str
    parameters: int
    parameters_pruned: int
    macs: int
    macs_pruned: int
    channels: int
    channels_pruned: int
    masked: float
    torch: float
    integers: str
    host: str
    cortex_m4: str
    seconds: float


def specification(name: str, size: str) -> str:
    if size == "small":
        return small_spec(name)
    return f"{name}?{USUAL.get(name, 'size=64')}"


def lively(graph: Graph) -> Graph:
    """The graph with offsets, means and biases that are not zero."""
    rng = np.random.default_rng(0)
    tensors = dict(graph.tensors)
    for tensor in graph.constants():
        if tensor.data is not None and len(tensor.shape) == 1:
            low, high = (0.5, 2.0) if (tensor.data > 0).all() else (-0.3, 0.5)
            data = rng.uniform(low, high, tensor.shape).astype(np.float32)
            tensors[tensor.name] = constant(tensor.name, data)
    return replace(graph, tensors=tensors)


def distance(left: Array, right: Array) -> float:
    """Largest difference, as a share of the largest value."""
    return float(np.abs(left - right).max() / max(np.abs(right).max(), 1e-30))


def distances(pruned: Pruned) -> tuple[float, float]:
    """From the masked original, and from PyTorch."""
    (x,) = pruned.graph.inputs
    sample = random_samples(pruned.graph, 1, 1)[0][0]
    ours, masked = (
        next(iter(interpret(graph, {x: sample}).values()))
        for graph in (pruned.graph, pruned.masked)
    )
    with torch.no_grad():
        theirs = to_module(pruned.graph).eval()(torch.from_numpy(sample[None]))[0].numpy()
    return distance(ours, masked), distance(theirs, ours)


def told(work: Callable[[], str]) -> str:
    """What a step says, or what is in its way."""
    try:
        return work()
    except DoesNotFitError as error:
        return f"too large ({error.memory})"
    except NetsukeError as error:
        return f"FAILED: {error}"


def proved(artifact: Artifact, place: str) -> str:
    proof = nk.verify(artifact, on=place, vectors=3)
    if not proof.bit_exact:
        return f"DIFFERS: {proof.mismatch}"
    return "equal" if proof.instructions is None else f"equal, {proof.instructions:,} instr."


def row(name: str, size: str) -> Row:
    start = time.perf_counter()
    graph = lively(build(specification(name, size)))
    pruned = prune(graph, 0.5)
    masked, theirs = distances(pruned)
    integers: list[Graph] = []

    def quantized() -> str:
        samples = random_samples(pruned.graph, 4, 0)
        integers.append(quantize(pruned.graph, samples))
        (x,) = integers[0].inputs
        interpret(integers[0], {x: random_samples(integers[0], 1, 0)[0][0]})
        return "run"

    said = told(quantized)
    host = told(lambda: proved(nk.compile(integers[0], HOST), "host")) if integers else "-"
    core = told(lambda: proved(nk.compile(integers[0], BOARD), "unicorn")) if integers else "-"
    widths = pruned.widths.values()
    return Row(
        *(name, learned_parameters(graph), learned_parameters(pruned.graph)),
        *(graph.macs, pruned.graph.macs),
        *(sum(units for units, _ in widths), sum(kept for _, kept in widths)),
        *(masked, theirs, said, host, core),
        round(time.perf_counter() - start, 1),
    )


def line(result: Row) -> str:
    return (
        f"{result.name:20} {result.parameters:11,} {result.parameters_pruned:11,} "
        f"{result.macs:13,} {result.macs_pruned:13,} {result.channels:7} "
        f"{result.channels_pruned:7} {result.masked:8.1e} {result.torch:8.1e} "
        f"{result.integers:5} {result.host:6} {result.cortex_m4}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=model_names())
    parser.add_argument("--size", choices=("small", "usual"), default="small")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{'network':20} {'parameters':>11} {'pruned':>11} {'MACs':>13} {'pruned':>13} "
        f"{'channels':>7} {'pruned':>7} {'masked':>8} {'torch':>8} int8  host   Cortex-M4"
    )
    results = []
    for name in chosen.names:
        results.append(row(name, chosen.size))
        print(line(results[-1]), flush=True)
        if chosen.json:
            chosen.json.write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n")
    failed = [r.name for r in results if "FAILED" in line(r) or "DIFFERS" in line(r)]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
