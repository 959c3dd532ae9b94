"""A linked program of an artifact for an AVR microcontroller: building it and reading it back."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from netsuke.errors import MissingToolError, ModelError, UsageError
from netsuke.ir import Graph
from netsuke.verify.cores import Core
from netsuke.verify.driver import FACE
from netsuke.verify.elf import HEAP, Sizes, open_elf, read_segments, read_symbols
from netsuke.verify.image import Arena, Image, Memory
from netsuke.verify.project import Project
from netsuke.verify.pushed import ROW
from netsuke.verify.toolchain import LANGUAGE, Compiler, compile_objects, find_compiler, link

INSTALL = "apt install gcc-avr avr-libc simavr libsimavr-dev"
COMPILER = "avr-gcc"
DATA_SPACE = 0x800000
"""Where ELF files of AVR put RAM, which has addresses of its own."""

FLAGS = (
    *("-Os", "-flto", "-mrelax", "-fno-move-loop-invariants"),
    *("-ffunction-sections", "-fdata-sections"),
)
"""Chosen by bytes and cycles over the models of the bench; see decision 0021."""

MAIN = PurePosixPath("netsuke_main.c")


@dataclass(frozen=True, slots=True)
class Mcu:
    """A microcontroller of the family: bytes of flash and RAM, and the first address of RAM."""

    flash: int
    ram: int
    first: int


MCUS = {
    "atmega328p": Mcu(32 << 10, 2 << 10, 0x100),
    "atmega32u4": Mcu(32 << 10, 2560, 0x100),
    "atmega2560": Mcu(256 << 10, 8 << 10, 0x200),
}


def is_avr(core: str) -> bool:
    """Whether a device's core is one of the family that can be emulated here."""
    return core in MCUS


def avr_compiler() -> Compiler:
    """The compiler for the family; raises MissingToolError when it is not installed."""
    found = find_compiler(COMPILER)
    if found is None:
        raise MissingToolError(COMPILER, "to compile for an AVR", INSTALL)
    return found


def avr_flags(mcu: str) -> tuple[str, ...]:
    """All flags with which objects for a microcontroller are made."""
    return (f"-mmcu={mcu}", *LANGUAGE, *FLAGS)


@dataclass(frozen=True, slots=True)
class Placed:
    """A port's address in RAM and its bytes."""

    kind: str  # "i" or "o"
    address: int
    size: int


def build_avr(project: Project) -> Image:
    """Compile and link an artifact as one program that runs it for ever.

    Raises
    ------
    MissingToolError
        When there is no compiler for the family.
    VerificationError
        When the compiler refuses something, or the program is larger than the microcontroller.
    """
    mcu = project.core[0]
    if not is_avr(mcu):
        raise UsageError(f"{mcu} is no AVR that can be emulated; those are {', '.join(MCUS)}")
    tool, flags = avr_compiler(), avr_flags(mcu)
    path = _link(tool, flags, {**project.sources, MAIN: main_program(project.graph)})
    data = path.read_bytes()
    elf = open_elf(data)
    symbols = read_symbols(elf)
    arenas = _arenas(symbols, mcu)
    apart = sum(arena.size for arena in arenas) + symbols.get(ROW, (0, 0))[1]
    return Image(
        path=path,
        elf=data,
        core=Core(mcu, "", mcu, None, None),
        compiler=tool,
        flags=flags,
        memory=Memory(0, MCUS[mcu].flash, DATA_SPACE + MCUS[mcu].first, MCUS[mcu].ram, 0),
        arenas=arenas,
        symbols=symbols,
        segments=read_segments(elf),
        code=(),
        sizes=_sizes(elf, _startup(tool, flags), apart),
        heap=tuple(sorted(HEAP.intersection(symbols))),
    )


def _link(tool: Compiler, flags: Sequence[str], files: Mapping[PurePosixPath, bytes]) -> Path:
    objects = compile_objects(tool, flags, files)
    linking = [*flags, "-Wl,--gc-sections", "-fwhole-program"]
    return link(tool, linking, objects, ".elf", "the program")


