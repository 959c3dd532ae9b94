"""Runs at the start of every profiled Python process, whichever packages it has.

Python imports the first ``sitecustomize`` on its path. This one notes the start and the end of the
process with its true peak, watches functions that somebody wants as phases, and then runs the
``sitecustomize`` that would have come without it. Standard library only.
"""

from __future__ import annotations

import atexit
import importlib.machinery
import os
import sys

TYPE_CHECKING = False  # typing itself would be loaded into every program
if TYPE_CHECKING:
    from types import FrameType, ModuleType
    from typing import Any

HERE = os.path.dirname(os.path.realpath(__file__))


def _events() -> ModuleType:
    name = "_netsuke_profile_events"
    path = os.path.join(os.path.dirname(HERE), "events.py")
    module = type(sys)(name)
    importlib.machinery.SourceFileLoader(name, path).exec_module(module)
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
    others = [entry for entry in sys.path if os.path.realpath(entry or ".") != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = type(sys)("sitecustomize")
        module.__spec__, module.__loader__ = spec, spec.loader
        module.__file__ = spec.origin
        spec.loader.exec_module(module)


if __name__ == "sitecustomize":
    _module = _events()
    if _module.active():
        _module.border("start", "")
        atexit.register(_module.border, "end", "")
        _calls = os.environ.get(_module.CALLS)
        if _calls:
            import json

            _watch(_module, json.loads(_calls))
    _run_the_next()
