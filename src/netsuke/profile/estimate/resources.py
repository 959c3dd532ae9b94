"""Cores, storage and energy: what a model asks of a device besides memory.

Energy is arithmetic and memory traffic at published costs: M. Horowitz, "Computing's energy problem
(and what we can do about it)", ISSCC 2014, figure 1.1.9 (45 nm, 0.9 V): 3.7 pJ a float32
multiplication, 0.9 pJ an addition, 0.2 and 0.03 pJ in int8, 1.3 to 2.6 nJ for 64 bits of DRAM,
10 to 100 pJ of an SRAM of 8 KiB to 1 MiB.
It is a floor for this technology, of the arithmetic alone: a processor's instructions cost many
times their arithmetic. What a board draws in a second is the other end. Both are always modelled.
"""

from __future__ import annotations

from collections.abc import Mapping

from netsuke.devices import Device
from netsuke.ir import Graph, Tensor
from netsuke.profile.estimate.result import Resource

MAC = {"float32": 4.6e-12, "int8": 0.23e-12}
"""J a multiply-accumulate."""
DRAM_BYTE = (1.3e-9 / 8, 2.6e-9 / 8)
SRAM_BYTE = (10e-12 / 8, 100e-12 / 8)
"""J a byte: of DRAM, of SRAM from 8 KiB to 1 MiB."""
HOROWITZ = "modelled: Horowitz, ISSCC 2014, 45 nm; arithmetic and memory alone, a floor"
SERIAL = 10e-6
"""Seconds of serial work a node (dispatch, waiting for the other threads), an assumption."""
RATE = 2.0
"""Multiply-accumulates a clock of one core, an assumption for cores with NEON (float32)."""


def resources(
    graph: Graph | None,
    device: Device,
    *,
    batch: int = 1,
    model_bytes: int | None = None,
    installed: int | None = None,
    scaling: Mapping[int, float] | None = None,
) -> tuple[Resource, ...]:
    """What is known of a model on a device besides memory.

    Parameters
    ----------
    graph
        The model; None when it cannot be imported.
    device
        With its number of cores and what it draws.
    batch
        Samples at once.
    model_bytes
        Of the file; by default the constants of the graph.
    installed
        Bytes that the runtime takes on the disk.
    scaling
        Threads -> speed against one thread, measured on this machine.
    """
    found: list[Resource] = []
    if graph is not None or model_bytes is not None:
        weights = sum(t.size for t in graph.constants()) if graph is not None else 0
        size = float(weights if model_bytes is None else model_bytes)
        found.append(Resource("storage of the model", "B", size, size, "exact: the file"))
    if installed:
        source = "measured: the installed packages on 64-bit Arm, NumPy included"
        found.append(Resource("storage of the runtime", "B", installed, installed, source))
    if graph is not None:
        found += _cores(graph, device, batch)
        found.append(_energy(graph, device))
    for threads, speed in sorted((scaling or {}).items()):
        source = "measured: on this machine, not on the device"
        name = f"speed of {threads} threads against 1, here"
        found.append(Resource(name, "x", speed, speed, source))
    if device.power is not None:
        source = f"modelled: the whole board by its maker's figures ({device.id})"
        power = device.power
        found.append(Resource("power of the board", "W", power.idle, power.active, source))
    return tuple(found)


def _cores(graph: Graph, device: Device, batch: int) -> list[Resource]:
    """Speed of several threads by Amdahl's law; nodes run one after the other."""
    parallel = batch * graph.macs / (RATE * device.clock)
    serial = SERIAL * len(graph.nodes)
    total = parallel + serial
    return [
        Resource(
            f"speed of {cores} cores against 1",
            "x",
            total / (serial + parallel / cores),
            float(cores),
            "modelled: Amdahl, 10 us of serial work a node, to none",
        )
        for cores in (2, 4)
        if cores <= device.cores and total > 0
    ]


def _energy(graph: Graph, device: Device) -> Resource:
    """J of one sample: weights read once; at most all tensors written and read once, too.

    A device with flash of its own computes in SRAM (and its flash is taken as no dearer).
    """
    byte = SRAM_BYTE if any(r.kind == "flash" for r in device.regions) else DRAM_BYTE
    integer = any(tensor.quant is not None for tensor in graph.tensors.values())
    arithmetic = graph.macs * MAC["int8" if integer else "float32"]
    weights = sum(tensor.size for tensor in graph.constants())
    moved = 2 * sum(tensor.size for tensor in _activations(graph))
    low = arithmetic + byte[0] * weights
    return Resource(
        "energy of a sample", "J", low, arithmetic + byte[1] * (weights + moved), HOROWITZ
    )


def _activations(graph: Graph) -> list[Tensor]:
    return [tensor for tensor in graph.tensors.values() if not tensor.is_constant]


def energy_of_latency(device: Device, seconds: float) -> Resource | None:
    """J of one inference that keeps a board busy for so long; None when its power is unknown."""
    if device.power is None:
        return None
    low, high = device.power.idle * seconds, device.power.active * seconds
    source = "modelled: the board's power times the modelled latency"
    return Resource("energy of an inference, whole board", "J", low, high, source)
