"""netsuke fits trained networks into devices that are too small for them, and proves it.

>>> import netsuke as nk
>>> nk.device("nucleo-f446re").ram
129024
"""

import sys
from types import ModuleType
from typing import Any

from netsuke.api import (
    Verdict,
    calibration,
    check,
    compile,
    data,
    device,
    distill_to_tree,
    estimate,
    fit,
    fit_table,
    load,
    profile,
    prune,
    quantize,
    report,
    run,
    train,
    verify,
)
from netsuke.devices import Device, Limits, device_ids
from netsuke.errors import NetsukeError
from netsuke.ir import Graph
from netsuke.profile.phases import phase, report_metric

__all__ = [
    "Device",
    "Graph",
    "Limits",
    "NetsukeError",
    "Verdict",
    "calibration",
    "check",
    "compile",
    "data",
    "device",
    "device_ids",
    "distill_to_tree",
    "estimate",
    "fit",
    "fit_table",
    "load",
    "phase",
    "profile",
    "prune",
    "quantize",
    "report",
    "report_metric",
    "run",
    "train",
    "verify",
]


class _Package(ModuleType):
    """Keeps public functions that are called like a room (`fit`, `verify`, `data`).

    Importing ``netsuke.fit`` makes Python set the attribute ``fit`` of this package to the room;
    ``from netsuke.fit import ...`` works without it, and `nk.fit(...)` must go on working.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
