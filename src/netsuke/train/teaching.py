"""A teacher's scores for the samples of each step, computed as seldom as possible."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from netsuke.data import Dataset
from netsuke.data.stored import stored_inputs
from netsuke.errors import DataError
from netsuke.files import write_whole
from netsuke.ir import Array, Graph
from netsuke.train.augment import Moves, draw_moves, moved
from netsuke.train.evaluate import predict
from netsuke.train.module import scores_graph, to_module
from netsuke.train.recipe import Recipe

BATCH = 256
"""Samples that the teacher scores at a time."""

VIEW = 0x51E3
"""Sets the random numbers of views apart from those of epochs."""


def view_of(epoch: int, recipe: Recipe) -> int | None:
    """The view that an epoch shows; None where each epoch augments anew."""
    return epoch % recipe.views if recipe.views else None


def view_moves(data: Dataset, recipe: Recipe, view: int) -> Moves | None:
    """How a view moves each training sample; None where it shows them as they are."""
    if recipe.augment == "none" or len(data.shape) != 3:
        return None
    rng = np.random.default_rng([recipe.seed, VIEW, view])
    return draw_moves(recipe.augment, data.shape, len(data.train), rng)


class Teaching:
    """Where the scores come from that a student learns.

    Known scores of unmoved samples are looked up; views are computed once each, and kept on the
    disk for later epochs, trainings and students; samples that are augmented anew pass through
    the teacher in each step.

    Parameters
    ----------
    teacher
        A float graph, or None.
    taught
        The teacher's scores of the training samples, where they are known: ``(n, k)`` without
        augmentation, or of every view ``(views, n, k)``.
    data, recipe
        What is learned, and how it is augmented.
    folder
        Where scores of views are kept; None keeps them in memory.
    """

    def __init__(
        self,
        teacher: Graph | None,
        taught: Array | None,
        data: Dataset,
        recipe: Recipe,
        folder: Path | None = None,
    ) -> None:
        self.graph, self.taught, self.data, self.recipe = teacher, taught, data, recipe
        self.module = None if teacher is None else to_module(scores_graph(teacher)).eval()
        self.folder = folder
        self.views: dict[int, Array] = {}

    def fingerprint(self) -> str:
        """Of what is taught; empty without a teacher."""
        if self.taught is not None:
            return hashlib.sha256(np.ascontiguousarray(self.taught).tobytes()).hexdigest()
        return "" if self.graph is None else self.graph.fingerprint()

    def scores(self, samples: Array, positions: Array, view: int | None) -> Any:
        """Scores for samples as a step shows them, or None where nothing is taught."""
        unmoved = self.recipe.augment == "none"
        if self.taught is not None and self.taught.ndim == 3 and view is not None:
            return torch.from_numpy(self.taught[view][positions])
        if self.taught is not None and unmoved:
            return torch.from_numpy(self.taught[positions])
        if self.module is None or self.graph is None:
            return None
        if unmoved:
            self.taught = predict(scores_graph(self.graph), self.data.train)
            return torch.from_numpy(self.taught[positions])
        if view is not None:
            return torch.from_numpy(np.array(self._view(view)[positions]))
        with torch.no_grad():
            return self.module(torch.from_numpy(stored_inputs(self.module.graph, samples)))

    def all_views(self) -> Array:
        """Scores of every view ``(views, n, k)``, for students that see the samples smaller."""
        return np.stack([self._view(view) for view in range(self.recipe.views)])

    def _view(self, view: int) -> Array:
        """Scores of all training samples in one view ``(n, k)``."""
        if view not in self.views:
            path = None if self.folder is None else self.folder / f"{self._key(view)}.npy"
            found = None if path is None else _read(path, len(self.data.train))
            if found is None:
                found = self._compute(view)
                if path is not None:
                    _write(path, found)
                    found = _read(path, len(found))
                    assert found is not None
            self.views[view] = found
        return self.views[view]

    def _key(self, view: int) -> str:
        assert self.graph is not None
        facts = [
            self.graph.fingerprint(),
            self.data.fingerprint(),
            self.recipe.augment,
            self.recipe.seed,
            view,
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]

    def _compute(self, view: int) -> Array:
        assert self.module is not None
        moves, part, rows = view_moves(self.data, self.recipe, view), self.data.train, []
        for start in range(0, len(part), BATCH):
            positions = np.arange(start, min(start + BATCH, len(part)))
            samples = part.batch(positions)
            shown = samples if moves is None else moved(samples, moves.of(positions))
            with torch.inference_mode():
                scores = self.module(torch.from_numpy(stored_inputs(self.module.graph, shown)))
            rows.append(scores.reshape(len(positions), -1).numpy())
        return np.concatenate(rows)


def _read(path: Path, count: int) -> Array | None:
    """Scores that were kept, mapped into memory; None where there are none."""
    if not path.exists():
        return None
    try:
        found: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(str(path), f"cannot be read: {error}; delete it") from None
    if found.ndim != 2 or len(found) != count or found.dtype != np.float32:
        raise DataError(str(path), f"holds no scores of {count:,} samples; delete it")
    return found


def _write(path: Path, scores: Array) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(scores, np.float32), allow_pickle=False)
    write_whole(path, buffer.getvalue())
