"""An estimate with the other resources that its model asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from netsuke.devices import Device
from netsuke.ir import Graph
from netsuke.profile.estimate.resources import energy_of_latency, resources
from netsuke.profile.estimate.result import Estimate
from netsuke.profile.estimate.table import read


def with_resources(
    made: Estimate,
    graph: Graph | None,
    device: Device,
    model: Any = None,
    scaling: Mapping[int, float] | None = None,
    latency: float | None = None,
) -> Estimate:
    """Add cores, storage and energy to an estimate.

    Parameters
    ----------
    made
        The estimate.
    graph
        The model, where netsuke can import it.
    device
        Where it would run.
    model
        Its file, if it has one.
    scaling
        Threads -> speed against one thread, measured here.
    latency
        Modelled seconds of an inference.
    """
    path = Path(model) if isinstance(model, str | Path) else None
    size = path.stat().st_size if path is not None and path.is_file() else None
    installed = read()["installed"].get(made.runtime)
    found = resources(
        graph,
        device,
        batch=made.batch,
        model_bytes=size,
        installed=installed,
        scaling=scaling,
    )
    whole = None if latency is None else energy_of_latency(device, latency)
    return replace(made, resources=(*found, *(() if whole is None else (whole,))))
