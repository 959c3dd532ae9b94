"""netsuke fits trained networks into devices that are too small for them, and proves it.

>>> import netsuke as nk
>>> nk.device("nucleo-f446re").ram
129024
"""

from netsuke.api import (
    Verdict,
    calibration,
    check,
    compile,
    data,
    device,
    fit,
    load,
    quantize,
    verify,
)
from netsuke.devices import Device, Limits, device_ids
from netsuke.errors import NetsukeError
from netsuke.ir import Graph

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
    "fit",
    "load",
    "quantize",
    "verify",
]
