"""A bare-metal image of an artifact for one Cortex-M core: linking it and reading it back."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from netsuke.errors import VerificationError
from netsuke.verify.cache import cached, digest
from netsuke.verify.cores import Core
from netsuke.verify.project import Project
from netsuke.verify.toolchain import (
    BARE,
    Compiler,
    compile_objects,
    link,
    target_compiler,
    target_flags,
)

PAGE = 4096
MODEL = PurePosixPath("model.c")
HEAP = frozenset(
    {"malloc", "calloc", "realloc", "free", "sbrk", "_sbrk", "_malloc_r", "_free_r", "mmap", "brk"}
    | {"aligned_alloc", "memalign", "posix_memalign", "reallocarray"}
)


@dataclass(frozen=True, slots=True)
class Memory:
    """Where an emulated board has its memories (addresses and bytes)."""

    flash: int = 0
    flash_size: int = 64 << 20
    ram: int = 0x20000000
    ram_size: int = 64 << 20
    stack: int = 64 << 10


@dataclass(frozen=True, slots=True)
class Arena:
    """One arena: its symbol, the section it lies in, its bytes and its first address."""

    symbol: str
    section: str
    size: int
    address: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of the linked image, without the start-up code and what drives the model.

    Attributes
    ----------
    text
        Instructions of the model and its kernels.
    library
        Instructions and tables that the compiler's library and the memory functions add.
    rodata
        Constants of the model and its kernels, weights included.
    weights
        The tables of the model among them.
    data, bss
        Initialised and zeroed variables besides the arenas.
    """

    text: int
    library: int
    rodata: int
    weights: int
    data: int
    bss: int

    @property
    def code(self) -> int:
        """Bytes of flash that are not weights."""
        return self.flash - self.weights

    @property
    def flash(self) -> int:
        """All bytes of flash."""
        return self.text + self.library + self.rodata + self.data


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A linked image.

    Attributes
    ----------
    path, elf
        Its file and the file's bytes.
    core, compiler, flags
        What it was built for, and how.
    memory
        The memory map that it is linked for.
    arenas
        Every arena of the model.
    symbols
        Name -> (address, bytes) of functions and objects; Thumb bits are cleared.
    segments
        (address, bytes) to load.
    sizes
        Of its parts.
    heap
        Names of heap functions that it contains; empty proves that it uses no heap.
    """

    path: Path
    elf: bytes
    core: Core
    compiler: Compiler
    flags: tuple[str, ...]
    memory: Memory
    arenas: tuple[Arena, ...]
    symbols: dict[str, tuple[int, int]]
    segments: tuple[tuple[int, bytes], ...]
    sizes: Sizes
    heap: tuple[str, ...]

    def address(self, symbol: str) -> int:
        if symbol not in self.symbols:
            raise VerificationError("the image", f"lacks the symbol {symbol!r}")
        return self.symbols[symbol][0]

    def function_at(self, address: int) -> str:
        """The function that an address lies in, or the address itself."""
        for name, (start, size) in self.symbols.items():
            if start <= address < start + size:
                return name
        return f"{address:#x}"


def build_image(
    project: Project,
    core: Core,
    memory: Memory | None = None,
    compiler: str | None = None,
    optimize: str = "-O2",
    harness: dict[PurePosixPath, bytes] | None = None,
    fenced: bool = True,
) -> Image:
    """Compile and link an artifact with start-up code for a core.

    Parameters
    ----------
    project
        The artifact.
    core
        What to compile for.
    memory
        The board's memory map.
    compiler
        ``zig`` or ``arm-none-eabi-gcc``.
    optimize
        Optimisation level.
    harness
        C around the model in place of the plain start-up.
    fenced
        Let every arena end at a page boundary with a free page behind it.

    Raises
    ------
    VerificationError
        When the compiler refuses something.
    """
    memory = memory or Memory()
    tool = target_compiler(compiler)
    flags = target_flags(tool, core, optimize)
    start = harness or {PurePosixPath("start.c"): (BARE / "start.c").read_bytes()}
    support = {PurePosixPath("memory.c"): (BARE / "memory.c").read_bytes()}
    # The loops of memory.c must not be recognised as what they implement.
    plain = (*flags, "-fno-builtin")
    headers = {path: data for path, data in project.sources.items() if path.suffix == ".h"}
    model = compile_objects(tool, flags, project.sources)
    around = compile_objects(tool, plain, {**headers, **start})
    library = compile_objects(tool, plain, support)
    arenas = _arenas(model, memory, fenced)
    script = _script(memory, arenas, model, around)
    elf = _link(tool, flags, script, [*around, *model, *library])
    return _read(elf, core, tool, flags, memory, arenas)


def _link(tool: Compiler, flags: Sequence[str], script: str, objects: Sequence[Path]) -> Path:
    path = cached(digest(script), ".ld", lambda new: _write(new, script))
    linking = [*flags, "-nostartfiles", "-T", str(path), "-Wl,--gc-sections"]
    if tool.family == "gcc":
        linking = [*flags, "-nostartfiles", "-nodefaultlibs", "-T", str(path), "-Wl,--gc-sections"]
        linking += ["-Wl,--no-warn-rwx-segments", "-Wl,--build-id=none"]
        return link(tool, linking, [*objects], ".elf", "the image", ("-lgcc",))
    try:  # zig builds its own library at first use, which takes seconds: only where it is needed
        return link(tool, [*linking, "-nostdlib"], objects, ".elf", "the image")
    except VerificationError as error:
        if "undefined symbol" not in str(error):
            raise
    return link(tool, linking, objects, ".elf", "the image")


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _elf(data: bytes) -> Any:
    from elftools.elf.elffile import ELFFile

    return ELFFile(io.BytesIO(data))


def _arenas(objects: Sequence[Path], memory: Memory, fenced: bool) -> tuple[Arena, ...]:
    """Find the arenas in the objects and give each its address."""
    found: dict[str, tuple[str, int]] = {}
    for path in objects:
        elf = _elf(path.read_bytes())
        for symbol in elf.get_section_by_name(".symtab").iter_symbols():
            index = symbol["st_shndx"]
            if symbol.name.startswith("model_arena") and isinstance(index, int):
                section = elf.get_section(index)
                found[symbol.name] = (section.name, int(section["sh_size"]))
    # Stack first, then 64 KiB for variables, then the arenas.
    address = memory.ram + memory.stack + (64 << 10 if fenced else 4 << 10)
    arenas = []
    for symbol, (section, size) in sorted(found.items()):
        padded = -(-size // 16) * 16
        if fenced:
            pages = -(-padded // PAGE)
            arenas.append(Arena(symbol, section, size, address + pages * PAGE - padded))
            address += (pages + 1) * PAGE
        else:
            arenas.append(Arena(symbol, section, size, address + 64))
            address += 64 + padded + 64
    if address > memory.ram + memory.ram_size:
        needed = address - memory.ram
        raise VerificationError(
            "the emulated board", f"has {memory.ram_size:,} B of RAM, {needed:,} B are needed"
        )
    return tuple(arenas)


def _script(
    memory: Memory, arenas: Sequence[Arena], model: Sequence[Path], around: Sequence[Path]
) -> str:
    """The linker script; output sections keep the model apart from what surrounds it."""
    sections = "\n".join(
        f"  .arena{number} {arena.address:#x} (NOLOAD) : {{ KEEP(*({arena.section})) }}"
        for number, arena in enumerate(arenas)
    )
    start = "\n    ".join(f"*{path.name}(.text .text.* .rodata .rodata.*)" for path in around)
    text = "\n    ".join(f"*{path.name}(.text .text.*)" for path in model)
    rodata = "\n    ".join(f"*{path.name}(.rodata .rodata.*)" for path in model)
    table = " ".join(f"LONG({a.address:#x}) LONG({a.size:#x})" for a in arenas) + " LONG(0)"
    return f"""ENTRY(_start)
