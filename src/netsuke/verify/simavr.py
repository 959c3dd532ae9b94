"""An artifact on an emulated AVR, in simavr: outputs, cycles, instructions, stack."""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from netsuke.codegen import Artifact
from netsuke.devices import Device
from netsuke.errors import MissingToolError, VerificationError
from netsuke.ir import Array
from netsuke.verify.avr import DATA_SPACE, INSTALL, MCUS, build_avr, placed_ports
from netsuke.verify.cache import cached, digest
from netsuke.verify.host import split_outputs
from netsuke.verify.project import Project, chunk_of, open_project
from netsuke.verify.samples import stored_samples
from netsuke.verify.toolchain import TIMEOUT, Compiler, call, host_compiler

CLOCK = 16_000_000
LIMIT = 1 << 31
"""Cycles of one inference after which it counts as hung (two minutes of an UNO)."""


class SimavrModel:
    """An artifact's C, compiled for an AVR and run by an emulator that knows every cycle.

    The memory between variables and stack is painted; what a program writes behind its variables
    is an error. An inference starts from what the previous one left, and the first from garbage.

    Parameters
    ----------
    artifact
        An artifact, the folder it was written to, or an open project.
    limit
        Cycles of one inference after which it counts as hung.

    Attributes
    ----------
    image
        What was linked.
    cycles
        Clock cycles of each inference of the last run.
    instructions
        Executed instructions of each inference of the last run.
    stack
        Bytes of stack that the inferences of the last run took.
    """

    def __init__(self, artifact: Artifact | Project | Path | str, limit: int = LIMIT) -> None:
        self._project = artifact if isinstance(artifact, Project) else open_project(artifact)
        self._rig = rig()
        self.graph = self._project.graph
        self.image = build_avr(self._project)
        self._ports = placed_ports(self._project, self.image)
        self._limit = limit
        self.cycles: list[int] = []
        self.instructions: list[int] = []
        self.stack: int | None = None

    @property
    def compiler(self) -> Compiler:
        return self.image.compiler

    @property
    def flags(self) -> tuple[str, ...]:
        return self.image.flags

    @property
    def ram(self) -> int:
        """Bytes of RAM: arena, variables, the stack as measured, and a buffer of pushed chunks."""
        sizes = self.image.sizes
        arena = sum(arena.size for arena in self.image.arenas)
        return arena + sizes.data + sizes.bss + (self.stack or 0) + self._chunk_bytes

    @property
    def _chunk_bytes(self) -> int:
        """Bytes that a caller needs to push elements by their address."""
        chunk = chunk_of(self._project.manifest)
        if chunk == 1:
            return 0
        return chunk * np.dtype(self.graph.tensors[self.graph.inputs[0]].dtype).itemsize

    def run(self, *arrays: Array) -> tuple[Array, ...]:
        """Run samples and return the outputs; see `cycles` and `stack` afterwards.

        Raises
        ------
        UsageError
            When an array has another shape or type than the graph's input.
        VerificationError
            When the program crashes, writes behind its variables or does not end.
        """
        count, inputs = stored_samples(self.graph, arrays)
        with tempfile.TemporaryDirectory(prefix="netsuke-simavr-") as folder:
            root = Path(folder)
            with (root / "inputs").open("wb") as file:
                for sample in range(count):
                    for array in inputs:
                        file.write(array[sample].tobytes())
            self._execute(root, count)
            self._figures((root / "figures").read_bytes(), count)
            return split_outputs(self.graph, count, (root / "outputs").read_bytes())

    def _execute(self, folder: Path, count: int) -> None:
        mcu = self.image.core.name
        words = [f"{place.kind} {place.address} {place.size}" for place in self._ports]
        command = [
            *(str(self._rig), str(self.image.path), mcu, str(CLOCK), str(count)),
            *(str(self._limit), str(self._first_free()), "inputs", "outputs", "figures"),
            *" ".join(words).split(),
        ]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            raise VerificationError("simavr", f"did not end in {TIMEOUT:g} s") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[:1000]
            raise VerificationError("simavr", said or f"exit status {done.returncode}")

    def _first_free(self) -> int:
        return self.image.address("_end") - DATA_SPACE

    def _figures(self, data: bytes, count: int) -> None:
        if len(data) != 16 * count + 8:
            raise VerificationError("simavr", f"wrote {len(data)} B of figures")
        table = np.frombuffer(data, "<u8", 2 * count).reshape(count, 2)
        stack, standing = np.frombuffer(data, "<u4", 2, 16 * count)
        free = self.image.memory.ram + self.image.memory.ram_size - self.image.address("_end")
        if not standing or int(stack) > free:
            raise VerificationError(
                "simavr",
                f"the program wrote behind its variables: {free:,} B are free, the stack took "
                f"{int(stack):,} B",
            )
        self.cycles, self.instructions = table[:, 0].tolist(), table[:, 1].tolist()
        self.stack = int(stack)


def serves(device: Device) -> bool:
    """Whether a device's core is emulated here."""
    return device.core in MCUS


@functools.cache
def rig() -> Path:
    """The program that drives simavr, compiled for this machine when it is first needed.

    Raises
    ------
    MissingToolError
        When simavr's library or its headers are not installed.
    """
    source = Path(__file__).parent / "simavr_rig.c"
    compiler = host_compiler()
    flags = ("-std=gnu11", "-O2")
    key = digest(compiler.version, source.read_bytes(), *flags, "simavr")
    arguments = [*flags, str(source), "-lsimavr"]
    try:
        return cached(key, ".exe", lambda path: call(compiler, arguments, path, "the simavr rig"))
    except VerificationError as error:
        raise MissingToolError("simavr", f"to emulate an AVR ({_first(error)})", INSTALL) from None


def _first(error: VerificationError) -> str:
    lines = [line for line in error.problem.splitlines() if "simavr" in line]
    return lines[-1].strip()[:120] if lines else "its library cannot be linked"


def simavr_version() -> str:
    """What simavr's library says of itself; raises MissingToolError when it is not installed."""
    rig()
    try:
        done = subprocess.run(
            ["pkg-config", "--modversion", "simavr"], capture_output=True, check=False
        )
        said = done.stdout.decode(errors="replace").strip()
    except OSError:
        said = ""
    return f"simavr {said}" if re.fullmatch(r"[\w.+~-]+", said) else "simavr"
