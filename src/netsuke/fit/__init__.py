"""Limits in, a smaller network out."""

from netsuke.fit.drop import Drop, paired_drop
from netsuke.fit.fit import fit
from netsuke.fit.result import Attempt, FitResult
from netsuke.fit.space import Candidate, ChannelSpace, Score, SearchSpace, Sizes
from netsuke.passes.channel_groups import ChannelGroup, channel_groups, cut

__all__ = [
    "Attempt",
    "Candidate",
    "ChannelGroup",
    "ChannelSpace",
    "Drop",
    "FitResult",
    "Score",
    "SearchSpace",
    "Sizes",
    "channel_groups",
    "cut",
    "fit",
    "paired_drop",
]
