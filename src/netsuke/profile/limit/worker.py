"""One process of a task: ``python -m netsuke.profile.limit.worker FOLDER ORDERS``.

Its base is what it takes once PyTorch and netsuke are loaded. From there on the kernel refuses
whatever would go beyond the limit: private memory by ``RLIMIT_DATA`` = what there is of it at the
base + limit - base, and where the run has a control group, everything by ``memory.max``.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.data.stored import stored_inputs
from netsuke.ir import Array, Graph, load_graph
from netsuke.ops import OPERATORS
from netsuke.profile.events import resident
from netsuke.profile.limit.rows import Rows
from netsuke.profile.limit.setting import Setting
from netsuke.profile.limit.task import CHUNKS, Task
from netsuke.profile.phases import phase, report_metric
from netsuke.train import Recipe, scores_graph, to_module
from netsuke.train.evaluate import classify
from netsuke.train.loss import loss

PROBED = 2
"""Steps of training that a probe does of each kind: Adam has its moments after the first."""


class Worker:
    """Does a task in one setting."""

    def __init__(self, folder: Path, orders: dict[str, Any]) -> None:
        import torch

        self.folder = folder
        self.task, self.setting = Task(**orders["task"]), Setting.of(orders["setting"])
        torch.set_num_threads(self.task.threads)
        torch.manual_seed(self.task.seed)

    def load(self) -> None:
        import torch

        held = not self.setting.lean
        about = json.loads((self.folder / "data.json").read_text())
        self.kind, self.classes = about["task"], about["classes"]
        content = (self.folder / "graph.nsk").read_bytes()
        self.graph: Graph = scores_graph(load_graph(content, OPERATORS))
        self.train, self.test = (
            Rows(self.folder / f"{name}.npy", held) for name in ("train", "test")
        )
        self.targets, self.labels = (
            np.load(self.folder / f"{name}_labels.npy") for name in ("train", "test")
        )
        self.scale, self.offset = (
            np.load(self.folder / f"{name}.npy") for name in ("scale", "offset")
        )
        self.module = to_module(self.graph)
        self.forward: Callable[[Any], Any] = self.module
        if self.setting.recompute:
            from netsuke.profile.limit.recompute import recomputing

            self.forward = recomputing(self.module)
        # One tensor after the other: without copies of all weights in each step.
        several = None if not self.setting.lean else False
        self.optimizer: Any = torch.optim.Adam(
            self.module.parameters(), self.task.lr, foreach=several
        )

    def inputs(self, rows: Rows, positions: Array) -> Any:
        import torch

        samples = rows.take(positions).astype(np.float32) * self.scale + self.offset
        return torch.from_numpy(stored_inputs(self.graph, samples))

    def fit(self, steps: int, micro: int) -> None:
        """Train; each batch in micro-batches whose gradients are added up."""
        rng, recipe = np.random.default_rng(self.task.seed), Recipe()
        batch = min(self.task.batch, len(self.train))
        order, place = rng.permutation(len(self.train)), 0
        self.module.train()
        for _ in range(steps):
            if place + batch > len(order):
                order, place = rng.permutation(len(self.train)), 0
            chosen = order[place : place + batch]
            place += batch
            self.optimizer.zero_grad(set_to_none=True)
            for start in range(0, batch, micro or batch):
                part = chosen[start : start + (micro or batch)]
                outputs = self.forward(self.inputs(self.train, part))
                value = loss(outputs, self.targets[part], None, self.kind, self.classes, recipe)
                (value * (len(part) / batch)).backward()
                del outputs, value
            self.optimizer.step()
        self.module.eval()

    def tidy(self) -> None:
        """Before the evaluation: what only training needs may go."""
        if self.setting.lean:
            self.optimizer.zero_grad(set_to_none=True)
            self.optimizer.state.clear()
            gc.collect()
            trim()

    def judge(self, count: int, chunk: int) -> float:
        """Share of right answers, or 1 - error / variance, of the first test samples."""
        losses = []
        chunk = chunk or count
        for start in range(0, count, chunk):
            positions = np.arange(start, min(start + chunk, count))
            outputs = self.scores(positions)
            if self.kind == "regression":
                wanted = self.labels[positions].reshape(len(positions), -1)
                losses.append(np.square(outputs - wanted).mean(axis=1))
            else:
                losses.append((classify(outputs) != self.labels[positions]).astype(np.float64))
        variance = float(self.labels.var()) or 1.0 if self.kind == "regression" else 1.0
        return 1.0 - float(np.concatenate(losses).mean()) / variance

    def scores(self, positions: Array) -> Array:
        import torch

        with torch.inference_mode():
            outputs = self.module(self.inputs(self.test, positions))
        return outputs.reshape(len(positions), -1).numpy()

    def run(self) -> None:
        """All of it, as a person would do it."""
        with phase("load"):
            self.load()
        with phase("train"):
            self.fit(self.task.steps, self.setting.micro)
        with phase("evaluate"):
            self.tidy()
            accuracy = self.judge(len(self.test), self.setting.chunk)
        with phase("infer"):
            for number in range(min(self.task.infer, len(self.test))):
                self.scores(np.array([number]))
        report_metric("accuracy", accuracy)

    def probe(self) -> None:
        """A little of it in every size, ascending; sizes that the kernel refuses end the row."""
        with phase("load"):
            self.load()
        for micro in self.task.micros:
            if not self._tried(f"train {micro}", partial(self.fit, PROBED, micro)):
                break
        self.tidy()
        count = len(self.test)
        for chunk in (*(size for size in CHUNKS if size < count), count):
            if chunk > CHUNKS[-1]:
                break
            if not self._tried(f"evaluate {chunk}", partial(self.judge, chunk, chunk)):
                break
        self._tried("infer", lambda: self.scores(np.array([0])))

    def _tried(self, name: str, work: Callable[[], object]) -> bool:
        try:
            with phase(name):
                began = time.perf_counter()
                work()
                report_metric(f"seconds {name}", time.perf_counter() - began)
        except (RuntimeError, MemoryError):
            report_metric(f"refused {name}", 1)
            self.optimizer.zero_grad(set_to_none=True)
            return False
        return True


def trim() -> None:
    """Hand freed memory back to the system (glibc; elsewhere nothing)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def enforce(limit: int, base: int) -> None:
    """From now on the kernel refuses private memory beyond the limit."""
    private = 0
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            private = 1024 * int(line.split()[1])
    allowed = private + max(limit - base, 0)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))


def main(folder: str, orders: str) -> None:
    wanted = json.loads(Path(orders).read_text())
    worker = Worker(Path(folder), wanted)
    base, _ = resident()
    report_metric("base", base)
    if wanted["limit"]:
        enforce(wanted["limit"], base)
    if wanted["probe"]:
        worker.probe()
    else:
        worker.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
