"""Candidates as they will ship: quantized, compiled, counted to the byte, run as integers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from netsuke.codegen import Artifact, compile_graph
from netsuke.codegen.footprint import footprint
from netsuke.compress.quantize import quantize
from netsuke.data import Dataset, Part
from netsuke.data.stored import stored_inputs
from netsuke.devices import Device
from netsuke.errors import MissingToolError
from netsuke.fit.design import Sizes
from netsuke.ir import Array, Graph
from netsuke.passes import optimize
from netsuke.schedule import Plan
from netsuke.train import Evaluation, judge, predict
from netsuke.verify import can_link, link_sizes
from netsuke.verify.cores import core
from netsuke.verify.host import HostLibrary
from netsuke.verify.unicorn import UnicornModel

CALIBRATION = (32, 256)  # samples of the training part, at least and at most
CALIBRATING = 2e9  # multiply-accumulates that calibration may take in NumPy, some seconds
SLOW = 500  # samples to interpret in NumPy when there is no compiler


@dataclass(frozen=True, slots=True, eq=False)
class Shipped:
    """A candidate's integers and its C.

    Attributes
    ----------
    quantized
        The int8 graph.
    artifact
        Its C project for the device.
    sizes
        What it takes.
    """

    quantized: Graph
    artifact: Artifact
    sizes: Sizes


def ship(graph: Graph, data: Dataset, device: Device, calibration: int | None = None) -> Shipped:
    """Fold, quantize and compile a float graph.

    Parameters
    ----------
    graph
        A float graph, trained or not.
    data
        Its training part calibrates.
    device
        What it is compiled for.
    calibration
        Number of samples; sizes alone need few. None: as many as take some seconds.
    """
    if calibration is None:
        least, most = CALIBRATION
        calibration = max(least, min(most, int(CALIBRATING / max(graph.macs, 1))))
    return compiled(integers(graph, data, calibration), device)


def compiled(quantized: Graph, device: Device) -> Shipped:
    """An int8 graph with its C and sizes."""
    artifact = compile_graph(quantized, device)
    return Shipped(quantized, artifact, measure(artifact.plan, device, artifact.weights))


def integers(graph: Graph, data: Dataset, calibration: int) -> Graph:
    """The int8 graph of a float graph."""
    folded = optimize(graph)
    samples = data.train.take(calibration).samples
    return quantize(folded, stored_inputs(folded, samples))


def sizing_integers(graph: Graph, data: Dataset) -> Graph:
    """An int8 graph of the right shapes, quickly: ranges of one sample, nothing balanced."""
    folded = optimize(graph)
    sample = stored_inputs(folded, data.train.take(1).samples)
    return quantize(folded, sample, ranges="minmax", equalize=False, bias_correction=False)


def measure(planned: Plan, device: Device, weights: int | None = None) -> Sizes:
    """Sizes of a planned graph, of which `weights` bytes of tables may be known already."""
    graph = planned.graph
    heavy = {
        node.name: sum(tensor.size for tensor in graph.in_of(node) if tensor.is_constant)
        for node in graph.nodes
    }
    return Sizes(
        flash=footprint(planned, device, weights).flash,
        ram=planned.arena,
        instructions=round(planned.instructions),
        peak_node=planned.peak_node,
        largest_node=max(heavy, key=lambda name: heavy[name], default=""),
    )


def prove(artifact: Artifact, sizes: Sizes, device: Device, count: bool = True) -> Sizes:
    """Sizes with what a linker and an emulator say, where they know the core.

    Parameters
    ----------
    artifact
        The compiled candidate.
    sizes
        Its modelled sizes.
    device
        Its device.
    count
        Whether to run an inference on the emulator.
    """
    if not can_link(device.core):
        return sizes
    linked = link_sizes(artifact)
    sizes = replace(sizes, flash=linked.code + linked.weights, flash_source="linked")
    if not count or core(device.core, device.isa).unicorn is None:
        return sizes
    emulator = UnicornModel(artifact)
    graph = emulator.graph
    zeros = [
        np.zeros((1, *graph.tensors[name].shape), graph.tensors[name].dtype)
        for name in graph.inputs
    ]
    emulator.run(*zeros)
    instructions = max(emulator.instructions)
    return replace(sizes, instructions=instructions, instructions_source="emulated")


def evaluate_integers(shipped: Shipped, data: Dataset, part: Part) -> Evaluation:
    """Evaluate a candidate's integers on a part, by its C on this machine.

    Without a compiler the NumPy meaning, which is the same bit for bit but slow, runs on the
    first `SLOW` samples.
    """
    try:
        library = HostLibrary(shipped.artifact)
    except MissingToolError:
        few = part.take(SLOW)
        return judge(predict(shipped.quantized, few), data, few)

    def run(stored: Array) -> Array:
        return library.run(np.ascontiguousarray(stored))[0]

    return judge(predict(shipped.quantized, part, run), data, part)
