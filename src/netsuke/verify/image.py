"""A bare-metal image of an artifact for one Cortex-M core: linking it and reading it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from netsuke.errors import VerificationError
from netsuke.verify.cache import cached, digest
from netsuke.verify.cores import Core
from netsuke.verify.elf import (
    HEAP,
    Sizes,
    open_elf,
    read_code,
    read_segments,
    read_sizes,
    read_symbols,
)
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


@dataclass(frozen=True, slots=True)
class Memory:
    """Where an emulated board has its memories (addresses and bytes).

    The vectors and the start-up code lie at `boot` where a board starts outside its flash.
    """

    flash: int = 0
    flash_size: int = 64 << 20
    ram: int = 0x20000000
    ram_size: int = 64 << 20
    stack: int = 64 << 10
    boot: int | None = None


@dataclass(frozen=True, slots=True)
class Arena:
    """One arena: its symbol, the section it lies in, its bytes and its first address."""

    symbol: str
    section: str
    size: int
    address: int


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
    code
        (address, bytes) of every stretch of instructions, without the literals between them.
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
    code: tuple[tuple[int, bytes], ...]
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
    optimize: str | None = None,
    harness: dict[PurePosixPath, bytes] | None = None,
    fenced: bool = True,
    entries: Sequence[str] = (),
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
        Optimisation level; None: the compiler's usual one (`toolchain.LEVELS`).
    harness
        C around the model in place of the plain start-up.
    fenced
        Let every arena end at a page boundary with a free page behind it.
    entries
        Functions that are called from outside, besides the model's own.

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
    library = compile_objects(tool, [*plain, "-Os"], support)
    arenas = _arenas(model, memory, fenced)
    script = _script(memory, arenas, model, around, entries)
    elf = _link(tool, flags, script, [*around, *model, *library])
    data = elf.read_bytes()
    parsed = open_elf(data)
    symbols = read_symbols(parsed)
    return Image(
        path=elf,
        elf=data,
        core=core,
        compiler=tool,
        flags=flags,
        memory=memory,
        arenas=arenas,
        symbols=symbols,
        segments=read_segments(parsed),
        code=read_code(parsed),
        sizes=read_sizes(parsed),
        heap=tuple(sorted(HEAP.intersection(symbols))),
    )


def _link(tool: Compiler, flags: Sequence[str], script: str, objects: Sequence[Path]) -> Path:
    path = cached(digest(script), ".ld", lambda new: _write(new, script))
    # At -Os zig would strip the symbols that the sizes are read from.
    plain = [flag for flag in flags if not flag.startswith("-O")]
    linking = [*plain, "-O2", "-nostartfiles", "-T", str(path), "-Wl,--gc-sections"]
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


def _arenas(objects: Sequence[Path], memory: Memory, fenced: bool) -> tuple[Arena, ...]:
    """Find the arenas in the objects and give each its address."""
    found: dict[str, tuple[str, int, int]] = {}
    for path in objects:
        elf = open_elf(path.read_bytes())
        for symbol in elf.get_section_by_name(".symtab").iter_symbols():
            index = symbol["st_shndx"]
            if symbol.name.startswith("model_arena") and isinstance(index, int):
                section = elf.get_section(index)
                grain = max(16, int(section["sh_addralign"]))
                found[symbol.name] = (section.name, int(section["sh_size"]), grain)
    # Stack first, then 64 KiB for variables, then the arenas.
    address = memory.ram + memory.stack + (64 << 10 if fenced else 4 << 10)
    arenas = []
    for symbol, (section, size, grain) in sorted(found.items()):
        padded = -(-size // grain) * grain
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
    memory: Memory,
    arenas: Sequence[Arena],
    model: Sequence[Path],
    around: Sequence[Path],
    entries: Sequence[str],
) -> str:
    """The linker script; output sections keep the model apart from what surrounds it."""
    sections = "\n".join(
        f"  .arena{number} {arena.address:#x} (NOLOAD) : {{ KEEP(*({arena.section})) }}"
        for number, arena in enumerate(arenas)
    )
    start = "\n    ".join(f"*{path.name}(.text .text.* .rodata .rodata.*)" for path in around)
    text = "\n    ".join(f"*{path.name}(.text .text.*)" for path in model)
    rodata = "\n    ".join(f"*{path.name}(.rodata .rodata.*)" for path in model)
    boot, own_boot = "flash", ""
    if memory.boot is not None:
        boot, own_boot = "boot", f"\n  boot (rx) : ORIGIN = {memory.boot:#x}, LENGTH = 64K"
    table = " ".join(f"LONG({a.address:#x}) LONG({a.size:#x})" for a in arenas) + " LONG(0)"
    outside = " ".join(("model_invoke", "model_input", "model_output", *entries))
    return f"""ENTRY(_start)
EXTERN({outside})
MEMORY {{{own_boot}
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
  }} > {boot}
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
