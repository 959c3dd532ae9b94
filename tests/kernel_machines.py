"""Run thousands of kernel calls at once: on this machine under sanitizers, or on an emulator.

`SanitizedHost`, `EmulatedCore` (Unicorn, which also counts instructions) and `EmulatedBoard` (QEMU)
run the jobs of `kernel_jobs.py`. Each block lies between canaries (or in an allocation of its own),
so that no byte beyond what was planned is touched.
"""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from kernel_jobs import NULL, Job

from netsuke.codegen.sources import kernel_files
from netsuke.ir import GraphBuilder
from netsuke.ops import Clamp
from netsuke.verify.a64 import A64Model
from netsuke.verify.cores import core as core_of
from netsuke.verify.image import build_image
from netsuke.verify.project import Project
from netsuke.verify.qemu import BOARDS, PROGRAM
from netsuke.verify.rv32 import Rv32Model
from netsuke.verify.toolchain import (
    LANGUAGE,
    SANITIZE,
    Compiler,
    compile_objects,
    link,
    sanitizing_compiler,
)
from netsuke.verify.unicorn import UnicornModel

DRIVER = Path(__file__).with_name("kernel_jobs.c")
CANARY = 0x9E
FENCE = 32


def _functions(jobs: Sequence[Job]) -> list[str]:
    return sorted({job.function for job in jobs})


def _table(functions: Sequence[str]) -> bytes:
    """C of the table by which a number becomes a function."""
    declared = "\n".join(f"void {name}(void);" for name in functions)
    entries = ", ".join(functions)
    return (
        f"{declared}\nextern void (*const nsk_functions[])(void);\n"
        f"void (*const nsk_functions[])(void) = {{{entries}}};\n"
    ).encode()


def _pack(jobs: Sequence[Job]) -> bytes:
    """The file that ``kernel_jobs.c`` reads."""
    numbers = {name: index for index, name in enumerate(_functions(jobs))}
    parts = [struct.pack("<I", len(jobs))]
    for job in jobs:
        head = (numbers[job.function], len(job.blocks), len(job.arguments))
        parts.append(struct.pack("<3I", *head))
        for block in job.blocks:
            flat = [number for pair in block.pointers for number in pair]
            words = (len(block.data), block.behind, len(block.pointers), *flat)
            parts += [struct.pack(f"<{len(words)}I", *words), block.data]
        parts.append(struct.pack(f"<{len(job.arguments)}I", *job.arguments))
    return b"".join(parts)


def _unpack(jobs: Sequence[Job], data: bytes) -> list[list[bytes]]:
    answers, at = [], 0
    for job in jobs:
        (standing,) = struct.unpack_from("<I", data, at)
        assert standing, f"{job.function} ({job.label}): a fence beside a block was overwritten"
        at += 4
        blocks = []
        for block in job.blocks:
            blocks.append(data[at : at + len(block.data)])
            at += len(block.data)
        answers.append(blocks)
    assert at == len(data), f"{len(data)} bytes of answers instead of {at}"
    return answers


def _sources(jobs: Sequence[Job]) -> dict[PurePosixPath, bytes]:
    files = kernel_files({job.source for job in jobs})
    return {**files, PurePosixPath("functions.c"): _table(_functions(jobs))}


class SanitizedHost:
    """Runs jobs on this machine, each block an allocation under address sanitizing."""

    pointer = 8

    def __init__(self, *flags: str) -> None:
        compiler = sanitizing_compiler()
        assert compiler, "no compiler with sanitizers is installed"
        self.compiler: Compiler = compiler
        self.flags = (*LANGUAGE, "-O1", *SANITIZE, *flags)
        self.instructions: list[int] = []

    def run(self, jobs: Sequence[Job]) -> list[list[bytes]]:
        files = {**_sources(jobs), PurePosixPath(DRIVER.name): DRIVER.read_bytes()}
        objects = compile_objects(self.compiler, self.flags, files)
        program = link(self.compiler, self.flags, objects, ".exe", "the jobs")
        with tempfile.TemporaryDirectory() as folder:
            given, taken = Path(folder) / "jobs", Path(folder) / "answers"
            given.write_bytes(_pack(jobs))
            command = [str(program), str(given), str(taken)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-3000:] or done.returncode
            return _unpack(jobs, taken.read_bytes())


_MODEL = """#include <stdint.h>
extern void (*const nsk_functions[])(void);
uint8_t model_arena[{room}];
extern const uint32_t model_arena_bytes;
const uint32_t model_arena_bytes = sizeof model_arena;
void *model_input(int i);
const void *model_output(int i);
void model_invoke(void);
void *model_input(int i)
{{
    return i < 0 ? (void *)(uintptr_t)nsk_functions[-i] : model_arena;
}}
const void *model_output(int i)
{{
    return model_input(i);
}}
void model_invoke(void)
{{
}}
"""


def _project(jobs: Sequence[Job], core: str, isa: frozenset[str], room: int = 16) -> Project:
    """The kernels as a project with a model that does nothing."""
    builder = GraphBuilder("jobs")
    x = builder.input("x", (1,), "float32")
    graph = builder.build([builder.one(Clamp(0.0, 1.0), x)])
    sources = {**_sources(jobs), PurePosixPath("model.c"): _MODEL.format(room=room).encode()}
    return Project({}, sources, graph, {}, (core, isa))


