"""When each node runs, by which kernel, and where each buffer lives."""

from netsuke.schedule.least_ram import least_ram
from netsuke.schedule.plan import Plan, Step, plan
from netsuke.schedule.regions import Place

__all__ = ["Place", "Plan", "Step", "least_ram", "plan"]
