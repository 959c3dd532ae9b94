"""Limits in, a smaller network out."""

from netsuke.fit.design import Design, Sizes
from netsuke.fit.drop import Drop, paired_drop
from netsuke.fit.fit import fit
from netsuke.fit.result import Attempt, FitResult
from netsuke.fit.space import DesignSpace
from netsuke.passes.channel_groups import ChannelGroup, channel_groups, cut

__all__ = [
    "Attempt",
    "ChannelGroup",
    "Design",
    "DesignSpace",
    "Drop",
    "FitResult",
    "Sizes",
    "channel_groups",
    "cut",
    "fit",
    "paired_drop",
]
