"""Runs at the start of every profiled Python process, whichever packages it has.

Python imports the first ``sitecustomize`` on its path. This one notes the start and the end of the
process with its true peak, watches functions that somebody wants as phases, and then runs the
``sitecustomize`` that would have come without it. Standard library only.
"""

from __future__ import annotations

import atexit
import importlib.machinery
import importlib.util
import json
import os
import sys
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent


def _events() -> ModuleType:
    path = HERE.parent / "events.py"
    spec = importlib.util.spec_from_file_location("_netsuke_profile_events", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _watch(events: ModuleType, calls: dict[str, str]) -> None:
    """Turn calls of functions into phases; only the main thread is watched.

    The interpreter calls `seen` at every call and return, which costs a Python-heavy program
    some per cent; marks in the code cost nothing.
    """

    def seen(frame: FrameType, kind: str, _argument: Any) -> None:
        if kind not in ("call", "return"):
            return
        name = calls.get(frame.f_code.co_qualname)
        if name is None:
            module = frame.f_globals.get("__name__")
            name = calls.get(f"{module}:{frame.f_code.co_qualname}")
        if name is not None:
            events.border("enter" if kind == "call" else "exit", name)

    sys.setprofile(seen)


def _run_the_next() -> None:
    """The ``sitecustomize`` behind this one, if there is one."""
    others = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if __name__ == "sitecustomize":
    _module = _events()
    if _module.active():
        _module.border("start", "")
        atexit.register(_module.border, "end", "")
        _calls = os.environ.get(_module.CALLS)
        if _calls:
            _watch(_module, json.loads(_calls))
    _run_the_next()
