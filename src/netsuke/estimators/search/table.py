"""Rows and targets of a table, with a sealed part that only the last judgement sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import DataError, UsageError
from netsuke.ir import Array

FEWEST = 20
"""Rows below which nothing can be said about accuracy."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What is to be learned.

    Attributes
    ----------
    x
        ``(n, features)`` float64, finite.
    y
        ``(n,)`` class numbers, or reals of a regression.
    classes
        Labels by class number; empty for a regression.
    train, sealed
        Row numbers: the sealed ones are not seen before the last judgement.
    names
        Of the columns.
    """

    x: Array
    y: Array
    classes: tuple[Any, ...]
    train: Array
    sealed: Array
    names: tuple[str, ...]

    @property
    def is_classification(self) -> bool:
        return bool(self.classes)

    @property
    def metric(self) -> str:
        """Name of the score: accuracy in percent, or 100 · R² (1 is perfect, 0 is the mean)."""
        return "accuracy" if self.is_classification else "R²"

    def score(self, rows: Array, predicted: Array) -> float:
        """The metric in points: class numbers or reals against those of some rows."""
        truth = self.y[rows]
        if self.is_classification:
            return 100.0 * float((predicted == truth).mean())
        spread = float(np.square(truth - truth.mean()).sum()) or 1.0
        return 100.0 * (1.0 - float(np.square(predicted - truth).sum()) / spread)

    def folds(self, count: int, seed: int) -> list[tuple[Array, Array]]:
        """(rows to fit, rows to judge) `count` times, stratified; sealed rows are in none."""
        from sklearn.model_selection import KFold, StratifiedKFold

        splitter = StratifiedKFold if self._can_stratify(count) else KFold
        parts = splitter(count, shuffle=True, random_state=seed)
        y = self.y[self.train]
        return [(self.train[a], self.train[b]) for a, b in parts.split(self.x[self.train], y)]

    def _can_stratify(self, count: int) -> bool:
        if not self.is_classification:
            return False
        return int(np.bincount(self.y[self.train]).min()) >= count


def make_table(
    x: Any, y: Any, test: float, seed: int, task: str | None = None, names: Sequence[str] = ()
) -> Table:
    """Check a person's rows and targets, and seal a part of them.

    Parameters
    ----------
    x
        ``(n, features)`` numbers; a pandas frame gives its column names.
    y
        ``(n,)``: labels of any kind, or reals for a regression.
    test
        Share of the rows that is sealed.
    seed
        Of the split.
    task
        ``"classification"`` or ``"regression"``; without it real targets that are no whole numbers
        make a regression.
    names
        Of the columns.

    Raises
    ------
    DataError
        When rows are no finite numbers, do not match the targets, or are too few.
    """
    names = tuple(map(str, getattr(x, "columns", names)))
    try:
        rows = np.asarray(x, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("table", f"has a field that is no number: {error}") from None
    if rows.ndim != 2 or not rows.size:
        raise DataError("table", f"is {list(rows.shape)}; rows of features are (n, features)")
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        where = names[column] if names else f"column {column}"
        raise DataError(f"table: row {row}, {where}", "is NaN or infinite; fill or drop it")
    targets = np.asarray(y)
    if targets.shape != (len(rows),):
        raise DataError(
            "table", f"has {len(rows)} rows, the targets are {list(targets.shape)}, not one a row"
        )
    if len(rows) < FEWEST:
        raise DataError("table", f"has {len(rows)} rows; at least {FEWEST} are needed")
    values, classes = _numbered(targets, task)
    train, sealed = _sealed(values, bool(classes), test, seed)
    return Table(rows, values, classes, train, sealed, names)


def _numbered(targets: Array, task: str | None) -> tuple[Array, tuple[Any, ...]]:
    """Class numbers and labels, or reals and ()."""
    real = targets.dtype.kind == "f"
    if real and not np.isfinite(targets).all():
        raise DataError("targets", "hold NaN or infinity")
    guess = "regression" if real and not (targets == np.rint(targets)).all() else "classification"
    task = task or guess
    if task not in ("classification", "regression"):
        raise DataError("task", f"{task!r} is neither classification nor regression")
    if task == "regression":
        try:
            return targets.astype(np.float64), ()
        except ValueError:
            raise DataError("targets", "are no numbers, as a regression needs") from None
    try:
        labels, values = np.unique(targets, return_inverse=True)
    except TypeError:
        raise DataError("targets", "mix labels of several kinds") from None
    if not 2 <= len(labels) <= 255:
        hint = "; quantities are learned by the task regression" if len(labels) > 255 else ""
        raise DataError("targets", f"have {len(labels)} classes; 2 to 255 can be told apart{hint}")
    return values.astype(np.int64), tuple(labels.tolist())


def _sealed(y: Array, stratify: bool, test: float, seed: int) -> tuple[Array, Array]:
    from sklearn.model_selection import train_test_split

    if not 0.05 <= test <= 0.5:
        raise DataError("test", f"is {test}; between 0.05 and 0.5 of the rows can be sealed")
    if not 0 <= seed < 1 << 32:
        raise UsageError(f"the seed is {seed}; it lies between 0 and {(1 << 32) - 1}")
    rows = np.arange(len(y))
    enough = stratify and int(np.bincount(y).min()) >= 2
    if enough and test * len(y) < len(np.unique(y)):
        enough = False
    train, sealed = train_test_split(
        rows, test_size=test, random_state=seed, stratify=y if enough else None
    )
    if stratify and len(np.unique(y[train])) < len(np.unique(y)):
        rarest = int(np.bincount(y).argmin())
        raise DataError(
            "targets",
            f"have {int(y.max()) + 1} classes, one of them in {np.bincount(y)[rarest]} of {len(y)} "
            "rows, too few to be learned and judged; if they are quantities, ask for the task "
            "regression (--task regression), else drop the class",
        )
    return np.sort(train), np.sort(sealed)


def batches(rows: Array, size: int) -> Iterator[Array]:
    """`size` rows at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
