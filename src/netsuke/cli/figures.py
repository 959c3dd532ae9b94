"""The sizes of an artifact: linked where a compiler for the core is there, else modelled."""

from __future__ import annotations

from typing import Any

from netsuke.codegen import Artifact
from netsuke.codegen.footprint import footprint
from netsuke.devices import Device
from netsuke.errors import MissingToolError, VerificationError


def figures(artifact: Artifact, device: Device) -> dict[str, Any]:
    """Return ``arena``, ``flash``, ``code``, ``weights`` (bytes), ``files`` and ``source``."""
    from netsuke.verify import can_link, link_sizes

    result: dict[str, Any] = {"arena": artifact.plan.arena}
    size = footprint(artifact.plan, device, artifact.weights)
    result |= {
        "flash": size.flash,
        "code": size.code + size.parameters,
        "weights": size.weights,
        "source": "code modelled",
    }
    if can_link(device.core):
        try:
            linked = link_sizes(artifact)
        except (MissingToolError, VerificationError):
            pass
        else:
            result |= {
                "flash": linked.code + linked.weights,
                "code": linked.code,
                "weights": linked.weights,
                "source": f"linked with {linked.compiler}",
            }
    result["files"] = [str(path) for path in artifact.files]
    return result
