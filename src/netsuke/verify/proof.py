"""Proving an artifact: the same outputs, bit for bit, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from netsuke.codegen import Artifact
from netsuke.devices.timing import has_timing
from netsuke.errors import MissingToolError, UsageError, VerificationError
from netsuke.files import write_whole
from netsuke.ir import Array, Graph, interpret, interpret_batch
from netsuke.verify.backends import Backend, open_backend, usable_backends
from netsuke.verify.certificate import as_bytes, certificate
from netsuke.verify.compare import Mismatch, first_difference, first_mismatch, largest_error
from netsuke.verify.cycles import model_cycles
from netsuke.verify.ports import to_stored
from netsuke.verify.project import Project, open_project
from netsuke.verify.samples import random_samples, stored_samples
from netsuke.verify.simavr import SimavrModel
from netsuke.verify.unicorn import UnicornModel

CERTIFICATE = "certificate.json"


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """What was found when an artifact ran.

    Attributes
    ----------
    bit_exact
        Whether every output was what it should be. Integer outputs equal NumPy in every bit;
        float outputs are the same bits wherever the C ran, and close to NumPy (`float_error`).
    samples
        Number of samples.
    on
        The places where they ran.
    instructions
        Executed instructions of the slowest inference, or None where nothing counts.
    cycles
        Clock cycles of the slowest inference on an emulator that knows them, or None.
    stack
        Bytes of stack that an inference takes, by painting, or None.
    arena
        Bytes of all arenas.
    heap
        Bytes of heap: 0, proved by the absence of heap functions from the image; None when
        nothing was linked.
    steps
        Executed instructions of each call of the last inference, or None where nothing counts.
    modelled
        Cycles of one inference, modelled from counted instructions (`netsuke.verify.cycles`), with
        ``clock`` (Hz), ``latency`` (s) and what the model rests on; None where there is no model.
    float_error
        Largest difference of a float output from NumPy; 0.0 for integer models.
    mismatch
        The first value that is not what it should be.
    backends
        Figures of each place.
    certificate
        Everything, with its sources, as it is written to ``certificate.json``.
    """

    bit_exact: bool
    samples: int
    on: tuple[str, ...]
    instructions: int | None
    cycles: int | None
    stack: int | None
    arena: int
    heap: int | None
    steps: tuple[int, ...] | None
    modelled: Mapping[str, Any] | None
    float_error: float
    mismatch: Mismatch | None
    backends: Mapping[str, Mapping[str, Any]]
    certificate: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return {
            "bit_exact": self.bit_exact,
            "samples": self.samples,
            "on": list(self.on),
            "instructions": self.instructions,
            "cycles": self.cycles,
            "stack": self.stack,
            "arena": self.arena,
            "heap": self.heap,
            "steps": list(self.steps) if self.steps else None,
            "modelled": dict(self.modelled) if self.modelled else None,
            "float_error": self.float_error,
            "mismatch": asdict(self.mismatch) if self.mismatch else None,
            "backends": {name: dict(figures) for name, figures in self.backends.items()},
        }


def default_backends(artifact: Artifact | Path | str) -> tuple[str, ...]:
    """Where an artifact is verified by default: the host, and an emulator with its core."""
    return usable_backends(open_project(artifact))


def verify(
    artifact: Artifact | Path | str,
    on: Sequence[str] = ("host", "unicorn"),
    vectors: int = 20,
    inputs: Sequence[Array] | None = None,
    seed: int = 0,
    compiler: str | None = None,
) -> Verification:
    """Run samples in every place and compare all outputs with the NumPy meaning.

    Parameters
    ----------
    artifact
        An artifact, or the folder it was written to; there ``certificate.json`` is written.
    on
        Places: ``host``, ``sanitizers``, ``unicorn``, ``qemu``, ``simavr``.
    vectors
        Number of random samples, where no inputs are given.
    inputs
        Samples as the model takes them, one ``(n, ...)`` an input.
    seed
        Of the random samples.
    compiler
        The cross compiler: ``zig`` (default) or ``arm-none-eabi-gcc``.

    Returns
    -------
    Verification
        Also when outputs differ; see `Verification.mismatch`.

    Raises
    ------
    VerificationError
        When the C does not compile, faults, overwrites a canary or does not end.
    MissingToolError
        When a place needs a tool that is not installed.
    """
    project = open_project(artifact)
    if not on:
        raise UsageError("no place to verify on; try --on host,unicorn")
    if inputs is None and vectors < 1:
        raise UsageError(f"{vectors} samples prove nothing; try 20")
    if seed < 0:
        raise UsageError(f"seed {seed} is negative; try 0")
    arrays = (
        to_stored(project.graph, inputs)[0]
        if inputs is not None
        else random_samples(project.graph, vectors, seed)
    )
    count, _ = stored_samples(project.graph, arrays)
    places = {name: open_backend(name, project, compiler) for name in dict.fromkeys(on)}
    meaning = _meaning(project.graph, arrays)
    mismatch, error, results = _compare(project, places, arrays, meaning)
    figures = {name: _figures(place) for name, place in places.items()}
    images = [place.image for place in places.values() if place.image is not None]
    found = Verification(
        bit_exact=mismatch is None and not any(image.heap for image in images),
        samples=count,
        on=tuple(places),
        instructions=_first_of(figures, "instructions"),
        cycles=_first_of(figures, "cycles"),
        stack=_first_of(figures, "stack"),
        arena=_arena(project, places),
        heap=0 if images and not any(image.heap for image in images) else None,
        steps=_steps(places),
        modelled=_modelled(project, places, arrays, compiler),
        float_error=error,
        mismatch=mismatch,
        backends=figures,
        certificate={},
    )
    document = certificate(project, places, found.as_json(), arrays, results, seed, inputs is None)
    if not isinstance(artifact, Artifact):
        write_whole(Path(artifact) / CERTIFICATE, as_bytes(document))
    return replace(found, certificate=document)


def _steps(places: Mapping[str, Backend]) -> tuple[int, ...] | None:
    counting = places.get("unicorn")
    return tuple(counting.steps) or None if isinstance(counting, UnicornModel) else None


def _modelled(
    project: Project,
    places: Mapping[str, Backend],
    arrays: Sequence[Array],
    compiler: str | None,
) -> dict[str, Any] | None:
    """Modelled cycles of the last sample, and the time at the device's clock."""
    if not {"unicorn", "qemu"}.intersection(places) or not has_timing(project.core[0]):
        return None
    try:
        found = model_cycles(project, arrays, compiler)
    except (MissingToolError, VerificationError):  # no compiler for this machine, another QEMU
        return None
    clock = dict(project.manifest.get("device") or {}).get("clock")
    return {
        "cycles": found.modelled,
        "clock": clock,
        "latency": found.modelled / clock if clock else None,
        "flash_misses": found.flash_misses,
        "mix": found.mix,
        "sources": list(found.sources),
    }


