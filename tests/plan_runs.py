"""Plans carried out step by step: on marks that show who wrote a byte, and on real kernels."""

from __future__ import annotations

import ctypes

import numpy as np
from kernel_library import Guarded, library, make_struct

from netsuke.ir import Array, Node
from netsuke.schedule import Plan


class Replay:
    """A run of a plan on marks instead of values: every byte that is read must be its writer's."""

    def __init__(self, planned: Plan) -> None:
        self.plan, self.graph = planned, planned.graph
        self.memory = {r: np.zeros(size, np.int64) for r, size in planned.arenas.items()}
        self.marks: dict[str, np.ndarray] = {}  # of each tensor, as its writers left them
        self.writers = 0

    def place(self, name: str) -> np.ndarray:
        place, size = self.plan.places[name], self.graph.tensors[name].size
        assert place.offset >= 0 and place.offset % 4 == 0
        assert place.offset + size <= len(self.memory[place.region])
        return self.memory[place.region][place.offset : place.offset + size]

    def write(self, name: str) -> None:
        self.writers += 1
        self.marks[name] = (self.writers << 32) + np.arange(self.graph.tensors[name].size)
        self.place(name)[:] = self.marks[name]

    def read(self, name: str, where: str, part: slice = slice(None)) -> None:
        assert np.array_equal(self.place(name)[part], self.marks[name][part]), (where, name)

    def look(self, node: Node) -> None:
        """Note what a node's outputs hold although nothing ran."""
        inputs, outputs = self.graph.in_of(node), self.graph.out_of(node)
        for view in node.op.views(inputs, outputs):
            arguments = {"in": inputs, "out": outputs}
            inner = arguments[view.inner[0]][view.inner[1]]
            outer = arguments[view.outer[0]][view.outer[1]]
            part = slice(view.offset, view.offset + inner.size)
            if view.inner[0] == "out":
                self.marks[inner.name] = self.marks[outer.name][part]
            else:
                whole = self.marks.setdefault(outer.name, np.zeros(outer.size, np.int64))
                whole[part] = self.marks[inner.name]

    def read_inputs(self, node: Node) -> None:
        inputs, outputs = self.graph.in_of(node), self.graph.out_of(node)
        parts = {
            view.outer[1]: slice(view.offset, view.offset + outputs[view.inner[1]].size)
            for view in node.op.views(inputs, outputs)
            if view.outer[0] == "in" and len(outputs) == 1
        }
        for index, tensor in enumerate(inputs):
            if not tensor.is_constant:
                self.read(tensor.name, node.name, parts.get(index, slice(None)))

    def run(self) -> None:
        for name in self.graph.inputs:
            self.write(name)
        for step in self.plan.steps:
            if step.kernel is None:
                self.look(step.node)
                continue
            self.read_inputs(step.node)
            if step.scratch:
                region, size = self.memory[step.scratch.region], step.kernel.scratch or 0
                assert step.scratch.offset + size <= len(region)
                region[step.scratch.offset : step.scratch.offset + size] = -1
                self.read_inputs(step.node)
            for name in step.node.outputs:
                self.write(name)
        for name in self.graph.outputs:
            if not self.graph.tensors[name].is_constant:
                self.read(name, "the caller")


def replay(planned: Plan) -> None:
    """Check that no plan's step overwrites what a later one reads."""
    Replay(planned).run()


def run_plan(planned: Plan, feeds: dict[str, Array]) -> dict[str, Array]:
    """Run a plan's kernels one by one in guarded arenas, as model.c does."""
    graph = planned.graph
    arenas = {region: Guarded(size) for region, size in planned.arenas.items()}

    def address(name: str) -> int:
        place = planned.places[name]
        return arenas[place.region].address + place.offset

    for name, value in feeds.items():
        ctypes.memmove(address(name), np.ascontiguousarray(value).tobytes(), value.nbytes)
    for step in planned.steps:
        kernel, keep = step.kernel, []
        if kernel is None:
            continue
        arguments: list[object] = []
        if kernel.struct is not None:
            arguments.append(ctypes.byref(make_struct(kernel, keep)))
        for index, tensor in enumerate(graph.in_of(step.node)):
            data = kernel.constants.get(index, tensor.data)
            if data is not None:
                table = Guarded(data.nbytes)
                table.write(data)
                keep.append(table)
                arguments.append(ctypes.c_void_p(table.address))
            elif index not in kernel.constants:
                arguments.append(ctypes.c_void_p(address(tensor.name)))
        arguments += [ctypes.c_void_p(address(tensor.name)) for tensor in graph.out_of(step.node)]
        if kernel.scratch is not None:
            place = step.scratch
            at = arenas[place.region].address + place.offset if place else None
            arguments.append(ctypes.c_void_p(at))
        function = getattr(library(kernel.source), kernel.function)
        function.restype = None
        function(*arguments)
    for arena in arenas.values():
        arena.check()
    results = {}
    for name in graph.outputs:
        tensor = graph.tensors[name]
        raw = ctypes.string_at(address(name), tensor.size)
        results[name] = np.frombuffer(raw, tensor.dtype).reshape(tensor.shape)
    return results
