"""Build, run, compare, measure: on the host and on emulated microcontrollers."""

from netsuke.verify.doctor import Tool, doctor
from netsuke.verify.execute import Run, run
from netsuke.verify.linked import LinkedSizes, can_link, link_sizes
from netsuke.verify.proof import Verification, default_backends, verify

__all__ = [
    "LinkedSizes",
    "Run",
    "Tool",
    "Verification",
    "can_link",
    "default_backends",
    "doctor",
    "link_sizes",
    "run",
    "verify",
]
