"""PyTorch: every storage of the program, traced with fake tensors, replayed through malloc.

Nothing of the model is computed, so networks can be estimated that this machine could not train.
What the trace does not see are buffers inside of kernels: those of convolutions, which lay out what
they read and write anew, are taken and released in its place as a share of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netsuke.errors import MissingToolError, ModelError, NetsukeError, UsageError
from netsuke.profile.estimate.account import Account, Moment
from netsuke.profile.estimate.heap import Event, Heap
from netsuke.profile.estimate.result import Part
from netsuke.profile.estimate.traced import PHASES, Trace, trace

SWITCHES = {
    "activations": ("half the batch", 0.5),
    "gradients": ("half the batch, or torch.utils.checkpoint", 0.3),
    "optimizer": ("SGD without momentum", 1.0),
    "weights": ("a narrower network", 0.0),
}
"""Kind of tensor -> what saves a share of it."""
WORKSPACE = 2.5
"""Buffers inside of a convolution, as a share of what it reads and writes: the share with which the
calibration cells leave the least spread. Copies in another layout alone would be 1."""
NAMES = {
    "activations": "activations kept for the backward pass",
    "gradients": "gradients and what the backward pass makes",
    "optimizer": "state of the optimizer",
    "weights": "weights and buffers",
}


def load(model: Any, batch: int, phase: str, shape: Sequence[int] | None = None) -> Trace:
    """Trace a module.

    Parameters
    ----------
    model
        A ``torch.nn.Module`` (with `shape`), or a float graph, lowered as `netsuke train` does.
    batch
        Samples at once.
    phase
        ``infer``, ``evaluate`` or ``train``.
    shape
        Of one sample, as the module takes it.

    Raises
    ------
    MissingToolError
        When PyTorch is not installed.
    ModelError
        When the module does not run on such a sample.
    """
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise MissingToolError(
            "torch", "to trace what PyTorch holds", "pip install netsuke[train]"
        ) from None
    if phase not in PHASES:
        raise UsageError(f"no phase is called {phase!r}; known are {', '.join(PHASES)}")
    module, shapes = _prepared(model, shape)
    try:
        return trace(module, [(batch, *extents) for extents in shapes], phase)
    except NetsukeError:
        raise
    except Exception as error:  # whatever the module's own code raises
        raise ModelError(
            type(model).__name__, f"does not {phase} on a batch of {batch}: {str(error)[:200]}"
        ) from None


def _prepared(model: Any, shape: Sequence[int] | None) -> tuple[Any, Sequence[tuple[int, ...]]]:
    """A module and the shapes of a sample of its inputs."""
    if is_module(model):
        if shape is None:
            raise UsageError("a PyTorch module needs the shape of a sample: shape=(3, 96, 96)")
        return model, [tuple(shape)]
    from netsuke.train.module import scores_graph, to_module

    scores = scores_graph(model)
    return to_module(scores), [scores.tensors[name].shape for name in scores.inputs]


def account(traced: Trace, phase: str) -> Account:
    """Moments of a process on the target."""
    peak, bare = _peak(traced, WORKSPACE), _peak(traced, 0.0)
    kernels = peak - bare
    moments = (
        Moment("load", traced.parameters, "load"),
        Moment(phase, peak, "train" if phase == "train" else "run"),
    )
    parts = [
        Part(NAMES[kind] if phase == "train" else kind, size, *_saved(kind, size, phase))
        for kind, size in traced.at_peak.items()
    ]
    spare = bare - traced.peak
    if spare > 0:
        parts.append(
            Part("free blocks that malloc keeps", spare, "MALLOC_TRIM_THRESHOLD_=0", spare)
        )
    if kernels:
        parts.append(
            Part("buffers inside of convolutions", kernels, "half the batch", kernels // 2)
        )
    return Account(moments, tuple(parts), 0)


def _peak(traced: Trace, workspace: float) -> int:
    """The most that the heap has, when convolutions hold such a share of what they touch."""
    heap = Heap()
    for event in traced.events:
        share = workspace if event.key in traced.kernels else 1.0
        if share:
            heap.replay([Event(event.key, round(share * event.size))])
    return heap.peak


def _saved(kind: str, size: int, phase: str) -> tuple[str, int]:
    switch, share = SWITCHES[kind]
    if phase != "train" and kind == "weights":
        return "float16 weights, or another runtime", 0
    return switch, round(share * size)


def is_module(model: Any) -> bool:
    """Whether something is a PyTorch module, without importing PyTorch for it."""
    return any(kind.__module__.startswith("torch.nn") for kind in type(model).__mro__)
