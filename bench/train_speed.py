"""How fast networks train on this machine, with and without what makes training fast here.

    python bench/train_speed.py [--batch 64] [--threads 1] [--repeat 3] [NETWORK ...]

Each NETWORK of the zoo takes training steps (forward, backward, AdamW) on random samples, in turn

- as it is: memory that a step frees is kept for the next one (`netsuke.train.kept_memory`),
- with memory given back to the system, as the C library does it by itself,
- with images in memory channel by channel (NCHW) instead of channels last.

Images a second of processor time, and their ratios to the second and the third way, are printed:
the median of the repetitions, which alternate between the ways.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from netsuke.models import build
from netsuke.train import GraphModule, fixed_threads, kept_memory, scores_graph, to_module

NETWORKS = ("mobilenet_v1?width=0.25&size=96&classes=2", "resnet8", "lenet")


WAYS: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(f"{'network':44}{'img/s':>8}{'/ given back':>14}{'/ NCHW':>9}")
    # A process each: what the C library does with memory depends on what was done before.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for name in options.networks:
            speeds: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(options.repeat):
                for way, found in speeds.items():
                    task = (way, name, options.batch, options.threads, options.steps)
                    found.append(pool.apply(measure, task))
            kept, back, nchw = (statistics.median(found) for found in speeds.values())
            print(f"{name:44}{kept:8.0f}{kept / back:13.2f}x{kept / nchw:8.2f}x", flush=True)


def measure(way: str, name: str, batch: int, threads: int, steps: int) -> float:
    """Images a second of processor time."""
    step = training_step(to_module(scores_graph(build(name))), batch)
    with fixed_threads(threads), WAYS[way]():
        step()
        step()
        start = time.process_time()
        for _ in range(steps):
            step()
        return batch * steps / (time.process_time() - start)


def training_step(module: GraphModule, batch: int) -> Callable[[], None]:
    """One step of training on random samples."""
    graph = module.train().graph
    x = torch.randn(batch, *graph.tensors[graph.inputs[0]].shape)
    labels = torch.randint(0, graph.tensors[graph.outputs[0]].elements, (batch,))
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-4)

    def step() -> None:
        scores = module(x).reshape(batch, -1)
        value = torch.nn.functional.cross_entropy(scores, labels)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()

    return step


@contextlib.contextmanager
def channels_first_convolutions() -> Iterator[None]:
    """Let every convolution copy its images channel by channel first, memory kept."""
    plain = torch.nn.functional.conv2d

    def conv2d(x: Any, weights: Any, *rest: Any) -> Any:
        return plain(x.contiguous(), weights.contiguous(), *rest)

    torch.nn.functional.conv2d = conv2d  # type: ignore[assignment]
    try:
        with kept_memory():
            yield
    finally:
        torch.nn.functional.conv2d = plain


WAYS.update(
    {
        "kept": kept_memory,
        "given back": contextlib.nullcontext,
        "channels first": channels_first_convolutions,
    }
)

if __name__ == "__main__":
    main()
