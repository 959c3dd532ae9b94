"""What a linked image says of itself: symbols, segments, instructions, sizes."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

HEAP = frozenset(
    {"malloc", "calloc", "realloc", "free", "sbrk", "_sbrk", "_malloc_r", "_free_r", "mmap", "brk"}
    | {"aligned_alloc", "memalign", "posix_memalign", "reallocarray"}
)


"""Functions that every heap is reached through."""


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


def open_elf(data: bytes) -> Any:
    """Parse the bytes of an ELF file."""
    from elftools.elf.elffile import ELFFile

    return ELFFile(io.BytesIO(data))


def _entries(elf: Any) -> list[tuple[str, str, int, int, str]]:
    """(name, kind, value, bytes, section) of every symbol that lies in a section."""
    entries = []
    for symbol in elf.get_section_by_name(".symtab").iter_symbols():
        index = symbol["st_shndx"]
        section = elf.get_section(index).name if isinstance(index, int) else ""
        kind, value = symbol["st_info"]["type"], symbol["st_value"]
        entries.append((symbol.name, kind, value, symbol["st_size"], section))
    return entries


def read_symbols(elf: Any) -> dict[str, tuple[int, int]]:
    """Name -> (address, bytes); Thumb bits are cleared."""
    symbols: dict[str, tuple[int, int]] = {}
    for name, kind, value, size, _ in _entries(elf):
        if name:
            symbols.setdefault(name, (value & ~1 if kind == "STT_FUNC" else value, size))
    return symbols


def read_segments(elf: Any) -> tuple[tuple[int, bytes], ...]:
    """(load address, bytes) of everything that lies in flash."""
    return tuple(
        (segment["p_paddr"], segment.data())
        for segment in elf.iter_segments()
        if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]
    )


def read_code(elf: Any) -> tuple[tuple[int, bytes], ...]:
    """Stretches of instructions; the Arm ABI marks them ``$t`` or ``$x``, and literals ``$d``."""
    marks: dict[str, dict[int, str]] = {}
    for name, _, value, _, section in _entries(elf):
        if name[:2] in ("$t", "$x", "$d") and name[2:3] in ("", "."):
            marks.setdefault(section, {})[value] = name[1]
    stretches = []
    for name, found in marks.items():
        section = elf.get_section_by_name(name)
        if not section["sh_flags"] & 4:  # SHF_EXECINSTR
            continue
        base, data = section["sh_addr"], section.data()
        places = [*sorted(found), base + len(data)]
        for start, end in pairwise(places):
            if found[start] != "d" and end > start:
                stretches.append((start, data[start - base : end - base]))
    return tuple(sorted(stretches))


def read_sizes(elf: Any) -> Sizes:
    """Bytes of the parts of an image that `netsuke.verify.image` linked."""

    def size(name: str) -> int:
        section = elf.get_section_by_name(name)
        return int(section["sh_size"]) if section is not None else 0

    # A bare ``node7`` is a parameter structure; its tables carry longer names.
    weights = sum(
        size
        for name, kind, _, size, section in _entries(elf)
        if kind == "STT_OBJECT" and section == ".rodata" and not re.fullmatch(r"node\d+", name)
    )
    sections = (".text", ".library", ".rodata")
    text, library, rodata = (size(name) for name in sections)
    return Sizes(text, library, rodata, weights, size(".data"), size(".bss"))
