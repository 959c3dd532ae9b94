"""Training, evaluating and inferring within a limit of memory: settings found, and proved."""

from netsuke.profile.limit.search import Found, hold_limit, run_setting
from netsuke.profile.limit.setting import Setting
from netsuke.profile.limit.task import Task

__all__ = ["Found", "Setting", "Task", "hold_limit", "run_setting"]
