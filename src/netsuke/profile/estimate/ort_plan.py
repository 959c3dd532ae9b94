"""When ONNX Runtime allocates and frees the tensors of a model, by the rules of its planner.

Nodes run in order. An output takes over the buffer of an input that nobody needs any more where
the kernel allows that, and else is allocated; a buffer is freed after its last reader.
The second run allocates one block for everything that the first run was seen to allocate
(the memory pattern), next to what the first run left in the arena.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.profile.estimate.arena import ROUND, Arena
from netsuke.profile.estimate.ort_kernels import workspaces

ALIASES = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"})
"""Operators whose output is their first input."""
IN_PLACE = frozenset(
    {"Relu", "Clip", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "LeakyRelu", "Elu", "Softmax"}
)
"""Operators that may write over their first input."""
EITHER = frozenset({"Add", "Mul", "Sub", "Div", "Sum"})
"""Operators that may write over an input of the output's size."""
ITEM = {"float": 4, "double": 8, "float16": 2, "int64": 8, "uint64": 8, "int32": 4, "uint32": 4}
ITEM |= {"int16": 2, "uint16": 2, "int8": 1, "uint8": 1, "bool": 1}
"""Element type in a profile -> bytes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A node as the planner sees it."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    workspaces: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which buffers exist when.

    Attributes
    ----------
    steps
        Nodes in order.
    buffer
        Tensor -> the tensor whose buffer it has.
    sizes
        Tensor -> bytes.
    last
        Buffer -> number of the step after which it is freed; outputs are never.
    outputs
        Tensors that the caller gets.
    """

    steps: tuple[Step, ...]
    buffer: Mapping[str, str]
    sizes: Mapping[str, int]
    last: Mapping[str, int]
    outputs: frozenset[str]

    def calls(self, pattern: bool) -> Iterator[tuple[str, int]]:
        """(buffer, bytes to take or 0 to release) of one run; with a pattern only the rest."""
        for number, step in enumerate(self.steps):
            for name in step.outputs:
                outside = self.buffer[name] in self.outputs
                if self.buffer[name] == name and (outside or not pattern):
                    yield name, self.sizes.get(name, 0) or ROUND
            held = [f"workspace {place} of {step.name}" for place in range(len(step.workspaces))]
            yield from zip(held, step.workspaces, strict=True)
            for name in held:
                yield name, 0
            for name, end in self.last.items():
                if end == number and not pattern:
                    yield name, 0
        for name in sorted(self.outputs):
            if self.buffer[name] == name:
                yield name, 0

    def pattern(self) -> int:
        """Bytes of the block that the second run takes: placed as they came, in the first gap."""
        placed: dict[str, tuple[int, int]] = {}
        peak = 0
        for number, step in enumerate(self.steps):
            for name in step.outputs:
                if self.buffer[name] == name and name not in self.outputs:
                    size = -(-self.sizes.get(name, 0) // 64) * 64
                    start = _gap(sorted(placed.values()), size)
                    placed[name] = (start, start + size)
                    peak = max(peak, start + size)
            for name, end in self.last.items():
                if end == number:
                    placed.pop(name, None)
        return peak


def _gap(taken: list[tuple[int, int]], size: int) -> int:
    """The start of the smallest gap that is large enough, or the end."""
    best, waste, end = -1, -1, 0
    for start, stop in taken:
        room = start - end
        if room >= size and (best < 0 or room - size < waste):
            best, waste = end, room - size
        end = max(end, stop)
    return end if best < 0 else best


def make_plan(model: Any, sizes: Mapping[str, int], images: int = 1, threads: int = 1) -> Plan:
    """Plan the buffers of an optimized model (an ``onnx.ModelProto``) for some samples at once."""
    graph = model.graph
    constants = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    given = {port.name for port in graph.input}
    outputs = {port.name for port in graph.output}
    uses: dict[str, int] = dict.fromkeys(given | constants.keys() | outputs, 1)
    for node in graph.node:
        for name in node.input:
            uses[name] = uses.get(name, 0) + 1
    buffer: dict[str, str] = {name: name for name in given}
    steps: list[Step] = []
    for node in graph.node:
        inputs = tuple(n for n in node.input if n and n not in constants)
        made = tuple(n for n in node.output if n)
        for name in made:
            buffer[name] = _reuse(node, name, inputs, buffer, sizes, uses, given, outputs)
            owner = buffer[name]
            if owner != name:
                uses[owner] = uses.get(owner, 0) + uses.get(name, 0)
        for name in node.input:
            if name in constants or not name:
                continue
            uses[buffer.get(name, name)] -= 1
        taken = workspaces(node, constants, sizes, images, threads)
        steps.append(Step(node.op_type, node.name, inputs, made, taken))
    return Plan(tuple(steps), buffer, sizes, _last(steps, buffer, outputs), frozenset(outputs))


def _reuse(
    node: Any,
    name: str,
    inputs: tuple[str, ...],
    buffer: Mapping[str, str],
    sizes: Mapping[str, int],
    uses: Mapping[str, int],
    given: set[str],
    outputs: set[str],
) -> str:
    """The tensor whose buffer an output gets; itself when it needs one of its own."""
    if name in outputs:
        return name
    if node.op_type in ALIASES and inputs:
        return buffer.get(inputs[0], inputs[0])
    candidates: tuple[str, ...] = ()
    if node.op_type in IN_PLACE:
        candidates = inputs[:1]
    elif node.op_type in EITHER:
        candidates = inputs
    elif node.op_type == "FusedConv" and len(node.input) > 3:
        candidates = (node.input[3],)
    for entry in candidates:
        owner = buffer.get(entry, entry)
        if owner not in given and uses.get(owner) == 1 and sizes.get(owner) == sizes.get(name):
            return owner
    return name


def _last(steps: list[Step], buffer: Mapping[str, str], outputs: set[str]) -> dict[str, int]:
    last: dict[str, int] = {}
    for number, step in enumerate(steps):
        for name in (*step.inputs, *step.outputs):
            last[buffer.get(name, name)] = number
    kept = {buffer[name] for name in outputs if name in buffer}
    owners = {buffer[name] for step in steps for name in step.outputs}
    return {name: end for name, end in last.items() if name in owners and name not in kept}


def replay(plan: Plan, runs: int = 2, pattern: bool = True) -> Arena:
    """The arena after some runs of a plan."""
    arena = Arena()
    for number in range(runs):
        second = pattern and number > 0
        block = plan.pattern() if second else 0
        if block:
            arena.take("pattern", block)
        for name, size in plan.calls(second):
            if size:
                arena.take(name, size)
            else:
                arena.release(name)
        if block:
            arena.release("pattern")
    return arena


def what_ran(folder: Path) -> tuple[Any, dict[str, int]]:
    """The optimized model that a run left in a folder, and the bytes of its tensors by what ran.

    The profile tells the shape of every output of every node that ran, by the node's name.
    """
    import onnx

    model = onnx.load(str(folder / "optimized.onnx"))
    (trace,) = folder.glob("ran*.json")
    shapes: dict[str, list[Mapping[str, list[int]]]] = {}
    for event in json.loads(trace.read_text(encoding="utf-8")):
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            name = event["name"].removesuffix("_kernel_time")
            shapes.setdefault(name, event["args"]["output_type_shape"])
    sizes: dict[str, int] = {}
    for node in model.graph.node:
        made = [name for name in node.output if name]
        for name, typed in zip(made, shapes.get(node.name, []), strict=False):
            for kind, extents in typed.items():
                sizes[name] = int(np.prod(extents, dtype=np.int64)) * ITEM.get(kind, 4)
    return model, sizes
