"""When each node runs, by which kernel, and where each buffer lives."""

from netsuke.schedule.plan import Place, Plan, Step, plan

__all__ = ["Place", "Plan", "Step", "plan"]
