"""A network whose activations are computed again when the gradients need them.

Of n operators in k segments, training keeps what passes from segment to segment and, one segment
at a time, what lies within: O(n/k + k), least for k = √n (Chen et al. 2016, arXiv:1604.06174,
section 3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from netsuke.ir import Node
from netsuke.train import GraphModule


def recomputing(module: GraphModule) -> Callable[[Any], Any]:
    """Return what computes a module's first output of one input, keeping little for gradients."""
    from torch.utils.checkpoint import checkpoint

    nodes = module.graph.nodes
    length = max(1, math.ceil(len(nodes) / math.sqrt(len(nodes))))
    segments = [nodes[i : i + length] for i in range(0, len(nodes), length)]
    borders = [_border(module, segments, index) for index in range(len(segments))]

    def forward(x: Any) -> Any:
        values = {module.graph.inputs[0]: x}
        for segment, (reads, gives) in zip(segments, borders, strict=True):
            step = _step(module, segment, reads, gives)
            results = checkpoint(
                step,
                *(values[name] for name in reads),
                use_reentrant=False,
                preserve_rng_state=False,
            )
            values |= dict(zip(gives, results, strict=True))
        return values[module.graph.outputs[0]]

    return forward


def _border(
    module: GraphModule, segments: list[tuple[Node, ...]], index: int
) -> tuple[list[str], list[str]]:
    """What a segment reads from before it, and what others read from it."""
    own = {name for node in segments[index] for name in node.outputs}
    used = [name for node in segments[index] for name in node.inputs]
    reads = [name for name in dict.fromkeys(used) if name not in own | set(module.slots)]
    later = {name for segment in segments[index + 1 :] for node in segment for name in node.inputs}
    gives = [name for name in own if name in later or name in module.graph.outputs]
    return reads, sorted(gives)


def _step(
    module: GraphModule, segment: tuple[Node, ...], reads: list[str], gives: list[str]
) -> Callable[..., tuple[Any, ...]]:
    calls = 0

    def run(*arrays: Any) -> tuple[Any, ...]:
        nonlocal calls
        calls += 1
        values = {**module.values(), **dict(zip(reads, arrays, strict=True))}
        module.compute(segment, values, measure=calls == 1)
        return tuple(values[name] for name in gives)

    return run
