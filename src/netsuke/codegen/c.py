"""Plan → C: data, one static arena a region, and a list of calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from netsuke.codegen.artifact import Artifact
from netsuke.codegen.features import features_header, reads_features, sketch_values
from netsuke.codegen.manifest import manifest
from netsuke.codegen.sources import header_of, kernel_files
from netsuke.codegen.stream import Streamed, streamed
from netsuke.codegen.tables import C_TYPES, Tables, identifier, literal
from netsuke.codegen.vectors import selftest_files
from netsuke.codegen.wrap import render, wrap
from netsuke.devices import Device
from netsuke.errors import GraphError
from netsuke.ir import Graph, Kernel, Tensor
from netsuke.ir.serialize import save_graph
from netsuke.schedule import Place, Plan, Step, plan
from netsuke.schedule.costs import Costs
from netsuke.schedule.plan import PROGRAM_MEMORY, ROOMY

FLASH_HEADER = "nsk_flash.h"
CACHE_LINE = 64
"""Bytes of a vector that is loaded at once where it does not cross a multiple of them."""


def compile_graph(
    graph: Graph,
    device: Device,
    ram: int | None = None,
    target: str = "cmake",
    provenance: Mapping[str, Any] | None = None,
    exact: bool = False,
    selftest: bool = False,
    flash: int | None = None,
    costs: Costs | None = None,
    stream: bool | int = False,
) -> Artifact:
    """Compile a graph into a C project for a device.

    Parameters
    ----------
    graph
        A verified graph; integers where all activations are quantized.
    device
        Decides kernels and memory regions.
    ram
        Bytes that arenas may take for the sake of speed; see `netsuke.schedule.plan`.
    target
        Wrapper: a key of `netsuke.codegen.WRAPPERS`.
    provenance
        What the manifest records about where the graph came from.
    exact
        See `netsuke.schedule.plan`.
    selftest
        Add ``test/selftest.c`` with a sample and what it must give.
    flash, costs
        See `netsuke.schedule.plan`.
    stream
        The input is a vector that is pushed, so many elements at a time (True: one), and no memory
        of the model holds it.

    Returns
    -------
    Artifact
        Also when it does not fit; `artifact.plan.require_fit(device)` tells.

    Raises
    ------
    GraphError
        When a node has no kernel for the device.
    UsageError
        When the input cannot be pushed.
    """
    planned = plan(
        streamed(graph, int(stream)) if stream else graph, device, ram, exact, flash, costs
    )
    _require_reachable(planned, device)
    line = CACHE_LINE if ROOMY & device.isa else 0
    emitter = _Emitter(planned, PROGRAM_MEMORY in device.isa, graph, line)
    kernels = [step.kernel for step in planned.steps if step.kernel]
    headers = (FLASH_HEADER,) if emitter.flash else ()
    files = kernel_files((kernel.source for kernel in kernels), headers)
    files[PurePosixPath("model.h")] = emitter.header().encode()
    files[PurePosixPath("model.c")] = emitter.source().encode()
    files[PurePosixPath("model_data.h")] = emitter.data().encode()
    files[PurePosixPath("graph.nsk")] = save_graph(graph)
    if selftest:
        files |= selftest_files(graph, int(stream))
    told = provenance or {}
    if reads_features(graph, told):
        files[PurePosixPath("model_features.h")] = features_header(graph)
        files |= kernel_files((), (FLASH_HEADER,))
    files = wrap(
        target, files, graph, planned, sketch_values(graph, told) | {"stream": int(stream)}
    )
    record = manifest(graph, device, planned, emitter.tables.size, files, told, int(stream))
    files[PurePosixPath("manifest.json")] = (json.dumps(record, indent=1) + "\n").encode()
    ordered = {path: files[path] for path in sorted(files)}
    return Artifact(ordered, device, planned, emitter.tables.size)


def _require_reachable(planned: Plan, device: Device) -> None:
    """Refuse tables that would have to be copied to RAM because nobody reads them from flash."""
    if PROGRAM_MEMORY not in device.isa:
        return
    for step in planned.steps:
        tables = step.kernel is not None and step.kernel.has_tables(planned.graph.in_of(step.node))
        if step.kernel is not None and tables and not step.kernel.flash:
            planned.require_fit(device)
            raise GraphError(
                step.node.name,
                f"{step.node.op.kind} cannot run on {device.id}: none of its kernels reads its "
                "tables from program memory, and as plain C they would have to be copied to RAM",
            )


def weight_bytes(planned: Plan) -> int:
    """Bytes of all constant tables that a plan's C will hold (exact), without writing it."""
    return _Emitter(planned).tables.size


