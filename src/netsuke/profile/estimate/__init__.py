"""The peak memory of a process on a device before the device exists."""

from netsuke.profile.estimate.estimate import RUNTIMES, estimate_process
from netsuke.profile.estimate.result import Estimate, Part, Resource

__all__ = ["RUNTIMES", "Estimate", "Part", "Resource", "estimate_process"]
