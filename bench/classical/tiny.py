"""The small estimators against the figures that were published for 2 KB of RAM.

    python bench/classical/tiny.py [task ...]

Tasks: usps-512, usps-512-pushed, usps-2k, digits, cancer.

Every task has a few candidates within its budget. On each split the candidate with the best
3-fold cross-validation on the training rows is fitted to all of them, tested once on the held-out
rows, and then all of these run on an emulated ATmega328P: bytes, cycles and whether every row is
equal. The same models run with their input pushed, one value at a time or a task's `chunk` of them
(then the chunk's buffer counts as RAM); a task with a chunk is judged by that
mode. References (1-NN, RBF-SVM, logistic regression) are fitted to the same rows, because a random
hold-out of the USPS training set is easier than the set's own test part, which is not at hand here.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import netsuke as nk
from netsuke.codegen import compile_graph
from netsuke.estimators import BonsaiClassifier, TinyLinearClassifier, TinyMLPClassifier
from netsuke.ir import Array
from netsuke.verify.simavr import SimavrModel

FOLDER = Path(__file__).parent
DATA = Path(os.environ.get("NETSUKE_DATA", FOLDER.parents[2] / "shared" / "data"))
UNO = nk.device("arduino-uno")
REFERENCES = {
    "1-NN": KNeighborsClassifier(1),
    "RBF-SVM": make_pipeline(StandardScaler(), SVC(C=10)),
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
}


@dataclass(frozen=True)
class Task:
    """Rows, how many are held out, what is tried and what is asked; how many values are pushed."""

    rows: Any
    held_out: int | float
    candidates: tuple[Any, ...]
    asked: str
    splits: int = 5
    chunk: int = 1


def usps() -> tuple[Array, Array]:
    """Digits 0-4 against 5-9; grey values 0 .. 127."""
    with gzip.open(DATA / "usps" / "zip.train.gz") as file:
        table = np.loadtxt(file)
    return np.rint((table[:, 1:] + 1) * 63.5), (table[:, 0] >= 5).astype(int)


TASKS = {
    "usps-512": Task(
        usps,
        2007,
        (
            BonsaiClassifier(300, depth=1),
            BonsaiClassifier(300, depth=1, projection_size=5),
            BonsaiClassifier(300, depth=2, projection_size=5),
            BonsaiClassifier(320, depth=2, projection_size=5),
        ),
        ">= 94.4 % at <= 512 B of model and <= 6,000 cycles",
    ),
    "usps-512-pushed": Task(
        usps,
        2007,
        (
            BonsaiClassifier(200, depth=2, projection_size=4),
            BonsaiClassifier(220, depth=2, projection_size=4),
            BonsaiClassifier(240, depth=2, projection_size=4),
            BonsaiClassifier(250, depth=2, projection_size=4),
        ),
        ">= 94.4 % at <= 512 B of model, <= 6,000 cycles and <= 64 B of RAM in one mode",
        chunk=20,
    ),
    "usps-2k": Task(
        usps,
        2007,
        (
            TinyMLPClassifier(900, decay=3e-3),
            TinyMLPClassifier(1000, decay=3e-3),
            BonsaiClassifier(1000, depth=2, projection_size=8),
        ),
        ">= 95.7 % at <= 2,048 B of model and <= 20,000 cycles",
    ),
    "digits": Task(
        lambda: load_digits(return_X_y=True),
        0.3,
        (
            TinyMLPClassifier(820, hidden_size=18),
            TinyMLPClassifier(820, hidden_size=18, decay=3e-3),
            TinyMLPClassifier(860, hidden_size=22),
            TinyMLPClassifier(880, hidden_size=24),
        ),
        ">= 97 % at <= 2,048 B of flash and <= 16,000 cycles",
    ),
    "cancer": Task(
        lambda: load_breast_cancer(return_X_y=True),
        0.3,
        (
            TinyLinearClassifier(decay=1e-3),
            TinyLinearClassifier(decay=3e-3),
            TinyLinearClassifier(decay=1e-2),
        ),
        ">= 97 % at <= 400 B of flash and <= 2,000 cycles",
        splits=20,  # 171 held-out rows: one of them is 0.6 %
    ),
}


def chosen(task: Task, rows: Array, labels: Array, seed: int) -> Any:
    """The candidate with the best cross-validation on training rows, fitted to all of them."""
    scores = []
    for candidate in task.candidates:
        model = seeded(candidate, seed)
        scores.append(cross_val_score(model, rows, labels, cv=3).mean())
    return seeded(task.candidates[int(np.argmax(scores))], seed).fit(rows, labels)


def seeded(candidate: Any, seed: int) -> Any:
    """A copy of the candidate, with the seed if it has any randomness."""
    model = clone(candidate)
    return model.set_params(random_state=seed) if "random_state" in model.get_params() else model


def on_device(model: Any, rows: Array) -> dict[str, Any]:
    """All rows on an emulated ATmega328P."""
    emulated = SimavrModel(compile_graph(model.to_graph(), UNO))
    (decided,) = emulated.run(model.stored(rows))
    equal = model.classes_[decided[:, 0]] == model.predict(rows)
    sizes = emulated.image.sizes
    return {
        "model_bytes": model.model_bytes_,
        "flash": sizes.text + sizes.library + sizes.rodata,
        "ram": emulated.ram,
        "cycles": max(emulated.cycles),
        "agreement": float(equal.mean()),
    }


def streamed(model: Any, rows: Array, chunk: int) -> dict[str, Any]:
    """The same with features pushed, so many at a time: no memory holds the input."""
    artifact = compile_graph(model.to_graph(), UNO, stream=chunk)
    emulated = SimavrModel(artifact)
    (decided,) = emulated.run(model.stored(rows))
    equal = model.classes_[decided[:, 0]] == model.predict(rows)
    sizes = emulated.image.sizes
    return {
        "chunk": chunk,
        "model_bytes": artifact.weights,
        "flash": sizes.text + sizes.library + sizes.rodata,
        "ram": emulated.ram,
        "cycles": max(emulated.cycles),
        "agreement": float(equal.mean()),
        "rows": len(rows),
    }


def run(task: Task) -> dict[str, Any]:
    """One task on several splits."""
    rows, labels = task.rows()
    results: list[dict[str, Any]] = []
    for seed in range(task.splits):
        split = train_test_split(
            rows, labels, test_size=task.held_out, random_state=seed, stratify=labels
        )
        train, test, known, truth = split
        start = time.perf_counter()
        model = chosen(task, train, known, seed)
        result = {
            "model": " ".join(str(model).split()),
            "accuracy": 100 * model.score(test, truth),
            "seconds": time.perf_counter() - start,
            **on_device(model, test),
            "streamed": streamed(model, test if task.chunk > 1 else test[:200], task.chunk),
        }
        if seed == 0:
            result["references"] = {
                name: 100 * reference.fit(train, known).score(test, truth)
                for name, reference in REFERENCES.items()
            }
        results.append(result)
    accuracy = [result["accuracy"] for result in results]
    judged = [result["streamed"] if task.chunk > 1 else result for result in results]
    return {
        "asked": task.asked,
        "accuracy": float(np.mean(accuracy)),
        "spread": float(np.std(accuracy)),
        **{key: max(r[key] for r in judged) for key in ("model_bytes", "flash", "ram", "cycles")},
        "agreement": min(mode["agreement"] for mode in judged),
        "splits": results,
    }


def main() -> None:
    """Run the tasks that were named, or all of them, and write what was measured."""
    warnings.simplefilter("ignore")
    file = FOLDER / "tiny.json"
    record = json.loads(file.read_text()) if file.exists() else {}
    for name in sys.argv[1:] or TASKS:
        record[name] = run(TASKS[name])
        one = record[name]
        print(
            f"{name}: {one['accuracy']:.2f} +- {one['spread']:.2f} %, {one['model_bytes']} B of "
            f"model, {one['flash']} B of flash, {one['ram']} B of RAM, {one['cycles']:,} cycles, "
            f"{100 * one['agreement']:.0f} % of rows equal   (asked: {one['asked']})",
            flush=True,
        )
        stream = one["splits"][0]["streamed"]
        print(
            f"  pushed by {stream['chunk']}: {stream['ram']} B of RAM, {stream['cycles']:,} cycles"
        )
        for reference, accuracy in one["splits"][0]["references"].items():
            print(f"  {reference}, first split: {accuracy:.2f} %")
        file.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