class _Emitter:
    """Text of one model. It knows the calling convention, and no operator.

    With `flash`, tables and the parameters of kernels that can read them there stay in a program
    memory of its own. With `line`, tables and arenas start at multiples of so many bytes.
    """

    def __init__(
        self, planned: Plan, flash: bool = False, shown: Graph | None = None, line: int = 0
    ) -> None:
        self.plan = planned
        self.flash, self.line = flash, line
        self.graph = planned.graph
        self.shown = shown or planned.graph
        self.begin: list[str] = []
        self.push: list[str] = []
        self.chunk = 0
        self.tables = Tables()
        self.structs: list[str] = []
        self.named: dict[tuple[str | None, str, str], str] = {}
        self.calls: list[str] = []
        for number, step in enumerate(planned.steps):
            self._step(number, step)
        self.constant_outputs = {
            name: self.tables.add(f"output_{identifier(name)}", data)
            for name in self.graph.outputs
            if (data := self.graph.tensors[name].data) is not None
        }
        if flash and self.constant_outputs:
            raise GraphError(
                next(iter(self.constant_outputs)),
                "is a constant output, and the caller could not read it from program memory",
            )

    def _arena(self, region: str) -> str:
        first = next(iter(self.plan.arenas), region)
        return "model_arena" if region == first else f"model_arena_{identifier(region)}"

    def _address(self, place: Place) -> str:
        return f"{self._arena(place.region)} + {place.offset}"

    def _step(self, number: int, step: Step) -> None:
        inputs, outputs = self.graph.in_of(step.node), self.graph.out_of(step.node)
        left = ", ".join(_signature(tensor) for tensor in outputs)
        right = ", ".join(_signature(tensor) for tensor in inputs if not tensor.is_constant)
        summary = _comment(f"{number}: {step.node.op.kind} {left} <- {right}")
        if step.kernel is None:
            self.calls.append(f"    /* {summary}: nothing to do, the bytes are in place */")
            return
        arguments = self._arguments(number, step, step.kernel)
        self.calls.append(f"    /* {summary} */")
        function = step.kernel.function
        if isinstance(step.node.op, Streamed):
            place = 0 if step.kernel.struct is None else 1
            self.chunk = step.node.op.chunk
            value = "values" if self.chunk > 1 else "value"
            pushed = [*arguments[:place], value, *arguments[place:]]
            self.begin.append(_call(f"{function}_begin", arguments))
            self.push.append(_call(f"{function}_push", pushed))
            function += "_end"
        self.calls.append(_call(function, arguments))

    def _arguments(self, number: int, step: Step, kernel: Kernel) -> list[str]:
        arguments = []
        if kernel.struct is not None:
            arguments.append(f"&{self._struct(number, kernel)}")
        for index, tensor in enumerate(self.graph.in_of(step.node)):
            argument = self._input(number, index, tensor, kernel)
            if argument is not None:
                arguments.append(argument)
        for tensor in self.graph.out_of(step.node):
            address = self._address(self.plan.places[tensor.name])
            arguments.append(f"({C_TYPES[tensor.dtype]} *)({address})")
        if kernel.scratch is not None:
            arguments.append(f"({self._address(step.scratch)})" if step.scratch else "0")
        return arguments

    def _input(self, number: int, index: int, tensor: Tensor, kernel: Kernel) -> str | None:
        data = kernel.constants.get(index, tensor.data)
        if index in kernel.constants or data is not None:
            if data is None:
                return None
            name = f"node{number}_in{index}_{identifier(tensor.name)}"
            comment = _comment(f"{tensor.name} {list(np.shape(data))}")
            return self.tables.add(name, data, comment)
        place = self.plan.places.get(tensor.name)
        if place is None:
            raise GraphError(tensor.name, "has no place in the plan")
        return f"(const {C_TYPES[tensor.dtype]} *)({self._address(place)})"

    def _struct(self, number: int, kernel: Kernel) -> str:
        """The name of a struct with the kernel's parameters; equal ones ship once."""
        fields = []
        for field, value in kernel.parameters.items():
            text = (
                self.tables.add(f"node{number}_{field}", value)
                if isinstance(value, np.ndarray)
                else literal(value)
            )
            fields.append(f"    .{field} = {text},")
        body = "\n".join(fields)
        where = " NSK_FLASH" if self.flash and kernel.flash else ""
        key = (kernel.struct, where, body)
        if key not in self.named:
            self.named[key] = f"node{number}"
            self.structs.append(
                f"static const {kernel.struct} node{number}{where} = {{\n{body}\n}};\n"
            )
        return self.named[key]

    def data(self) -> str:
        return render(
            "model_data.h.j2", tables=self.tables.text(), flash=self.flash, line=self.line
        )

    def _io(self, names: tuple[str, ...]) -> list[dict[str, Any]]:
        rows = []
        for name in names:
            tensor = self.shown.tensors[name]
            quant = tensor.quant
            rows.append(
                {
                    "name": _comment(name),
                    "type": C_TYPES[tensor.dtype],
                    "shape": "x".join(map(str, tensor.shape)) or "scalar",
                    "bytes": tensor.size,
                    "scale": literal(quant.scale[0]) if quant and len(quant.scale) == 1 else None,
                    "zero": quant.zero_point[0] if quant else 0,
                    "address": self.constant_outputs[name]
                    if name in self.constant_outputs
                    else self._address(self.plan.places[name])
                    if name in self.plan.places
                    else "0",
                }
            )
        return rows

    def _arenas(self) -> list[dict[str, Any]]:
        return [
            {
                "symbol": self._arena(region),
                "macro": "MODEL_ARENA_BYTES"
                if self._arena(region) == "model_arena"
                else f"MODEL_ARENA_{identifier(region).upper()}_BYTES",
                "region": identifier(region),
                "bytes": size,
            }
            for region, size in (self.plan.arenas or {"ram": 0}).items()
        ]

    def header(self) -> str:
        return render(
            "model.h.j2",
            name=_comment(self.graph.name),
            arenas=self._arenas(),
            stream=self.chunk,
            inputs=self._io(self.shown.inputs),
            outputs=self._io(self.graph.outputs),
        )

    def source(self) -> str:
        headers = {header_of(step.kernel.source) for step in self.plan.steps if step.kernel}
        return render(
            "model.c.j2",
            name=_comment(self.graph.name),
            headers=sorted(headers),
            flash=self.flash,
            line=self.line,
            arenas=self._arenas(),
            stream=self.chunk,
            inputs=self._io(self.shown.inputs),
            outputs=self._io(self.graph.outputs),
            structs="\n".join(self.structs),
            calls="\n".join(self.calls),
            begin="\n".join(self.begin),
            push="\n".join(self.push),
        )


def _signature(tensor: Tensor) -> str:
    return f"{tensor.name}[{','.join(map(str, tensor.shape))}]"


def _comment(text: str) -> str:
    """Text that cannot end the comment it stands in."""
    plain = text.encode("ascii", "replace").decode()
    return (
        "".join(c if c.isprintable() else "?" for c in plain)
        .replace("*/", "* /")
        .replace("/*", "/ *")
        .replace("??", "? ?")
        .rstrip("\\")
    )


def _call(function: str, arguments: list[str]) -> str:
    line = f"    {function}({', '.join(arguments)});"
    if len(line) <= 100:
        return line
    indent = " " * (len(function) + 5)
    lines, line = [], f"    {function}("
    for index, argument in enumerate(arguments):
        piece = argument + (");" if index == len(arguments) - 1 else ", ")
        if len(line) + len(piece.rstrip()) > 100 and not line.endswith("("):
            lines.append(line.rstrip())
            line = indent
        line += piece
    return "\n".join([*lines, line])
