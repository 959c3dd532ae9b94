"""What is done within a limit, and the folder that its processes read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.data import Dataset, Part
from netsuke.data.stored import check_match
from netsuke.errors import UsageError
from netsuke.ir import Graph, save_graph
from netsuke.profile.limit.setting import Setting

MICRO = (5, 20, 100, 500)
"""Sizes of micro-batches that a probe tries."""
CHUNKS = (16, 64, 256, 1024)
"""Samples evaluated at a time that a probe tries; between and beyond, a line tells."""


@dataclass(frozen=True, slots=True)
class Task:
    """Training with Adam, an evaluation, and inferences of single samples.

    Attributes
    ----------
    steps, batch, lr
        Of the training; the rate stays.
    infer
        Test samples that are inferred one by one.
    seed
        Of the order of the samples.
    threads
        Of PyTorch.
    """

    steps: int = 200
    batch: int = 50
    lr: float = 1e-3
    infer: int = 10
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        if not (1 <= self.steps <= 10_000_000 and 1 <= self.batch <= 1 << 16):
            raise UsageError(f"{self.steps} steps of a batch of {self.batch} are no training")
        if not (0 < self.lr < 1e3 and 0 <= self.infer <= 1 << 20 and 1 <= self.threads <= 1024):
            raise UsageError(f"lr={self.lr}, {self.infer} inferences, {self.threads} threads")

    @property
    def micros(self) -> tuple[int, ...]:
        """Sizes of micro-batches to try, ascending; the last is the batch."""
        return (*(size for size in MICRO if size < self.batch), self.batch)

    def first(self, steps: int) -> Task:
        return replace(self, steps=min(steps, self.steps))


def write_folder(folder: Path, graph: Graph, data: Dataset) -> None:
    """Write graph and data as a process of the task reads them.

    Raises
    ------
    UsageError
        When they do not match, or the data have no labels to train and judge by.
    """
    if any(tensor.quant is not None for tensor in graph.tensors.values()):
        raise UsageError(f"{graph.name} is quantized; training needs the float model it came from")
    check_match(graph, data)
    if data.train.targets is None or not len(data.test):
        raise UsageError(f"{data.name} has no labels or no test part; both are needed")
    (folder / "graph.nsk").write_bytes(save_graph(graph))
    for name, part in (("train", data.train), ("test", data.test)):
        _write_part(folder, name, part)
    normalisation = data.normalisation
    np.save(folder / "scale.npy", normalisation.scale)
    np.save(folder / "offset.npy", normalisation.offset)
    about = {"task": data.task, "classes": len(data.classes)}
    (folder / "data.json").write_text(json.dumps(about))


def _write_part(folder: Path, name: str, part: Part) -> None:
    shape = (len(part), *part.shape)
    file = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", part.stored.dtype, shape)
    for start in range(0, len(part), 1024):
        file[start : start + 1024] = part.stored[part.indices[start : start + 1024]]
    file.flush()
    np.save(folder / f"{name}_labels.npy", part.labels)


def write_orders(path: Path, task: Task, setting: Setting, limit: int | None, probe: bool) -> None:
    """Write what one process is to do."""
    orders: dict[str, Any] = {
        "task": asdict(task),
        "setting": setting.record(),
        "limit": limit,
        "probe": probe,
    }
    path.write_text(json.dumps(orders))
