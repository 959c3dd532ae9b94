"""Record the code size of every kernel function on every Cortex-M core, for `netsuke check`.

``python bench/code_sizes/run.py`` compiles each kernel source (zig cc -Os) and writes what
each function needs to `src/netsuke/schedule/code_sizes.json`; ``--check`` compares with what is
recorded and fails on any
difference. ``--only dense/dense_s8_dsp.c ...`` measures these sources anew and keeps what is
recorded of the others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

from netsuke.codegen.sources import PACKAGE, kernel_files
from netsuke.errors import VerificationError
from netsuke.schedule.flash import SIZES
from netsuke.verify.cores import CORES
from netsuke.verify.cores import core as core_of
from netsuke.verify.toolchain import LEVELS, compile_objects, target_compiler, target_flags


def functions(path: Path) -> list[str]:
    """Global functions of an object."""
    with path.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        return sorted(
            symbol.name
            for symbol in table.iter_symbols()
            if symbol["st_info"]["bind"] == "STB_GLOBAL" and symbol["st_info"]["type"] == "STT_FUNC"
        )


def reachable(path: Path, function: str) -> int:
    """Bytes of an object that land in flash when a linker keeps what one function needs."""
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        table = elf.get_section_by_name(".symtab")
        symbols = list(table.iter_symbols())
        relocations: dict[int, set[int]] = {}
        for section in elf.iter_sections():
            if isinstance(section, RelocationSection):
                targets = relocations.setdefault(section["sh_info"], set())
                for relocation in section.iter_relocations():
                    home = symbols[relocation["r_info_sym"]]["st_shndx"]
                    if isinstance(home, int):
                        targets.add(home)
        start = next(s["st_shndx"] for s in symbols if s.name == function)
        seen, waiting = {start}, [start]
        while waiting:
            for target in relocations.get(waiting.pop(), set()) - seen:
                seen.add(target)
                waiting.append(target)
        kept = (elf.get_section(index) for index in seen)
        return sum(s["sh_size"] for s in kept if s["sh_flags"] & 2 and ".ARM" not in s.name)


def measure(only: Sequence[str], recorded: Mapping[str, Any]) -> dict[str, object]:
    """Bytes by core and function; only some sources' where they are named."""
    compiler = target_compiler("zig")
    sources = only or sorted(
        str(path.relative_to(PACKAGE / "ops").as_posix())
        for path in (PACKAGE / "ops").glob("*/*.c")
    )
    table: dict[str, dict[str, int]] = dict(recorded["sizes"]) if only else {}
    for core in map(core_of, CORES):
        sizes = table.setdefault(core.name, {})
        for source in sources:
            files = kernel_files([source])
            wanted = PurePosixPath("kernels", PurePosixPath(source).name)
            files = {p: d for p, d in files.items() if p == wanted or p.suffix == ".h"}
            try:
                (built,) = compile_objects(compiler, target_flags(compiler, core), files)
            except VerificationError as error:
                print(f"{core.name} {source}: {error}", file=sys.stderr)
                continue
            sizes |= {name: reachable(built, name) for name in functions(built)}
    return {"compiler": compiler.version, "flags": LEVELS[compiler.family], "sizes": table}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", nargs="+", default=[], metavar="SOURCE")
    arguments = parser.parse_args()
    recorded = SIZES.read_text(encoding="utf-8") if SIZES.exists() else ""
    measured = measure(arguments.only, json.loads(recorded) if arguments.only else {})
    text = json.dumps(measured, indent=1, sort_keys=True) + "\n"
    if not arguments.check:
        SIZES.write_text(text, encoding="utf-8")
        print(f"{SIZES}: {len(CORES)} cores")
        return 0
    if recorded != text:
        print("the recorded code sizes are stale; run bench/code_sizes/run.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
