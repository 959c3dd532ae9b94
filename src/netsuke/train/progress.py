"""Progress for a person who waits: on stderr, and only where that is a terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any


class Progress:
    """A bar that says what is done and how far it is; silent when nobody can see it.

    Parameters
    ----------
    visible
        None: when stderr is a terminal.
    """

    def __init__(self, visible: bool | None = None) -> None:
        self._visible = sys.stderr.isatty() if visible is None else visible
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        if self._visible:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("", total=None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Leave a line that stays."""
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)

    def at(self, text: str, done: float, total: float) -> None:
        """Show what is done now and how far it is."""
        if self._bar is not None:
            self._bar.update(self._task, description=text, completed=done, total=total)
