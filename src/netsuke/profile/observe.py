"""Running a program under observation."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from netsuke.errors import UsageError
from netsuke.profile import events
from netsuke.profile.borders import Border, phases, read_borders
from netsuke.profile.cgroup import ControlGroup, make_group
from netsuke.profile.job import Job, printable
from netsuke.profile.output import Output
from netsuke.profile.processes import Family, out_of_memory_kills
from netsuke.profile.result import Phase, Profile, Run
from netsuke.profile.timeline import Timeline

HOOK = Path(__file__).parent / "hook"
GRACE = 5.0
"""Seconds that a program has to end after it was asked to."""
STARVED = ("MemoryError", "bad_alloc", "can't allocate memory", "Cannot allocate memory")
"""What programs say when an allocation fails."""

Say = Callable[[str], None]


def observe(
    job: Job, *, echo: bool = False, say: Say = lambda now: None, limit: int | None = None
) -> Profile:
    """Run a program several times, each in a fresh process, and tell what it took.

    Parameters
    ----------
    job
        What to run and how to observe it.
    echo
        Pass what the program prints on to stderr.
    say
        Told which run goes on.
    limit
        Bytes that a control group enforces, where one can be made.

    Returns
    -------
    Profile
        After a run that failed or was interrupted no further one is begun; its partial timeline
        is the last.

    Raises
    ------
    UsageError
        When the program does not exist, or the system is no Linux.
    """
    if not sys.platform.startswith("linux"):
        raise UsageError("netsuke profile reads /proc, which only Linux has")
    runs: list[Run] = []
    for number in range(job.repeat):
        say(f"{job.title}: run {number + 1} of {job.repeat}")
        runs.append(_Observed(job, echo, limit, number).run())
        if not runs[-1].done:
            break
    counted = "PSS" if job.shared else "RSS"
    command = tuple(printable(part, 1000) for part in job.command)
    return Profile(job.title, command, job.interval, counted, tuple(runs))


class _Observed:
    """One run."""

    def __init__(self, job: Job, echo: bool, limit: int | None, number: int) -> None:
        self.job, self.number = job, number
        self.output = Output(job, lambda name: self._phase_begins(printable(name)), echo)
        self.group: ControlGroup | None = make_group()
        if self.group is not None and limit is not None:
            self.group.limit(limit)
        self.borders: list[Border] = []
        self.lock = threading.Lock()
        self.current = ""
        self.peak = 0

    def run(self) -> Run:
        with tempfile.TemporaryDirectory(prefix="netsuke-profile-") as folder:
            path = Path(folder) / "borders.jsonl"
            path.touch()
            kills = out_of_memory_kills()
            self.begin = time.monotonic()
            process = self._start(path)
            self.family = Family(process.pid, self.job.shared)
            self.timeline = Timeline(self.begin)
            assert process.stdout is not None and process.stderr is not None
            self.output.follow(process.stdout, process.stderr)
            try:
                stopped = self._watch(process)
                status, usage = _ended(process)
                self.end = time.monotonic()
            finally:
                _end_group(process)
                self.output.close(1.0)
                self.family.close()
            self._close_phase(usage.ru_utime + usage.ru_stime)
            # The kernel's figure of a child begins with its parent's at the fork, which is at most
            # what this process has reached by now.
            peak = 1024 * usage.ru_maxrss
            self.peak = max(self.peak, peak if peak > _own_peak() else 0)
            killed = out_of_memory_kills() - kills
            killed += self.group.kills if self.group is not None else 0
            try:
                return self._result(path, status, usage, stopped, killed)
            finally:
                if self.group is not None:
                    self.group.remove()

    def _start(self, path: Path) -> subprocess.Popen[bytes]:
        command, folder = list(self.job.command), self.job.folder
        if command[0] in ("python", "python3"):
            command[0] = sys.executable
        environment = {**os.environ, **self.job.environment}
        search = environment.get("PYTHONPATH", "")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HOOK), search)))
        environment.setdefault("PYTHONUNBUFFERED", "1")  # or its lines come too late
        environment[events.FILE] = str(path)
        environment[events.RUN] = str(self.number)
        calls = {function: name for name, function in self.job.calls.items()}
        environment[events.CALLS] = json.dumps(calls) if calls else ""
        try:
            return subprocess.Popen(
                command,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
                preexec_fn=self.group.enter if self.group is not None else None,  # noqa: PLW1509
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            if self.group is not None:
                self.group.remove()
            where = "" if shutil.which(command[0]) else "; is it on the PATH?"
            raise UsageError(f"{command[0]}: cannot be run: {error}{where}") from None

    def _watch(self, process: subprocess.Popen[bytes]) -> str:
        """Sample until the program ends; say why when it was made to."""
        descriptor = os.pidfd_open(process.pid)
        try:
            while True:
                now = time.monotonic()
                if self.job.timeout is not None and now - self.begin > self.job.timeout:
                    _stop(process, descriptor, signal.SIGTERM)
                    return "timeout"
                self._sample(now)
                wait = self.job.interval - (time.monotonic() - self.begin) % self.job.interval
                if select.select([descriptor], [], [], wait)[0]:
                    return ""
        except KeyboardInterrupt:
            _stop(process, descriptor, signal.SIGINT)
            return "interrupted"
        finally:
            os.close(descriptor)

    def _sample(self, now: float) -> None:
        with self.lock:
            members = self.family.read()
            self.timeline.add(now, members)
            self.peak = max([self.peak, *(memory.peak for memory in members.values())])

    def _phase_begins(self, name: str) -> None:
        """A line of output begins a phase: read and restart the peaks of all processes."""
        if name == self.current:
            return
        with self.lock:
            members = self.family.read()
            peak = max((memory.peak for memory in members.values()), default=0)
            self.peak = max(self.peak, peak)
            border = Border(
                t=time.monotonic(),
                pid=0,
                event="exit",
                name=self.current,
                cpu=sum(memory.cpu for memory in members.values()),
                rss=max((memory.rss for memory in members.values()), default=0),
                hwm=peak,
                reset=self.family.restart_peaks(),
            )
            if self.current:
                self.borders.append(border)
            self.borders.append(replace(border, event="enter", name=name, t=border.t + 1e-9))
            self.current = name

    def _close_phase(self, cpu: float) -> None:
        if self.current:
            seen = max(self.family.peaks.values(), default=0)
            self.borders.append(Border(self.end, 0, "exit", self.current, cpu, 0, seen))

    def _result(self, path: Path, code: int, usage: Any, stopped: str, killed: int) -> Run:
        written = read_borders(path, self.begin, self.end)
        peak = max([self.peak, *(border.hwm for border in written)])
        metrics = {b.name: b.value for b in written if b.event == "metric" and b.value == b.value}
        samples = tuple(self.timeline.samples)
        sampled = max((sample.memory for sample in samples), default=0)
        tree, source = self._tree_peak(peak, sampled)
        return Run(
            status=_status(code, stopped, killed, self.output.tail),
            code=code,
            wall=self.end - self.begin,
            cpu=usage.ru_utime + usage.ru_stime,
            peak=peak,
            tree_peak=tree,
            tree_source=source,
            sampled_peak=sampled,
            processes=len(self.timeline.seen),
            samples=samples,
            phases=self._phases(written),
            metrics={printable(name): v for name, v in self.output.metrics.items()} | metrics,
            tail=self.output.tail,
        )

    def _phases(self, written: list[Border]) -> tuple[Phase, ...]:
        found = phases([*written, *self.borders], self.begin, self.end, self.family.peaks)
        return tuple(replace(p, cpu=p.cpu if math.isfinite(p.cpu) else 0.0) for p in found)

    def _tree_peak(self, peak: int, sampled: int) -> tuple[int, str]:
        if self.group is not None and self.group.peak is not None:
            return self.group.peak, "cgroup"
        if len(self.timeline.seen) <= 1:
            return peak, "exact"
        return max(peak, sampled), "sampled"


def _own_peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _ended(process: subprocess.Popen[bytes]) -> tuple[int, Any]:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage


def _stop(process: subprocess.Popen[bytes], descriptor: int, first: int) -> None:
    """Ask a program and its group to end; after some seconds the kernel ends them."""
    for number in (first, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(KeyboardInterrupt):
            if select.select([descriptor], [], [], GRACE)[0]:
                return


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Nothing of a run may go on beside the next one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _status(code: int, stopped: str, killed: int, tail: str) -> str:
    if stopped:
        return stopped
    if code == 0:
        return "done"
    if (code == -signal.SIGKILL and killed > 0) or any(text in tail for text in STARVED):
        return "out of memory"
    return "killed" if code < 0 else "failed"
