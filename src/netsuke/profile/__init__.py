"""Memory over time and time per phase of any run, seen from outside, with true peaks."""

from netsuke.profile.call import run_callable as run
from netsuke.profile.job import Job
from netsuke.profile.observe import observe
from netsuke.profile.phases import phase, report_metric
from netsuke.profile.result import Phase, Profile, Run, Sample

__all__ = ["Job", "Phase", "Profile", "Run", "Sample", "observe", "phase", "report_metric", "run"]
