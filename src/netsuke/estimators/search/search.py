"""A table and a device in, the best certified model out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.devices import Device
from netsuke.errors import (
    MissingToolError,
    NetsukeError,
    NoDesignError,
    UsageError,
    VerificationError,
)
from netsuke.estimators.search.drawing import first_tree
from netsuke.estimators.search.families import EFFORTS, Candidate, candidates
from netsuke.estimators.search.proof import Proof, prove, require_tools
from netsuke.estimators.search.result import (
    TableFit,
    best_first,
    confusion_counts,
    pareto,
    wilson_lower,
)
from netsuke.estimators.search.sizes import TableLimits, TableSizes, predicted_sizes
from netsuke.estimators.search.table import Table
from netsuke.estimators.search.trial import Trial, fitted, predictions, trial_from, try_design
from netsuke.fit.folder import RunFolder
from netsuke.train.files import write_json

FOLDS = 5
FIRST = 2
"""Folds that every design is tried on; the better half and the front go on to the others."""
SLACK = 1.05
"""Predictions hold within 5 %: a design over a limit by more is not tried further."""


def search_table(
    table: Table,
    device: Device,
    limits: TableLimits,
    effort: str = "normal",
    seed: int = 0,
    out: Path | None = None,
    resume: bool = False,
    jobs: int = 1,
    progress: bool = False,
) -> TableFit:
    """Search families and sizes of models for the best one that a device can hold.

    Every design is trained and judged by the integers that the device would compute, by
    cross-validation on the rows that are not sealed, first on two folds, then, the better half and
    those on the front, on five. The best one within the limits is trained on all these rows,
    compiled, linked and run on the sealed rows, on the host and on the emulated device.

    Parameters
    ----------
    table
        From `make_table`.
    device
        With its flash, RAM and core.
    limits
        Bytes and cycles.
    effort
        ``"quick"``, ``"normal"`` or ``"thorough"``: how many designs.
    seed
        Same seed, same result, on any number of workers.
    out
        Folder of the run: what was computed once is not computed again.
    resume
        Go on with a run that is there.
    jobs
        Designs that are trained at a time.
    progress
        Show it on standard error.

    Raises
    ------
    MissingToolError
        When the device cannot be proved without a program that is not installed.
    NoDesignError
        When no design holds the limits; it names the smallest that was found.
    UsageError, DataError
        When the arguments are unusable.
    """
    if effort not in EFFORTS:
        raise UsageError(f"effort {effort!r} is none of {', '.join(EFFORTS)}")
    if jobs == 0:
        raise UsageError("jobs is 0; give a number of workers, or -1 for all cores")
    require_tools(device)
    bounds = limits.on(device)
    key = _key(table, device, bounds, effort, seed)
    folder = RunFolder(out, key, resume)
    designs = candidates(table, bounds.flash or device.flash, effort, seed)
    trials = _cross_validate(table, designs, device, bounds, folder, seed, jobs, progress)
    families = {design.name: design.family for design in designs}
    ranked = best_first(trials, families)
    by_name = {design.name: design for design in designs}
    allowed = [by_name[d.name] for d in ranked if d.trial.sizes and _close(d.trial.sizes, bounds)]
    chosen = _certified(allowed, table, device, bounds, out)
    if not isinstance(chosen, tuple):
        raise _impossible(trials, bounds, device, chosen)
    design, estimator, proof = chosen
    result = TableFit(
        **_judged(table, proof),
        met=True,
        unmet=(),
        name=design.name,
        estimator=estimator,
        graph=proof.graph,
        artifact=proof.artifact,
        sizes=proof.sizes,
        slowest=proof.slowest,
        sizes_source=proof.source,
        predicted=predicted_sizes(proof.graph, device, table.x[table.sealed]),
        agreement=1.0,
        proved_on=proof.places,
        designs=ranked,
        front=pareto(ranked),
        limits=bounds,
        device=device.id,
        seed=seed,
        rows=len(table.y),
        sealed=len(table.sealed),
        notes=_notes(trials),
        tree=first_tree(estimator, table.names, table.classes),
    )
    if out is not None:
        write_json(out / "result.json", result.as_json())
    return result


def _key(
    table: Table, device: Device, limits: TableLimits, effort: str, seed: int
) -> dict[str, Any]:
    digest = hashlib.sha256(np.ascontiguousarray(table.x).tobytes())
    digest.update(np.ascontiguousarray(table.y).tobytes())
    digest.update(table.sealed.tobytes())
    digest.update(json.dumps([str(label) for label in table.classes]).encode())
    return {
        "table": digest.hexdigest(),
        "device": device.id,
        "limits": [limits.flash, limits.ram, limits.cycles],
        "effort": effort,
        "seed": seed,
    }


def _cross_validate(
    table: Table,
    designs: Sequence[Candidate],
    device: Device,
    limits: TableLimits,
    folder: RunFolder,
    seed: int,
    jobs: int,
    progress: bool,
) -> dict[str, Trial]:
    """Scores of all designs: on two folds, then of the promising ones on all."""
    folds = table.folds(FOLDS, seed)
    run = _Runner(table, device, folder, jobs, progress)
    first = run.all(designs, folds[:FIRST], "first")
    ranked = best_first(first, {design.name: design.family for design in designs})
    fitting = [d for d in ranked if d.trial.sizes and _close(d.trial.sizes, limits)]
    promising = {d.name for d in fitting[: -(-len(fitting) // 2)]} | set(pareto(fitting))
    kept = [design for design in designs if design.name in promising]
    second = run.all(kept, folds[FIRST:], "second")
    return {**first, **{name: _joined(first[name], trial) for name, trial in second.items()}}


def _joined(first: Trial, second: Trial) -> Trial:
    if first.sizes is None or second.sizes is None:
        return Trial((), None, first.failure or second.failure)
    largest = max(first.sizes, second.sizes, key=lambda sizes: sizes.flash)
    return Trial(first.scores + second.scores, largest)


class _Runner:
    """Trains designs, each once in the life of a run's folder."""

    def __init__(
        self, table: Table, device: Device, folder: RunFolder, jobs: int, progress: bool
    ) -> None:
        self.table, self.device, self.folder = table, device, folder
        self.jobs, self.progress = jobs, progress

    def all(
        self, designs: Sequence[Candidate], folds: list[tuple[Any, Any]], rung: str
    ) -> dict[str, Trial]:
        """Trials by name."""
        from joblib import Parallel, delayed

        from netsuke.estimators.search.progress import shown

        work = (delayed(self._one)(design, folds, rung) for design in designs)
        workers = Parallel(n_jobs=self.jobs, return_as="generator")
        values = shown(workers(work), len(designs), f"{rung} round", self.progress)
        return {design.name: trial for design, trial in zip(designs, values, strict=True)}

    def _one(self, design: Candidate, folds: list[tuple[Any, Any]], rung: str) -> Trial:
        def make() -> dict[str, Any]:
            trial = try_design(design.estimator, self.table, folds, self.device, vote=design.vote)
            return trial.as_json()

        name = hashlib.sha256(design.name.encode()).hexdigest()[:16]
        return trial_from(self.folder.values(f"{rung}-{name}", make))


