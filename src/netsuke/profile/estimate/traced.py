"""Every tensor that a PyTorch program holds, and when: traced without computing anything.

Under `FakeTensorMode` operators only work out shapes; autograd, modules and optimizers run as they
are. So the storages that appear and vanish are those of the real run, in its order.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from netsuke.profile.estimate.heap import Event

LEAST_BATCH = 16
"""Samples from which on oneDNN takes pointwise convolutions, too."""
PHASES = ("infer", "evaluate", "train")


@dataclass(slots=True)
class Trace:
    """What a traced program took of memory.

    Attributes
    ----------
    events
        Requests and releases, in order.
    parameters
        Bytes of weights and buffers, which are there from the start.
    peak
        Most bytes of tensors at once.
    at_peak
        Kind of tensor -> bytes at that moment.
    kernels
        Key of an event -> bytes of what a convolution reads and writes: while it runs, it holds
        buffers in proportion. In `events` they are taken and released where it ran.
    """

    events: list[Event] = field(default_factory=list)
    parameters: int = 0
    peak: int = 0
    at_peak: Mapping[str, int] = field(default_factory=dict)
    kernels: dict[int, int] = field(default_factory=dict)


def trace(module: Any, shapes: Sequence[Sequence[int]], phase: str, runs: int = 2) -> Trace:
    """Trace some runs of a module.

    Parameters
    ----------
    module
        A ``torch.nn.Module``; it is copied without its values.
    shapes
        Of its inputs, with their batch.
    phase
        One of `PHASES`; training is a step of SGD with momentum on cross entropy.
    runs
        From the second on, momenta are there.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensorMode
    from torch.utils._python_dispatch import TorchDispatchMode

    mode = FakeTensorMode()
    with FakeCopyMode(mode):
        module = copy.deepcopy(module)
    result = Trace()
    live: dict[int, tuple[int, str]] = {}
    keys = iter(range(1 << 60))
    now = {"kind": "weights"}
    known: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def drop(key: int) -> None:
        live.pop(key, None)
        result.events.append(Event(key, 0))

    def see(value: Any) -> None:
        if not isinstance(value, torch.Tensor):
            return
        storage = value.untyped_storage()
        if storage in known or storage.nbytes() == 0:
            return
        key = next(keys)
        known[storage] = key
        size = int(storage.nbytes())
        live[key] = (size, now["kind"])
        result.events.append(Event(key, size))
        weakref.finalize(storage, drop, key)
        total = sum(size for size, _ in live.values())
        if total > result.peak:
            result.peak = total
            kinds: dict[str, int] = {}
            for size, kind in live.values():
                kinds[kind] = kinds.get(kind, 0) + size
            result.at_peak = kinds

    class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            made = func(*args, **(kwargs or {}))
            torch.utils._pytree.tree_map(see, made)
            if "conv" in str(func) and not _is_plain_product(str(func), args):
                flat, _ = torch.utils._pytree.tree_flatten((args, made))
                sizes = [t.numel() * t.element_size() for t in flat if torch.is_tensor(t)]
                key = next(keys)
                result.kernels[key] = sum(sizes)
                result.events += [Event(key, sum(sizes)), Event(key, 0)]
            return made

    watch: Any = Watch
    with mode, watch():
        for value in (*module.parameters(), *module.buffers()):
            see(value)
        result.parameters = sum(size for size, _ in live.values())
        now["kind"] = "activations"
        inputs = tuple(torch.ones(*shape) for shape in shapes)
        targets = None if phase == "infer" else torch.zeros(shapes[0][0], dtype=torch.int64)
        _run(torch, module, inputs, targets, phase, runs, now)
    return result


def _is_plain_product(name: str, args: Sequence[Any]) -> bool:
    """Whether a convolution multiplies its input as it lies, with one thread.

    PyTorch gives all others to oneDNN (`use_mkldnn` in its ``Convolution.cpp``), which lays out
    what they read and write anew.
    """
    after = args[1:] if "backward" in name else args  # the gradient stands before the input
    x, weight = after[:2]
    strides = after[3] if len(after) > 3 else (1,)  # left out where it is the default
    pointwise = all(extent == 1 for extent in weight.shape[2:])
    return pointwise and all(step == 1 for step in strides) and x.shape[0] < LEAST_BATCH


def _run(
    torch: Any,
    module: Any,
    inputs: tuple[Any, ...],
    targets: Any,
    phase: str,
    runs: int,
    now: dict[str, str],
) -> None:
    if phase == "train":
        module.train()
        optimizer = torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9)
        for _ in range(runs):
            optimizer.zero_grad(set_to_none=True)
            now["kind"] = "activations"
            loss = torch.nn.functional.cross_entropy(module(*inputs), targets)
            now["kind"] = "gradients"
            loss.backward()
            now["kind"] = "optimizer"
            optimizer.step()
            now["kind"] = "activations"
            del loss
        return
    module.eval()
    for _ in range(runs):
        with torch.inference_mode():
            scores = module(*inputs)
            if phase == "evaluate":
                scores.argmax(1).eq(targets)
            del scores
