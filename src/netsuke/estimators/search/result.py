"""What a search over families hands over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from netsuke.codegen import Artifact
from netsuke.estimators.search.sizes import TableLimits, TableSizes
from netsuke.estimators.search.trial import Trial
from netsuke.ir import Array, Graph

ONE_SIDED_95 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Design:
    """A design that was tried.

    Attributes
    ----------
    name, family
        Of the candidate.
    trial
        Its scores on the folds, and its modelled sizes.
    """

    name: str
    family: str
    trial: Trial

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "family": self.family,
            "score": self.trial.mean if self.trial.scores else None,
            **self.trial.as_json(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class TableFit:
    """The best design that holds the limits, proved on the device, and the front of all.

    Attributes
    ----------
    met
        Whether all limits hold, as linked and measured.
    unmet
        Sentences that say which do not.
    name
        Of the chosen design.
    estimator
        Fitted to all rows but the sealed ones.
    graph, artifact
        Its integers, and its C for the device.
    metric
        ``"accuracy"`` (percent) or ``"R²"`` (times 100).
    score, bound
        On the sealed rows, as the device computed them; with 95 % confidence it is at least
        `bound` (Wilson's interval; for a regression there is none).
    sizes
        Flash, RAM and the mean of the cycles over the sealed rows: measured where the device's core
        is emulated, else modelled.
    slowest
        Cycles of the slowest sealed row.
    sizes_source
        Which of the two.
    predicted
        What was predicted before compiling.
    agreement
        Share of the sealed rows on which device and Python are equal; a proof demands 1.
    proved_on
        Where the sealed rows ran.
    confusion
        ``[truth][prediction]`` counts on the sealed rows; empty for a regression.
    classes
        Labels.
    designs
        Everything that was tried, best first.
    front
        Names of the designs that no other beats in score, flash, RAM and cycles at once.
    limits, device, seed, rows, sealed
        Of the task.
    notes
        What a person should know.
    tree
        The first tree of a tree or a forest; see `first_tree`.
    """

    met: bool
    unmet: tuple[str, ...]
    name: str
    estimator: Any
    graph: Graph
    artifact: Artifact
    metric: str
    score: float
    bound: float | None
    sizes: TableSizes
    slowest: int
    sizes_source: str
    predicted: TableSizes
    agreement: float
    proved_on: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[Any, ...]
    designs: tuple[Design, ...]
    front: tuple[str, ...]
    limits: TableLimits
    device: str
    seed: int
    rows: int
    sealed: int
    notes: tuple[str, ...] = ()
    tree: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values for a file or the command line."""
        return {
            "schema": "netsuke/1",
            "kind": "table",
            "met": self.met,
            "unmet": list(self.unmet),
            "design": self.name,
            "device": self.device,
            "metric": self.metric,
            "score": self.score,
            "score_bound": self.bound,
            **asdict(self.sizes),
            "cycles_slowest": self.slowest,
            "predicted": asdict(self.predicted),
            "agreement": self.agreement,
            "proved_on": list(self.proved_on),
            "confusion": [list(row) for row in self.confusion],
            "classes": [str(label) for label in self.classes],
            "designs": [design.as_json() for design in self.designs],
            "front": list(self.front),
            "limits": asdict(self.limits),
            "rows": self.rows,
            "sealed": self.sealed,
            "seed": self.seed,
            "notes": list(self.notes),
            "tree": dict(self.tree) if self.tree else None,
            "sources": {
                "score": "integers of the device on the sealed rows",
                "flash": self.sizes_source,
                "ram": self.sizes_source,
                "cycles": self.sizes_source,
                "predicted": "modelled",
                "designs": "cross-validation; sizes modelled",
            },
        }


def pareto(designs: Sequence[Design]) -> tuple[str, ...]:
    """Names of the designs that none equals or beats in every respect.

    Examples
    --------
    >>> small = Design("s", "f", Trial((90.0,), TableSizes(10, 10, 10)))
    >>> worse = Design("w", "f", Trial((80.0,), TableSizes(20, 10, 10)))
    >>> pareto([small, worse])
    ('s',)
    """
    known = [(design, key) for design in designs if (key := _key(design)) is not None]
    front = []
    for design, key in known:
        beaten = any(
            other != key and all(a <= b for a, b in zip(other, key, strict=True))
            for _, other in known
        )
        if not beaten:
            front.append(design.name)
    return tuple(front)


def _key(design: Design) -> tuple[float, ...] | None:
    sizes = design.trial.sizes
    if sizes is None or not design.trial.scores:
        return None
    return (-design.trial.mean, sizes.flash, sizes.ram, sizes.cycles)


def wilson_lower(right: int, count: int) -> float:
    """Share that is exceeded with 95 % confidence (one-sided), from `right` of `count`.

    (p + z²/2n - z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), Wilson 1927.

    Examples
    --------
    >>> round(wilson_lower(95, 100), 3)
    0.901
    """
    z, share = ONE_SIDED_95, right / count
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (share + z * z / (2 * count) - spread) / (1 + z * z / count)


def confusion_counts(truth: Array, predicted: Array, classes: int) -> tuple[tuple[int, ...], ...]:
    """``[truth][prediction]``."""
    counts = [[0] * classes for _ in range(classes)]
    for a, b in zip(truth, predicted, strict=True):
        counts[int(a)][int(b)] += 1
    return tuple(map(tuple, counts))


def best_first(trials: Mapping[str, Trial], families: Mapping[str, str]) -> tuple[Design, ...]:
    """Designs by score; equal scores by flash, then by name."""
    designs = [Design(name, families[name], trial) for name, trial in trials.items()]
    return tuple(
        sorted(
            designs,
            key=lambda d: (
                -len(d.trial.scores),
                -d.trial.mean,
                d.trial.sizes.flash if d.trial.sizes else 0,
                d.name,
            ),
        )
    )
