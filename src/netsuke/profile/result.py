"""What a profile says: samples, phases, runs, and what several runs have in common."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA = "netsuke-profile/1"
NOTICED = 0.01
"""Share of a true peak that samples may miss before tables and pages say so."""
ALL = "whole run"
"""The row of a table that stands for the run from its start to its end."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The whole tree of processes at one moment.

    Attributes
    ----------
    t
        Seconds since the start of the run.
    memory
        Resident bytes of all processes together: shared pages once for each of them (RSS), or in
        proportion (PSS), as the profile's ``counted`` says.
    swap
        Bytes.
    cache
        Bytes of files in the kernel's page cache, on the whole machine.
    threads, processes
        How many.
    cpu
        Seconds of CPU time so far.
    """

    t: float
    memory: int
    swap: int
    cache: int
    threads: int
    processes: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of one phase.

    Attributes
    ----------
    name, pid
        What, and in which process; pid 0 for phases found in the output.
    start, end
        Seconds since the start of the run.
    cpu
        Seconds of CPU time, all threads and ended children.
    peak
        Largest resident size of one process within (bytes): the kernel's own figure.
    exact
        False where the kernel's peak could not be started anew: then `peak` is the peak so far.
    whole
        False when the run ended within the phase.
    before
        Resident bytes of the process (pid 0: of the largest one) when the phase began.
    """

    name: str
    pid: int
    start: float
    end: float
    cpu: float
    peak: int
    exact: bool = True
    whole: bool = True
    before: int = 0

    @property
    def wall(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program, from start to end or to where it broke off.

    Attributes
    ----------
    status
        ``"done"``, ``"failed"`` (exit status), ``"killed"`` (signal), ``"out of memory"`` or
        ``"interrupted"``.
    code
        Exit status; minus the signal's number when one ended it.
    wall, cpu
        Seconds; CPU time of all processes that were waited for.
    peak
        Largest resident size of one process (bytes), the true one.
    tree_peak, tree_source
        The same of all processes together: ``"exact"`` when there was one, ``"cgroup"`` where a
        control group counted (page cache included), else ``"sampled"``.
    sampled_peak
        What the timeline alone would have said.
    processes
        How many were seen.
    samples, phases
        In order of time.
    metrics
        Figures that the program reported.
    tail
        The end of what it wrote to stderr.
    """

    status: str
    code: int
    wall: float
    cpu: float
    peak: int
    tree_peak: int
    tree_source: str
    sampled_peak: int
    processes: int
    samples: tuple[Sample, ...] = ()
    phases: tuple[Phase, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    tail: str = ""

    @property
    def done(self) -> bool:
        return self.status == "done"

    @property
    def base(self) -> int:
        """Bytes that were resident when the first phase began; 0 where there is no phase.

        Of a Python program with marks: the interpreter and what it imports.
        """
        return self.phases[0].before if self.phases else 0

    @property
    def missed(self) -> float:
        """Share of the true peak that was in no sample, 0 to 1.

        The true peak is that of all processes together where it is known, else the largest of one.
        """
        true = self.peak if self.tree_source == "sampled" else self.tree_peak
        return max(0.0, 1.0 - self.sampled_peak / true) if true else 0.0

    def wall_of(self, name: str) -> float:
        """Seconds in a phase; of several processes the one that took longest."""
        return max(_sums(self._of(name), lambda p: p.wall).values(), default=math.nan)

    def cpu_of(self, name: str) -> float:
        """Seconds of CPU time in a phase, all processes together."""
        return sum(p.cpu for p in self._of(name)) if self._of(name) else math.nan

    def peak_of(self, name: str) -> int:
        """Bytes at most in a phase, of one process."""
        return max((p.peak for p in self._of(name)), default=0)

    @property
    def peak_phase(self) -> str:
        """The innermost of the phases with the highest peak; empty: that is not the run's."""
        highest = max((p.peak for p in self.phases), default=0)
        if not highest or highest < 0.99 * self.peak:
            return ""
        at_peak = [p for p in self.phases if p.peak == highest]
        return min(at_peak, key=lambda p: p.wall).name

    def _of(self, name: str) -> list[Phase]:
        return [phase for phase in self.phases if phase.name == name]


def _sums(phases: Iterable[Phase], value: Callable[[Phase], float]) -> dict[int, float]:
    found: dict[int, float] = {}
    for phase in phases:
        found[phase.pid] = found.get(phase.pid, 0.0) + value(phase)
    return found


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation of a figure over runs; nan where no run has it."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        known = [value for value in values if math.isfinite(value)]
        if not known:
            return cls(math.nan, math.nan)
        return cls(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else 0.0)


@dataclass(frozen=True, slots=True)
class Profile:
    """Several runs of one program.

    Attributes
    ----------
    name
        For tables.
    command
        What was run, or the name of a Python callable or model.
    interval
        Seconds between samples.
    counted
        ``"RSS"`` or ``"PSS"``: how the timeline counts pages that processes share.
    runs
        In order; a run that failed is the last one.
    """

    name: str
    command: tuple[str, ...]
    interval: float
    counted: str
    runs: tuple[Run, ...]

    @property
    def done(self) -> bool:
        return bool(self.runs) and all(run.done for run in self.runs)

    @property
    def phase_names(self) -> tuple[str, ...]:
        """In order of their first start."""
        return tuple(dict.fromkeys(phase.name for run in self.runs for phase in run.phases))

    @property
    def peak(self) -> int:
        """Largest resident size of one process in any run (bytes)."""
        return max((run.peak for run in self.runs), default=0)

    @property
    def tree_peak(self) -> int:
        return max((run.tree_peak for run in self.runs), default=0)

    @property
    def base(self) -> int:
        """Bytes that were resident when the first phase began, the least of the runs."""
        return min((run.base for run in self.runs), default=0)

    @property
    def missed(self) -> float:
        """Share of the true peak that was in no sample, in the run that hides most; 0 to 1."""
        return max((run.missed for run in self.runs), default=0.0)

    @property
    def peak_phase(self) -> str:
        return max(self.runs, key=lambda run: run.peak).peak_phase if self.runs else ""

    @property
    def complete(self) -> tuple[Run, ...]:
        """Runs that count for times: those that ended well, or all when none did."""
        return tuple(run for run in self.runs if run.done) or self.runs

    def wall(self, name: str = ALL) -> Spread:
        """Seconds in a phase, or in the whole run."""
        return Spread.of(r.wall if name == ALL else r.wall_of(name) for r in self.complete)

    def cpu(self, name: str = ALL) -> Spread:
        return Spread.of(r.cpu if name == ALL else r.cpu_of(name) for r in self.complete)

    def peak_of(self, name: str) -> int:
        return max((run.peak_of(name) for run in self.runs), default=0)

    @property
    def metric_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for run in self.runs for name in run.metrics))

    def metric(self, name: str) -> Spread:
        return Spread.of(run.metrics.get(name, math.nan) for run in self.complete)

    def record(self) -> dict[str, Any]:
        """As plain values, with what the runs have in common first."""
        names = (*self.phase_names, ALL)
        return {
            "name": self.name,
            "command": list(self.command),
            "interval": self.interval,
            "counted": self.counted,
            "done": self.done,
            "peak": self.peak,
            "tree_peak": self.tree_peak,
            "peak_phase": self.peak_phase,
            "base": self.base,
            "missed": self.missed,
            "phases": [
                {
                    "name": name,
                    "wall": asdict(self.wall(name)),
                    "cpu": asdict(self.cpu(name)),
                    "peak": self.peak if name == ALL else self.peak_of(name),
                }
                for name in names
            ],
            "metrics": {name: asdict(self.metric(name)) for name in self.metric_names},
            "runs": [_plain(run) for run in self.runs],
        }


def _plain(run: Run) -> dict[str, Any]:
    """A run as plain values; samples as columns, which are a quarter of the bytes."""
    fields = asdict(run)
    columns = ("t", "memory", "swap", "cache", "threads", "processes", "cpu")
    fields["samples"] = {c: [getattr(s, c) for s in run.samples] for c in columns}
    return fields | {"peak_phase": run.peak_phase, "base": run.base, "missed": run.missed}


def record(profiles: Iterable[Profile], **more: Any) -> dict[str, Any]:
    """The whole result as plain values for JSON."""
    return {"schema": SCHEMA, **more, "variants": [profile.record() for profile in profiles]}
