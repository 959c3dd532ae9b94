"""What a data set is: three parts, their labels, and how stored values became samples."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from netsuke.errors import DataError
from netsuke.ir import Array

CHUNK = 4096  # samples that are turned into float32 at a time


@dataclass(frozen=True, slots=True, eq=False)
class Normalisation:
    """sample = stored · scale + offset, in float32.

    Attributes
    ----------
    name
        ``unit`` (0 … 1), ``symmetric`` (-1 … 1), ``standard`` (mean 0, deviation 1 on the training
        part) or ``raw`` (as stored).
    scale, offset
        float32 arrays that broadcast against one sample.
    """

    name: str
    scale: Array
    offset: Array

    def apply(self, stored: Array) -> Array:
        """float32 samples of stored values."""
        return stored.astype(np.float32) * self.scale + self.offset

    def record(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {"name": self.name, "scale": self.scale.tolist(), "offset": self.offset.tolist()}


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some samples of a data set; values stay in their compact form until they are asked for.

    Attributes
    ----------
    stored
        ``(m, *shape)`` of uint8 or float32, shared among parts.
    indices
        Which of them belong to this part, in order: ``(n,)``.
    targets
        Class numbers (int64), real targets (float32), or None; ``(m,)`` or ``(m, k)``.
    normalisation
        How stored values become samples.
    """

    stored: Array
    indices: Array
    targets: Array | None
    normalisation: Normalisation

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.stored.shape[1:]

    @property
    def samples(self) -> Array:
        """All samples, float32 ``(n, *shape)``; computed anew each time."""
        out = np.empty((len(self), *self.shape), np.float32)
        for start in range(0, len(self), CHUNK):
            span = slice(start, start + CHUNK)
            out[span] = self.normalisation.apply(self.stored[self.indices[span]])
        return out

    @property
    def labels(self) -> Array:
        """Targets of the samples, in order.

        Raises
        ------
        DataError
            When the data set has none.
        """
        if self.targets is None:
            raise DataError("data", "has no labels; this step needs some")
        return self.targets[self.indices]

    def batch(self, positions: npt.ArrayLike) -> Array:
        """float32 samples at some positions of this part."""
        return self.normalisation.apply(self.stored[self.indices[np.asarray(positions)]])

    def batches(self, size: int) -> Iterator[Array]:
        """All samples, `size` at a time."""
        for start in range(0, len(self), size):
            yield self.batch(np.arange(start, min(start + size, len(self))))

    def take(self, count: int) -> Part:
        """The first samples; parts are stored in a mixed order, so these are a fair choice."""
        return replace(self, indices=self.indices[:count])


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Training, validation and test part of one task.

    Attributes
    ----------
    name
        The text that `load_data` was given.
    train, validation, test
        Disjoint parts; `test` is for the last judgement only.
    classes
        Names by class number; empty for regression and without labels.
    task
        ``"classification"``, ``"regression"`` or ``"unlabelled"``.
    features
        How samples were computed from recordings (window, mel bands …); empty for others.
    """

    name: str
    train: Part
    validation: Part
    test: Part
    classes: tuple[str, ...] = ()
    task: str = "classification"
    features: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, channels last."""
        return self.train.shape

    @property
    def normalisation(self) -> Normalisation:
        return self.train.normalisation

    @property
    def parts(self) -> dict[str, Part]:
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def fingerprint(self) -> str:
        """SHA-256 of all values, labels, parts and the way they were made."""
        digest = hashlib.sha256(json.dumps(self._origin(), sort_keys=True).encode())
        for name, part in self.parts.items():
            digest.update(f"{name}{len(part)}{part.stored.dtype}".encode())
            for start in range(0, len(part), CHUNK):
                chosen = part.indices[start : start + CHUNK]
                digest.update(np.ascontiguousarray(part.stored[chosen]).tobytes())
            if part.targets is not None:
                digest.update(np.ascontiguousarray(part.labels).tobytes())
        return digest.hexdigest()

    def _origin(self) -> dict[str, Any]:
        return {
            "shape": list(self.shape),
            "classes": list(self.classes),
            "task": self.task,
            "normalisation": self.normalisation.record(),
            "features": dict(self.features),
        }

    def record(self) -> dict[str, Any]:
        """Everything but the values, for a manifest or a report."""
        counts = {name: len(part) for name, part in self.parts.items()}
        return {"name": self.name, "samples": counts, **self._origin()}


def from_arrays(
    train: tuple[npt.ArrayLike, npt.ArrayLike | None],
    validation: tuple[npt.ArrayLike, npt.ArrayLike | None],
    test: tuple[npt.ArrayLike, npt.ArrayLike | None],
    classes: Sequence[str] = (),
    name: str = "arrays",
) -> Dataset:
    """Make a data set of a person's own arrays ``(samples, labels or None)``, taken as they are.

    Integer labels are class numbers; float labels are targets of a regression.
    """
    raw = Normalisation("raw", np.ones((), np.float32), np.zeros((), np.float32))
    parts = []
    for samples, labels in (train, validation, test):
        stored = np.asarray(samples, np.float32)
        if not np.isfinite(stored).all():
            raise DataError(name, "holds a value that is not finite")
        targets = None if labels is None else np.asarray(labels)
        if targets is not None and len(targets) != len(stored):
            raise DataError(name, f"{len(stored)} samples have {len(targets)} labels")
        if targets is not None:
            targets = targets.astype(np.int64 if targets.dtype.kind in "iub" else np.float32)
        parts.append(Part(stored, np.arange(len(stored)), targets, raw))
    first = parts[0].targets
    task = "unlabelled"
    if first is not None:
        task = "classification" if first.dtype == np.int64 else "regression"
    if task == "classification" and not classes:
        top = max(int(part.targets.max(initial=0)) for part in parts if part.targets is not None)
        classes = tuple(map(str, range(top + 1)))
    return Dataset(name, parts[0], parts[1], parts[2], tuple(classes), task)
