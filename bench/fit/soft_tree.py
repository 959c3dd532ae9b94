"""Soft decision trees that learn from labels, and from a network.

``python bench/fit/soft_tree.py [--mnist ../shared/data/mnist] [--limit 6000]`` trains a LeNet,
then trees of one depth and seed: from the labels, and from the network by `nk.distill_to_tree` at
some temperatures and shares, judged on the test part along one path. Digits (8 × 8) with three
seeds of network and trees; MNIST, where its folder is given, with one. Beside MNIST stand the
figures of Frosst & Hinton 2017 (arXiv:1711.09784) for trees of depth 8 and all 60,000 images.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

import netsuke as nk
from netsuke.estimators.distill import stored_rows, teacher_scores

WAYS = {
    "tree from labels": {"share": 0.0},
    "half network, T=1": {"share": 0.5},
    "half network, T=3": {"share": 0.5, "temperature": 3.0},
    "network, T=1": {"share": 1.0},
    "network, T=3": {"share": 1.0, "temperature": 3.0},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=Path, help="folder of the idx files")
    parser.add_argument("--limit", type=int, default=6000, help="images of MNIST (0: all)")
    parser.add_argument("--depth", type=int, help="default: 5 on digits, 8 on MNIST")
    parser.add_argument("--epochs", type=int, help="of the network: 40 on digits, 5 on MNIST")
    parser.add_argument("--passes", type=int, help="of a tree: 100 on digits, 8 on MNIST")
    parser.add_argument("--seeds", type=int, default=3, help="on digits")
    options = parser.parse_args()
    if options.mnist is None:
        seeds = range(options.seeds)
        compare(
            "digits", options.depth or 5, options.epochs or 40, options.passes or 100, 0.01, seeds
        )
        return
    limit = f"?limit={options.limit}" if options.limit else ""
    place = f"{options.mnist}{limit}"
    compare(place, options.depth or 8, options.epochs or 5, options.passes or 8, 0.003, range(1))
    print("paper, depth 8: 94.45 % from data, 96.76 % from the network")


def compare(place: str, depth: int, epochs: int, passes: int, rate: float, seeds: Any) -> None:
    """Print accuracies, mean and deviation over seeds, in percent of the test part."""
    found: dict[str, list[float]] = {}
    started = time.perf_counter()
    data = nk.data(place)
    labels = data.test.labels
    for seed in seeds:
        network = nk.train(f"lenet?size={data.shape[0]}", data, epochs=epochs, seed=seed, threads=1)
        says = teacher_scores(network, data, data.test).argmax(1)
        found.setdefault("network", []).append(100 * float((says == labels).mean()))
        for way, how in WAYS.items():
            tree = nk.distill_to_tree(
                *(network, data, depth), seed=seed, max_iter=passes, learning_rate=rate, **how
            )
            right = tree.predict(stored_rows(data.test)) == labels
            found.setdefault(way, []).append(100 * float(right.mean()))
    spent = time.perf_counter() - started
    print(f"{data.name}, depth {depth}, {len(data.train):,} to learn, {len(labels):,} to judge")
    for way, values in found.items():
        each = " ".join(f"{value:.2f}" for value in values)
        print(f"  {way:18} {np.mean(values):6.2f} %  ± {np.std(values):.2f}  ({each})")
    print(f"  {spent:.0f} s", flush=True)


if __name__ == "__main__":
    main()
