"""What kernels take on an AVR: measured, recorded, and compared with what is predicted.

    python bench/avr_costs/run.py            # compare predictions with simavr (about two minutes)
    python bench/avr_costs/run.py --record   # write src/netsuke/codegen/avr_code.json, then compare

Each model of the zoo is compiled whole and node by node. The bytes of code of every variant of a
function, and the bytes that functions share in one program, are fitted to all of these programs.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from zoo import graphs

import netsuke as nk
from netsuke.codegen import avr_code, compile_graph
from netsuke.codegen.footprint import footprint
from netsuke.ir import Graph, GraphBuilder, Kernel, Node, interpret_batch
from netsuke.schedule import Plan
from netsuke.verify.avr import avr_compiler
from netsuke.verify.simavr import SimavrModel

UNO = nk.device("arduino-uno")
WHOLE = 3.0
"""Weight of a whole model beside its single nodes."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A measured program: bytes, and mean cycles; and what was predicted for it."""

    name: str
    whole: bool
    kernels: tuple[Kernel, ...]
    flash: int
    code: int  # without start-up and tables
    startup: int
    cycles: float
    modelled: tuple[float, ...]  # cycles of each kernel, before any factor
    predicted_flash: int
    predicted_cycles: float


def programs() -> Iterator[Program]:
    """Every model of the zoo, and each of its nodes by itself."""
    for name, graph, rows in graphs():
        yield _measured(name, graph, [rows], True)
        if len(graph.nodes) < 2:
            continue
        between = tuple(output for node in graph.nodes for output in node.outputs)
        values = dict(
            zip(between, interpret_batch(replace(graph, outputs=between), rows), strict=True)
        )
        values[graph.inputs[0]] = rows
        for node in graph.nodes:
            alone = _alone(graph, node)
            feeds = [values[tensor] for tensor in alone.inputs]
            yield _measured(f"{name}: {node.op.kind}", alone, feeds, False)


def _alone(graph: Graph, node: Node) -> Graph:
    builder = GraphBuilder("node")
    names = []
    for tensor in graph.in_of(node):
        if tensor.data is not None:
            names.append(builder.constant(tensor.name, tensor.data, tensor.quant))
        else:
            names.append(builder.input(tensor.name, tensor.shape, tensor.dtype, tensor.quant))
    quants = [tensor.quant for tensor in graph.out_of(node)]
    return builder.build(builder.add(node.op, names, node.outputs, quants))


def _measured(name: str, graph: Graph, feeds: list[np.ndarray], whole: bool) -> Program:
    artifact = compile_graph(graph, UNO)
    model = SimavrModel(artifact)
    model.run(*feeds)
    kernels = tuple(step.kernel for step in artifact.plan.steps if step.kernel)
    sizes = model.image.sizes
    return Program(
        name,
        whole,
        kernels,
        sizes.flash,
        sizes.text,
        sizes.library,
        float(np.mean(model.cycles)),
        tuple(_modelled(artifact.plan, feeds)),
        footprint(artifact.plan, UNO, artifact.weights).flash,
        avr_code.cycles_on_avr(artifact.plan, feeds),
    )


def _modelled(plan: Plan, feeds: list[np.ndarray]) -> Iterator[float]:
    values = avr_code._values(plan.graph, feeds)
    for step in plan.steps:
        if step.kernel:
            inputs = plan.graph.in_of(step.node)
            seen = [values[tensor.name] for tensor in inputs if not tensor.is_constant]
            kernel = step.node.op.timed(step.kernel, inputs, seen)
            yield kernel.cycles or kernel.instructions


def fitted(found: list[Program]) -> dict[str, Any]:
    """The record: least squares over all programs, each weighted by its size."""
    names = sorted({avr_code.variant(kernel) for program in found for kernel in program.kernels})
    code, cycles = (np.zeros((len(found), len(names))) for _ in range(2))
    for row, program in enumerate(found):
        for kernel, modelled in zip(program.kernels, program.modelled, strict=True):
            column = names.index(avr_code.variant(kernel))
            code[row, column] += 1
            cycles[row, column] += modelled
    shared = 1.0 - np.array([[len(program.kernels)] for program in found])
    sizes = _solved(np.hstack([code, shared]), found, "code", "flash")
    factors = _solved(cycles, found, "cycles", "cycles")
    return {
        "compiler": avr_compiler().version,
        "startup": found[0].startup,
        "shared": round(float(sizes[-1]), 1),
        "code": {name: round(float(size)) for name, size in zip(names, sizes, strict=False)},
        "cycles": {name: round(float(f), 4) for name, f in zip(names, factors, strict=True)},
    }


def _solved(table: np.ndarray, found: list[Program], of: str, relative: str) -> np.ndarray:
    weight = [(WHOLE if one.whole else 1.0) / max(getattr(one, relative), 100) for one in found]
    right = np.array([getattr(one, of) for one in found], float) * weight
    damping = 1e-6 * np.eye(table.shape[1])
    left = np.vstack([table * np.array(weight)[:, None], damping])
    padded = np.concatenate([right, np.zeros(table.shape[1])])
    return np.asarray(np.linalg.lstsq(left, padded, rcond=None)[0])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the record")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    if options.record:
        record = fitted(list(programs()))
        avr_code.RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        avr_code._record.cache_clear()
    worst = {"flash": 0.0, "cycles": 0.0}
    for program in programs():
        if not program.whole:
            continue
        errors = {
            "flash": program.predicted_flash / program.flash - 1,
            "cycles": program.predicted_cycles / program.cycles - 1,
        }
        worst = {name: max(worst[name], abs(error)) for name, error in errors.items()}
        print(
            f"{program.name:32} flash {program.flash:6,} B {100 * errors['flash']:+5.1f} %   "
            f"cycles {program.cycles:9,.0f} {100 * errors['cycles']:+6.1f} %"
        )
    print("worst: " + ", ".join(f"{name} {100 * error:.1f} %" for name, error in worst.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
