"""Fastfood beside independent random features and the exact kernel.

    python bench/classical/fastfood.py [--json fastfood.json]

Three tables: accuracy on digits with a linear model behind the features (5 draws, 70/30,
random_state 0, stratified); time to fit and to transform 200 rows as features and rows grow
together (n = d = 64 .. 4096, the best of three; wall-clock, so reported and never gated); bytes and
cycles of the whole classifier in C on an emulated ATmega328P, where every row is equal.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.kernel_approximation import RBFSampler
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC

import netsuke as nk
from netsuke.codegen import compile_graph
from netsuke.estimators import FastfoodFeatures
from netsuke.estimators.budget import table_bytes
from netsuke.estimators.convert import to_graph
from netsuke.estimators.rows import run_rows
from netsuke.verify.simavr import SimavrModel

GAMMA = 5e-4
DRAWS = range(5)
SIZES = (64, 128, 256, 512)
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096)
Row = dict[str, Any]


def parts() -> list[np.ndarray]:
    X, y = load_digits(return_X_y=True)
    found: list[np.ndarray] = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    return found


def classifier(kind: Any, size: int, draw: int) -> Any:
    features = kind(gamma=GAMMA, n_components=size, random_state=draw)
    return make_pipeline(features, LinearSVC(C=10, dual=False))


def accuracies() -> Iterator[Row]:
    a, b, c, d = parts()
    exact = SVC(gamma=GAMMA, C=10).fit(a, c)
    yield {"features": "exact kernel", "n": len(exact.support_), "accuracy": exact.score(b, d)}
    for size in SIZES:
        for kind in (FastfoodFeatures, RBFSampler):
            scores = [classifier(kind, size, draw).fit(a, c).score(b, d) for draw in DRAWS]
            row = {"features": kind.__name__, "n": size, "accuracy": float(np.mean(scores))}
            yield {**row, "spread": float(np.std(scores))}


def times() -> Iterator[Row]:
    rng = np.random.default_rng(0)
    for length in LENGTHS:
        X = rng.normal(size=(200, length)).astype(np.float32)
        row: Row = {"d = n": length}
        for kind in (FastfoodFeatures, RBFSampler):
            fit, transform = [], []
            for draw in range(3):
                model = kind(gamma=1 / length, n_components=length, random_state=draw)
                start = time.perf_counter()
                model.fit(X)
                fit.append(time.perf_counter() - start)
                start = time.perf_counter()
                model.transform(X)
                transform.append(time.perf_counter() - start)
            row |= {f"{kind.__name__} fit s": min(fit), f"{kind.__name__} rows s": min(transform)}
        yield {**row, "n log2 n": length * int(np.log2(length))}


def devices() -> Iterator[Row]:
    a, b, c, d = parts()
    for size in SIZES[:3]:
        model = classifier(FastfoodFeatures, size, 0).fit(a, c)
        graph = to_graph(model, a)
        rows = b.astype(np.uint8)
        device = SimavrModel(compile_graph(graph, nk.device("arduino-uno")))
        (y,) = device.run(rows)
        sizes = device.image.sizes
        yield {
            "n": size,
            "accuracy": float((y.ravel() == d).mean()),
            "as in Python": float((y.ravel() == model.predict(b)).mean()),
            "equal": bool((y == run_rows(graph, rows)).all()),
            "tables B": table_bytes(graph),
            "flash B": sizes.text + sizes.library + sizes.rodata,
            "RAM B": device.ram,
            "cycles": float(np.mean(device.cycles)),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tables = {}
    for part in (accuracies, times, devices):
        tables[part.__name__] = []
        for row in part():
            tables[part.__name__].append(row)
            shown = (
                f"{k}: {v:.5g}" if isinstance(v, float) else f"{k}: {v}" for k, v in row.items()
            )
            print(part.__name__, "|", ", ".join(shown), flush=True)
    if options.json:
        options.json.write_text(json.dumps(tables, indent=1) + "\n")


if __name__ == "__main__":
    main()
