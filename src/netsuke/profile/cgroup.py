"""A control group of its own for a run, where the system lets us make one (cgroup v2).

Its ``memory.peak`` is the true peak of a whole tree of processes, page cache included; its
``memory.max`` is a limit that the kernel enforces. A group can be made where a user's session is
delegated to the user (systemd: ``systemd-run --user --scope -p Delegate=yes``) or by root.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


class ControlGroup:
    """One group; it goes when the run is over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def peak(self) -> int | None:
        """Bytes at most so far; None where the kernel is too old to say (before 5.19)."""
        return self._number("memory.peak")

    @property
    def kills(self) -> int:
        """How many of its processes were killed for want of memory."""
        with contextlib.suppress(OSError, ValueError):
            for line in (self.folder / "memory.events").read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
        return 0

    def limit(self, size: int) -> bool:
        """Let the kernel enforce a limit (bytes), without swap; False where it does not."""
        try:
            (self.folder / "memory.max").write_text(str(size))
        except OSError:
            return False
        with contextlib.suppress(OSError):
            (self.folder / "memory.swap.max").write_text("0")
        return True

    def enter(self) -> None:
        """Move the calling process into the group."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self) -> None:
        for _ in range(20):  # the last process may take a moment to leave
            try:
                self.folder.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.05)

    def _number(self, name: str) -> int | None:
        try:
            return int((self.folder / name).read_text())
        except (OSError, ValueError):
            return None


def make_group(root: Path = ROOT, own: str | None = None) -> ControlGroup | None:
    """Make a group that counts memory beside this process's group or below it, or None.

    Parameters
    ----------
    root
        Where the one hierarchy of version 2 is mounted.
    own
        This process's group in it; None: as ``/proc/self/cgroup`` says.
    """
    try:
        if own is None:
            lines = Path("/proc/self/cgroup").read_text().splitlines()
            own = next(line[3:] for line in lines if line.startswith("0::"))
        if not (root / "cgroup.controllers").exists():
            return None  # version 1, or none
    except (OSError, StopIteration):
        return None
    home = root / own.strip("/")
    # Beside first: a group that holds processes may not hand controllers down.
    for parent in (home.parent, home) if own.strip("/") else (home,):
        group = _make(parent)
        if group is not None:
            return group
    return None


def _make(parent: Path) -> ControlGroup | None:
    try:
        if "memory" not in (parent / "cgroup.subtree_control").read_text().split():
            return None
        if not os.access(parent / "cgroup.procs", os.W_OK):
            return None  # nobody could be moved into it
        folder = parent / f"netsuke-{os.getpid()}-{time.monotonic_ns()}"
        folder.mkdir()
    except OSError:
        return None
    return ControlGroup(folder)
