"""An artifact on a board that QEMU emulates, where QEMU is installed; also on Cortex-M55."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from netsuke.codegen import Artifact
from netsuke.errors import MissingToolError, UsageError, VerificationError
from netsuke.ir import Array, Graph
from netsuke.verify.cores import Core
from netsuke.verify.host import split_outputs
from netsuke.verify.image import Image, Memory, build_image
from netsuke.verify.project import Project, open_project
from netsuke.verify.samples import stored_samples
from netsuke.verify.toolchain import BARE, TIMEOUT, Compiler

PROGRAM = "qemu-system-arm"
INSTALL = "apt install qemu-system-arm"


@dataclass(frozen=True, slots=True)
class Board:
    """A board of QEMU: its memories, and the instructions between two SysTick ticks.

    With ``-icount shift=0`` one instruction takes one nanosecond of the board's time, so that
    SysTick, which runs at the clock of the core, counts instructions.
    """

    memory: Memory
    per_tick: float


_MPS2 = Memory(0x0, 4 << 20, 0x21000000, 16 << 20, 32 << 10)
_AN500 = Memory(0x0, 4 << 20, 0x60000000, 16 << 20, 32 << 10)
_SSE200 = Memory(0x10000000, 4 << 20, 0x38000000, 4 << 20, 32 << 10)
_AN547 = Memory(0x60000000, 256 << 20, 0x21000000, 4 << 20, 32 << 10, boot=0x0)

BOARDS = {
    "microbit": Board(Memory(0x0, 256 << 10, 0x20000000, 16 << 10, 2 << 10), 62.5),
    "mps2-an385": Board(_MPS2, 40.0),
    "mps2-an386": Board(_MPS2, 40.0),
    "mps2-an500": Board(_AN500, 40.0),
    # Not mps2-an521: its first core has neither DSP instructions nor floating point.
    "mps2-an505": Board(_SSE200, 50.0),
    "mps3-an547": Board(_AN547, 31.25),
}


class QemuModel:
    """An artifact's C, compiled for a Cortex-M and run by a board that QEMU emulates.

    Parameters
    ----------
    artifact
        An artifact, the folder it was written to, or an open project.
    core
        The core to emulate; None takes the artifact's own.
    compiler
        ``zig`` (default) or ``arm-none-eabi-gcc``.
    optimize
        Optimisation level of the compiler; None: its usual one (`toolchain.LEVELS`).

    Attributes
    ----------
    instructions
        Executed instructions of each inference of the last run, exact to one SysTick tick (some
        40 instructions).
    options
        More options for QEMU, such as a plugin.
    stack
        Bytes of stack that the inferences of the last run took, by painting.
    """

    def __init__(
        self,
        artifact: Artifact | Project | Path | str,
        core: Core | None = None,
        compiler: str | None = None,
        optimize: str | None = None,
    ) -> None:
        self.project = artifact if isinstance(artifact, Project) else open_project(artifact)
        self.graph = self.project.graph
        self.core = core or self.project.emulated_core()
        if self.core.machine is None:
            raise UsageError(f"QEMU has no board with a {self.core.name}")
        self.board = BOARDS[self.core.machine]
        self.version = qemu_version()
        self.options: tuple[str, ...] = ()
        self._tool, self._optimize = compiler, optimize
        self.image = self._build(1)
        self.instructions: list[int] = []
        self.stack: int | None = None

    @property
    def compiler(self) -> Compiler:
        return self.image.compiler

    @property
    def flags(self) -> tuple[str, ...]:
        return self.image.flags

    def _build(self, samples: int) -> Image:
        harness = {
            PurePosixPath("semihost.c"): (BARE / "semihost.c").read_bytes(),
            PurePosixPath("netsuke_ports.c"): ports(self.graph, samples),
        }
        return build_image(
            self.project,
            self.core,
            self.board.memory,
            self._tool,
            self._optimize,
            harness,
            fenced=False,
        )

    def run(self, *arrays: Array) -> tuple[Array, ...]:
        """Run samples and return the outputs; see `instructions` and `stack` afterwards.

        Raises
        ------
        UsageError
            When an array has another shape or type than the graph's input.
        VerificationError
            When the program traps, overwrites a canary or does not end.
        """
        count, inputs = stored_samples(self.graph, arrays)
        image = self._build(count)
        with tempfile.TemporaryDirectory(prefix="netsuke-qemu-") as folder:
            root = Path(folder)
            with (root / "inputs").open("wb") as file:
                for sample in range(count):
                    for array in inputs:
                        file.write(array[sample].tobytes())
            self._execute(image, root)
            self._figures((root / "figures").read_bytes(), count)
            return split_outputs(self.graph, count, (root / "outputs").read_bytes())

    def _execute(self, image: Image, folder: Path) -> None:
        command = [
            *(_program(), "-M", str(self.core.machine), "-nographic", "-monitor", "none"),
            *("-serial", "none", "-icount", "shift=0", "-kernel", str(image.path)),
            *("-semihosting-config", "enable=on,target=native"),
            *self.options,
        ]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise VerificationError("qemu", f"did not end in {TIMEOUT:g} s") from None
        if done.returncode:
            why = {70: "the program faulted", 71: "a file was refused", 72: "a file is too short"}
            words = done.stderr.decode(errors="replace").strip()[:1000]
            status = f"exit status {done.returncode}"
            raise VerificationError("qemu", f"{why.get(done.returncode, status)} {words}".strip())

    def _figures(self, data: bytes, count: int) -> None:
        if len(data) != 8 * count + 8:
            raise VerificationError("qemu", f"wrote {len(data)} B of figures, not {8 * count + 8}")
        ticks = np.frombuffer(data, "<u8", count)
        stack, standing = np.frombuffer(data, "<u4", 2, 8 * count)
        if not standing:
            raise VerificationError("qemu", "a canary beside an arena was overwritten")
        self.instructions = [round(int(tick) * self.board.per_tick) for tick in ticks]
        self.stack = int(stack)


def ports(graph: Graph, samples: int) -> bytes:
    """C tables that tell the main loop how many bytes each port takes."""

    def table(names: tuple[str, ...]) -> str:
        return ", ".join([*(f"{graph.tensors[name].size}u" for name in names), "0"])

    return f"""#include <stdint.h>
extern const uint32_t netsuke_input_bytes[], netsuke_output_bytes[];
extern const int netsuke_inputs, netsuke_outputs;
extern const uint32_t netsuke_samples;
const uint32_t netsuke_input_bytes[] = {{{table(graph.inputs)}}};
const uint32_t netsuke_output_bytes[] = {{{table(graph.outputs)}}};
const int netsuke_inputs = {len(graph.inputs)};
const int netsuke_outputs = {len(graph.outputs)};
const uint32_t netsuke_samples = {samples}u;
""".encode()


def _program() -> str:
    path = shutil.which(PROGRAM)
    if path is None:
        raise MissingToolError(PROGRAM, "to emulate a board", INSTALL)
    return path


@functools.cache
def qemu_version() -> str:
    """What QEMU says of itself; raises MissingToolError when it is not installed."""
    done = subprocess.run([_program(), "--version"], capture_output=True, check=False)
    return done.stdout.decode(errors="replace").partition("\n")[0].strip()
