"""An artifact on an emulated 32-bit RISC-V core, in Unicorn: outputs, instructions, canaries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netsuke.codegen import Artifact
from netsuke.errors import MissingToolError, UsageError, VerificationError
from netsuke.verify.a64 import FOUR_BYTES, A64Model
from netsuke.verify.cores import Core
from netsuke.verify.counter import Counter
from netsuke.verify.image import Memory, build_image
from netsuke.verify.project import Project, open_project
from netsuke.verify.unicorn import LIMIT


class Rv32Model(A64Model):
    """An artifact's C, compiled for a 32-bit RISC-V core and run by an emulator without a system.

    It is compiled for RV32IM: compressed instructions are the same ones in fewer bytes, so the
    count is that of a core with them; floats are computed in integers.

    Parameters
    ----------
    artifact
        An artifact, the folder it was written to, or an open project.
    core
        The core to emulate; None takes the artifact's own.
    compiler
        ``zig`` or None.
    optimize
        Optimisation level of the compiler.
    """

    def __init__(
        self,
        artifact: Artifact | Project | Path | str,
        core: Core | None = None,
        compiler: str | None = None,
        optimize: str = "-O2",
    ) -> None:
        project = artifact if isinstance(artifact, Project) else open_project(artifact)
        core = core or project.emulated_core()
        if not core.rv32 or compiler not in (None, "zig"):
            raise UsageError(f"RISC-V is compiled by zig, not {compiler} for {core.name}")
        self.graph = project.graph
        self.image = build_image(project, core, Memory(), compiler, optimize)
        self._unicorn, self._registers = _modules()
        self._fault, self._limit = "", LIMIT
        self._emulator = self._machine(core)
        self._counter = self._start(True)
        self._inputs = [self._address("model_input", i) for i in range(len(self.graph.inputs))]
        self._outputs = [self._address("model_output", i) for i in range(len(self.graph.outputs))]
        self._paint()
        self.instructions: list[int] = []
        self.steps: list[int] = []

    def _new_emulator(self, core: Core) -> Any:
        return self._unicorn.Uc(self._unicorn.UC_ARCH_RISCV, self._unicorn.UC_MODE_RISCV32)

    def _start(self, compiled_hook: bool) -> Counter:
        image = self.image
        code = FOUR_BYTES * len(self._code())
        stop = image.address("netsuke_stop")
        self._counter = Counter(self._emulator, image.memory.flash, code, stop, compiled_hook)
        self._call(image.address("_start"), "start-up")
        return self._counter

    def _address(self, function: str, index: int) -> int:
        self._emulator.reg_write(self._registers.UC_RISCV_REG_A0, index)
        self._call(self.image.address(function), f"{function}({index})")
        address = int(self._emulator.reg_read(self._registers.UC_RISCV_REG_A0))
        if address == 0:
            raise VerificationError("unicorn", f"{function}({index}) returns a null pointer")
        return address

    def _call(self, address: int, what: str) -> int:
        emulator, memory, registers = self._emulator, self.image.memory, self._registers
        stop = self.image.address("netsuke_stop")
        emulator.reg_write(registers.UC_RISCV_REG_SP, memory.ram + memory.stack)
        emulator.reg_write(registers.UC_RISCV_REG_RA, stop)
        self._fault = ""
        self._counter.restart(self._limit)
        try:
            emulator.emu_start(address, stop)
        except self._unicorn.UcError as error:
            self._fault = self._fault or str(error)
        at = int(emulator.reg_read(registers.UC_RISCV_REG_PC))
        place = f"{what} in {self.image.function_at(at)} at {at:#x}"
        if self._counter.exhausted:
            raise VerificationError(place, f"did not end within {self._limit:,} instructions")
        if self._fault or at != stop:
            raise VerificationError(place, self._fault or "the emulator stopped")
        return self._counter.executed

    def _interrupt(self, emulator: Any, number: int, _: Any) -> None:
        at = int(emulator.reg_read(self._registers.UC_RISCV_REG_PC))
        if at != self.image.address("netsuke_stop"):
            self._fault = f"exception {number}: an instruction the core refuses"
        emulator.emu_stop()


def _modules() -> tuple[Any, Any]:
    try:
        import unicorn
        import unicorn.riscv_const
    except ImportError:
        raise MissingToolError("unicorn", "to emulate RISC-V", "pip install unicorn") from None
    return unicorn, unicorn.riscv_const
