"""LeNet-300-100 and LeNet-5 on MNIST pruned twelve times, and what that does to flash and work.

    python bench/fit/han.py [--model lenet_300_100] [--seed 0 1 2] [--runs runs/han]

Han et al. 2015 (arXiv:1506.02626, tables 1, 3 and 4) prune both networks twelve times without loss:
266 K to 22 K weights with an error of 1.64 % before and 1.59 % after, 431 K to 36 K with 0.80 %
and 0.77 %. Here each is trained, pruned by `netsuke.compress.magnitude`, quantized to int8 and
compiled for a board, dense and sparse. The validation part decides everything; the 10,000 test
images are looked at once, for the table. Training is kept under ``--runs`` and goes on where it
stopped; figures land in ``han.json`` beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.cli.output import rows
from netsuke.codegen import Artifact, compile_graph
from netsuke.compress.magnitude import Pruning, layer_zeros, prune
from netsuke.data import Dataset, load_data
from netsuke.devices import device
from netsuke.files import write_whole
from netsuke.fit.drop import paired_drop
from netsuke.fit.measure import integers
from netsuke.ir import Graph, load_graph, save_graph
from netsuke.models.layers import Layers
from netsuke.ops import OPERATORS, Conv2d
from netsuke.train import Evaluation, Recipe, judge, predict, train
from netsuke.verify import link_sizes, verify
from netsuke.verify.host import HostLibrary

RESULTS = Path(__file__).with_name("han.json")
BOARD = "nucleo-f446re"


def lenet_300_100(seed: int) -> Graph:
    """784-300-100-10 with ReLU: 266,610 parameters (LeCun et al. 1998)."""
    layers = Layers("lenet_300_100", seed)
    x = layers.flatten(layers.input(28, 28, 1))
    for units in (300, 100):
        x = layers.relu(layers.dense(x, units))
    return layers.classify(x, 10, False)


def lenet_5(seed: int) -> Graph:
    """Caffe's LeNet: two unpadded 5 x 5 convolutions with pooling, 500, 10: 431,080 parameters."""
    layers = Layers("lenet_5", seed)
    x = layers.input(28, 28, 1)
    for channels in (20, 50):
        x = layers.max_pool(_valid(layers, x, channels))
    x = layers.relu(layers.dense(layers.flatten(x), 500))
    return layers.classify(x, 10, False)


def _valid(layers: Layers, x: str, channels: int) -> str:
    name, depth = layers.next("conv"), layers.shape(x)[2]
    weights = layers.weights(name, (channels, 5, 5, depth), 25 * depth)
    bias = layers.zeros(f"{name}.bias", channels)
    return layers.builder.one(Conv2d(), x, weights, bias, name=name)


@dataclass(frozen=True, slots=True)
class Subject:
    """A network, how it is trained and pruned, and the errors of the paper in per cent."""

    build: Callable[[int], Graph]
    base: Recipe
    pruning: Pruning
    recipe: Recipe
    last: Recipe
    paper: tuple[float, float]


GENTLE = {"batch": 128, "lr": 1e-3, "threads": 1, "temperature": 2.0, "distill": 0.5}
"""Survivors learn from labels and from the dense network alike."""
SUBJECTS = {  # shares of zeros: about the paper's, layer by layer (tables 3 and 4)
    "lenet_300_100": Subject(
        lenet_300_100,
        Recipe(epochs=10, lr=1e-3, threads=1),
        Pruning({"dense2": 0.92, "dense4": 0.91, "dense6": 0.74}, rounds=8),
        Recipe(epochs=1, **GENTLE),
        Recipe(epochs=10, **GENTLE),
        (1.64, 1.59),
    ),
    "lenet_5": Subject(
        lenet_5,
        Recipe(epochs=4, lr=1e-3, threads=1),
        Pruning({"conv1": 0.34, "conv3": 0.88, "dense6": 0.922, "dense8": 0.81}, rounds=6),
        Recipe(epochs=1, **GENTLE),
        Recipe(epochs=5, **GENTLE),
        (0.80, 0.77),
    ),
}


def learned(name: str, seed: int, data: Dataset, runs: Path, samples: int) -> tuple[Graph, Graph]:
    """The trained network and the pruned one."""
    subject, folder = SUBJECTS[name], runs / f"{name}-{seed}"
    how = {"seed": seed, "samples": samples}
    base = folder / "base.nsk"
    if not base.exists():
        recipe = replace(subject.base, **how)
        trained = train(subject.build(seed), data, recipe, out=folder / "base", resume=True)
        write_whole(base, save_graph(trained.graph))
    graph = load_graph(base.read_bytes(), OPERATORS, str(base))
    pruned = prune(
        graph,
        data,
        subject.pruning,
        replace(subject.recipe, **how),
        last=replace(subject.last, **how),
        teacher=graph,
        out=folder / "pruned",
        resume=True,
    )
    return graph, pruned.graph