def main_program(graph: Graph) -> bytes:
    """C of a program that marks each inference by what it writes to GPIOR0.

    The compiler sees the whole program, so it must be told that somebody writes the inputs and
    reads the outputs.
    """
    ports = [f"model_input({index})" for index in range(len(graph.inputs))]
    ports += [f"model_output({index})" for index in range(len(graph.outputs))]
    shown = "\n".join(f'    __asm__ volatile("" : : "r"({port}) : "memory");' for port in ports)
    return f"""#include "model.h"
#include <stdint.h>
{FACE}#define MARK (*(volatile uint8_t *)0x3e)
/* A function of its own, or what is the same every time would be computed before the marks. */
static void __attribute__((noinline)) infer(void)
{{
    model_invoke();
}}
int __attribute__((OS_main)) main(void)
{{
{shown}
    for (;;) {{
        MARK = 1;
        infer();
        __asm__ volatile("" : : : "memory");
        MARK = 2;
    }}
}}
""".encode()


_EMPTY = b"""#include <stdint.h>
int __attribute__((OS_main)) main(void)
{
    for (;;) {
        *(volatile uint8_t *)0x3e = 1;
        *(volatile uint8_t *)0x3e = 2;
    }
}
"""


@functools.cache
def _startup(tool: Compiler, flags: tuple[str, ...]) -> int:
    """Bytes of a program without a model: vectors, start-up code and the marks."""
    elf = open_elf(_link(tool, flags, {MAIN: _EMPTY}).read_bytes())
    return int(elf.get_section_by_name(".text")["sh_size"])


def placed_ports(project: Project, image: Image) -> list[Placed]:
    """Where the inputs and outputs lie, by the manifest's offsets into the linked arenas.

    Raises
    ------
    ModelError
        When the manifest does not say it.
    """
    pushed = project.manifest.get("stream") is True
    placed = []
    for number, name in enumerate(project.graph.inputs):
        size = project.graph.tensors[name].size
        if pushed:
            placed.append(Placed("i", image.address(ROW) - DATA_SPACE, size))
        else:
            placed.append(Placed("i", _address(project, image, "inputs", number, size), size))
    for number, name in enumerate(project.graph.outputs):
        size = project.graph.tensors[name].size
        placed.append(Placed("o", _address(project, image, "outputs", number, size), size))
    return placed


def _address(project: Project, image: Image, kind: str, number: int, size: int) -> int:
    first = next(iter(project.manifest.get("arenas") or {}), None)
    place = f"manifest.json, {kind}[{number}]"
    try:
        port = project.manifest[kind][number]
        offset, region = int(port["offset"]), port["region"]
    except (KeyError, IndexError, TypeError, ValueError):
        raise ModelError(place, "does not say where it lies") from None
    symbol = "model_arena" if region == first else f"model_arena_{region}"
    arena = next((arena for arena in image.arenas if arena.symbol == symbol), None)
    if arena is None or not 0 <= offset <= arena.size - size:
        raise ModelError(place, "lies outside of every arena")
    return arena.address + offset


_ARENA = re.compile(r"(model_arena\w*?)(\.[\w.]+)?$")


def _arenas(symbols: Mapping[str, tuple[int, int]], mcu: str) -> tuple[Arena, ...]:
    found = []
    for name, (address, size) in sorted(symbols.items()):
        match = _ARENA.match(name)
        if match and address >= DATA_SPACE + MCUS[mcu].first:
            found.append(Arena(match[1], ".bss", size, address - DATA_SPACE))
    return tuple(found)


def _sizes(elf: Any, startup: int, apart: int) -> Sizes:
    """Bytes of the parts: the start-up is `library`, the tables are `rodata`.

    Of the variables, `apart` are arenas and what only the comparison needs.
    """

    def size(name: str) -> int:
        section = elf.get_section_by_name(name)
        return int(section["sh_size"]) if section is not None else 0

    weights = parameters = 0
    text = elf.get_section_index(".text")
    for symbol in elf.get_section_by_name(".symtab").iter_symbols():
        if symbol["st_info"]["type"] == "STT_OBJECT" and symbol["st_shndx"] == text:
            if re.fullmatch(r"node\d+(\.[\w.]+)?", symbol.name):
                parameters += symbol["st_size"]
            else:
                weights += symbol["st_size"]
    code = size(".text") - startup - weights - parameters
    variables = size(".bss") + size(".noinit") - apart
    return Sizes(code, startup, weights + parameters, weights, size(".data"), variables)
