"""Profiling a Python function: it runs in fresh processes, too.

``python -m netsuke.profile.call FILE`` is such a process; FILE holds the function, pickled, and
what `multiprocessing` needs to find the main module again.
"""

from __future__ import annotations

import pickle
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import spawn
from pathlib import Path
from typing import Any

from netsuke.errors import UsageError
from netsuke.profile.job import Job
from netsuke.profile.observe import observe
from netsuke.profile.result import Profile


def run_callable(function: Callable[[], object], name: str = "", **options: Any) -> Profile:
    """Profile a function without arguments.

    Parameters
    ----------
    function
        Importable by its name (no lambda, no closure), or another object that pickles, such as a
        `functools.partial` of one. What it returns is dropped.
    name
        For tables; empty: the function's.
    options
        Of `Job`, such as ``repeat`` and ``interval``.
    """
    title = name or getattr(function, "__name__", type(function).__name__)
    try:
        content = pickle.dumps(function)
    except Exception as error:  # pickling runs code of the object's own
        raise UsageError(
            f"{title} cannot be sent to a fresh process: {error}; profile a function of a module"
        ) from None
    with tempfile.TemporaryDirectory(prefix="netsuke-call-") as folder:
        path = Path(folder) / "function.pickle"
        preparation = spawn.get_preparation_data(title)
        preparation.pop("authkey", None)  # a secret that does not pickle, and is not needed
        path.write_bytes(pickle.dumps((preparation, content)))
        command = (sys.executable, "-m", "netsuke.profile.call", str(path))
        return observe(Job(command, title, **options))


def _call(path: str) -> None:
    with open(path, "rb") as file:
        preparation, content = pickle.load(file)
    spawn.prepare(preparation)
    pickle.loads(content)()


if __name__ == "__main__":
    _call(sys.argv[1])
