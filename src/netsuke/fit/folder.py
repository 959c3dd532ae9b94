"""A run's memory on the disk: what was computed once is not computed again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from netsuke.errors import UsageError
from netsuke.files import write_whole
from netsuke.ir import Array, Graph, load_graph, save_graph
from netsuke.ops import OPERATORS
from netsuke.train.files import read_arrays, read_json, write_arrays, write_json

STATE = "state.json"


class RunFolder:
    """Steps by name; each result is written whole before the next step begins.

    A run that was killed at any moment goes on behind its last whole step. Without a folder
    nothing is kept.

    Parameters
    ----------
    folder
        Where the run lives, or None.
    key
        What the run was asked to do. A resumed run must be asked the same.
    resume
        Go on with a run that is there; otherwise an occupied folder is refused.
    """

    def __init__(self, folder: Path | None, key: dict[str, Any], resume: bool) -> None:
        self.folder = folder
        self._graphs: dict[str, bytes] = {}
        self.started = time.monotonic()
        self.before = 0.0
        if folder is None:
            return
        state = folder / STATE
        if not state.exists():
            write_json(state, {"key": key, "elapsed": 0.0})
            return
        if not resume:
            raise UsageError(f"{folder} holds a run already; resume it, or give another folder")
        found = read_json(state)
        differing = [name for name in key if found.get("key", {}).get(name) != key[name]]
        if differing:
            raise UsageError(
                f"{folder} holds a run with another {', '.join(differing)}; give another folder"
            )
        self.before = float(found.get("elapsed", 0.0))

    @property
    def elapsed(self) -> float:
        """Seconds that the run took so far, those before a break included."""
        return self.before + time.monotonic() - self.started

    def _tick(self) -> None:
        assert self.folder is not None
        state = read_json(self.folder / STATE)
        write_json(self.folder / STATE, {**state, "elapsed": self.elapsed})

    def values(self, name: str, make: Callable[[], Any]) -> Any:
        """Plain values of a step."""
        if self.folder is None:
            return make()
        path = self.folder / f"{name}.json"
        if not path.exists():
            write_json(path, make())
            self._tick()
        return read_json(path)

    def graph(self, name: str, make: Callable[[], Graph]) -> Graph:
        """The graph of a step."""
        if self.folder is None:
            return make()
        path = self.folder / f"{name}.nsk"
        if not path.exists():
            write_whole(path, save_graph(make()))
            self._tick()
        return load_graph(path.read_bytes(), OPERATORS, str(path))

    def keep_graph(self, name: str, graph: bytes) -> None:
        """Keep a graph that was made elsewhere."""
        if self.folder is None:
            self._graphs[name] = graph
        else:
            write_whole(self.folder / f"{name}.nsk", graph)
            self._tick()

    def kept_graph(self, name: str) -> Graph | None:
        """A graph that was kept, or None."""
        if not self.has_graph(name):
            return None
        if self.folder is None:
            return load_graph(self._graphs[name], OPERATORS, name)
        path = self.folder / f"{name}.nsk"
        return load_graph(path.read_bytes(), OPERATORS, str(path))

    def has_graph(self, name: str) -> bool:
        if self.folder is None:
            return name in self._graphs
        return (self.folder / f"{name}.nsk").exists()

    def array(self, name: str, make: Callable[[], Array]) -> Array:
        """The array of a step."""
        if self.folder is None:
            return make()
        path = self.folder / f"{name}.npz"
        if not path.exists():
            write_arrays(path, {name: make()}, None)
            self._tick()
        return read_arrays(path)[0][name]

    def inside(self, name: str) -> Path | None:
        """A folder for a step's own checkpoints."""
        return None if self.folder is None else self.folder / name
