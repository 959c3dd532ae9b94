"""What a profiled program writes down at the borders of its phases.

This file runs inside programs that may have no netsuke: it needs the standard library only, and
does nothing at all unless the environment names a file to write to. The protocol is open to
programs in any language: append lines of JSON to the file that ``NETSUKE_PROFILE`` names::

    {"t": seconds of CLOCK_MONOTONIC, "pid": 1234, "event": "enter", "name": "train",
     "cpu": seconds, "rss": bytes, "hwm": bytes, "reset": true}

``event`` is ``enter`` or ``exit`` (of a phase), ``start`` or ``end`` (of a process), or ``metric``
(with a ``value``). ``hwm`` is the largest resident size since the last border, and true: the
kernel keeps it (``VmHWM`` of proc(5)), and writing 5 to ``/proc/self/clear_refs`` starts it anew.
"""

from __future__ import annotations

import json
import os
import time

FILE = "NETSUKE_PROFILE"
"""Environment variable that names the file; without it nothing is written."""
CALLS = "NETSUKE_PROFILE_CALLS"
"""Environment variable: JSON of ``[module:]qualified name`` -> phase, for code left as it is."""

RUN = "NETSUKE_RUN"
"""Environment variable: the number of the run, from 0; a program may seed itself with it."""

_path = os.environ.get(FILE)
_descriptor = -1


def active() -> bool:
    """Whether somebody profiles this process."""
    return _path is not None


def border(event: str, name: str) -> None:
    """Write a border of a phase, and let the kernel's peak start anew."""
    rss, peak = resident()
    _write({"event": event, "name": name, **_now(), "rss": rss, "hwm": peak, "reset": _restart()})


def metric(name: str, value: float) -> None:
    """Write a figure that the program found."""
    _write({"event": "metric", "name": name, "value": value, **_now()})


def resident() -> tuple[int, int]:
    """Resident bytes of this process, now and at most since the kernel's peak started anew."""
    now = peak = 0
    try:
        with open("/proc/self/status", "rb") as file:
            for line in file:
                if line.startswith(b"VmRSS:"):
                    now = 1024 * int(line.split()[1])
                    break  # VmHWM stands before it
                if line.startswith(b"VmHWM:"):
                    peak = 1024 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    return now, peak


def _now() -> dict[str, float]:
    times = os.times()
    return {"t": time.monotonic(), "pid": os.getpid(), "cpu": sum(times[:4])}


def _restart() -> bool:
    try:
        with open("/proc/self/clear_refs", "wb") as file:
            file.write(b"5")
    except OSError:
        return False
    return True


def _write(record: dict[str, object]) -> None:
    """One line in one write: lines of several processes and threads do not mix."""
    global _descriptor  # noqa: PLW0603 - one open file a process, as cheap as it gets
    try:
        if _descriptor < 0 and _path is not None:
            _descriptor = os.open(_path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        os.write(_descriptor, (json.dumps(record) + "\n").encode())
    except OSError:
        pass  # a profile must never stop the program that it looks at
