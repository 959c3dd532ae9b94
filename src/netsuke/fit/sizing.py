"""Finding the largest candidate on one way down whose exact sizes hold the limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from netsuke.codegen import compile_graph
from netsuke.data import Dataset
from netsuke.devices import Device, Limits
from netsuke.devices.timing import has_timing, timing
from netsuke.errors import DoesNotFitError, LimitsNotMetError
from netsuke.fit.cost import LIMITS
from netsuke.fit.measure import integers, measure, prove
from netsuke.fit.shrink import Shrinker
from netsuke.fit.space import Candidate, ChannelSpace, Sizes
from netsuke.ir import Array
from netsuke.schedule import Plan, plan

ROUNDS = 12
SLACK = 0.03
"""Share of a limit that is not worth another compilation."""
PROOFS = 4
"""Times that a linker and an emulator may send the search back."""
SAMPLES = 2
"""Calibration samples when only sizes are asked for."""


@dataclass(frozen=True, slots=True)
class Sized:
    """A candidate with its exact sizes."""

    candidate: Candidate
    sizes: Sizes


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
    """Exact sizes of candidates of one space on one device.

    Parameters
    ----------
    space, data, device
        What is cut, what calibrates, and what it is compiled for.
    """

    def __init__(self, space: ChannelSpace, data: Dataset, device: Device) -> None:
        self.space, self.data, self.device = space, data, device
        self.known: dict[tuple[int, ...], Sizes] = {}
        self.proved: dict[tuple[int, ...], Sizes] = {}

    def sizes(self, candidate: Candidate) -> Sizes:
        """Exact sizes; they depend on the widths only."""
        if candidate.widths not in self.known:
            quantized = integers(self.space.realise(candidate), self.data, SAMPLES)
            planned = plan(quantized, self.device, stripes=False)
            self.known[candidate.widths] = self._fitted(planned)
        return self.known[candidate.widths]

    def proof(self, candidate: Candidate, count: bool) -> Sizes:
        """Sizes as a linker and, with `count`, an emulator say."""
        if candidate.widths not in self.proved:
            quantized = integers(self.space.realise(candidate), self.data, SAMPLES)
            artifact = compile_graph(quantized, self.device)
            sizes = self.sizes(candidate)
            self.proved[candidate.widths] = prove(artifact, sizes, self.device, count)
        return self.proved[candidate.widths]

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

    def require_possible(self, wanted: Array) -> Sizes:
        """Raise LimitsNotMetError when even the smallest candidate breaks a limit."""
        least = self.sizes(self.space.smallest())
        for name, needed, available in zip(LIMITS, as_array(least), wanted, strict=True):
            if needed > available:
                culprit = least.largest_node if name == "flash" else least.peak_node
                raise LimitsNotMetError(name, int(needed), int(available), culprit)
        return least

    def narrow(self, shrinker: Shrinker, wanted: Array, origin: str) -> Sized:
        """Return the largest candidate found on a shrinker's way down that holds `wanted`.

        What the models say is checked by a linker and, when instructions are limited, by an
        emulator; where they say more, the aim is lowered by as much and the way walked again.
        """
        aim, count = wanted.copy(), bool(np.isfinite(wanted[2]))
        found = self._narrow(shrinker, aim, origin)
        for _ in range(PROOFS):
            proof = as_array(self.proof(found.candidate, count))
            if not (proof > wanted).any():
                break
            modelled = as_array(found.sizes)
            ratio = np.where(proof > wanted, np.minimum(modelled / proof, wanted / proof), 1.0)
            aim = np.where(proof > wanted, np.minimum(aim, wanted) * ratio * (1 - SLACK / 3), aim)
            found = self._narrow(shrinker, aim, origin)
        return found

    def _narrow(self, shrinker: Shrinker, wanted: Array, origin: str) -> Sized:
        """As `narrow`, by the models alone.

        A byte of the quick cost is a byte of the exact one, up to an offset that changes with the
        kernels that are chosen (smaller layers may need other code). So each exact answer that is
        too large lowers the aim by what is too much; when that would pass the smallest candidate,
        or after an answer that fits, the aim is half-way to the other side.
        """
        least = self.space.smallest()
        found = Sized(least, self.sizes(least))
        fits = shrinker.quick(np.array(least.widths))
        aim = np.full(3, np.inf)
        over = np.full(3, np.inf)  # the smallest quick cost that was too much, each
        for _ in range(ROUNDS):
            widths, _ = shrinker.shrink(aim)
            candidate = shrinker.candidate(widths, origin)
            quick, sizes = shrinker.quick(widths), self.sizes(candidate)
            excess = as_array(sizes) - wanted
            if (excess > 0).any():
                scale = np.where(np.arange(3) == 2, as_array(sizes)[2] / max(quick[2], 1.0), 1.0)
                over = np.where(excess > 0, np.minimum(over, quick), over)
                step = np.maximum(np.where(excess > 0, excess, 0.0) / scale, 0.01 * quick)
                lower = np.where(quick - step > fits, quick - step, (quick + fits) / 2)
                aim = np.where(excess > 0, np.minimum(lower, aim), aim)
                continue
            if sum(widths) > sum(found.candidate.widths):
                found, fits = Sized(candidate, sizes), np.maximum(fits, quick)
            bound = np.isfinite(over)
            room = -excess[bound] / wanted[bound]
            if not bound.any() or (room < SLACK).any() or not (over[bound] > fits[bound]).all():
                break
            aim = np.where(bound, (fits + over) / 2, aim)
        return found