def _close(sizes: TableSizes, limits: TableLimits) -> bool:
    """Whether the limits may hold, given that predictions are a little wrong."""
    return (
        sizes.flash <= SLACK * (limits.flash or np.inf)
        and sizes.ram <= (limits.ram or np.inf)
        and sizes.cycles <= SLACK * (limits.cycles or np.inf)
    )


def _certified(
    designs: Sequence[Candidate],
    table: Table,
    device: Device,
    limits: TableLimits,
    out: Path | None,
) -> tuple[Candidate, Any, Proof] | TableSizes | None:
    """The first design that, trained on all rows and linked, holds the limits.

    What a link shows of a family corrects the predictions for its other designs. Without any, the
    sizes of the last one that was linked, or None.
    """
    correction: dict[str, TableSizes] = {}
    last: TableSizes | None = None
    for design in designs:
        try:
            model, graph = fitted(design.estimator, table, table.train, design.vote)
            predicted = predicted_sizes(graph, device, table.x[table.train])
            expected = predicted.plus(correction.get(design.family))
            if not _close(expected, limits):
                continue
            proof = prove(graph, device, table.x[table.sealed], out)
        except (MissingToolError, VerificationError):
            raise
        except (NetsukeError, ValueError):
            continue
        if not proof.sizes.over(limits):
            return design, model, proof
        last = proof.sizes
        correction[design.family] = proof.sizes.minus(predicted)
    return last


def _judged(table: Table, proof: Proof) -> dict[str, Any]:
    predicted = predictions(proof.graph, table.x[table.sealed])
    truth = table.y[table.sealed]
    score = table.score(table.sealed, predicted)
    if not table.is_classification:
        return {"metric": "R²", "score": score, "bound": None, "confusion": (), "classes": ()}
    right = int((predicted == truth).sum())
    return {
        "metric": "accuracy",
        "score": score,
        "bound": 100.0 * wilson_lower(right, len(truth)),
        "confusion": confusion_counts(truth, predicted, len(table.classes)),
        "classes": table.classes,
    }


def _notes(trials: Mapping[str, Trial]) -> tuple[str, ...]:
    failed = {name: trial.failure for name, trial in trials.items() if trial.failure}
    return tuple(f"{name} was left out: {why}" for name, why in sorted(failed.items()))


def _impossible(
    trials: Mapping[str, Trial], limits: TableLimits, device: Device, linked: TableSizes | None
) -> NetsukeError:
    """The limit that is in the way, and the design that comes nearest to it."""
    found = [(name, trial.sizes) for name, trial in trials.items() if trial.sizes]
    if linked is not None:  # by prediction something fits, but nothing did
        found = [("the smallest that was linked", linked)]
    if not found:
        reason = next((trial.failure for trial in trials.values() if trial.failure), "none fits")
        return UsageError(f"no design runs on {device.id}: {reason}")
    excess = {
        (name, memory): getattr(sizes, memory) / limit
        for name, sizes in found
        for memory in ("flash", "ram", "cycles")
        if (limit := getattr(limits, memory)) is not None
    }
    worst = {name: max(v for (n, _), v in excess.items() if n == name) for name, _ in found}
    nearest = min(worst, key=lambda name: (worst[name], name))
    memory = max(("flash", "ram", "cycles"), key=lambda m: excess.get((nearest, m), 0.0))
    needed = getattr(dict(found)[nearest], memory)
    return NoDesignError(memory, needed, getattr(limits, memory), nearest, len(trials))
