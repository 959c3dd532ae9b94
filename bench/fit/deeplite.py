"""The Deeplite case: MobileNetV1 on an inspection set, a hundred times fewer bytes.

Deeplite's figures (a private set): 12,836,104 -> 144,186 B (89 times), 0.583 -> 0.112 GMAC (5.2
times), 92.44 -> 90.61 % (-1.84). Here: crops of real circuit boards (DeepPCB), defect or none,
apart by group of boards; the sealed part is a group that neither training nor search has seen.

::

    python examples/inspection/crops.py DEEPPCB.zip --size 64 -o out/deeplite/crops.npz
    python bench/fit/deeplite.py --time 2h --seeds 3          # resumable; prints the table

The control is what a person does by hand: MobileNetV1 at one width for all layers, the same bytes
of weights, from its initial weights, with the same distillation, the same time of training (first
cut, search and last training together, counted in samples), the same training of integers. A second
control begins with the original's most important channels at that width.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from netsuke import api
from netsuke.cli.commands.fit import seconds
from netsuke.codegen.onnx import to_onnx
from netsuke.compress.importance import magnitude
from netsuke.compress.qat import tune
from netsuke.data import Dataset
from netsuke.devices import Limits
from netsuke.files import write_whole
from netsuke.fit import channel_groups, cut, paired_drop
from netsuke.fit.effort import Effort, with_visits
from netsuke.fit.finish import GENTLE
from netsuke.fit.first_cut import BETWEEN
from netsuke.fit.measure import Shipped, compiled, evaluate_integers, ship, sizing_integers
from netsuke.fit.original import prepared
from netsuke.ir import Array, Graph
from netsuke.models import build
from netsuke.schedule import plan
from netsuke.train import Progress, Recipe, evaluate, train
from netsuke.train.files import read_json, write_json

BYTES = 12_836_104  # of the original's float parameters
RATIO, WORK, RAM, DROP = 100.0, 5.2, 256 * 1024, 1.0
BOARD = "generic-cortex-m4-256k"


def weights_of(quantized: Graph) -> int:
    """Bytes of int8 weights."""
    return sum(t.size for t in quantized.constants() if t.dtype == "int8")


def make_teacher(data: Dataset, out: Path, recipe: Recipe, epochs: int) -> Graph:
    path = out / "teacher.onnx"
    if not path.exists():
        graph = build(f"mobilenet_v1?size={data.shape[0]}&classes=2")
        longer = replace(recipe, epochs=epochs, lr=1.5e-3)
        trained = train(graph, data, longer, out=out / "teacher", resume=True)
        write_whole(path, to_onnx(trained.graph))
    return api.load(path, optimize=False)


def limits_of(teacher: Graph, data: Dataset) -> Limits:
    """A hundred times fewer bytes in all of flash, 5.2 times fewer instructions."""
    whole = plan(sizing_integers(prepared(teacher), data), api.device(BOARD), stripes=False)
    return Limits(
        flash=int(BYTES / RATIO),
        ram=RAM,
        instructions=int(whole.instructions / WORK),
        max_drop=DROP,
    )


def ours(teacher: Graph, data: Dataset, out: Path, options: Any, seed: int) -> dict[str, Any]:
    folder = out / f"ours-{seed}"
    result = folder / "result.json"
    if not result.exists():
        api.fit(
            teacher,
            BOARD,
            data,
            limits_of(teacher, data),
            seed=seed,
            time=seconds(options.time),
            out=folder,
            resume=True,
            recipe=replace(options.recipe, seed=seed),
        )
    record: dict[str, Any] = read_json(result)
    quantized = api.load(folder / "quantized.onnx", optimize=False)
    return {**record, "weights": weights_of(quantized)}


def visits_of(effort: dict[str, int]) -> int:
    """Samples that fill the time of first cut, search and last training with one small network.

    A visit of the network of the first cut costs `BETWEEN` times one of a small network.
    """
    spent = Effort(**effort)
    search = sum(count * visits for count, visits in spent.rungs)
    return int(BETWEEN * spent.first_cut) + search + spent.final


def uniform(data: Dataset, most: int) -> Graph:
    """MobileNetV1 at the largest width whose int8 weights take at most so many bytes."""

    def at(width: float) -> Graph:
        return build(f"mobilenet_v1?size={data.shape[0]}&classes=2&width={width:.4f}")

    low, high = 0.05, 1.0
    for _ in range(14):
        middle = (low + high) / 2
        fits = weights_of(sizing_integers(prepared(at(middle)), data)) <= most
        low, high = (middle, high) if fits else (low, middle)
    return at(low)


def inherited(teacher: Graph, like: Graph) -> Graph:
    """The original's largest channels at the widths of another graph."""
    teacher, like = prepared(teacher), prepared(like)
    groups, widths = channel_groups(teacher), [g.units for g in channel_groups(like)]
    kept = [
        sorted(np.argsort(-values, kind="stable")[:width].tolist())
        for values, width in zip(magnitude(teacher, groups), widths, strict=True)
    ]
    return cut(teacher, groups, kept)


