"""Modelled cycles of an inference: instructions counted by kind, times what each kind takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netsuke.codegen import Artifact
from netsuke.devices.timing import timing
from netsuke.errors import VerificationError
from netsuke.ir import Array
from netsuke.verify.mix import Mix, mix
from netsuke.verify.project import Project, open_project
from netsuke.verify.qemu import QemuModel
from netsuke.verify.qemu_trace import trace_qemu
from netsuke.verify.trace import Tracer
from netsuke.verify.unicorn import UnicornModel


@dataclass(frozen=True, slots=True)
class Cycles:
    """Modelled cycles of one inference: never measured, always to be labelled so.

    Attributes
    ----------
    modelled
        Cycles.
    instructions
        Executed instructions, counted.
    mix
        Instructions by kind, counted.
    flash_misses
        Loads from flash that wait, from a model of the lines in front of it.
    sources
        What the model rests on.
    """

    modelled: int
    instructions: int
    mix: Mix
    flash_misses: int
    sources: tuple[str, ...]

    @property
    def per_instruction(self) -> float:
        return self.modelled / max(self.instructions, 1)


def model_cycles(
    artifact: Artifact | Project | Path | str,
    samples: Sequence[Array],
    compiler: str | None = None,
    board: str | None = None,
) -> Cycles:
    """Run one sample on the emulated core and model its cycles.

    Parameters
    ----------
    artifact
        As for `UnicornModel`.
    samples
        One array ``(n, ...)`` an input; the last sample counts.
    compiler
        ``zig`` (default) or ``arm-none-eabi-gcc``.
    board
        Device id whose flash is modelled; None: the artifact's own.

    Raises
    ------
    UsageError
        When no emulator has the core.
    DeviceError
        When there is no timing of the core.
    """
    inputs = [array[-1:] for array in samples]
    project = artifact if isinstance(artifact, Project) else open_project(artifact)
    if project.emulated_core().unicorn is None:
        return _on_qemu(project, inputs, compiler)
    plain = UnicornModel(project, compiler=compiler)
    times = timing(plain.image.core.name)
    flash = times.flash(board or plain.device_id)
    outputs = plain.run(*inputs)
    for fast in (True, False):
        model = UnicornModel(project, compiler=compiler)
        tracer = Tracer(model.emulator, model.image, flash.lines, flash.line, fast)
        try:
            watched = model.run(*inputs)
        except VerificationError:
            if not fast:
                raise
            continue
        same = all(np.array_equal(a, b) for a, b in zip(outputs, watched, strict=True))
        if same and model.instructions == plain.instructions:
            break
    found = mix(tracer.executed())
    cycles = times.of(found, tracer.misses, flash.wait)
    return Cycles(round(cycles), plain.instructions[-1], found, tracer.misses, times.sources)


def _on_qemu(project: Project, inputs: Sequence[Array], compiler: str | None) -> Cycles:
    """As `model_cycles` on a core that only QEMU has; flash is taken not to wait."""
    model = QemuModel(project, compiler=compiler)
    times = timing(model.core.name)
    found = mix(trace_qemu(model, inputs))
    return Cycles(round(times.of(found)), model.instructions[-1], found, 0, times.sources)
