"""What the kernel knows of a process and its descendants (Linux, proc(5))."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
RENEW = 0.1
"""Seconds between two looks for new descendants; opening all of their files costs more."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One process at one moment: bytes, seconds of CPU time with those of its ended children."""

    rss: int
    peak: int
    swap: int
    threads: int
    cpu: float


class _Watched:
    """Open files of one process: they stay with it even when its number is given away."""

    def __init__(self, pid: int, shared: bool) -> None:
        self.status = os.open(f"/proc/{pid}/status", os.O_RDONLY)
        self.stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        self.rollup = -1
        if shared:
            with contextlib.suppress(OSError):
                self.rollup = os.open(f"/proc/{pid}/smaps_rollup", os.O_RDONLY)

    def read(self) -> Memory | None:
        """None once the process has ended."""
        try:
            fields = dict(
                line.split(b":", 1) for line in os.pread(self.status, 8192, 0).splitlines()
            )
            stat = os.pread(self.stat, 2048, 0).rpartition(b")")[2].split()
        except (OSError, ValueError):
            return None
        if b"VmRSS" not in fields:
            return None  # a zombie: its memory is gone
        rss = self._proportional() if self.rollup >= 0 else _kilobytes(fields[b"VmRSS"])
        return Memory(
            rss=rss,
            peak=_kilobytes(fields[b"VmHWM"]),
            swap=_kilobytes(fields.get(b"VmSwap", b"0")),
            threads=int(fields[b"Threads"]),
            cpu=sum(map(int, stat[11:15])) / TICK,
        )

    def _proportional(self) -> int:
        try:
            for line in os.pread(self.rollup, 8192, 0).splitlines():
                if line.startswith(b"Pss:"):
                    return _kilobytes(line[4:])
        except OSError:
            pass
        return 0

    def close(self) -> None:
        for descriptor in (self.status, self.stat, self.rollup):
            if descriptor >= 0:
                os.close(descriptor)


def _kilobytes(field: bytes) -> int:
    return 1024 * int(field.split()[0])


class Family:
    """A process and its descendants, those included whose parents have ended since.

    Parameters
    ----------
    root
        Its number.
    shared
        Count pages that processes share in proportion (PSS) instead of once each (RSS). Reading
        it makes the kernel walk all pages of the process: milliseconds a gigabyte.

    Attributes
    ----------
    peaks
        The last known peak of every process that was ever a member (bytes).
    """

    def __init__(self, root: int, shared: bool = False) -> None:
        self.root, self.shared = root, shared
        self.peaks: dict[int, int] = {}
        self._watched: dict[int, _Watched] = {}
        self._renewed = 0.0

    def read(self) -> dict[int, Memory]:
        """All members that live now."""
        now = time.monotonic()
        if now - self._renewed >= RENEW:
            self._renewed = now
            self._renew()
        found: dict[int, Memory] = {}
        for pid, watched in list(self._watched.items()):
            memory = watched.read()
            if memory is None:
                watched.close()
                del self._watched[pid]
                continue
            found[pid] = memory
            self.peaks[pid] = memory.peak
        return found

    def _renew(self) -> None:
        for start in {self.root, *self._watched}:
            for pid in descendants(start):
                if pid not in self._watched:
                    with contextlib.suppress(OSError):
                        self._watched[pid] = _Watched(pid, self.shared)

    def restart_peaks(self) -> bool:
        """Let the peak of every member start anew; False where the kernel does not allow it."""
        done = True
        for pid in self._watched:
            try:
                Path(f"/proc/{pid}/clear_refs").write_bytes(b"5")
            except OSError:
                done = False
        return done

    def close(self) -> None:
        for watched in self._watched.values():
            watched.close()
        self._watched.clear()


def descendants(root: int) -> list[int]:
    """A process and all below it."""
    found, pending = [], [root]
    while pending:
        pid = pending.pop()
        found.append(pid)
        pending += _children(pid)
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            text = Path(f"/proc/{pid}/task/{thread}/children").read_bytes()
        except FileNotFoundError:
            if os.path.exists(f"/proc/{pid}/task/{thread}"):
                return _children_elsewhere(pid)  # a kernel without CONFIG_PROC_CHILDREN
            continue
        except OSError:
            continue
        found += map(int, text.split())
    return found


def _children_elsewhere(pid: int) -> list[int]:
    import psutil

    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def page_cache() -> int:
    """Bytes of files that the kernel holds in memory, on the whole machine."""
    return _field("/proc/meminfo", b"Cached:") * 1024


def out_of_memory_kills() -> int:
    """How many processes the kernel has killed for want of memory since it started."""
    return _field("/proc/vmstat", b"oom_kill ")


def _field(path: str, name: bytes) -> int:
    try:
        with open(path, "rb") as file:
            for line in file:
                if line.startswith(name):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 0
