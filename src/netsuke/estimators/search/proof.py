"""A design on its device: linked, run on rows, measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netsuke.codegen import Artifact, compile_graph
from netsuke.devices import Device
from netsuke.errors import VerificationError
from netsuke.estimators.search.sizes import TableSizes, predicted_sizes
from netsuke.ir import Array, Graph
from netsuke.verify import default_backends, verify
from netsuke.verify.avr import avr_compiler, is_avr
from netsuke.verify.simavr import rig

FIRMWARE = "firmware"


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """A design that ran.

    Attributes
    ----------
    graph, artifact
        Its integers and its C.
    sizes
        Of the linked image, cycles the mean over the rows; where nothing is linked, modelled.
    slowest
        Cycles of the slowest row, as `sizes` knows them.
    source
        ``"emulated"`` or ``"modelled"``.
    places
        Where every row gave what Python gives.
    """

    graph: Graph
    artifact: Artifact
    sizes: TableSizes
    slowest: int
    source: str
    places: tuple[str, ...]


def require_tools(device: Device) -> None:
    """Ask for what the proof needs before anything is trained.

    Raises
    ------
    MissingToolError
        When the compiler or the emulator of the device's core is not installed.
    """
    if is_avr(device.core):
        avr_compiler()
        rig()


def prove(graph: Graph, device: Device, x: Array, out: Path | None) -> Proof:
    """Compile a graph and run rows everywhere that knows the device's core.

    Parameters
    ----------
    graph
        Integers of a fitted estimator.
    device
        The board.
    x
        ``(n, features)`` as a person gives them.
    out
        Folder of the run; the artifact and its certificate go to ``firmware`` in it.

    Raises
    ------
    VerificationError
        When one row on the device is not what Python computes.
    """
    artifact = compile_graph(graph, device, selftest=True)
    place: Artifact | Path = artifact if out is None else artifact.write(out / FIRMWARE)
    proof = verify(place, on=default_backends(place), inputs=(x,))
    if not proof.bit_exact:
        raise VerificationError(device.id, f"differs from Python: {proof.mismatch}")
    linked = proof.certificate.get("sizes")
    modelled = predicted_sizes(graph, device, x)
    if not linked:
        return Proof(graph, artifact, modelled, modelled.cycles, "modelled", proof.on)
    slowest = proof.cycles or proof.instructions or modelled.cycles
    mean = max((f.get("cycles_mean", 0.0) for f in proof.backends.values()), default=0.0)
    sizes = TableSizes(
        linked["code"] + linked["weights"],
        proof.arena + linked["data"] + linked["bss"],
        round(mean) or slowest,
    )
    return Proof(graph, artifact, sizes, slowest, "emulated", proof.on)