def _meaning(graph: Graph, arrays: Sequence[Array]) -> tuple[Array, ...]:
    """What NumPy computes; a graph without inputs has one sample."""
    if graph.inputs:
        return interpret_batch(graph, *arrays)
    values = interpret(graph, {})
    return tuple(values[name][None] for name in graph.outputs)


def _compare(
    project: Project,
    places: Mapping[str, Backend],
    arrays: Sequence[Array],
    meaning: Sequence[Array],
) -> tuple[Mismatch | None, float, dict[str, tuple[Array, ...]]]:
    """Run everywhere; return the first mismatch, the largest float error and all outputs."""
    mismatch, error = None, 0.0
    results: dict[str, tuple[Array, ...]] = {}
    for name, place in places.items():
        outputs = place.run(*arrays)
        mismatch = mismatch or first_mismatch(project.graph, meaning, outputs, name)
        for other, before in results.items():
            mismatch = mismatch or first_difference(project.graph, before, outputs, name, other)
        error = max(error, largest_error(meaning, outputs))
        results[name] = outputs
    return mismatch, error, results


def _figures(place: Backend) -> dict[str, Any]:
    counts = list(place.instructions)
    cycles = place.cycles if isinstance(place, SimavrModel) else []
    timing = {"cycles": max(cycles), "cycles_mean": sum(cycles) / len(cycles)} if cycles else {}
    return {
        **timing,
        "instructions": max(counts) if counts else None,
        "instructions_least": min(counts) if counts else None,
        "stack": place.stack,
        "compiler": place.compiler.version,
    }


def _first_of(figures: Mapping[str, Mapping[str, Any]], key: str) -> int | None:
    """Of the place that is most exact: Unicorn counts single instructions, QEMU ticks."""
    for name in ("unicorn", *figures):
        value = figures.get(name, {}).get(key)
        if value is not None:
            return int(value)
    return None


def _arena(project: Project, places: Mapping[str, Backend]) -> int:
    """Linked where something was linked, else planned."""
    for place in places.values():
        if place.image is not None:
            return sum(arena.size for arena in place.image.arenas)
    return int(project.manifest.get("arena", 0))
