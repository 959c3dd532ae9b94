"""An artifact on an emulated Cortex-M, in Unicorn: outputs, instructions, stack, canaries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.codegen import Artifact
from netsuke.errors import MissingToolError, UsageError, VerificationError
from netsuke.ir import Array
from netsuke.verify.alignment import AlignmentAudit
from netsuke.verify.cores import Core
from netsuke.verify.counter import Counter
from netsuke.verify.image import PAGE, Arena, Memory, build_image
from netsuke.verify.project import Project, open_project
from netsuke.verify.samples import empty_outputs, stored_samples
from netsuke.verify.steps import StepCounter
from netsuke.verify.toolchain import Compiler

STACK_PAINT = 0xC5
CANARY = 0x9E
GARBAGE = 0xA7
LIMIT = 1 << 35
"""Instructions of one inference after which it counts as hung."""


class UnicornModel:
    """An artifact's C, compiled for a Cortex-M and run by an emulator.

    Every page outside code, stack, variables and arenas is unmapped, so that a stray access stops
    the run; canaries stand in the pages of each arena that are not its own; the first inference is
    watched for loads and stores that hardware refuses because they are not aligned.

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
    compiled_hook
        Count instructions in C; False counts in Python.
    limit
        Instructions of one inference after which it counts as hung.
    entries
        Functions of the project that are called besides the model's own.

    Attributes
    ----------
    image
        What was linked.
    instructions
        Executed instructions of each inference of the last run, without copying samples.
    steps
        The last inference's instructions, call by call; [] where calls cannot be told apart.
    stack
        Bytes of stack that the inferences of all runs took, by painting.
    """

    def __init__(
        self,
        artifact: Artifact | Project | Path | str,
        core: Core | None = None,
        compiler: str | None = None,
        optimize: str | None = None,
        compiled_hook: bool = True,
        limit: int = LIMIT,
        entries: Sequence[str] = (),
    ) -> None:
        project = artifact if isinstance(artifact, Project) else open_project(artifact)
        core = core or project.emulated_core()
        if core.unicorn is None:
            raise UsageError(f"Unicorn does not emulate {core.name}; try --on qemu")
        self.graph = project.graph
        self.device_id = str(dict(project.manifest.get("device") or {}).get("id", ""))
        self.image = build_image(project, core, Memory(), compiler, optimize, entries=entries)
        self._unicorn = _module()
        self._fault, self._limit = "", limit
        self._emulator = self._machine(core)
        self._counter = self._start(compiled_hook)
        self._inputs = [self._address("model_input", i) for i in range(len(self.graph.inputs))]
        self._outputs = [self._address("model_output", i) for i in range(len(self.graph.outputs))]
        self._paint()
        self.instructions: list[int] = []
        self.steps: list[int] = []
        self._steps = StepCounter(self._emulator, self.image, self._counter)
        self._audited = False

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
        invoke, emulator = self.image.address("model_invoke"), self._emulator
        self.instructions = []
        audit = None if self._audited else AlignmentAudit(emulator, self.image)
        for sample in range(count):
            for address, array in zip(self._inputs, inputs, strict=True):
                emulator.mem_write(address, array[sample].tobytes())
            self._steps.restart()
            self.instructions.append(self._call(invoke, f"sample {sample}"))
            self.steps = self._steps.finish(self.instructions[-1])
            if audit and not self._audited:
                self._audited = True
                audit.finish()
            for address, output in zip(self._outputs, outputs, strict=True):
                data = emulator.mem_read(address, output[sample].nbytes)
                output[sample] = np.frombuffer(data, output.dtype).reshape(output[sample].shape)
        self._check_canaries()
        return outputs

    @property
    def emulator(self) -> Any:
        """The `unicorn.Uc`, for whoever watches it."""
        return self._emulator

    @property
    def compiler(self) -> Compiler:
        return self.image.compiler

    @property
    def flags(self) -> tuple[str, ...]:
        return self.image.flags

    @property
    def stack(self) -> int:
        """Bytes of stack taken so far."""
        memory = self.image.memory
        painted = np.frombuffer(self._emulator.mem_read(memory.ram, memory.stack), np.uint8)
        touched = np.flatnonzero(painted != STACK_PAINT)
        return int(memory.stack - touched[0]) if touched.size else 0

    def _new_emulator(self, core: Core) -> Any:
        uc = self._unicorn
        assert core.unicorn is not None
        emulator = uc.Uc(uc.UC_ARCH_ARM, uc.UC_MODE_THUMB | uc.UC_MODE_MCLASS)
        emulator.ctl_set_cpu_model(getattr(uc.arm_const, core.unicorn))
        return emulator

    def _machine(self, core: Core) -> Any:
        uc, image, memory = self._unicorn, self.image, self.image.memory
        emulator = self._new_emulator(core)
        end = max(address + len(data) for address, data in image.segments)
        emulator.mem_map(
            memory.flash, _pages(end - memory.flash), uc.UC_PROT_READ | uc.UC_PROT_EXEC
        )
        variables = image.sizes.data + image.sizes.bss
        writable = uc.UC_PROT_READ | uc.UC_PROT_WRITE
        emulator.mem_map(memory.ram, _pages(memory.stack + variables), writable)
        for arena in image.arenas:
            start = arena.address // PAGE * PAGE
            size = _pages(arena.address + arena.size - start)
            emulator.mem_map(start, size, writable)
        for address, data in image.segments:
            emulator.mem_write(address, data)
        emulator.hook_add(uc.UC_HOOK_INTR, self._interrupt)
        emulator.hook_add(uc.UC_HOOK_MEM_INVALID, self._invalid)
        return emulator

    def _start(self, compiled_hook: bool) -> Counter:
        """Run the start-up code, and count from then on."""
        image = self.image
        stop = image.address("netsuke_stop")
        counter = Counter(self._emulator, image.memory.flash, self._code(), stop, compiled_hook)
        self._counter = counter
        self._call(image.address("_start"), "start-up")
        return counter

    def _code(self) -> bytes:
        """All of flash, from its first address, as it lies in memory."""
        end = max(address + len(data) for address, data in self.image.segments)
        flash = bytearray(end - self.image.memory.flash)
        for address, data in self.image.segments:
            start = address - self.image.memory.flash
            flash[start : start + len(data)] = data
        return bytes(flash)

    def _address(self, function: str, index: int) -> int:
        uc = self._unicorn
        self._emulator.reg_write(uc.arm_const.UC_ARM_REG_R0, index)
        self._call(self.image.address(function), f"{function}({index})")
        address = int(self._emulator.reg_read(uc.arm_const.UC_ARM_REG_R0))
        if address == 0:
            raise VerificationError("unicorn", f"{function}({index}) returns a null pointer")
        return address

    def _call(self, address: int, what: str) -> int:
        """Call a function, run until it returns, and return the instructions it took."""
        uc, emulator, memory = self._unicorn, self._emulator, self.image.memory
        stop = self.image.address("netsuke_stop")
        emulator.reg_write(uc.arm_const.UC_ARM_REG_SP, memory.ram + memory.stack)
        emulator.reg_write(uc.arm_const.UC_ARM_REG_LR, stop | 1)
        self._fault = ""
        self._counter.restart(self._limit)
        try:
            emulator.emu_start(address | 1, stop)
        except uc.UcError as error:
            self._fault = self._fault or str(error)
        at = int(emulator.reg_read(uc.arm_const.UC_ARM_REG_PC))
        place = f"{what} in {self.image.function_at(at)} at {at:#x}"
        if self._counter.exhausted:
            raise VerificationError(place, f"did not end within {self._limit:,} instructions")
        if self._fault or at != stop:
            raise VerificationError(place, self._fault or "the emulator stopped")
        return self._counter.executed

    def _interrupt(self, emulator: Any, number: int, _: Any) -> None:
        at = int(emulator.reg_read(self._unicorn.arm_const.UC_ARM_REG_PC))
        if at & ~1 != self.image.address("netsuke_stop"):
            self._fault = f"exception {number}: an instruction the core refuses"
        emulator.emu_stop()

    def _invalid(self, _: Any, access: int, address: int, size: int, *__: Any) -> bool:
        uc = self._unicorn
        verb = {
            uc.UC_MEM_READ_UNMAPPED: "reads",
            uc.UC_MEM_WRITE_UNMAPPED: "writes",
            uc.UC_MEM_WRITE_PROT: "writes read-only memory:",
            uc.UC_MEM_FETCH_UNMAPPED: "jumps to",
        }.get(access, "touches")
        self._fault = f"{verb} {size} B at {address:#x}, which is not its own{self._near(address)}"
        return False

    def _near(self, address: int) -> str:
        for arena in self.image.arenas:
            if arena.address - PAGE <= address < arena.address + arena.size + PAGE:
                return f" ({arena.symbol} is {arena.address:#x}..{arena.address + arena.size:#x})"
        if address < self.image.memory.ram + self.image.memory.stack:
            return " (just below the stack)" if address >= self.image.memory.ram - PAGE else ""
        return ""

    def _paint(self) -> None:
        """Fill the stack, the arenas and what surrounds them with patterns."""
        memory = self.image.memory
        self._emulator.mem_write(memory.ram, bytes([STACK_PAINT]) * memory.stack)
        for arena in self.image.arenas:
            self._emulator.mem_write(arena.address, bytes([GARBAGE]) * arena.size)
            for start, size in _around(arena):
                self._emulator.mem_write(start, bytes([CANARY]) * size)

    def _check_canaries(self) -> None:
        for arena in self.image.arenas:
            for start, size in _around(arena):
                if bytes(self._emulator.mem_read(start, size)) != bytes([CANARY]) * size:
                    side = "before" if start < arena.address else "behind"
                    raise VerificationError(
                        "unicorn", f"the canary {side} {arena.symbol} was overwritten"
                    )


def _pages(size: int) -> int:
    return max(PAGE, -(-size // PAGE) * PAGE)


def _around(arena: Arena) -> list[tuple[int, int]]:
    """(address, bytes) of what an arena leaves free in its pages, before and behind."""
    start, end = arena.address // PAGE * PAGE, arena.address + arena.size
    spans = [(start, arena.address - start), (end, -end % PAGE)]
    return [(address, size) for address, size in spans if size]


def unicorn_version() -> str:
    """What Unicorn says of itself; raises MissingToolError when it is not installed."""
    return f"unicorn {_module().__version__}"


def _module() -> Any:
    try:
        import unicorn
        import unicorn.arm_const
    except ImportError:
        raise MissingToolError("unicorn", "to emulate a Cortex-M", "pip install unicorn") from None
    return unicorn