EXTERN(model_invoke model_input model_output)
MEMORY {{
  flash (rx) : ORIGIN = {memory.flash:#x}, LENGTH = {memory.flash_size:#x}
  ram (rw) : ORIGIN = {memory.ram:#x}, LENGTH = {memory.ram_size:#x}
}}
netsuke_stack_bottom = {memory.ram:#x};
netsuke_stack_top = {memory.ram + memory.stack:#x};
SECTIONS {{
  .start : {{
    KEEP(*(.vectors))
    netsuke_arenas = .;
    {table}
    {start}
  }} > flash
  .text : ALIGN(4) {{
    {text}
  }} > flash
  .rodata : ALIGN(4) {{
    {rodata}
  }} > flash
  .library : ALIGN(4) {{ *(.text .text.* .rodata .rodata.*) . = ALIGN(4); }} > flash
{sections}
  .data {memory.ram + memory.stack:#x} : AT(ADDR(.library) + SIZEOF(.library)) {{
    netsuke_data_start = .; *(.data .data.*) . = ALIGN(4); netsuke_data_end = .;
  }}
  netsuke_data_load = LOADADDR(.data);
  .bss ADDR(.data) + SIZEOF(.data) (NOLOAD) : {{
    netsuke_bss_start = .; *(.bss .bss.* COMMON) . = ALIGN(4); netsuke_bss_end = .;
  }}
  /DISCARD/ : {{ *(.ARM.exidx* .ARM.extab* .comment .note* .eh_frame* .debug*) }}
}}
"""


def _read(
    path: Path,
    core: Core,
    compiler: Compiler,
    flags: tuple[str, ...],
    memory: Memory,
    arenas: tuple[Arena, ...],
) -> Image:
    data = path.read_bytes()
    elf = _elf(data)
    symbols: dict[str, tuple[int, int]] = {}
    tables = 0
    rodata = elf.get_section_by_name(".rodata")
    names = set()
    for symbol in elf.get_section_by_name(".symtab").iter_symbols():
        kind, index = symbol["st_info"]["type"], symbol["st_shndx"]
        names.add(symbol.name)
        if kind in ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE") and symbol.name:
            value = symbol["st_value"] & ~1 if kind == "STT_FUNC" else symbol["st_value"]
            symbols.setdefault(symbol.name, (value, symbol["st_size"]))
        if kind == "STT_OBJECT" and isinstance(index, int) and rodata is not None:
            in_rodata = elf.get_section(index).name == ".rodata"
            # A bare ``node7`` is a parameter structure; its tables carry longer names.
            if in_rodata and not re.fullmatch(r"node\d+", symbol.name):
                tables += symbol["st_size"]

    def size(name: str) -> int:
        section = elf.get_section_by_name(name)
        return int(section["sh_size"]) if section is not None else 0

    return Image(
        path=path,
        elf=data,
        core=core,
        compiler=compiler,
        flags=flags,
        memory=memory,
        arenas=arenas,
        symbols=symbols,
        segments=tuple(
            (segment["p_paddr"], segment.data())
            for segment in elf.iter_segments()
            if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]
        ),
        sizes=Sizes(
            size(".text"), size(".library"), size(".rodata"), tables, size(".data"), size(".bss")
        ),
        heap=tuple(sorted(names & HEAP)),
    )
