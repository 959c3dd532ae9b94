"""The network between a large original and a much smaller design.

At eight times fewer weights and more, what is left of the original's weights is worth little. So
the original is first cut to a few times the target, learns for a while, and the search starts from
there (a cascade; the teacher assistants of Mirzadeh et al. 2020, arXiv:1902.03393, do the same for
distillation).
"""

from __future__ import annotations

import numpy as np

from netsuke.fit.design import Design
from netsuke.fit.space import DesignSpace, Skeleton
from netsuke.fit.walk import Walk

LARGE = 8.0
"""Times the target from which on an original is cut twice."""
BETWEEN = 3.0
"""Times the target that the network between has."""


def between(space: DesignSpace, target: Design) -> Design | None:
    """The network between the original and a design of the same skeleton, or None.

    Weights are `BETWEEN` times the target's; multiply-accumulates at most as many times.
    """
    skeleton = space.skeleton()
    whole = skeleton.quick(np.array(skeleton.whole))
    least = skeleton.quick(np.array(target.widths))
    if target.edits or target.family or whole[0] < LARGE * least[0]:
        return None
    aim = np.array([BETWEEN * least[0], np.inf, BETWEEN * least[2]])
    walk = Walk(skeleton.quick, skeleton.importance)
    widths = walk.down(aim)
    # Nothing that the target keeps may be gone: the search goes on from here.
    widths = np.maximum(widths, np.minimum(np.array(target.widths), walk.whole))
    return Design(tuple(int(width) for width in widths), origin="between")


def cost_ratio(skeleton: Skeleton, design: Design, target: Design) -> float:
    """How many times the multiply-accumulates of a target a design has."""
    macs = [skeleton.quick(np.array(each.widths))[2] for each in (design, target)]
    return float(macs[0] / max(macs[1], 1.0))
