"""Finding the cheapest setting that holds a limit of memory, and proving it.

For each family of settings, from the cheapest to the dearest, one short run under the limit tells
the true peak of training at every size of micro-batch and of the evaluation at several sizes of
chunks (`Probe`). The first family whose floor is below the limit is taken, with the largest
micro-batch and chunk that stay below; then the whole task runs under the limit. Should a long run
need more than the short ones said, the search goes on with a smaller aim.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from netsuke.data import Dataset
from netsuke.errors import (
    GraphError,
    MemoryLimitError,
    MissingToolError,
    UsageError,
    VerificationError,
)
from netsuke.ir import Graph
from netsuke.profile.job import Job
from netsuke.profile.limit.probe import Probe, read_probe
from netsuke.profile.limit.setting import FAMILIES, Setting
from netsuke.profile.limit.task import Task, write_folder, write_orders
from netsuke.profile.limit.valid import without_padding
from netsuke.profile.observe import Say, observe
from netsuke.profile.result import Profile, Run

TRIES = 3
SLACK = 1.01
"""Without a limit: what the least peak may be exceeded by for larger micro-batches and chunks."""


@dataclass(frozen=True, slots=True)
class Found:
    """A setting that holds a limit, with its proof.

    Attributes
    ----------
    limit
        Bytes; with `least`, what was found.
    setting
        Chosen.
    base
        Bytes of the process before it loads model and data.
    profile
        The whole task, run under the limit.
    naive
        The same as it is: measured, when that was asked for.
    naive_peak, naive_source
        Bytes: ``"measured"``, ``"modelled"`` from short runs, or ``"more than that"`` where the
        limit did not even let a short run tell.
    probes
        In order.
    enforced
        By what the kernel held the limit.
    """

    limit: int
    setting: Setting
    base: int
    profile: Profile
    naive: Profile | None
    naive_peak: int
    naive_source: str
    probes: tuple[Probe, ...]
    enforced: str = "RLIMIT_DATA"
    least: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def ratio(self) -> float:
        """(peak - base) found / (peak - base) naive."""
        return (self.profile.peak - self.base) / max(self.naive_peak - self.base, 1)

    def record(self) -> dict[str, Any]:
        return {
            "limit": self.limit,
            "least": self.least,
            "setting": self.setting.record(),
            "base": self.base,
            "naive_peak": self.naive_peak,
            "naive_source": self.naive_source,
            "ratio_above_base": self.ratio,
            "enforced": self.enforced,
            "notes": list(self.notes),
            "probes": [_probe_record(probe) for probe in self.probes],
        }


def _probe_record(probe: Probe) -> dict[str, Any]:
    return {
        "setting": probe.setting.record(),
        "base": probe.base,
        "train": {str(size): peak for size, peak in probe.train.items()},
        "evaluate": {str(size): peak for size, peak in probe.evaluate.items()},
        "rest": probe.rest,
        "seconds": {str(size): seconds for size, seconds in probe.pace.items()},
    }


def hold_limit(
    graph: Graph,
    data: Dataset,
    limit: int | None,
    task: Task | None = None,
    *,
    compare: bool = False,
    interval: float = 0.1,
    say: Say = lambda now: None,
    families: Sequence[Setting] = FAMILIES,
) -> Found:
    """Train, evaluate and infer within a limit of resident memory.

    Parameters
    ----------
    graph
        A float graph with one input.
    data
        Labelled; its training part is learned from and its test part evaluated.
    limit
        Bytes that the process may take at most, its base included; None: find the least.
    task
        Steps, batch and so on.
    compare
        Also run the whole task as it is, without a limit.
    interval
        Of the timelines (seconds).
    say
        Told what goes on.
    families
        Settings that may be used.

    Raises
    ------
    MemoryLimitError
        When the limit is below the process's base, or below the least that any setting reaches.
    UsageError
        When graph and data do not match.
    """
    if find_spec("torch") is None:
        raise MissingToolError("PyTorch", "to train within a limit", "pip install netsuke[train]")
    with tempfile.TemporaryDirectory(prefix="netsuke-limit-") as folder:
        return _Search(Path(folder), graph, data, limit, task or Task(), interval, say).find(
            families, compare
        )


def run_setting(
    graph: Graph,
    data: Dataset,
    setting: Setting,
    task: Task | None = None,
    *,
    limit: int | None = None,
    interval: float = 0.1,
    say: Say = lambda now: None,
) -> Profile:
    """Train, evaluate and infer as one setting says, in a fresh process that is measured.

    Parameters
    ----------
    graph, data, task, interval, say
        As for `hold_limit`.
    setting
        What is done to lower the peak.
    limit
        Bytes that the process may take; None: as many as it likes.

    Returns
    -------
    Profile
        Its run's metrics hold the ``base`` (bytes) and the ``accuracy``.

    Raises
    ------
    UsageError
        When the setting leaves padding out and the network cannot do without.
    """
    with tempfile.TemporaryDirectory(prefix="netsuke-limit-") as folder:
        search = _Search(Path(folder), graph, data, limit, task or Task(), interval, say)
        if setting.valid and not search.has_valid:
            raise UsageError(f"{graph.name}: {search.notes[0]}")
        return search.run(setting, limit)


class _Search:
    def __init__(
        self,
        folder: Path,
        graph: Graph,
        data: Dataset,
        limit: int | None,
        task: Task,
        interval: float,
        say: Say,
    ) -> None:
        self.limit, self.task, self.interval, self.say = limit, task, interval, say
        self.samples = len(data.test)
        self.folder, self.name = folder, graph.name
        self.probes: list[Probe] = []
        self.notes: list[str] = []
        same = folder / "same"
        same.mkdir()
        write_folder(same, graph, data)
        self.has_valid = self._write_valid(graph, data)
        if any(node.op.measured for node in graph.nodes):
            self.notes.append("batch normalization sees micro-batches where there are some")

    def _write_valid(self, graph: Graph, data: Dataset) -> bool:
        try:
            smaller = without_padding(graph)
        except GraphError as error:
            self.notes.append(f"VALID is not tried: {error}")
            return False
        (self.folder / "valid").mkdir()
        write_folder(self.folder / "valid", smaller, data)
        return True

    def find(self, families: Sequence[Setting], compare: bool) -> Found:
        known = [family for family in families if self.has_valid or not family.valid]
        naive = self._probe(known[0], self.limit)
        if self.limit is not None and self.limit <= naive.base:
            raise MemoryLimitError(
                "memory of the process",
                *(naive.base, self.limit, "base"),
                reason="before it has loaded a model (Python, NumPy, PyTorch and netsuke)",
            )
        chosen = self._least(known) if self.limit is None else self._cheapest(known)
        setting, profile, limit = chosen
        measured = self._naive_run() if compare else None
        peak, source = self._naive_peak(naive, measured)
        return Found(
            limit=limit,
            setting=setting,
            base=int(profile.runs[0].metrics["base"]),
            profile=profile,
            naive=measured,
            naive_peak=peak,
            naive_source=source,
            probes=tuple(self.probes),
            enforced=_enforced(profile.runs[0]) if self.limit else "nothing: no limit was set",
            least=self.limit is None,
            notes=tuple(self.notes),
        )

    def _naive_peak(self, probe: Probe, measured: Profile | None) -> tuple[int, str]:
        """Peak of the task as it is (bytes), and how it is known."""
        if measured is not None:
            return measured.peak, "measured"
        known = max(*probe.train.values(), *probe.evaluate.values(), probe.rest, 0)
        peak = max(known, probe.peak_of_evaluation(self.samples))
        if math.isfinite(peak) and (self.limit is None or self.task.batch in probe.train):
            return int(peak), "modelled"
        return max(known, self.limit or 0), "more than that"  # refused where it should be tried

    def _cheapest(self, families: Sequence[Setting]) -> tuple[Setting, Profile, int]:
        """The first family that holds the limit."""
        assert self.limit is not None
        for number, family in enumerate(families):
            probe = self.probes[0] if number == 0 else self._probe(family, self.limit)
            aim: float = self.limit
            for _ in range(TRIES):
                setting = probe.choose(aim, self.samples, family.lean)
                if setting is None:
                    break
                profile = self.run(setting, self.limit)
                if profile.done and profile.peak <= self.limit:
                    return setting, profile, self.limit
                _stop_when_interrupted(profile)
                aim *= 0.96
        floors = [probe.floor for probe in self.probes if probe.floor]
        raise MemoryLimitError(
            "memory of the process",
            # A floor that could not even be measured under the limit is above it.
            max(min(floors, default=0), self.limit + 1),
            self.limit,
            "training and evaluation",
            reason=f"in all of {len(self.probes)} kinds of settings that were tried",
        )

    def _least(self, families: Sequence[Setting]) -> tuple[Setting, Profile, int]:
        """The family with the lowest floor, and within it what costs no memory more."""
        for family in families[1:]:
            self._probe(family, None)
        best = min((p for p in self.probes if p.floor), key=lambda p: p.floor)
        # Of those within a hundredth of the least, the cheapest.
        near = next(p for p in self.probes if p.floor and p.floor <= SLACK * best.floor)
        aim = SLACK * max(best.floor, near.floor) / 0.985
        setting = near.choose(aim, self.samples, True)
        assert setting is not None
        profile = self.run(setting, None)
        _stop_when_interrupted(profile)
        if not profile.done:
            raise VerificationError(self.name, f"{profile.runs[-1].status} in {setting}")
        return setting, profile, profile.peak

    def _probe(self, family: Setting, limit: int | None) -> Probe:
        self.say(f"trying: {family.describe(self.task.batch, self.samples)}")
        run = self._process(family, limit, probe=True).runs[-1]
        if "base" not in run.metrics:
            raise VerificationError("the probe", f"{run.status}: {run.tail.strip()[-300:]}")
        found = read_probe(family, run)
        self.probes.append(found)
        return found

    def run(self, setting: Setting, limit: int | None) -> Profile:
        what = setting.describe(self.task.batch, self.samples)
        self.say(f"running {self.task.steps:,} steps: {what}")
        return replace(self._process(setting, limit, probe=False), name=what)

    def _naive_run(self) -> Profile:
        profile = self.run(Setting(), None)
        _stop_when_interrupted(profile)
        return profile

    def _process(self, setting: Setting, limit: int | None, probe: bool) -> Profile:
        folder = self.folder / ("valid" if setting.valid else "same")
        orders = self.folder / "orders.json"
        write_orders(orders, self.task, setting, limit, probe)
        command = ("python", "-m", "netsuke.profile.limit.worker", str(folder), str(orders))
        environment = {"OMP_NUM_THREADS": str(self.task.threads)}
        if setting.lean:
            environment |= {"MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_MMAP_THRESHOLD_": "65536"}
        job = Job(command, self.name, environment, repeat=1, interval=self.interval)
        profile = observe(job, say=lambda now: None, limit=limit)
        if probe:
            _stop_when_interrupted(profile)
        return profile


def _stop_when_interrupted(profile: Profile) -> None:
    if profile.runs[-1].status == "interrupted":
        raise KeyboardInterrupt


def _enforced(run: Run) -> str:
    group = " and memory.max" if run.tree_source == "cgroup" else ""
    return f"RLIMIT_DATA{group}"
