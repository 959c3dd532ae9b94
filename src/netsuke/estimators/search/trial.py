"""One design on one set of rows: trained, turned into integers, measured."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.devices import Device
from netsuke.errors import NetsukeError
from netsuke.estimators.convert import to_graph
from netsuke.estimators.rows import run_rows
from netsuke.estimators.search.sizes import TableSizes, predicted_sizes
from netsuke.estimators.search.table import Table
from netsuke.ir import Array, Graph
from netsuke.verify.ports import to_stored


@dataclass(frozen=True, slots=True)
class Trial:
    """What came out of a design.

    Attributes
    ----------
    scores
        Metric in points on each fold that was tried, of the integers that the device computes.
    sizes
        Modelled, of the fold with the largest flash; None for a design that failed.
    failure
        Why it cannot be used, or "".
    """

    scores: tuple[float, ...]
    sizes: TableSizes | None
    failure: str = ""

    @property
    def mean(self) -> float:
        return float(np.mean(self.scores)) if self.scores else -np.inf

    def as_json(self) -> dict[str, Any]:
        sizes = self.sizes
        return {
            "scores": list(self.scores),
            "sizes": [sizes.flash, sizes.ram, sizes.cycles] if sizes else None,
            "failure": self.failure,
        }


def trial_from(value: dict[str, Any]) -> Trial:
    """The trial that `Trial.as_json` wrote."""
    sizes = value["sizes"]
    return Trial(tuple(value["scores"]), TableSizes(*sizes) if sizes else None, value["failure"])


def fitted(estimator: Any, table: Table, rows: Array, vote: str = "soft") -> tuple[Any, Graph]:
    """A design trained on some rows, and its integers; see `to_graph` for the vote."""
    from sklearn.base import clone

    model = clone(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a design that has not converged is judged by its score
        model.fit(table.x[rows], table.y[rows])
    return model, to_graph(model, table.x[rows], vote)


def predictions(graph: Graph, x: Array) -> Array:
    """Class numbers ``(n,)`` or reals of rows, as the device computes them."""
    (stored,), _ = to_stored(graph, (x,))
    out = run_rows(graph, stored)[:, 0]
    quant = graph.tensors[graph.outputs[0]].quant
    if quant is None:
        return out.astype(np.int64) if out.dtype.kind in "iu" else out
    return (out.astype(np.float64) - quant.zero_point[0]) * quant.scale[0]


def try_design(
    estimator: Any,
    table: Table,
    folds: list[tuple[Array, Array]],
    device: Device,
    known: Callable[[Graph], TableSizes] | None = None,
    vote: str = "soft",
) -> Trial:
    """Train a design on folds and judge its integers on the rows left out.

    A design that cannot be trained or does not run on the device gives a trial that says why.
    """
    scores: list[float] = []
    largest: TableSizes | None = None
    try:
        for learn, judge in folds:
            _, graph = fitted(estimator, table, learn, vote)
            rows = table.x[judge]
            sizes = known(graph) if known else predicted_sizes(graph, device, rows)
            scores.append(table.score(judge, predictions(graph, rows)))
            if largest is None or sizes.flash > largest.flash:
                largest = sizes
    except (NetsukeError, ValueError, ArithmeticError) as error:
        return Trial((), None, str(error))
    return Trial(tuple(scores), largest)
