"""What a run hands over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from netsuke.codegen import Artifact
from netsuke.devices import Limits
from netsuke.fit.drop import Drop
from netsuke.fit.space import Sizes
from netsuke.ir import Graph


@dataclass(frozen=True, slots=True)
class Attempt:
    """A candidate that was trained for a while.

    Attributes
    ----------
    origin
        Which idea chose its channels.
    widths
        Units left in every group.
    sizes
        Exact sizes.
    metric
        Points of its integers on the search's data.
    """

    origin: str
    widths: tuple[int, ...]
    sizes: Sizes
    metric: float


@dataclass(frozen=True, slots=True, eq=False)
class FitResult:
    """The network that was found, and what is known of it.

    Attributes
    ----------
    met
        Whether all limits hold: sizes exactly, and the drop as measured on the sealed test part.
    unmet
        Sentences that say which do not.
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
    widths
        Group -> (units before, units after).
    attempts
        What was tried.
    limits
        What was asked for.
    notes
        What a person should know.
    effort
        Epochs and samples; see `Effort`.
    seed, seconds
        Of the run.
    """

    met: bool
    unmet: tuple[str, ...]
    graph: Graph
    quantized: Graph
    artifact: Artifact
    sizes: Sizes
    original_sizes: Sizes
    metric: float
    original_metric: float
    drop: Drop
    widths: Mapping[str, tuple[int, int]]
    attempts: tuple[Attempt, ...]
    limits: Limits
    notes: tuple[str, ...]
    effort: Mapping[str, Any]
    seed: int
    seconds: float

    @property
    def ratio(self) -> float:
        """Bytes of flash of the original's integers over the small network's."""
        return self.original_sizes.flash / self.sizes.flash

    def as_json(self) -> dict[str, Any]:
        """Plain values for a file or the command line."""
        return {
            "schema": "netsuke/1",
            "met": self.met,
            "unmet": list(self.unmet),
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
            "widths": {name: list(pair) for name, pair in self.widths.items()},
            "attempts": [asdict(attempt) for attempt in self.attempts],
            "limits": asdict(self.limits),
            "notes": list(self.notes),
            "effort": dict(self.effort),
            "seed": self.seed,
            "seconds": self.seconds,
            "sources": {
                "flash": self.sizes.flash_source,
                "ram": "exact (planned arena)",
                "instructions": self.sizes.instructions_source,
                "metric": "integers on the sealed test part",
            },
        }
