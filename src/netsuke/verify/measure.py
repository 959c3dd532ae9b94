"""Instructions of kernels, measured on the emulator of the device's core and kept in the cache."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netsuke.codegen import compile_graph
from netsuke.codegen.sources import kernel_files
from netsuke.devices import Device
from netsuke.errors import UsageError
from netsuke.ir import Graph, Kernel, Node, Tensor
from netsuke.schedule.costs import Costs
from netsuke.schedule.plan import kernels_of
from netsuke.verify.cache import cached, digest, kept
from netsuke.verify.cores import core
from netsuke.verify.project import open_project
from netsuke.verify.samples import random_samples
from netsuke.verify.toolchain import LANGUAGE, target_compiler, target_flags
from netsuke.verify.unicorn import UnicornModel

SUFFIX = ".instructions"
AVOIDED = 1e18
"""Instructions that no plan pays while another kernel is to be measured."""
EVERYTHING = 1 << 40
"""Bytes of a memory that is no limit."""

Progress = Callable[[str, int, int], None]
"""(what is done, rounds done, rounds in all)"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One kernel of one node: its C function, and instructions as modelled and as measured.

    Attributes
    ----------
    shapes
        ``25x5x64, 1x1x64x64 -> 25x5x64``: inputs, but for vectors, and outputs.
    macs, elements
        Multiply-accumulates of the node, and elements of its outputs.
    """

    node: str
    op: str
    shapes: str
    function: str
    scratch: int | None
    inplace: bool
    macs: int
    elements: int
    modelled: float
    instructions: int


class MeasuredCosts:
    """Costs for `netsuke.schedule.plan`, measured where the cache does not hold them yet.

    Whole graphs run, not single nodes: one run a candidate, in which every node runs another one
    of its kernels, and the emulator counts call by call. A count is kept under everything that it
    depends on: core, compiler and flags, the kernel's C with its headers, parameters, tables and
    shapes. So a measuring that is stopped goes on where it was.

    Called by a plan, it measures the first graph that it is asked about. The variants in stripes
    that the plan tries after that, often dozens, take what is known, else the operators' models;
    for another graph call `require` first, or make another object.

    Parameters
    ----------
    device
        Whose core is emulated and whose instruction sets give the candidates.
    compiler
        ``zig`` (default) or ``arm-none-eabi-gcc``.
    progress
        Is told what is measured.

    Raises
    ------
    UsageError
        When Unicorn does not emulate the device's core.
    """

    def __init__(
        self, device: Device, compiler: str | None = None, progress: Progress | None = None
    ) -> None:
        self.device, self.compiler = device, compiler
        target = core(device.core, device.isa)
        if target.unicorn is None:
            raise UsageError(f"kernels for {device.core} cannot be measured: no emulator counts it")
        tool = target_compiler(compiler)
        flags = (*target_flags(tool, target)[:-1], *LANGUAGE)
        self._platform = digest(target.name, *sorted(device.isa), tool.version, *flags)
        self._progress = progress or (lambda what, done, total: None)
        self._graphs: set[int] = set()
        self._alive: list[Graph] = []  # so that no id is used twice

    def __call__(
        self, graph: Graph, node: Node, kernels: Sequence[Kernel]
    ) -> Sequence[float | None]:
        if not self._graphs:
            self.require(graph)
        return [self._known(graph, node, kernel) for kernel in kernels]

    def require(self, graph: Graph) -> None:
        """Measure every kernel of a graph that the cache does not know."""
        if id(graph) in self._graphs:
            return
        self._graphs.add(id(graph))
        self._alive.append(graph)
        # A node whose outputs may be views might never be called; its model has to do.
        missing = {
            node.name: [
                index
                for index, kernel in enumerate(kernels_of(graph, node, self.device))
                if self._known(graph, node, kernel) is None
            ]
            for node in graph.nodes
            if not node.op.views(graph.in_of(node), graph.out_of(node))
        }
        rounds = max(map(len, missing.values()), default=0)
        for number in range(rounds):
            self._progress(graph.name, number, rounds)
            wanted = {
                name: indices[number] for name, indices in missing.items() if number < len(indices)
            }
            self._measure(graph, wanted)

    def table(self, graph: Graph) -> list[Measured]:
        """Every kernel of a graph with what it takes, without nodes whose outputs may be views."""
        self.require(graph)
        return [
            Measured(
                node.name,
                node.op.kind,
                _shapes(graph, node),
                kernel.function,
                kernel.scratch,
                bool(kernel.inplace),
                node.op.cost(graph.in_of(node), graph.out_of(node)).macs,
                sum(tensor.elements for tensor in graph.out_of(node)),
                kernel.instructions,
                instructions,
            )
            for node in graph.nodes
            for kernel in kernels_of(graph, node, self.device)
            if (instructions := self._known(graph, node, kernel)) is not None
        ]

    def _measure(self, graph: Graph, wanted: Mapping[str, int]) -> None:
        """Run the graph once with the wanted kernels and keep what each of them took."""
        artifact = compile_graph(
            graph, self.device, EVERYTHING, flash=EVERYTHING, costs=_forced(wanted)
        )
        model = UnicornModel(open_project(artifact), compiler=self.compiler)
        model.run(*(array[-1:] for array in random_samples(graph, 3, 0)))
        steps = [step for step in artifact.plan.steps if step.kernel]
        for step, count in zip(steps, model.steps, strict=False):
            assert step.kernel is not None
            key = self._key(graph, step.node, step.kernel)
            cached(key, SUFFIX, functools.partial(_write, count))

    def _known(self, graph: Graph, node: Node, kernel: Kernel) -> int | None:
        path = kept(self._key(graph, node, kernel), SUFFIX)
        try:
            return _count(path.read_text(encoding="utf-8")) if path else None
        except OSError:  # another process pruned it
            return None
        except ValueError:  # damaged: make room for a new one
            if path:
                path.unlink(missing_ok=True)
            return None

    def _key(self, graph: Graph, node: Node, kernel: Kernel) -> str:
        files = kernel_files([kernel.source])
        constants: list[str | bytes] = []
        for index, tensor in enumerate((*graph.in_of(node), *graph.out_of(node))):
            data = kernel.constants.get(index, tensor.data)
            constants += [f"{tensor.dtype}{tensor.shape}", b"" if data is None else data.tobytes()]
        parameters = [
            part
            for name, value in kernel.parameters.items()
            for part in (name, value.tobytes() if isinstance(value, np.ndarray) else repr(value))
        ]
        sources = [part for path, data in files.items() for part in (path.name, data)]
        return digest(self._platform, kernel.function, *parameters, *constants, *sources)


def _shapes(graph: Graph, node: Node) -> str:
    def text(tensors: Sequence[Tensor]) -> str:
        return ", ".join("x".join(map(str, tensor.shape)) for tensor in tensors)

    inputs = [t for t in graph.in_of(node) if not t.is_constant or len(t.shape) > 1]
    return f"{text(inputs)} -> {text(graph.out_of(node))}"


def _count(text: str) -> int:
    """Executed instructions from a kept file; ValueError for what no run can have counted."""
    count = int(text)
    if count <= 0:
        raise ValueError(text)
    return count


def _write(count: int, path: Path) -> None:
    path.write_text(f"{count}\n", encoding="utf-8")


def _forced(wanted: Mapping[str, int]) -> Costs:
    """Costs with which a plan runs the wanted kernels, and any of the nodes that want none."""

    def costs(graph: Graph, node: Node, kernels: Sequence[Kernel]) -> list[float]:
        chosen = wanted.get(node.name)
        if chosen is None:
            return [kernel.instructions for kernel in kernels]
        return [1.0 if index == chosen else AVOIDED for index in range(len(kernels))]

    return costs
