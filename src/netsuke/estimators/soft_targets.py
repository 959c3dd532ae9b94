"""Targets that are distributions over the classes in place of labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from netsuke.ir import Array

SUM_ERROR = 1e-3
"""How far the probabilities of a row may be from 1 in sum; they are then divided by their sum."""


def is_soft(y: Any) -> bool:
    """Whether targets are a table of probabilities: two axes, and two columns or more."""
    shape = np.asarray(y).shape
    return len(shape) == 2 and shape[1] > 1


def soft_targets(y: Any, classes: Any, rows: int) -> tuple[Array, Array]:
    """Distributions of rows and the labels of their columns.

    Parameters
    ----------
    y
        ``(rows, classes)`` probabilities.
    classes
        Labels of the columns, in rising order; None: 0, 1, 2 …
    rows
        How many rows there are.

    Returns
    -------
    tuple
        ``(rows, classes)`` float64 whose rows sum to 1, and ``(classes,)`` labels.

    Raises
    ------
    ValueError
        When a probability is no number, not finite or negative, when those of a row do not sum to
        1, or when the extents do not match; with the row and the number.
    """
    try:
        table = np.asarray(y, np.float64)
    except (TypeError, ValueError):
        raise ValueError("soft targets are numbers, and y holds something else") from None
    if len(table) != rows:
        raise ValueError(f"soft targets of {len(table)} rows came with {rows} rows of features")
    _refuse(~np.isfinite(table), table, "is NaN or infinite; a probability is finite")
    _refuse(table < 0, table, "is negative; a probability lies between 0 and 1")
    sums = table.sum(1)
    wrong = np.flatnonzero(np.abs(sums - 1) > SUM_ERROR)
    if len(wrong):
        raise ValueError(
            f"soft targets of row {wrong[0]} sum to {sums[wrong[0]]:.6g}, not to 1 "
            f"({len(wrong)} such rows); divide each row by its sum"
        )
    labels = np.arange(table.shape[1]) if classes is None else np.asarray(classes)
    if labels.shape != table.shape[1:]:
        raise ValueError(f"{labels.size} classes are named for {table.shape[1]} soft targets a row")
    if len(np.unique(labels)) < len(labels) or (np.unique(labels) != labels).any():
        raise ValueError("the classes of soft targets are labels in rising order, each once")
    return table / sums[:, None], labels


def _refuse(wrong: Array, table: Array, why: str) -> None:
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(f"soft target {table[row, column]:g} at row {row}, class {column} {why}")
