"""Exact sizes of designs, and the widest design of a skeleton that holds the limits."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from netsuke.codegen import compile_graph
from netsuke.compress.edits import Edit
from netsuke.devices import Device, Limits
from netsuke.devices.timing import has_timing, timing
from netsuke.errors import DoesNotFitError
from netsuke.fit.design import Design, Sized, Sizes
from netsuke.fit.measure import integers, measure, prove, sizing_integers
from netsuke.fit.space import DesignSpace
from netsuke.fit.walk import Walk
from netsuke.ir import Array
from netsuke.schedule import Plan, plan

LIMITS = ("flash", "ram", "instructions")
ROUNDS = 6
"""Exact answers that one design may take on its way into the limits."""
SLACK = 0.03
"""Share of a limit that is not worth another compilation."""
MARGIN = 0.004
"""Share of a limit by which a correction aims lower than it must."""


def targets(limits: Limits, device: Device) -> Array:
    """(flash, ram, instructions) that must hold: the person's limits within the device's.

    A latency counts as instructions: at the core's typical cycles an instruction where there is a
    model of its cycles, else at one. It is modelled, not measured.
    """
    instructions = [np.inf]
    if limits.instructions is not None:
        instructions.append(limits.instructions)
    if limits.latency is not None:
        rate = timing(device.core).typical if has_timing(device.core) else 1.0
        instructions.append(limits.latency * device.clock / rate)
    return np.array(
        [
            min(device.flash, limits.flash if limits.flash is not None else device.flash),
            min(device.ram, limits.ram if limits.ram is not None else device.ram),
            min(instructions),
        ],
        np.float64,
    )


def as_array(sizes: Sizes) -> Array:
    return np.array([sizes.flash, sizes.ram, sizes.instructions], np.float64)


def broken(sizes: Sizes, wanted: Array) -> list[str]:
    """Names of the limits that sizes do not hold."""
    return [name for name, is_over in zip(LIMITS, as_array(sizes) > wanted, strict=True) if is_over]


class Sizer:
    """Exact sizes of the designs of one space on one device.

    Sizes depend on shapes, hardly on weights: designs are quantized with the ranges of one sample
    and planned. What ships is quantized in earnest, linked and emulated (`proof`).

    Parameters
    ----------
    space, device
        What is cut, and what it is compiled for.
    """

    def __init__(self, space: DesignSpace, device: Device) -> None:
        self.space, self.device = space, device
        self.known: dict[str, Sizes] = {}
        self.bias = np.ones(3)
        """What a linker and an emulator say, over what the models say; learned from proofs."""
        self._pairs: dict[tuple[tuple[Edit, ...], str], dict[str, tuple[Array, Array]]] = {}

    def sizes(self, design: Design) -> Sizes:
        """Exact sizes of a design."""
        if design.key not in self.known:
            self.known[design.key] = self._fitted(self.plan(design))
        return self.known[design.key]

    def plan(self, design: Design, ram: int | None = None) -> Plan:
        """A design's plan; with `ram`, also in stripes of rows, which takes longer to find."""
        graph = self.space.realise(design)
        quantized = sizing_integers(graph, self.space.data_of(design))
        return plan(quantized, self.device, ram, stripes=ram is not None)

    def _fitted(self, planned: Plan) -> Sizes:
        """The sizes; an arena that no region takes counts as more than the whole memory."""
        sizes = measure(planned, self.device)
        try:
            planned.require_fit(self.device)
        except DoesNotFitError as error:
            excess = error.needed - error.available
            ram = max(sizes.ram, self.device.ram + excess)
            return replace(sizes, ram=ram, peak_node=error.culprit)
        return sizes

    def proof(self, design: Design, count: bool) -> Sizes:
        """Sizes as a linker and, with `count`, an emulator say; `bias` learns from them."""
        quantized = integers(self.space.realise(design), self.space.data_of(design), 2)
        artifact = compile_graph(quantized, self.device)
        sizes = self.sizes(design)
        proved = prove(artifact, sizes, self.device, count)
        said = as_array(proved) / np.maximum(as_array(sizes), 1.0)
        self.bias = np.maximum(self.bias, said)
        return proved

    def proved_within(self, design: Design, wanted: Array, tries: int = 3) -> Sized:
        """The design, or a narrower one, whose linked and emulated sizes hold `wanted`."""
        count = bool(np.isfinite(wanted[2]))
        for _ in range(tries):
            proof = self.proof(design, count)
            if not (as_array(proof) > wanted).any():
                return Sized(design, proof)
            narrower = self.within(design, wanted)
            if narrower is None or narrower.design.key == design.key:
                break
            design = narrower.design
        return Sized(design, proof)

    def holds(self, sizes: Sizes, wanted: Array) -> bool:
        """Whether the models, corrected by what proofs have taught, say that limits hold."""
        return not (as_array(sizes) * self.bias > wanted).any()

    def within(self, design: Design, wanted: Array) -> Sized | None:
        """Return the design narrowed where a limit is broken and widened where there is room.

        A byte of the quick cost is a byte of flash up to an offset (the code, which changes with
        the kernels that are chosen); arenas and instructions are proportional. Each exact answer
        corrects the aim. None: no widths of this skeleton hold the limits.
        """
        skeleton = self.space.skeleton_of(design)
        walk = Walk(skeleton.quick, skeleton.importance)
        aim = wanted / self.bias * (1.0 - MARGIN)
        widths = np.minimum(np.array(design.widths, np.int64), skeleton.whole)
        best: Sized | None = None
        for _ in range(ROUNDS):
            quick = self._translate(design, aim)
            widths = walk.up(quick, walk.down(quick, widths))
            found = replace(design, widths=tuple(int(width) for width in widths))
            seen = found.key in self._exact(design)
            sizes = self._measured(found)
            if self.holds(sizes, wanted):
                if best is None or sum(found.widths) > sum(best.design.widths):
                    best = Sized(found, sizes)
                if seen or self._is_tight(sizes, wanted) or found.widths == skeleton.whole:
                    break
            elif widths.max(initial=1) == 1:
                break
            elif seen:  # the nearest answer does not lead inside: aim lower
                over = as_array(sizes) * self.bias > wanted
                aim = np.where(over, aim * (1.0 - SLACK), aim)
        return best

    def roughly(self, design: Design, wanted: Array) -> Design:
        """The design brought within the limits as far as the quick cost can tell."""
        skeleton = self.space.skeleton_of(design)
        walk = Walk(skeleton.quick, skeleton.importance)
        quick = self._translate(design, wanted / self.bias * (1.0 - MARGIN))
        widths = np.minimum(np.array(design.widths, np.int64), skeleton.whole)
        widths = walk.up(quick, walk.down(quick, widths))
        return replace(design, widths=tuple(int(width) for width in widths))

    def record(self) -> dict[str, Any]:
        """Everything learned so far, as plain values: what a resumed run must know to go on."""
        pairs = [
            [Design((), edits, family).record(), key, quick.tolist(), exact.tolist()]
            for (edits, family), found in self._pairs.items()
            for key, (quick, exact) in found.items()
        ]
        known = {key: asdict(sizes) for key, sizes in self.known.items()}
        return {"bias": self.bias.tolist(), "known": known, "pairs": pairs}

    def restore(self, record: dict[str, Any]) -> None:
        """Know what `record` knew, and nothing else."""
        self.bias = np.array(record["bias"])
        self.known = {key: Sizes(**sizes) for key, sizes in record["known"].items()}
        self._pairs = {}
        for place, key, quick, exact in record["pairs"]:
            self._exact(Design.read(place))[key] = (np.array(quick), np.array(exact))

    def _is_tight(self, sizes: Sizes, wanted: Array) -> bool:
        room = 1.0 - as_array(sizes) * self.bias / wanted
        return bool((room[np.isfinite(wanted)] < SLACK).any())

    def _exact(self, design: Design) -> dict[str, tuple[Array, Array]]:
        """(quick cost, exact sizes) by key, of the designs of one skeleton that were measured."""
        return self._pairs.setdefault((design.edits, design.family), {})

    def _measured(self, design: Design) -> Sizes:
        sizes = self.sizes(design)
        quick = self.space.skeleton_of(design).quick(np.array(design.widths))
        self._exact(design)[design.key] = (quick, as_array(sizes))
        return sizes

    def _translate(self, design: Design, aim: Array) -> Array:
        """Exact limits as limits of the quick cost, by the exact answer that was nearest."""
        pairs = self._exact(design)
        if not pairs:
            count = len(self.space.skeleton_of(design).groups)
            self._measured(replace(design, widths=(1,) * count))
        finite = np.isfinite(aim)
        bounded = np.where(finite, aim, 0.0)

        def distance(pair: tuple[Array, Array]) -> float:
            apart = np.abs(pair[1] - bounded) / np.maximum(bounded, 1.0)
            return float(apart[finite].max(initial=0.0))

        quick, exact = min(pairs.values(), key=distance)
        scaled = bounded * quick / np.maximum(exact, 1.0)
        scaled[0] = bounded[0] - (exact[0] - quick[0])
        return np.where(finite, np.maximum(scaled, 0.0), np.inf)
