"""Generated C on a device: nothing is estimated, the plan and the linker tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsuke.devices import Device
from netsuke.profile.estimate.result import Estimate, Part

if TYPE_CHECKING:
    from netsuke.codegen import Artifact

MOST_MACS = 30_000_000
"""Multiply-accumulates up to which an inference is emulated for its stack."""


def estimate_artifact(artifact: Artifact, name: str, device: Device) -> Estimate:
    """The RAM of an artifact: its arena, its variables and, from an emulator, its stack.

    Raises
    ------
    VerificationError
        When the C does not compile.
    """
    from netsuke.verify import can_link, link_sizes

    plan = artifact.plan
    parts = [Part(f"arena, fullest at {plan.peak_node}", plan.arena)]
    notes = ["the arena is exact: a static array of the generated C"]
    if can_link(device.core):
        linked = link_sizes(artifact)
        parts.append(Part("variables besides", linked.data))
        notes.append(f"variables as linked by {linked.compiler}")
    stack, where = _stack(artifact, device)
    if stack is not None:
        parts.append(Part("stack of an inference", stack))
        notes.append(f"stack as painted and read in {where}")
    else:
        notes.append(f"stack not measured: {where}")
    total = sum(part.size for part in parts)
    return Estimate(
        *(name, "c", "", device.id, "infer", 1, 1),
        *(total, total, total),
        exact=True,
        available=device.ram,
        parts=tuple(sorted((p for p in parts if p.size), key=lambda part: -part.size)),
        peak_at=plan.peak_node,
        timeline=(("inference", total),),
        notes=tuple(notes),
    )


def _stack(artifact: Artifact, device: Device) -> tuple[int | None, str]:
    """(bytes, the emulator), or (None, why not)."""
    from netsuke.verify import default_backends
    from netsuke.verify.backends import open_backend
    from netsuke.verify.project import open_project
    from netsuke.verify.samples import random_samples

    graph = artifact.plan.graph
    if graph.macs > MOST_MACS:
        return None, f"{graph.macs:,} multiply-accumulates take too long in an emulator"
    places = [place for place in default_backends(artifact) if place != "host"]
    if not places:
        return None, f"no emulator here has a {device.core}"
    project = open_project(artifact)
    emulated = open_backend(places[0], project, None)
    emulated.run(*random_samples(project.graph, 1, 0))
    return emulated.stack, places[0]