class EmulatedCore:
    """Runs jobs on a core that Unicorn emulates.

    Attributes
    ----------
    instructions
        Executed by each job of the last run.
    """

    pointer, word = 4, "<I"
    base, room = 0x30000000, 1 << 22

    def __init__(self, core: str, isa: frozenset[str], compiler: str | None = None) -> None:
        self.core, self.isa, self.compiler = core, isa, compiler
        self.instructions: list[int] = []

    def run(self, jobs: Sequence[Job]) -> list[list[bytes]]:
        model = self._model(_project(jobs, self.core, self.isa))
        model._emulator.mem_map(self.base, self.room)
        self.instructions = []
        return [self._one(model, job) for job in jobs]

    def _model(self, project: Project) -> UnicornModel:
        return UnicornModel(project, compiler=self.compiler)

    def _pass(self, model: UnicornModel, places: Sequence[int]) -> None:
        _pass(model._emulator, model.image.memory, places)

    def _one(self, model: UnicornModel, job: Job) -> list[list[bytes]]:
        starts, at = [], FENCE
        for block in job.blocks:
            starts.append(at + block.behind)
            at = -(-(at + block.behind + len(block.data) + FENCE) // 16) * 16
        assert at <= self.room, f"{job.label}: {at} bytes"
        memory = bytearray([CANARY]) * at
        for block, start in zip(job.blocks, starts, strict=True):
            data = bytearray(block.data)
            for where, to in block.pointers:
                struct.pack_into(self.word, data, where, self.base + starts[to])
            memory[start : start + len(data)] = data
        emulator: Any = model._emulator
        emulator.mem_write(self.base, bytes(memory))
        places = [0 if n == NULL else self.base + starts[n] for n in job.arguments]
        self._pass(model, places)
        self.instructions.append(_call(model, job, places))
        found = emulator.mem_read(self.base, at)
        result, free = [], 0
        for block, start in zip(job.blocks, starts, strict=True):
            outside = found[free:start]
            assert outside == bytes([CANARY]) * len(outside), f"{job.function}: {job.label}: canary"
            free = start + len(block.data)
            result.append(bytes(found[start:free]))
        assert found[free:] == bytes([CANARY]) * (at - free), f"{job.function}: {job.label}: canary"
        return result


def _pass(emulator: Any, memory: Any, places: Sequence[int]) -> None:
    """Arguments by the Arm calling convention: four registers, then the stack."""
    from unicorn import arm_const

    for number, place in enumerate(places[:4]):
        emulator.reg_write(getattr(arm_const, f"UC_ARM_REG_R{number}"), place)
    rest = struct.pack(f"<{len(places[4:])}I", *places[4:])
    if rest:
        emulator.mem_write(memory.ram + memory.stack - 64, rest)


def _call(model: UnicornModel, job: Job, places: Sequence[int]) -> int:
    """Call with the stack pointer at the arguments that `_pass` put there."""
    memory = model.image.memory
    kept = memory.stack
    object.__setattr__(memory, "stack", kept - 64)
    try:
        return model._call(model.image.address(job.function), f"{job.function} ({job.label})")
    finally:
        object.__setattr__(memory, "stack", kept)


class EmulatedA64(EmulatedCore):
    """Runs jobs on a 64-bit Arm core that Unicorn emulates."""

    pointer, word = 8, "<Q"

    def _model(self, project: Project) -> UnicornModel:
        return A64Model(project, compiler=self.compiler)

    def _pass(self, model: UnicornModel, places: Sequence[int]) -> None:
        from unicorn import arm64_const

        for number, place in enumerate(places):  # all in registers: there are at most eight
            model._emulator.reg_write(getattr(arm64_const, f"UC_ARM64_REG_X{number}"), place)


class EmulatedRv32(EmulatedCore):
    """Runs jobs on a 32-bit RISC-V core that Unicorn emulates."""

    def _model(self, project: Project) -> UnicornModel:
        return Rv32Model(project, compiler=self.compiler)

    def _pass(self, model: UnicornModel, places: Sequence[int]) -> None:
        from unicorn import riscv_const

        assert len(places) <= 8, "eight registers take the arguments"
        for number, place in enumerate(places):
            model._emulator.reg_write(getattr(riscv_const, f"UC_RISCV_REG_A{number}"), place)


class EmulatedBoard:
    """Runs jobs on a board that QEMU emulates (Cortex-M55 too)."""

    pointer = 4
    room = 1 << 20

    def __init__(self, core: str, isa: frozenset[str], compiler: str | None = None) -> None:
        self.core, self.isa, self.compiler = core_of(core, isa), isa, compiler
        self.instructions: list[int] = []

    def run(self, jobs: Sequence[Job]) -> list[list[bytes]]:
        machine = str(self.core.machine)
        driver = b"#define NSK_ON_BOARD 1\n" + DRIVER.read_bytes()
        image = build_image(
            _project(jobs, self.core.name, self.isa, self.room),
            self.core,
            BOARDS[machine].memory,
            self.compiler,
            "-O2",
            {PurePosixPath(DRIVER.name): driver},
            fenced=False,
        )
        command = [PROGRAM, "-M", machine, "-nographic", "-monitor", "none", "-serial", "none"]
        command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(image.path)]
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "jobs").write_bytes(_pack(jobs))
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"exit status {done.returncode}: {done.stderr[-1000:]}"
            return _unpack(jobs, (Path(folder) / "answers").read_bytes())
