"""What a profiled program prints: passed on, searched for phases and figures."""

from __future__ import annotations

import contextlib
import math
import sys
import threading
from collections.abc import Callable
from typing import IO

from netsuke.profile.job import Job, compiled

TAIL = 2000
"""Characters of stderr that are kept."""


class Output:
    """Reads both streams of a program line by line.

    Parameters
    ----------
    job
        Whose patterns are looked for.
    on_phase
        Called with the name of a phase as soon as its line is there.
    echo
        Pass what is printed on to stderr; stdout belongs to the result.
    """

    def __init__(self, job: Job, on_phase: Callable[[str], None], echo: bool) -> None:
        self.metrics: dict[str, float] = {}
        self.tail = ""
        self._lines = {name: compiled(name, text) for name, text in job.lines.items()}
        self._metrics = {name: compiled(name, text) for name, text in job.metrics.items()}
        self._on_phase, self._echo = on_phase, echo
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._streams: tuple[IO[bytes], ...] = ()

    def follow(self, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        """Read in the background until both end."""
        self._streams = (stdout, stderr)
        for stream, keep in ((stdout, False), (stderr, True)):
            thread = threading.Thread(target=self._read, args=(stream, keep), daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self, seconds: float) -> None:
        """Wait for the rest; a descendant may hold the streams open longer than anyone waits."""
        for thread, stream in zip(self._threads, self._streams, strict=True):
            thread.join(seconds)
            if not thread.is_alive():  # closing would wait for the reader
                stream.close()

    def _read(self, stream: IO[bytes], keep: bool) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed under our feet
            while line := stream.readline(1 << 16):
                text = line.decode("utf-8", "replace")
                with self._lock:
                    if keep:
                        self.tail = (self.tail + text)[-TAIL:]
                    self._search(text.rstrip("\r\n"))
                    if self._echo:
                        with contextlib.suppress(OSError, ValueError):
                            sys.stderr.write(text)

    def _search(self, text: str) -> None:
        for name, pattern in self._lines.items():
            if pattern.search(text):
                self._on_phase(name)
                break
        for name, pattern in self._metrics.items():
            found = pattern.search(text)
            if found:
                with contextlib.suppress(ValueError, TypeError):
                    value = float(found[1])
                    if math.isfinite(value):
                        self.metrics[name] = value