def control(
    kind: str,
    teacher: Graph,
    data: Dataset,
    out: Path,
    options: Any,
    seed: int,
    record: dict[str, Any],
) -> dict[str, Any]:
    path = out / f"{kind}-{seed}.json"
    if path.exists():
        return read_json(path)  # type: ignore[no-any-return]
    effort = record["effort"]
    recipe = replace(options.recipe, seed=seed, views=effort["views"])
    graph = uniform(data, record["weights"])
    if kind == "inherited":
        graph = inherited(teacher, graph)
    run = out / f"{kind}-{seed}"
    cache = out / "teacher-views"
    longer = with_visits(recipe, visits_of(effort), effort["samples"])
    part = replace(data, train=data.train.take(effort["samples"]))
    with Progress() as bar:
        trained = train(
            graph,
            part,
            longer,
            teacher=teacher,
            out=run / "float",
            resume=True,
            cache=cache,
            validate=False,
            progress=bar,
        ).graph
        rounded = ship(trained, data, api.device(BOARD))
        gentle = replace(recipe, lr=GENTLE * recipe.lr, weight_decay=0.0)
        integers = tune(
            trained,
            part,
            with_visits(gentle, effort["integers"], effort["samples"]),
            teacher=teacher,
            out=run / "integers",
            resume=True,
            cache=cache,
            validate=False,
            progress=bar,
        ).graph
    learned = compiled(integers, api.device(BOARD))
    shipped = max((rounded, learned), key=lambda each: points(each, data, "validation")[0])
    losses = points(shipped, data, "test")[1]
    before = evaluate(teacher, data, data.test).losses
    drop = paired_drop(before, losses)
    write_json(
        path,
        {
            "weights": weights_of(shipped.quantized),
            "flash": shipped.sizes.flash,
            "ram": shipped.sizes.ram,
            "instructions": shipped.sizes.instructions,
            "macs": shipped.quantized.macs,
            "metric": 100.0 * (1.0 - float(losses.mean())),
            "drop": drop.points,
            "drop_bound": drop.bound,
        },
    )
    return read_json(path)  # type: ignore[no-any-return]


def points(shipped: Shipped, data: Dataset, part: str) -> tuple[float, Array]:
    found = evaluate_integers(shipped, data, data.parts[part])
    return found.metric, found.losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crops", default="out/deeplite/crops.npz")
    parser.add_argument("--out", type=Path, default=Path("out/deeplite"))
    parser.add_argument("--time", default="2h", help="of each search")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--teacher-epochs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--controls", nargs="*", default=["uniform", "inherited"])
    options = parser.parse_args()
    options.recipe = Recipe(threads=options.threads, batch=32, augment="rotate")
    data = api.data(options.crops)
    teacher = make_teacher(data, options.out, options.recipe, options.teacher_epochs)
    before = evaluate(teacher, data, data.test).metric
    print(f"original: {before:.2f} % on {len(data.test):,} sealed crops, {BYTES:,} B, ", end="")
    print(f"{prepared(teacher).macs / 1e6:.1f} M multiply-accumulates", flush=True)
    rows: list[tuple[str, dict[str, Any]]] = []
    for seed in range(options.seeds):
        record = ours(teacher, data, options.out, options, seed)
        rows.append((f"netsuke fit, seed {seed}", record))
        show(rows[-1:], teacher)
        for kind in options.controls:
            found = control(kind, teacher, data, options.out, options, seed, record)
            rows.append((f"{kind} width, seed {seed}", found))
            show(rows[-1:], teacher)
    print("\nmean over seeds")
    for kind in ("netsuke fit", *(f"{name} width" for name in options.controls)):
        drops = [row["drop"] for name, row in rows if name.startswith(kind)]
        spread = f"{min(drops):+.2f} … {max(drops):+.2f}"
        print(f"  {kind:16s} drop {np.mean(drops):+.2f} points ({spread})")
    write_json(options.out / "table.json", [[name, slim(row)] for name, row in rows])


def slim(row: dict[str, Any]) -> dict[str, Any]:
    names = ("weights", "flash", "ram", "instructions", "macs", "metric", "drop", "drop_bound")
    return {name: row[name] for name in names}


def show(rows: list[tuple[str, dict[str, Any]]], teacher: Graph) -> None:
    for name, row in rows:
        print(
            f"{name:26s} weights {row['weights']:8,} B ({BYTES / row['weights']:5.1f}x)  "
            f"flash {row['flash']:8,} B ({BYTES / row['flash']:5.1f}x)  RAM {row['ram']:7,} B  "
            f"{row['macs'] / 1e6:5.2f} M MAC ({prepared(teacher).macs / row['macs']:4.1f}x fewer)  "
            f"{row['metric']:.2f} %  drop {row['drop']:+.2f} (at most {row['drop_bound']:+.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
