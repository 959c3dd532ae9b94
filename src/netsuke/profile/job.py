"""What to run, and how to look at it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from netsuke.errors import UsageError

SHORTEST, LONGEST = 0.001, 60.0
MOST_RUNS = 1000
LONGEST_NAME = 100
"""Characters of a name that are shown."""


@dataclass(frozen=True, slots=True)
class Job:
    """A program and how it is observed.

    Attributes
    ----------
    command
        Program and arguments; ``python`` is the Python that runs netsuke.
    name
        For tables; empty: the command.
    environment
        Variables that are set on top of this process's own.
    folder
        Where it runs; None: here.
    repeat
        Runs, each in a fresh process.
    interval
        Seconds between samples, 0.001 to 60.
    lines
        Phase -> pattern: the phase begins with the first line of output in which the pattern is
        found, and ends where the next such phase begins.
    calls
        Phase -> Python function ``[module:]qualified.name``: the phase is its calls.
    metrics
        Figure -> pattern whose first group is the number, searched in each line of output.
    shared
        Count shared pages in proportion (PSS) in the timeline.
    timeout
        Seconds after which a run is ended; None: never.
    """

    command: tuple[str, ...]
    name: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    repeat: int = 3
    interval: float = 0.1
    lines: Mapping[str, str] = field(default_factory=dict)
    calls: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    shared: bool = False
    timeout: float | None = None

    def __post_init__(self) -> None:
        if not self.command or not all(self.command):
            raise UsageError("there is no command to profile; try netsuke profile -- python x.py")
        if any("\0" in part for part in self.command):
            raise UsageError("a command cannot hold a zero byte")
        if not 1 <= self.repeat <= MOST_RUNS:
            raise UsageError(f"{self.repeat} runs are not from 1 to {MOST_RUNS}")
        if not SHORTEST <= self.interval <= LONGEST:
            raise UsageError(
                f"an interval of {self.interval:g} s is not from {SHORTEST:g} to {LONGEST:g} s"
            )
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"a time limit of {self.timeout:g} s is none")
        for name, pattern in self.lines.items():
            compiled(name, pattern)
        for name, pattern in self.metrics.items():
            if compiled(name, pattern).groups < 1:
                raise UsageError(
                    f"{name}={pattern}: the pattern of a figure needs a group around the number, "
                    r"such as accuracy=accuracy: ([\d.]+)"
                )

    @property
    def title(self) -> str:
        """Of tables, printable."""
        return printable(self.name or " ".join(os.path.basename(part) for part in self.command))


def check_program(job: Job) -> None:
    """Refuse a program that is not there, before hours are spent on what stands before it.

    Raises
    ------
    UsageError
        When no file of that name can be run.
    """
    name = job.command[0]
    if name in ("python", "python3"):
        return
    there = (job.folder or Path()) / name
    found = there.is_file() if os.path.dirname(name) else _on_path(name, job.environment)
    if not found:
        raise UsageError(f"{name}: cannot be run: there is no such program; is it on the PATH?")


def _on_path(name: str, environment: Mapping[str, str]) -> bool:
    return shutil.which(name, path=environment.get("PATH")) is not None


def printable(text: str, most: int = LONGEST_NAME) -> str:
    """A name for tables and pages: without control characters and halves of characters."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def compiled(name: str, pattern: str) -> re.Pattern[str]:
    """A pattern, or an error that says what is wrong with it."""
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"{name}={pattern} is no regular expression: {error}") from None


def named(texts: Mapping[str, str] | tuple[str, ...] | list[str], what: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping."""
    if isinstance(texts, Mapping):
        return dict(texts)
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"{text!r} is not {what}")
        if name in found:
            raise UsageError(f"{name} is given twice")
        found[name] = value
    return found
