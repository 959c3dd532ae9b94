"""What an estimate says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = "netsuke-estimate/1"


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is in memory at the peak.

    Attributes
    ----------
    name
        What it is.
    size
        Bytes.
    switch
        What would remove it, or a part of it; empty when nothing would.
    saves
        Bytes that the switch would save at the peak; 0 when not known.
    """

    name: str
    size: int
    switch: str = ""
    saves: int = 0


@dataclass(frozen=True, slots=True)
class Resource:
    """Another figure about the model on the device, in its unit, and where it comes from.

    Attributes
    ----------
    name, unit
        Such as ``energy of a sample`` and ``J``.
    low, high
        The range; equal when the figure is exact.
    source
        How it was come by: ``exact``, ``measured`` or ``modelled``, and from what.
    """

    name: str
    unit: str
    low: float
    high: float
    source: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The peak of a process's resident memory on a device.

    Attributes
    ----------
    model, runtime, version, device, phase
        What runs where. `version` is the runtime's for which the device was tabulated.
    batch, threads
        Samples at once; of the runtime.
    low, expected, high
        Bytes; `high` is what to plan with.
    exact
        Whether the three are one exact figure (generated C).
    available
        Bytes that the device has left for a process.
    parts
        What is in memory at the peak, largest first; they add up to `expected`.
    peak_at
        The moment of the peak: loading, or the node.
    timeline
        (moment, bytes) of the run.
    resources
        Cores, storage, energy.
    notes
        What the figures rest on.
    """

    model: str
    runtime: str
    version: str
    device: str
    phase: str
    batch: int
    threads: int
    low: int
    expected: int
    high: int
    exact: bool
    available: int
    parts: tuple[Part, ...]
    peak_at: str
    timeline: tuple[tuple[str, int], ...] = ()
    resources: tuple[Resource, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def fits(self) -> bool:
        """Whether even the upper bound is there."""
        return self.high <= self.available

    @property
    def confidence(self) -> float:
        """How sure it is that the process fits: 0 to 1.

        The peak is taken as normal around `expected`, with `high` at three deviations.
        """
        if self.exact or self.high == self.expected:
            return 1.0 if self.fits else 0.0
        deviation = (self.high - self.expected) / 3.0
        z = (self.available - self.expected) / deviation
        return 0.5 * math.erfc(-z / math.sqrt(2.0))

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "schema": SCHEMA,
            **{"model": self.model, "runtime": self.runtime, "version": self.version},
            **{"device": self.device, "phase": self.phase, "batch": self.batch},
            "threads": self.threads,
            "peak": {
                **{"low": self.low, "expected": self.expected, "high": self.high},
                **{"exact": self.exact, "at": self.peak_at, "source": self.source},
            },
            "available": self.available,
            "fits": self.fits,
            "confidence": round(self.confidence, 4),
            "parts": [_part(part) for part in self.parts],
            "timeline": [{"at": at, "bytes": size} for at, size in self.timeline],
            "resources": [_resource(entry) for entry in self.resources],
            "notes": list(self.notes),
        }

    @property
    def source(self) -> str:
        return "exact" if self.exact else "modelled"


def _part(part: Part) -> Mapping[str, Any]:
    fields: dict[str, Any] = {"name": part.name, "bytes": part.size}
    if part.switch:
        fields |= {"switch": part.switch, "saves": part.saves}
    return fields


def _resource(entry: Resource) -> Mapping[str, Any]:
    return {
        **{"name": entry.name, "unit": entry.unit, "low": entry.low, "high": entry.high},
        "source": entry.source,
    }
