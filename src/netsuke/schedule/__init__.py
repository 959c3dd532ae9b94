"""When each node runs, by which kernel, and where each buffer lives."""

from netsuke.schedule.plan import Plan, Step, plan
from netsuke.schedule.regions import Place

__all__ = ["Place", "Plan", "Step", "plan"]
