"""The artifact's own description, for machines."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath
from typing import Any

from netsuke.devices import Device
from netsuke.ir import Graph
from netsuke.schedule import Plan

SCHEMA = "netsuke/1"


def netsuke_version() -> str:
    try:
        return version("netsuke")
    except PackageNotFoundError:
        return "unknown"


def manifest(
    graph: Graph,
    device: Device,
    plan: Plan,
    weights: int,
    files: Mapping[PurePosixPath, bytes],
    provenance: Mapping[str, Any],
    stream: int = 0,
) -> dict[str, Any]:
    """Return what `manifest.json` says; sizes in bytes."""
    return {
        "schema": SCHEMA,
        "netsuke": netsuke_version(),
        "model": {
            "name": graph.name,
            "fingerprint": graph.fingerprint(),
            "macs": graph.macs,
            "parameters": graph.parameters,
            **provenance,
        },
        "device": {
            "id": device.id,
            "name": device.name,
            "core": device.core,
            "isa": sorted(device.isa),
            "clock": device.clock,
            "flash": device.flash,
            "ram": device.ram,
            "arenas": {region.name: region.available for region in device.memory("arena")},
        },
        "inputs": [_port(graph, plan, name) for name in graph.inputs],
        "outputs": [_port(graph, plan, name) for name in graph.outputs],
        **({"stream": True} if stream else {}),
        **({"chunk": stream} if stream > 1 else {}),
        "arena": plan.arena,
        "arenas": dict(plan.arenas),
        "arena_lower_bound": plan.lower_bound,
        "arena_optimal": plan.optimal,
        "peak_node": plan.peak_node,
        "weights": weights,
        "steps": [
            {
                "node": step.node.name,
                "op": step.node.op.kind,
                "kernel": step.kernel.function if step.kernel else None,
                "live": step.live,
                "scratch": (step.kernel.scratch or 0) if step.kernel else 0,
                "macs": plan.macs_of(step.node),
            }
            for step in plan.steps
        ],
        "buffers": [
            {
                "name": name,
                "region": place.region,
                "offset": place.offset + low,
                "size": high - low,
                "start": start,
                "end": end,
            }
            for name, (place, buffer) in sorted(plan.buffers.items())
            for start, end, low, high in buffer.runs
        ],
        "files": {str(path): hashlib.sha256(files[path]).hexdigest() for path in sorted(files)},
    }


def _port(graph: Graph, plan: Plan, name: str) -> dict[str, Any]:
    tensor, port, place = graph.tensors[name], graph.ports.get(name), plan.places.get(name)
    return {
        "name": name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": list(tensor.quant.scale) if tensor.quant else None,
        "zero_point": list(tensor.quant.zero_point) if tensor.quant else None,
        "axes": list(port.axes) if port else None,
        "shown_dtype": port.dtype if port else tensor.dtype,
        "region": place.region if place else None,
        "offset": place.offset if place else None,
    }
