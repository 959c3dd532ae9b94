"""What a forest takes on an ATmega328P, as grown and as refined.

    python bench/classical/forests.py [--json forests.json]

Digits, 70/30, stratified. The forest of 50 trees of depth 8 (random_state 0) by hard and by soft
voting; then refined forests in 5,200 B of tables on five splits, from 100 extremely randomized
trees (that start, and C, were chosen on rows held out of the training rows; no test row was looked
at). All test rows run on the emulator, and each is equal to the graph's meaning.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.model_selection import train_test_split

import netsuke as nk
from netsuke.codegen import compile_graph
from netsuke.errors import NetsukeError
from netsuke.estimators import RefinedForestClassifier
from netsuke.estimators.convert import Features
from netsuke.estimators.convert.trees import tree_graph
from netsuke.estimators.rows import run_rows
from netsuke.ir import Graph
from netsuke.verify.simavr import SimavrModel

BYTES = 5200
Row = dict[str, Any]


def split(seed: int) -> list[np.ndarray]:
    X, y = load_digits(return_X_y=True)
    found: list[np.ndarray] = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
    return found


def measured(name: str, graph: Graph, rows: np.ndarray, labels: np.ndarray) -> Row:
    stored = rows.astype(np.uint8)
    meaning = run_rows(graph, stored).ravel()
    row: Row = {"model": name, "accuracy": float((meaning == labels).mean())}
    try:
        device = SimavrModel(compile_graph(graph, nk.device("arduino-uno")))
    except NetsukeError as error:
        return {**row, "why": str(error)[:120]}
    (y,) = device.run(stored)
    sizes = device.image.sizes
    arena = sum(arena.size for arena in device.image.arenas)
    return {
        **row,
        "equal": bool((y.ravel() == meaning).all()),
        "flash B": sizes.text + sizes.library + sizes.rodata,
        "RAM B": arena + sizes.data + sizes.bss,
        "stack B": device.stack,
        "cycles": float(np.mean(device.cycles)),
        "most cycles": max(device.cycles),
    }


def grown() -> Iterator[Row]:
    a, b, c, d = split(0)
    features = Features(np.zeros(64), np.ones(64), samples=a)
    for trees in (10, 50):
        forest = RandomForestClassifier(trees, max_depth=8, random_state=0).fit(a, c)
        for vote in ("hard", "soft"):
            row = measured(f"{trees} trees, {vote}", tree_graph(forest, features, vote=vote), b, d)
            yield {**row, "scikit-learn": forest.score(b, d)}


def refined() -> Iterator[Row]:
    for seed in range(5):
        a, b, c, d = split(seed)
        start = ExtraTreesClassifier(100, max_depth=8)
        model = RefinedForestClassifier(start, max_bytes=BYTES, step=0.3, C=0.1, random_state=0)
        model.fit(a, c)
        row = measured(f"refined, split {seed}", model.to_graph(), b, d)
        yield {**row, "leaves": model.n_leaves_, "as in Python": model.score(b, d)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for part in (grown, refined):
        for row in part():
            rows.append(row)
            shown = (
                f"{k}: {v:.5g}" if isinstance(v, float) else f"{k}: {v}" for k, v in row.items()
            )
            print(", ".join(shown), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
