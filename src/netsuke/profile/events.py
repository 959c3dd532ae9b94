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

import os
import time

FILE = "NETSUKE_PROFILE"
"""Environment variable that names the file; without it nothing is written."""
CALLS = "NETSUKE_PROFILE_CALLS"
"""Environment variable: JSON of ``[module:]qualified name`` -> phase, for code left as it is."""

RUN = "NETSUKE_RUN"
"""Environment variable: the number of the run, from 0; a program may seed itself with it."""

_path = os.environ.get(FILE)


class _Kept:
    """A file that stays open, because opening costs more than the rest of a border.

    A program may close every number that it did not open and give ours to a file of its own, and a
    forked child has its parent's numbers: the file is opened anew where it is no longer ours.
    """

    def __init__(self, path: str, flags: int) -> None:
        self.path, self.flags = path, flags
        self._number, self._known = -1, (-1, -1, -1)

    def number(self) -> int:
        """The open file's; OSError where it cannot be opened."""
        if self._number < 0 or self._identity() != self._known:
            self._number = os.open(self.path, self.flags | os.O_CLOEXEC)
            self._known = self._identity()
        return self._number

    def _identity(self) -> tuple[int, int, int]:
        try:
            about = os.fstat(self._number)
        except OSError:
            return (-1, -1, -1)
        return os.getpid(), about.st_dev, about.st_ino


_status = _Kept("/proc/self/status", os.O_RDONLY)
_restarts = _Kept("/proc/self/clear_refs", os.O_WRONLY)
_lines = _Kept(_path or os.devnull, os.O_WRONLY | os.O_APPEND)


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
    try:
        text = os.pread(_status.number(), 8192, 0)
        return _kilobytes(text, b"\nVmRSS:"), _kilobytes(text, b"\nVmHWM:")
    except (OSError, ValueError):
        return 0, 0


def _kilobytes(text: bytes, name: bytes) -> int:
    start = text.index(name) + len(name)
    return 1024 * int(text[start : text.index(b"kB", start)])


def _now() -> dict[str, float]:
    times = os.times()
    return {"t": time.monotonic(), "pid": os.getpid(), "cpu": sum(times[:4])}


def _restart() -> bool:
    try:
        os.write(_restarts.number(), b"5")
    except OSError:
        return False
    return True


def _write(record: dict[str, object]) -> None:
    """One line in one write: lines of several processes and threads do not mix."""
    try:  # noqa: SIM105 - contextlib takes longer to load than all else here
        os.write(_lines.number(), _line(record))
    except OSError:
        pass  # a profile must never stop the program that it looks at


def _line(record: dict[str, object]) -> bytes:
    """JSON of plain values; its package is loaded only where a name needs it."""
    fields = []
    for key, value in record.items():
        if isinstance(value, bool):
            shown = "true" if value else "false"
        elif isinstance(value, str):
            shown = f'"{value}"' if _PLAIN.issuperset(value) else _escaped(value)
        else:
            shown = repr(value)  # of floats, nan and inf too, as json reads and writes them
        fields.append(f'"{key}": {shown}')
    return ("{" + ", ".join(fields) + "}\n").encode()


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.:/<>()[]=+,")


def _escaped(text: str) -> str:
    import json

    return json.dumps(text)
