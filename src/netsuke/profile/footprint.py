"""Memory of a model in a runtime, for the table of `netsuke bench`: here, or on a device."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from netsuke.devices import Device
from netsuke.errors import NetsukeError
from netsuke.ir import Graph

MOST_MACS = 30_000_000
"""Multiply-accumulates up to which an inference is emulated for its modelled time."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What is known of one model in one runtime at one place.

    Attributes
    ----------
    memory
        Bytes: (expected, upper bound); equal where measured or exact, zeros where unknown.
    milliseconds
        Modelled on the device; nan where nothing models its core.
    sources
        Column -> where its figure comes from.
    """

    memory: tuple[int, int] = (0, 0)
    milliseconds: float = float("nan")
    sources: Mapping[str, str] = field(default_factory=dict)


def here(runtime: str, model: str, graph: Graph) -> Footprint:
    """The peak of a fresh process of this machine, or the arena of generated C.

    Raises
    ------
    MissingToolError, ModelError, VerificationError
        When the runtime is not there, refuses the model, or dies.
    """
    from netsuke.profile.estimate.calibration import measure

    if runtime == "c":
        from netsuke.codegen import compile_graph
        from netsuke.devices import device

        arena = compile_graph(graph, device("host")).plan.arena
        return Footprint((arena, arena), sources={"memory": "exact: the arena"})
    shapes = [(1, *graph.tensors[name].shape) for name in graph.inputs]
    with tempfile.TemporaryDirectory(prefix="netsuke-bench-") as folder:
        path = Path(model).resolve()
        if runtime == "onnxruntime":
            from netsuke.codegen.onnx import to_onnx

            path = Path(folder) / "model.onnx"
            path.write_bytes(to_onnx(replace(graph, ports={})))
        peak = measure(runtime, path, shapes).peak
    source = "measured here: the kernel's high-water mark (VmHWM) of a fresh Python process"
    return Footprint((peak, peak), sources={"memory": source})


def there(runtime: str, model: str, graph: Graph, device: Device) -> Footprint:
    """Memory and time on a device, where they can be told; else the source says why not."""
    try:
        if runtime == "c":
            return _generated(graph, device)
        if "a64" not in device.isa:
            return Footprint(sources={"memory": f"{device.id} runs no {runtime}"})
        from netsuke.profile.estimate import estimate_process

        made = estimate_process(
            model if runtime == "litert" else graph, lambda: graph, runtime, device
        )
    except NetsukeError as error:
        return Footprint(sources={"memory": str(error).split("; ")[0]})
    source = f"modelled: {device.id}, {runtime} {made.version}"
    return Footprint((made.expected, made.high), sources={"memory": source})


def _generated(graph: Graph, device: Device) -> Footprint:
    from netsuke.codegen import compile_graph
    from netsuke.devices.timing import has_timing
    from netsuke.verify.cycles import model_cycles
    from netsuke.verify.samples import random_samples

    artifact = compile_graph(graph, device)
    arena = artifact.plan.arena
    sources = {"memory": f"exact: the arena on {device.id}"}
    if not (has_timing(device.core) and graph.macs <= MOST_MACS):
        return Footprint((arena, arena), sources=sources)
    cycles = model_cycles(artifact, random_samples(graph, 1, 0))
    sources["device ms"] = f"modelled: counted instructions, cycles of the {device.core}"
    return Footprint((arena, arena), 1e3 * cycles.modelled / device.clock, sources)
