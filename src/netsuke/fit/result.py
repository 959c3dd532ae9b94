"""What a run hands over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from netsuke.codegen import Artifact
from netsuke.devices import Limits
from netsuke.fit.design import Design, Sizes
from netsuke.fit.drop import Drop
from netsuke.fit.replay import command, python_call
from netsuke.ir import Graph


@dataclass(frozen=True, slots=True)
class Attempt:
    """A design that learned for a while.

    Attributes
    ----------
    design
        What was tried.
    sizes
        Exact sizes, by the planner and the models of code and instructions.
    metric
        Points in float on the search's data.
    rung
        How far it came: 0 is the shortest training.
    groups
        Channel group -> (units left, units that it had before the cut).
    history
        Of each rung that it came through: ``rung``, ``score`` and the ``losses`` of its training.
    """

    design: Design
    sizes: Sizes
    metric: float
    rung: int
    groups: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    history: tuple[Mapping[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "key": self.design.key,
            "origin": self.design.origin,
            "widths": list(self.design.widths),
            "edits": [edit.record() for edit in self.design.edits],
            "changes": list(map(str, self.design.edits)),
            "family": self.design.family,
            "sizes": asdict(self.sizes),
            "metric": self.metric,
            "rung": self.rung,
            "groups": {name: list(pair) for name, pair in self.groups.items()},
            "history": [dict(each) for each in self.history],
        }


@dataclass(frozen=True, slots=True)
class Change:
    """What shrinking did to one class, on the sealed test part.

    Attributes
    ----------
    name
        Of the class.
    samples
        That belong to it.
    before, after
        Accuracy in points of the original and of the small network's integers.
    floor
        Least accuracy that was asked for, or None.
    """

    name: str
    samples: int
    before: float
    after: float
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class Flip:
    """A test sample on which exactly one of the two networks is right."""

    index: int
    label: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What one change alone does to the original, before any training.

    Attributes
    ----------
    name
        Of a channel group whose width is halved, or of an edit.
    drop
        Points that validation loses.
    flash, instructions
        Shares of the quick cost that it saves.
    """

    name: str
    drop: float
    flash: float
    instructions: float


@dataclass(frozen=True, slots=True, eq=False)
class FitResult:
    """The network that was found, and what is known of it.

    Attributes
    ----------
    met
        Whether all limits hold: sizes exactly, and the drop as measured on the sealed test part.
    unmet
        Sentences that say which do not.
    design
        What was changed of the original.
    graph
        The small float graph, trained.
    quantized
        Its integers.
    artifact
        Its C for the device.
    sizes, original_sizes
        Of the small network and of the original's integers.
    metric, original_metric
        Points on the test part: the small network's integers, the original in float.
    drop
        Original minus small, with its 95 % bound.
    classes
        The change of each class; empty for regression.
    flips
        Test samples on which the two networks differ in being right.
    widths
        Group -> (units before, units after); 0 after: the group went with its block.
    attempts
        What was tried.
    sensitivity
        What single changes do.
    curves
        Name of a training -> its losses.
    camera
        What must be done to a frame before it is the network's input; empty: nothing.
    limits
        What was asked for.
    bounds
        Largest flash, RAM and instructions: the limits within what the device has.
    request
        Model, data, device and options of the run; see `netsuke.fit.replay.asked`.
    notes
        What a person should know.
    effort
        See `Effort`.
    recipe
        How weights were trained.
    seed, seconds
        Of the run.
    """

    met: bool
    unmet: tuple[str, ...]
    design: Design
    graph: Graph
    quantized: Graph
    artifact: Artifact
    sizes: Sizes
    original_sizes: Sizes
    metric: float
    original_metric: float
    drop: Drop
    classes: tuple[Change, ...]
    flips: tuple[Flip, ...]
    widths: Mapping[str, tuple[int, int]]
    attempts: tuple[Attempt, ...]
    limits: Limits
    notes: tuple[str, ...]
    effort: Mapping[str, Any]
    recipe: Mapping[str, Any]
    seed: int
    seconds: float
    sensitivity: tuple[Sensitivity, ...] = ()
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    camera: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, float] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """Bytes of flash of the original's integers over the small network's."""
        return self.original_sizes.flash / self.sizes.flash

    @property
    def front(self) -> tuple[Attempt, ...]:
        """Attempts than which no other is at least as good in score, flash, RAM and work."""
        return tuple(each for each in self.attempts if not _is_beaten(each, self.attempts))

    def replay(self) -> dict[str, str | None]:
        """How to repeat the run: as a ``command`` (or None), and in ``python``."""
        if not self.request:
            return {}
        what = (self.request, self.limits, self.recipe)
        return {"command": command(*what), "python": python_call(*what)}

    def as_json(self) -> dict[str, Any]:
        """Plain values for a file or the command line."""
        front = {each.design.key for each in self.front}
        return {
            "schema": "netsuke/1",
            "met": self.met,
            "unmet": list(self.unmet),
            "design": {
                **self.design.record(),
                "key": self.design.key,
                "changes": list(map(str, self.design.edits)),
            },
            "flash": self.sizes.flash,
            "ram": self.sizes.ram,
            "instructions": self.sizes.instructions,
            "metric": self.metric,
            "drop": self.drop.points,
            "drop_bound": self.drop.bound,
            "test_samples": self.drop.samples,
            "disagreements": self.drop.disagreements,
            "parameters": self.graph.parameters,
            "macs": self.graph.macs,
            "original": {**asdict(self.original_sizes), "metric": self.original_metric},
            "classes": [asdict(change) for change in self.classes],
            "flips": [asdict(flip) for flip in self.flips],
            "widths": {name: list(pair) for name, pair in self.widths.items()},
            "attempts": [
                {**each.as_json(), "front": each.design.key in front} for each in self.attempts
            ],
            "sensitivity": [asdict(each) for each in self.sensitivity],
            "curves": {name: list(losses) for name, losses in self.curves.items()},
            "camera": dict(self.camera),
            "limits": asdict(self.limits),
            "bounds": {name: bound for name, bound in self.bounds.items() if isfinite(bound)},
            "request": dict(self.request),
            "replay": self.replay(),
            "notes": list(self.notes),
            "effort": dict(self.effort),
            "recipe": dict(self.recipe),
            "seed": self.seed,
            "seconds": self.seconds,
            "sources": {
                "flash": self.sizes.flash_source,
                "ram": "exact (planned arena)",
                "instructions": self.sizes.instructions_source,
                "metric": "integers on the sealed test part",
            },
        }


def _is_beaten(each: Attempt, all_of_them: Sequence[Attempt]) -> bool:
    """Whether another attempt is nowhere worse and somewhere better; rungs compare alike."""

    def costs(attempt: Attempt) -> tuple[float, ...]:
        sizes = attempt.sizes
        return (-attempt.metric, sizes.flash, sizes.ram, sizes.instructions)

    mine = costs(each)
    return any(
        all(a <= b for a, b in zip(costs(other), mine, strict=True)) and costs(other) != mine
        for other in all_of_them
        if other.rung >= each.rung
    )
