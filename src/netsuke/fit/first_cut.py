"""The network between a large original and a much smaller design.

At eight times fewer weights and more, what is left of the original's weights is worth little. So
the original is first cut to a few times the target, learns for a while, and the search starts from
there (a cascade; the teacher assistants of Mirzadeh et al. 2020, arXiv:1902.03393, do the same for
distillation).
"""

from __future__ import annotations

import numpy as np

from netsuke.fit.design import Design
from netsuke.fit.space import DesignSpace
from netsuke.fit.walk import Walk

LARGE = 8.0
"""Times the target from which on an original is cut twice."""
BETWEEN = 3.0
"""Times the target that the network between has."""


def between(space: DesignSpace, target: Design) -> Design | None:
    """The network between the original and a design like `target`, or None.

    Weights are `BETWEEN` times the target's; multiply-accumulates at most as many times, where
    the target sees the same input.
    """
    skeleton, small = space.skeleton(), space.skeleton_of(target)
    whole = skeleton.quick(np.array(skeleton.whole))
    least = small.quick(np.array(target.widths))
    if target.family or whole[0] < LARGE * least[0]:
        return None
    work = np.inf if target.edits else BETWEEN * least[2]
    walk = Walk(skeleton.quick, skeleton.importance)
    widths = walk.down(np.array([BETWEEN * least[0], np.inf, work]))
    # Nothing that the target keeps may be gone: the search goes on from here.
    kept = dict(zip((group.name for group in small.groups), target.widths, strict=True))
    least_widths = [min(kept.get(group.name, 1), group.units) for group in skeleton.groups]
    widths = np.maximum(widths, least_widths)
    return Design(tuple(int(width) for width in widths), origin="between")


def cost_ratio(space: DesignSpace, design: Design, target: Design) -> float:
    """How many times the multiply-accumulates of a target a design has."""
    macs = [space.skeleton_of(each).quick(np.array(each.widths))[2] for each in (design, target)]
    return float(macs[0] / max(macs[1], 1.0))
