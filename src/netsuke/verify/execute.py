"""Feeding arrays to an artifact, as the model takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from netsuke.codegen import Artifact
from netsuke.ir import Array
from netsuke.verify.backends import open_backend
from netsuke.verify.ports import from_stored, to_stored
from netsuke.verify.project import open_project


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What came out of a run.

    Attributes
    ----------
    outputs
        One ``(n, ...)`` an output, in the model file's layout.
    samples
        n.
    instructions
        Executed instructions of the slowest inference, or None where nothing counts.
    stack
        Bytes of stack that an inference takes, or None where nothing measures.
    """

    outputs: tuple[Array, ...]
    samples: int
    instructions: int | None
    stack: int | None


def run(
    artifact: Artifact | Path | str,
    on: str,
    arrays: Sequence[Array],
    compiler: str | None = None,
) -> Run:
    """Run samples as the model takes them and return the outputs as it gives them.

    Parameters
    ----------
    artifact
        An artifact, or the folder it was written to.
    on
        ``host``, ``sanitizers``, ``unicorn`` or ``qemu``.
    arrays
        One ``(n, ...)`` an input, in the model file's layout. Integers are taken as stored; reals
        given to a quantized input are quantized, and then outputs that the model file shows as
        reals come back dequantized.
    compiler
        The cross compiler: ``zig`` (default) or ``arm-none-eabi-gcc``.

    Raises
    ------
    DataError
        When an array has another shape or type than the input.
    VerificationError
        When the C does not compile, faults, overwrites a canary or does not end.
    """
    project = open_project(artifact)
    stored, real = to_stored(project.graph, arrays)
    place = open_backend(on, project, compiler)
    outputs = place.run(*stored)
    return Run(
        outputs=from_stored(project.graph, outputs, real),
        samples=len(stored[0]) if stored else 1,
        instructions=max(place.instructions, default=None),
        stack=place.stack,
    )
