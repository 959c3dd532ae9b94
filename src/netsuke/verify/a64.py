"""An artifact on an emulated AArch64 core, in Unicorn: outputs, instructions, stack, canaries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from netsuke.codegen import Artifact
from netsuke.errors import MissingToolError, UsageError, VerificationError
from netsuke.ir import Array
from netsuke.verify.cores import Core
from netsuke.verify.counter import Counter
from netsuke.verify.image import Memory, build_image
from netsuke.verify.project import Project, open_project
from netsuke.verify.samples import empty_outputs, stored_samples
from netsuke.verify.unicorn import LIMIT, UnicornModel

VECTORS_ON = 3 << 20
"""CPACR_EL1.FPEN: vector registers may be used."""
STACK = 256 << 10
FOUR_BYTES = b"\xff"
"""Code in which the counter sees an instruction every four bytes, as AArch64 has them."""


class A64Model(UnicornModel):
    """An artifact's C, compiled for a 64-bit Arm core and run by an emulator without Linux.

    What is unmapped, painted and counted is as in `UnicornModel`; alignment is not watched, for
    these cores allow unaligned loads and stores.

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
        if not core.a64 or compiler not in (None, "zig"):
            raise UsageError(f"AArch64 is compiled by zig, not {compiler} for {core.name}")
        self.graph = project.graph
        self.image = build_image(project, core, Memory(stack=STACK), compiler, optimize)
        self._unicorn, self._registers = _modules()
        self._fault, self._limit = "", LIMIT
        self._emulator = self._machine(core)
        self._counter = self._start(True)
        self._inputs = [self._address("model_input", i) for i in range(len(self.graph.inputs))]
        self._outputs = [self._address("model_output", i) for i in range(len(self.graph.outputs))]
        self._paint()
        self.instructions: list[int] = []
        self.steps: list[int] = []

    def run(self, *arrays: Array) -> tuple[Array, ...]:
        """Run samples and return the outputs; see `instructions` and `stack` afterwards.

        Raises
        ------
        UsageError
            When an array has another shape or type than the graph's input.
        VerificationError
            When the program touches memory that is not its own, traps, or does not end.
        """
        count, inputs = stored_samples(self.graph, arrays)
        outputs = empty_outputs(self.graph, count)
        self.instructions = []
        for sample in range(count):
            for address, array in zip(self._inputs, inputs, strict=True):
                self._emulator.mem_write(address, array[sample].tobytes())
            taken = self._call(self.image.address("model_invoke"), f"sample {sample}")
            self.instructions.append(taken)
            for address, output in zip(self._outputs, outputs, strict=True):
                data = self._emulator.mem_read(address, output[sample].nbytes)
                output[sample] = np.frombuffer(data, output.dtype).reshape(output[sample].shape)
        self._check_canaries()
        return outputs

    def _new_emulator(self, core: Core) -> Any:
        uc = self._unicorn
        emulator = uc.Uc(uc.UC_ARCH_ARM64, uc.UC_MODE_ARM)
        emulator.ctl_set_cpu_model(getattr(self._registers, str(core.unicorn)))
        emulator.reg_write(self._registers.UC_ARM64_REG_CPACR_EL1, VECTORS_ON)
        return emulator

    def _start(self, compiled_hook: bool) -> Counter:
        image = self.image
        code = FOUR_BYTES * len(self._code())
        stop = image.address("netsuke_stop")
        self._counter = Counter(self._emulator, image.memory.flash, code, stop, compiled_hook)
        self._call(image.address("_start"), "start-up")
        return self._counter

    def _address(self, function: str, index: int) -> int:
        self._emulator.reg_write(self._registers.UC_ARM64_REG_X0, index)
        self._call(self.image.address(function), f"{function}({index})")
        address = int(self._emulator.reg_read(self._registers.UC_ARM64_REG_X0))
        if address == 0:
            raise VerificationError("unicorn", f"{function}({index}) returns a null pointer")
        return address

    def _call(self, address: int, what: str) -> int:
        emulator, memory, registers = self._emulator, self.image.memory, self._registers
        stop = self.image.address("netsuke_stop")
        emulator.reg_write(registers.UC_ARM64_REG_SP, memory.ram + memory.stack)
        emulator.reg_write(registers.UC_ARM64_REG_LR, stop)
        self._fault = ""
        self._counter.restart(self._limit)
        try:
            emulator.emu_start(address, stop)
        except self._unicorn.UcError as error:
            self._fault = self._fault or str(error)
        at = int(emulator.reg_read(registers.UC_ARM64_REG_PC))
        place = f"{what} in {self.image.function_at(at)} at {at:#x}"
        if self._counter.exhausted:
            raise VerificationError(place, f"did not end within {self._limit:,} instructions")
        if self._fault or at != stop:
            raise VerificationError(place, self._fault or "the emulator stopped")
        return self._counter.executed

    def _interrupt(self, emulator: Any, number: int, _: Any) -> None:
        at = int(emulator.reg_read(self._registers.UC_ARM64_REG_PC))
        if at != self.image.address("netsuke_stop"):
            self._fault = f"exception {number}: an instruction the core refuses"
        emulator.emu_stop()


def _modules() -> tuple[Any, Any]:
    try:
        import unicorn
        import unicorn.arm64_const
    except ImportError:
        raise MissingToolError("unicorn", "to emulate AArch64", "pip install unicorn") from None
    return unicorn, unicorn.arm64_const