def dense_only(graph: Graph) -> Artifact:
    """The project that the planner would make if there were no kernels for sparse weights."""

    def costs(graph: Any, node: Any, kernels: Any) -> list[float | None]:
        sparse = ["sparse" in kernel.function for kernel in kernels]
        return [k.instructions * (1e6 if s else 1) for k, s in zip(kernels, sparse, strict=True)]

    return compile_graph(graph, device(BOARD), costs=costs, selftest=True)


def answers(artifact: Artifact, data: Dataset) -> Evaluation:
    """What the C of a project says to the test images, on this machine."""
    library = HostLibrary(artifact)
    run = lambda stored: library.run(np.ascontiguousarray(stored))[0]  # noqa: E731
    return judge(predict(library.graph, data.test, run), data, data.test)


def figures(artifact: Artifact) -> dict[str, Any]:
    """Linked bytes and emulated instructions of one project, proved bit for bit."""
    proof, linked = verify(artifact, vectors=8), link_sizes(artifact)
    kernels = {s.node.name: s.kernel.function for s in artifact.plan.steps if s.kernel is not None}
    return {
        "flash": linked.code + linked.weights,
        "weights": linked.weights,
        "code": linked.code,
        "ram": artifact.plan.arena,
        "instructions": proof.instructions,
        "modelled": round(artifact.plan.instructions),
        "proved": proof.bit_exact,
        "on": list(proof.on),
        "kernels": kernels,
    }


def measured(name: str, seed: int, data: Dataset, runs: Path, samples: int) -> dict[str, Any]:
    """Everything that the tables show of one network with one seed."""
    base, pruned = learned(name, seed, data, runs, samples)
    stored = {key: integers(graph, data, 256) for key, graph in (("a", base), ("b", pruned))}
    dense, plain = compile_graph(stored["a"], device(BOARD), selftest=True), dense_only(stored["b"])
    sparse = compile_graph(stored["b"], device(BOARD), selftest=True)
    before, after = answers(dense, data), answers(sparse, data)
    real = [judge(predict(graph, data.test), data, data.test) for graph in (base, pruned)]
    drop, real_drop = (
        paired_drop(a.losses, b.losses) for a, b in ((before, after), (real[0], real[1]))
    )
    layers = layer_zeros(pruned)
    parameters = base.parameters
    gone = sum(row.weights - row.kept for row in layers)
    return {
        "model": name,
        "seed": seed,
        "samples": samples or len(data.train),
        "parameters": parameters,
        "kept": parameters - gone,
        "layers": {row.layer: [row.weights, row.kept] for row in layers},
        "float": [100 - one.metric for one in real],
        "float_bound": real_drop.bound,
        "int8": [100 - before.metric, 100 - after.metric],
        "int8_drop": drop.points,
        "int8_bound": drop.bound,
        "dense": figures(dense),
        "pruned_dense": figures(plain),
        "sparse": figures(sparse),
    }


def table(results: list[dict[str, Any]]) -> str:
    """The figures, a row a network and seed."""
    lines = [
        (
            *("network", "seed", "weights", "÷", "error % (paper)", "drop", "bound"),
            *("flash KB", "÷", "instructions", "÷", "equal"),
        )
    ]
    for row in results:
        paper = SUBJECTS[row["model"]].paper
        (a, b), dense, sparse = row["int8"], row["dense"], row["sparse"]
        lines.append(
            (
                row["model"],
                str(row["seed"]),
                f"{row['kept']:,}",
                f"{row['parameters'] / row['kept']:.1f}",
                f"{a:.2f} → {b:.2f} ({paper[0]:.2f} → {paper[1]:.2f})",
                f"{row['int8_drop']:+.2f}",
                f"{row['int8_bound']:.2f}",
                f"{dense['flash'] / 1024:.1f} → {sparse['flash'] / 1024:.1f}",
                f"{dense['flash'] / sparse['flash']:.1f}",
                f"{dense['instructions']:,} → {sparse['instructions']:,}",
                f"{dense['instructions'] / sparse['instructions']:.1f}",
                "yes" if dense["proved"] and sparse["proved"] else "NO",
            )
        )
    return rows(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--seed", nargs="+", type=int, default=[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/han"))
    parser.add_argument("--samples", type=int, default=0, help="of an epoch, for a quick look")
    parser.add_argument("--train-only", action="store_true", help="leave the figures out")
    arguments = parser.parse_args()
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("NETSUKE_DATA") or beside) / "mnist"
    data = load_data(folder)
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    for name in arguments.model:
        for seed in arguments.seed:
            if arguments.train_only:
                learned(name, seed, data, arguments.runs, arguments.samples)
                continue
            row = measured(name, seed, data, arguments.runs, arguments.samples)
            found = [r for r in found if (r["model"], r["seed"]) != (name, seed)] + [row]
            found.sort(key=lambda r: (r["model"], r["seed"]))
            write_whole(RESULTS, (json.dumps(found, indent=1) + "\n").encode())
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
